//! The page as a whole: its head, its order, and where each key slice belongs.

use std::collections::HashMap;
use std::io::{self, Write};

use hemora_ct::NOTICE;
use hemora_model::{StudyResult, TriageResult};
use hemora_page::{Escaped, count, or_dash, write_head};

use crate::figure::{self, Figure};
use crate::study::{self, Place};
use crate::{KeySlice, ReportError, guide, skipped, worklist};

/// Up to this many studies are unfolded; of more, only the first.
const UNFOLDED: usize = 3;

const STYLE: &str = include_str!("style.css");

/// Writes the report of `result` with the pictures of `key_slices` (in any order) as one HTML
/// page. Studies are ranked by their probability of any hemorrhage.
///
/// # Errors
/// [`ReportError::UnknownSlice`] if a key slice is not in the result, [`ReportError::Write`] if
/// `out` cannot be written.
pub fn write_html(
    out: &mut impl Write,
    result: &TriageResult,
    key_slices: &[KeySlice],
) -> Result<(), ReportError> {
    let mut studies: Vec<&StudyResult> = result.studies.iter().collect();
    // `max` first: a study without a number goes last. The sort keeps the result's order of ties.
    let any = |study: &StudyResult| study.probabilities.any.max(-1.0);
    studies.sort_by(|a, b| any(b).total_cmp(&any(a)));
    let figures = figures(&studies, key_slices)?;
    write_page(out, result, &studies, &figures)?;
    Ok(())
}

/// Key slices by study and series, the most suspicious first.
type Figures<'a> = Vec<Vec<Vec<Figure<'a>>>>;

fn figures<'a>(
    studies: &[&StudyResult],
    key_slices: &'a [KeySlice],
) -> Result<Figures<'a>, ReportError> {
    let mut places = HashMap::new();
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
                places.entry(name).or_insert((rank, number, index));
            }
        }
    }
    for key in key_slices {
        let name = [key.study.as_str(), &key.series, &key.sop];
        let Some(&(rank, number, index)) = places.get(&name) else {
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
            for (place, figure) in figures.iter_mut().enumerate() {
                figure.letter = letter(place);
                figure.id = format!("study-{}-series-{}-{}", rank + 1, number + 1, figure.letter);
            }
        }
    }
    Ok(figures)
}

/// A, B, …, Z, A2, B2, …
fn letter(place: usize) -> String {
    let letter = char::from(b'A' + (place % 26) as u8);
    if place < 26 { letter.to_string() } else { format!("{letter}{}", place / 26 + 1) }
}

fn write_page(
    out: &mut dyn Write,
    result: &TriageResult,
    studies: &[&StudyResult],
    figures: &Figures,
) -> io::Result<()> {
    write_head(out, "Hemora triage report, for research use only", STYLE)?;
    writeln!(out, "<a class=\"skip\" href=\"#worklist\">Skip to the worklist</a>")?;
    figure::write_gradient(out)?;
    write_header(out, result, studies)?;
    writeln!(out, "<main>")?;
    worklist::write(out, studies)?;
    let total = studies.len();
    for (index, (one, figures)) in studies.iter().zip(figures).enumerate() {
        let open = index == 0 || total <= UNFOLDED;
        study::write(out, one, &Place { rank: index + 1, total, open }, figures)?;
    }
    guide::write(out)?;
    skipped::write(out, &result.skipped)?;
    writeln!(out, "</main>\n<footer><p>{NOTICE}</p></footer>\n</body>\n</html>")
}

fn write_header(
    out: &mut dyn Write,
    result: &TriageResult,
    studies: &[&StudyResult],
) -> io::Result<()> {
    let TriageResult { model, tool, engine, .. } = result;
    let slices = studies.iter().map(|study| study::slice_count(study)).sum();
    writeln!(out, "<header>\n<h1>Hemora triage report</h1>")?;
    writeln!(out, "<div class=\"notice\" role=\"note\"><p><strong>{NOTICE}</strong></p>")?;
    if !result.notice.trim().is_empty() && result.notice.trim() != NOTICE {
        writeln!(out, "<p>{}</p>", Escaped(&result.notice))?;
    }
    writeln!(
        out,
        "</div>\n<p>{}, {} scored, <a href=\"#skipped\">{} not used</a>. \
         <a href=\"#guide\">How to read this page</a></p>",
        count(studies.len(), "study", "studies"),
        count(slices, "slice", "slices"),
        count(result.skipped.len(), "file", "files")
    )?;
    // A hash is shown by its first 12 characters, as version control does.
    let short: String = model.sha256.chars().take(12).collect();
    let parts = |number, one, many| match number {
        0 => String::new(),
        number => format!(", {}", count(number, one, many)),
    };
    let mut series = parts(model.series_sha256.len(), "network of series", "networks of series");
    series += &parts(model.member_sha256.len(), "member", "members");
    writeln!(
        out,
        "<dl class=\"made\"><div><dt>Model</dt><dd>{} {} <span class=\"uid\" title=\"SHA-256 {}\">({})</span>{series}</dd></div>\
         <div><dt>Engine</dt><dd>{}</dd></div><div><dt>Program</dt><dd>{} {}</dd></div></dl>\n</header>",
        or_dash(&model.name),
        Escaped(&model.version),
        Escaped(&model.sha256),
        or_dash(&short),
        or_dash(engine),
        or_dash(&tool.name),
        Escaped(&tool.version)
    )
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
