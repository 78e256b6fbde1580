//! Where everything is in the picture.

use hemora_base::printable;
use hemora_ct::Label;
use hemora_model::{KeySlice, StudyResult, Verdict};
use hemora_page::number;

use super::bars;
use super::canvas::{Align, Area, BLACK, Canvas, Colour, GREY, WHITE};
use super::font::Font;
use super::pane::panes;
use crate::ReportError;
use crate::leading::any_first;

/// Width of the picture.
const WIDTH: usize = 1024;
const MARGIN: usize = 24;
const HEADER: usize = 34;
const HEADLINE: usize = 48;
/// Height of the slices.
const SLICES: usize = 424;
/// Height of the words below them.
const CAPTION: usize = 28;
const BANNER: usize = 48;

/// Stands in the pixels, for whoever sees the picture and nothing else.
const NOTICE: &str = "RESEARCH USE, NOT FOR DIAGNOSIS";

const BANNER_COLOUR: Colour = [255, 200, 40];
const HEADER_COLOUR: Colour = [32, 36, 42];

/// What stands in the picture beside the study's probabilities. Characters that the font lacks become
/// question marks, and texts that are too long are cut: nothing here should name the patient.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaptureText {
    /// Name and version of the model.
    pub model: String,
    /// Revision of the result, from 1.
    pub revision: u32,
    /// When the result was made, as people read it.
    pub made_at: String,
    /// What is said of each label by the thresholds in use; for a label that is not here, what the study's
    /// [`certainty`](StudyResult::certainty) says.
    pub verdicts: Vec<CaptureVerdict>,
    /// What a reader should know first, such as that images may be missing.
    pub warning: Option<String>,
}

/// What is said of a label of the study.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptureVerdict {
    /// The label.
    pub label: Label,
    /// What is said.
    pub verdict: Verdict,
    /// Absent below the first, present from the second on.
    pub thresholds: Option<[f64; 2]>,
}

/// A picture, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapturePicture {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Red, green and blue of each pixel, row by row: `rows × columns × 3` bytes.
    pub rgb: Vec<u8>,
}

/// Draws the result of a study: the slice `key` in the brain window and with its map, a bar for each label
/// with what is said of it, model and revision, and that it is for research. Without a slice the picture
/// holds bars and words. The same values give the same bytes.
///
/// # Errors
/// [`ReportError::Map`] if the map does not fill its size, [`ReportError::UnknownSlice`] if `key` is not of
/// this study.
pub fn capture(
    study: &StudyResult,
    key: Option<&KeySlice>,
    lines: &CaptureText,
) -> Result<CapturePicture, ReportError> {
    let total = key.map(|key| slices_beside(study, key)).transpose()?;
    let warning = lines.warning.as_deref().map_or(0, |_| bars::LINE);
    let slices = if key.is_some() { SLICES + CAPTION } else { 0 };
    let verdicts = any_first().map(|label| (label, verdict(study, lines, label)));
    let verdicts: Vec<(Label, Option<CaptureVerdict>)> = verdicts.collect();
    let rows = HEADER + HEADLINE + slices + warning + bars::height() + BANNER;
    let mut canvas = Canvas::new(rows, WIDTH);
    header(&mut canvas, lines);
    headline(&mut canvas, study, verdicts[0].1, key.zip(total));
    let mut y = HEADER + HEADLINE;
    if let Some(key) = key {
        let pane = |x| Area { x, y, wide: WIDTH / 2 - 6, tall: SLICES };
        panes(&mut canvas, [pane(0), pane(WIDTH / 2 + 6)], key)?;
        y += slices;
    }
    if let Some(words) = &lines.warning {
        let words = Font::BOLD.fit(&printable(words), WIDTH - 2 * MARGIN);
        canvas.write([MARGIN, y + 3], Align::Left, Font::BOLD, BANNER_COLOUR, &words);
        y += warning;
    }
    bars::table(&mut canvas, [MARGIN, y], study.probabilities, &verdicts);
    banner(&mut canvas, rows - BANNER);
    Ok(CapturePicture { rows, columns: WIDTH, rgb: canvas.into_rgb() })
}

/// Number of slices in the series of a key slice.
fn slices_beside(study: &StudyResult, key: &KeySlice) -> Result<usize, ReportError> {
    let of_study = study.study_instance_uid == key.study_instance_uid;
    let mut series = study.series.iter().filter(|_| of_study);
    let found = series.find(|series| series.series_instance_uid == key.series_instance_uid);
    found
        .filter(|series| key.index < series.slices.len())
        .map(|series| series.slices.len())
        .ok_or_else(|| ReportError::UnknownSlice {
            study: key.study_instance_uid.clone(),
            series: key.series_instance_uid.clone(),
            sop: key.sop_instance_uid.clone(),
        })
}

fn verdict(study: &StudyResult, lines: &CaptureText, label: Label) -> Option<CaptureVerdict> {
    let given = lines.verdicts.iter().find(|verdict| verdict.label == label).copied();
    given.or_else(|| {
        let certainty = study.certainty.iter().find(|certainty| certainty.label == label)?;
        let thresholds = Some([certainty.absent_below, certainty.present_from]);
        Some(CaptureVerdict { label, verdict: certainty.verdict, thresholds })
    })
}

fn header(canvas: &mut Canvas, lines: &CaptureText) {
    canvas.fill(Area { x: 0, y: 0, wide: WIDTH, tall: HEADER }, HEADER_COLOUR);
    let y = (HEADER - Font::BOLD.height()) / 2;
    let name = "Hemora ICH triage";
    let used = canvas.write([MARGIN, y], Align::Left, Font::BOLD, WHITE, name);
    let of_result = format!("revision {}, {}", lines.revision, printable(&lines.made_at));
    let of_result = of_result.trim_end_matches([',', ' ']);
    let room = WIDTH - 3 * MARGIN - used;
    let of_result = Font::PLAIN.fit(of_result, room);
    let rest = room.saturating_sub(Font::PLAIN.width(&of_result));
    // The revision is never cut, the model's name may be.
    let model =
        Font::PLAIN.fit(&format!("model {}", printable(&lines.model)), rest.saturating_sub(24));
    let words = format!("{model}, {of_result}");
    canvas.write([WIDTH - MARGIN, y], Align::Right, Font::PLAIN, GREY, &words);
}

/// What is said of the study, and which slice is shown.
fn headline(
    canvas: &mut Canvas,
    study: &StudyResult,
    verdict: Option<CaptureVerdict>,
    key: Option<(&KeySlice, usize)>,
) {
    let said = verdict.map(|verdict| verdict.verdict);
    let y = HEADER + (HEADLINE - Font::LARGE.height()) / 2;
    let chance = bars::percent(study.probabilities.any);
    let words = match bars::words(said) {
        "" => format!("Intracranial hemorrhage: {chance}"),
        words => format!("Intracranial hemorrhage: {words}, {chance}"),
    };
    canvas.write([MARGIN, y], Align::Left, Font::LARGE, bars::colour(said), &words);
    let Some((key, total)) = key else { return };
    let slice = format!("slice {} of {total}", key.index + 1);
    let place = key.z_mm.and_then(number::measure).map(|z| format!(", z {z} mm").replace('−', "-"));
    let words = format!("{slice}{}", place.unwrap_or_default());
    let right = WIDTH - MARGIN;
    canvas.write([right, HEADER + 4], Align::Right, Font::PLAIN, WHITE, &words);
    let words = format!("any hemorrhage on this slice: {}", bars::percent(key.probabilities.any));
    canvas.write([right, HEADER + 25], Align::Right, Font::SMALL, GREY, &words);
}

fn banner(canvas: &mut Canvas, y: usize) {
    canvas.fill(Area { x: 0, y, wide: WIDTH, tall: BANNER }, BANNER_COLOUR);
    let text = y + (BANNER - Font::LARGE.height()) / 2;
    canvas.write([WIDTH / 2, text], Align::Centre, Font::LARGE, BLACK, NOTICE);
}
