//! The probability of each label as a bar, with its percentage and what is said of it in words.

use hemora_ct::{LABEL_COUNT, Label, Probabilities};
use hemora_model::Verdict;
use hemora_page::{number, title};

use super::canvas::{Align, Area, Canvas, Colour, GREY, WHITE};
use super::font::Font;
use super::layout::CaptureVerdict;

/// Height of a line of the table.
pub(super) const LINE: usize = 26;

/// Height of the words below the table.
const LEGEND: usize = 28;

/// Where the columns of the table are, pixels from its left edge.
const BAR: usize = 216;
const BAR_WIDTH: usize = 512;
const PERCENT: usize = 808;
const WORDS: usize = 836;

const TRACK: Colour = [46, 50, 56];

/// What is said of a label in words; nothing where there are no thresholds.
pub(super) fn words(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Present) => "PRESENT",
        Some(verdict) => verdict.words(),
        None => "",
    }
}

/// Colour of what is said, which the words say too. They differ in lightness for whoever sees no hue.
pub(super) fn colour(verdict: Option<Verdict>) -> Colour {
    match verdict {
        Some(Verdict::Present) => [255, 112, 88],
        Some(Verdict::NotSure) => [255, 208, 92],
        Some(Verdict::Absent) => [112, 152, 196],
        None => [150, 156, 164],
    }
}

/// A probability for people, which never claims certainty.
pub(super) fn percent(probability: f32) -> String {
    match f64::from(probability) {
        value if !value.is_finite() => "unknown".to_owned(),
        low if low < 0.01 => "<1 %".to_owned(),
        high if high > 0.99 => ">99 %".to_owned(),
        value => format!("{} %", number::of_hundred((value * 100.0).round() / 100.0)),
    }
}

/// Height of the table.
pub(super) fn height() -> usize {
    LABEL_COUNT * LINE + LEGEND
}

/// Draws the table with its upper left corner at `[x, y]`.
pub(super) fn table(
    canvas: &mut Canvas,
    [x, mut y]: [usize; 2],
    probabilities: Probabilities,
    verdicts: &[(Label, Option<CaptureVerdict>)],
) {
    for (label, verdict) in verdicts {
        line(canvas, [x, y], *label, probabilities.get(*label), verdict.as_ref());
        y += LINE;
    }
    if verdicts.iter().any(|(_, verdict)| verdict.is_some_and(|it| it.thresholds.is_some())) {
        let words = "absent below the first line on a bar, present from the second on";
        canvas.write([x + BAR, y + 2], Align::Left, Font::SMALL, GREY, words);
    }
}

/// Draws the line of a label with its upper left corner at `[x, y]`.
fn line(
    canvas: &mut Canvas,
    [x, y]: [usize; 2],
    label: Label,
    probability: f32,
    verdict: Option<&CaptureVerdict>,
) {
    let said = verdict.map(|verdict| verdict.verdict);
    let font = if label == Label::Any { Font::BOLD } else { Font::PLAIN };
    let text = y + (LINE - font.height()) / 2;
    canvas.write([x, text], Align::Left, font, WHITE, title(label));
    let track = Area { x: x + BAR, y: y + 5, wide: BAR_WIDTH, tall: LINE - 10 };
    canvas.fill(track, TRACK);
    let at = |share: f64| (share.clamp(0.0, 1.0) * BAR_WIDTH as f64).round() as usize;
    // Not a number is no length.
    canvas.fill(Area { wide: at(f64::from(probability)), ..track }, colour(said));
    for threshold in verdict.and_then(|verdict| verdict.thresholds).into_iter().flatten() {
        let x = track.x + at(threshold).saturating_sub(1);
        canvas.fill(Area { x, y: track.y - 3, wide: 2, tall: track.tall + 6 }, WHITE);
    }
    canvas.write([x + PERCENT, text], Align::Right, font, WHITE, &percent(probability));
    let colour = if said.is_some() { colour(said) } else { GREY };
    canvas.write([x + WORDS, text], Align::Left, Font::BOLD, colour, words(said));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_never_claim_certainty() {
        let words = [0.0, 0.004, 0.014, 0.5, 0.985, 0.999, f32::NAN].map(percent);
        assert_eq!(words, ["<1 %", "<1 %", "1 %", "50 %", "99 %", ">99 %", "unknown"]);
    }
}
