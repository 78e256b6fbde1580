//! The report as a whole: its parts, their order, and where each key slice belongs.

use std::collections::HashMap;
use std::io::Write;

use hemora_ct::NOTICE;
use hemora_model::{StudyResult, TriageResult};
use hemora_page::{Page, Point, count, facts, file_reference, guide, notice, or_dash, short};
use maud::{Markup, html};

use crate::figure::{self, Figure};
use crate::study::{self, slice_count};
use crate::{ReportError, SlicePicture, skipped, worklist};

/// Up to this many studies are unfolded; of more, only the first.
const UNFOLDED: usize = 3;

pub(crate) const STYLE: &str = include_str!("style.css");

/// Writes the report of `result` with the pictures of `key_slices` (in any order) as one HTML
/// page. Studies are ranked by their probability of any hemorrhage.
///
/// # Errors
/// [`ReportError::UnknownSlice`] if a key slice is not in the result, [`ReportError::Write`] if
/// `out` cannot be written.
pub fn write_html(
    out: &mut impl Write,
    result: &TriageResult,
    key_slices: &[SlicePicture],
) -> Result<(), ReportError> {
    Report::new(result, key_slices)?.write(out)
}

/// A report, ready to be written whole or shown in parts.
///
/// The parts need the report's style around them, and [`Report::definitions`] once a page.
#[derive(Debug)]
pub struct Report<'a> {
    result: &'a TriageResult,
    /// By rank.
    studies: Vec<&'a StudyResult>,
    figures: Figures<'a>,
    /// Studies and slices of the whole that the studies are the most suspicious of; `None` if they are all.
    whole: Option<[usize; 2]>,
}

/// Key slices by study and series, the most suspicious first.
type Figures<'a> = Vec<Vec<Vec<Figure<'a>>>>;

impl<'a> Report<'a> {
    /// Ranks the studies by their probability of any hemorrhage and finds the slice of every picture.
    ///
    /// # Errors
    /// [`ReportError::UnknownSlice`] if a key slice is not in the result.
    pub fn new(
        result: &'a TriageResult,
        key_slices: &'a [SlicePicture],
    ) -> Result<Self, ReportError> {
        let mut studies: Vec<&StudyResult> = result.studies.iter().collect();
        // `max` first: a study without a number goes last. The sort keeps the result's order of ties.
        let any = |study: &StudyResult| study.probabilities.any.max(-1.0);
        studies.sort_by(|a, b| any(b).total_cmp(&any(a)));
        let figures = figures(&studies, key_slices)?;
        Ok(Self { result, studies, figures, whole: None })
    }

    /// Says that the result holds but the most suspicious of so many studies with so many scored slices.
    pub fn most_suspicious_of(self, studies: usize, slices: usize) -> Self {
        Self { whole: Some([studies, slices]), ..self }
    }

    /// The studies by rank, the most suspicious first.
    pub fn studies(&self) -> &[&'a StudyResult] {
        &self.studies
    }

    /// The ranked list of studies, each a link to `#study-RANK`.
    pub fn worklist(&self) -> Markup {
        worklist::worklist(&self.studies)
    }

    /// The study at an index of [`Report::studies`], folded or unfolded; `None` if there is none.
    pub fn study(&self, index: usize, unfolded: bool) -> Option<Markup> {
        let (study, figures) = (self.studies.get(index)?, &self.figures[index]);
        Some(study::study(study, [index + 1, self.studies.len()], unfolded, figures))
    }

    /// What the pictures of every study refer to; invisible.
    pub fn definitions() -> Markup {
        figure::gradient()
    }

    /// Writes the report as one HTML page.
    ///
    /// # Errors
    /// [`ReportError::Write`] if `out` cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> Result<(), ReportError> {
        let page = Page {
            title: "Hemora triage report, for research use only",
            style: STYLE,
            skip: Some(("worklist", "Skip to the worklist")),
            header: self.header(),
            notice: NOTICE,
        };
        let total = self.studies.len();
        let studies =
            (0..total).filter_map(|index| self.study(index, index == 0 || total <= UNFOLDED));
        let first = [Self::definitions(), self.worklist()];
        let last = [guide(&GUIDE, html! {}), skipped::skipped(self.result)];
        page.write(out, first.into_iter().chain(studies).chain(last))?;
        Ok(())
    }

    fn header(&self) -> Markup {
        let TriageResult { model, tool, engine, .. } = self.result;
        let slices: usize = self.studies.iter().map(|study| slice_count(study)).sum();
        let own_notice = self.result.notice.trim();
        let more = (!own_notice.is_empty() && own_notice != NOTICE).then_some(own_notice);
        let parts = |number, singular, plural| match number {
            0 => String::new(),
            number => format!(", {}", count(number, singular, plural)),
        };
        let networks = parts(model.series_sha256.len(), "network of series", "networks of series");
        let members = parts(model.member_sha256.len(), "member", "members");
        let model_name = format!("{} {}", or_dash(&model.name), short(&model.version));
        html! {
            h1 { "Hemora triage report" }
            (notice(NOTICE, more))
            p {
                @if let Some([studies, slices]) = self.whole {
                    "The " (self.studies.len()) " most suspicious of "
                    (count(studies, "study", "studies")) ", "
                    (count(slices, "slice", "slices")) " scored, "
                } @else {
                    (count(self.studies.len(), "study", "studies")) ", "
                    (count(slices, "slice", "slices")) " scored, "
                }
                a href="#skipped" { (count(self.result.skipped_files(), "file", "files")) " not used" } ". "
                a href="#guide" { "How to read this page" }
            }
            (facts([
                ("Model", html! {
                    (file_reference(&model_name, &model.sha256)) (networks) (members)
                }),
                ("Engine", html! { (or_dash(engine)) }),
                ("Program", html! { (or_dash(&tool.name)) " " (short(&tool.version)) }),
            ]))
        }
    }
}

/// How to read the page, for readers who know neither the network nor the program.
const GUIDE: [Point; 6] = [
    (
        "Probability.",
        "The network scores every slice from 0 to 1 for any hemorrhage and for five subtypes. \
         For each of them, a series gets what the model's rule makes of its slices: of most models \
         the mean of the three neighbouring slices that score highest together. A study gets the numbers of its most suspicious series; where \
         several series show one head at different levels, those of all their slices. Several subtypes can be present together, \
         so the numbers do not add up.",
    ),
    (
        "Not calibrated for your scanner.",
        "The numbers put studies in order. They are not the chance that this patient bleeds: \
         scanner, protocol and patients may differ from those the network has learnt from.",
    ),
    (
        "Map.",
        "The coloured map shows where the network looked, from dark (little) to bright (most); \
         a line is drawn at half of the scale. It is coarse and not a segmentation: its border is \
         not the border of a hemorrhage, and it may lie beside it.",
    ),
    (
        "What it cannot do.",
        "The network can miss hemorrhage, above all if it is small, thin or old, and can be misled \
         by calcification, contrast medium, motion and metal. It looks for nothing but hemorrhage. \
         A low number does not mean a normal study.",
    ),
    (
        "Pictures.",
        "Slices are shown as they are stored, at reduced size. The letters at the edges say which \
         side of the patient is there: R right, L left, A front, P back, H head, F feet. Without \
         letters the file does not tell. Read the original images.",
    ),
    ("Printing.", "The printed page holds the studies and lists that are unfolded on the screen."),
];

fn figures<'a>(
    studies: &[&StudyResult],
    key_slices: &'a [SlicePicture],
) -> Result<Figures<'a>, ReportError> {
    // Two patients may share all UIDs.
    let mut indices: HashMap<[&str; 3], Vec<(&str, [usize; 3])>> = HashMap::new();
    let mut figures: Figures = Vec::with_capacity(studies.len());
    for (rank, study) in studies.iter().enumerate() {
        figures.push(study.series.iter().map(|_| Vec::new()).collect());
        for (number, series) in study.series.iter().enumerate() {
            for (index, slice) in series.slices.iter().enumerate() {
                let name = [
                    study.study_instance_uid.as_str(),
                    &series.series_instance_uid,
                    &slice.sop_instance_uid,
                ];
                let entry = (study.patient_id.as_str(), [rank, number, index]);
                indices.entry(name).or_default().push(entry);
            }
        }
    }
    for key in key_slices {
        let name = [key.study.as_str(), &key.series, &key.sop];
        let patients = indices.get(&name).map_or(&[][..], Vec::as_slice);
        let is_of = |patient: &str| key.patient.as_deref().is_none_or(|known| known == patient);
        let found = patients.iter().find(|(patient, _)| is_of(patient));
        let Some(&(_, [rank, number, index])) = found else {
            let [study, series, sop] = name.map(str::to_owned);
            return Err(ReportError::UnknownSlice { study, series, sop });
        };
        let figure = Figure { id: String::new(), letter: String::new(), index, key };
        figures[rank][number].push(figure);
    }
    for (rank, series) in figures.iter_mut().enumerate() {
        for (number, figures) in series.iter_mut().enumerate() {
            let slices = &studies[rank].series[number].slices;
            let any = |figure: &Figure| slices[figure.index].probabilities.any.max(-1.0);
            figures.sort_by(|a, b| any(b).total_cmp(&any(a)).then(a.index.cmp(&b.index)));
            for (index, figure) in figures.iter_mut().enumerate() {
                figure.letter = letter(index);
                figure.id = format!("study-{}-series-{}-{}", rank + 1, number + 1, figure.letter);
            }
        }
    }
    Ok(figures)
}

/// A, B, …, Z, A2, B2, …
fn letter(index: usize) -> String {
    let letter = char::from(b'A' + (index % 26) as u8);
    if index < 26 { letter.to_string() } else { format!("{letter}{}", index / 26 + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_stay_unique() {
        assert_eq!([letter(0), letter(25), letter(26), letter(52)], ["A", "Z", "A2", "A3"]);
    }

    #[test]
    fn the_style_loads_nothing() {
        for forbidden in ["url(", "@import", "http", "</"] {
            assert!(!STYLE.contains(forbidden), "style.css contains {forbidden}");
        }
    }
}
