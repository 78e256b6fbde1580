//! What the model can and cannot do, in sentences.

use std::io::{self, Write};

use hemora_ct::Label;
use hemora_metrics::{Decisions, Interval, LabelMetrics, Level};
use hemora_page::{Escaped, title};

use crate::page::number::{number_text, of_hundred, point_text};
use crate::{Evaluation, LevelMetrics};

/// AUROC words: a reader who knows no AUROC must get an idea of its size.
const SIZES: [(f64, &str); 4] =
    [(0.95, "very well"), (0.9, "well"), (0.8, "fairly"), (0.7, "poorly")];

/// Fewer positives than these carry no claim.
const FEW: u64 = 30;

/// With fewer positives or negatives than these nothing is said of a level.
const FEW_TO_RANK: u64 = 10;

pub(crate) fn write(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    writeln!(
        out,
        "<section aria-labelledby=\"short\"><h2 id=\"short\">In short</h2><ul class=\"guide\">"
    )?;
    let studies = evaluation.levels.iter().any(|level| level.level == Level::Study);
    for level in &evaluation.levels {
        // Studies are what is read; their series stand in the tables.
        if studies && level.level == Level::Series {
            continue;
        }
        let main = level.metrics.labels.iter().find(|label| label.label == Label::Any);
        let Some(label) = main.or(level.metrics.labels.first()) else { continue };
        for sentence in sentences(evaluation, level, label) {
            writeln!(out, "<li>{sentence}</li>")?;
        }
    }
    if let Some(sentence) = lesions(evaluation) {
        writeln!(out, "<li>{sentence}</li>")?;
    }
    if let Some(slices) = evaluation.levels.iter().find(|level| level.level == Level::Slice) {
        if let Some(sentence) = subtypes(slices) {
            writeln!(out, "<li>{sentence}</li>")?;
        }
        if let Some(sentence) = too_few(slices) {
            writeln!(out, "<li>{sentence}</li>")?;
        }
    }
    writeln!(
        out,
        "<li>These figures hold for the patients, scanners and labels of this data set. Elsewhere a \
         model is usually worse.</li></ul></section>"
    )
}

fn sentences(evaluation: &Evaluation, level: &LevelMetrics, label: &LabelMetrics) -> Vec<String> {
    let what = phrase(label.label);
    let (one, many) = plural(level.level);
    let total = level.metrics.items;
    let mut sentences = Vec::new();
    if label.positives < FEW_TO_RANK || total - label.positives < FEW_TO_RANK {
        return vec![format!(
            "<strong>{} of {total} {many} have {what}.</strong> So few say next to nothing about \
             {many}: their figures stand below and carry no claim.",
            label.positives
        )];
    }
    if let Some(auroc) = label.auroc.value {
        let size = SIZES.iter().find(|(least, _)| auroc >= *least).map_or("badly", |size| size.1);
        sentences.push(format!(
            "<strong>{} of {total} {many} have {what}.</strong> The model ranks them {size}: of 100 \
             pairs of a {one} with and a {one} without {what}, it gives the first the higher \
             probability in {}.",
            label.positives,
            range(&label.auroc)
        ));
    } else {
        sentences.push(format!(
            "<strong>{} of {total} {many} have {what}.</strong> With one kind only, ranking is \
             undefined.",
            label.positives
        ));
    }
    for decisions in &label.decisions {
        sentences.push(decided(evaluation, decisions, many, what));
    }
    sentences
}

fn decided(evaluation: &Evaluation, decisions: &Decisions, many: &str, what: &str) -> String {
    let mark = if evaluation.tuned_on_these_cases { "†" } else { "" };
    format!(
        "At the operating point \u{201c}{}\u{201d}{mark} it finds {} of 100 {many} with {what}, and \
         raises a false alarm for {} of 100 without.",
        point_text(&decisions.point),
        range(&decisions.sensitivity),
        range(&complement(&decisions.specificity))
    )
}

/// How many lesions the first operating point finds.
fn lesions(evaluation: &Evaluation) -> Option<String> {
    let lesions = evaluation.lesions.as_ref()?;
    let any = lesions.labels.iter().find(|label| label.label == Label::Any)?;
    let decisions = any.decisions.first().filter(|_| any.runs >= FEW_TO_RANK)?;
    Some(format!(
        "Of <strong>{}</strong> lesions (runs of neighbouring slices with any hemorrhage) it finds {} \
         of 100 at \u{201c}{}\u{201d}, with {} false alarms a series.",
        any.runs,
        range(&decisions.sensitivity),
        Escaped(&decisions.name),
        number_text(decisions.false_runs_a_series.value)
    ))
}

fn subtypes(slices: &LevelMetrics) -> Option<String> {
    let mut known: Vec<(&LabelMetrics, f64)> = slices
        .metrics
        .labels
        .iter()
        .filter(|label| label.label != Label::Any && label.positives >= FEW)
        .filter_map(|label| Some((label, label.auroc.value?)))
        .collect();
    if known.len() < 2 {
        return None;
    }
    known.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (best, worst) = (known[0], known[known.len() - 1]);
    Some(format!(
        "Of the subtypes it tells {} best (AUROC {:.3}) and {} worst ({:.3}).",
        title(best.0.label).to_lowercase(),
        best.1,
        title(worst.0.label).to_lowercase(),
        worst.1
    ))
}

fn too_few(slices: &LevelMetrics) -> Option<String> {
    let few: Vec<String> = slices
        .metrics
        .labels
        .iter()
        .filter(|label| label.positives < FEW)
        .map(|label| format!("{} ({})", title(label.label).to_lowercase(), label.positives))
        .collect();
    (!few.is_empty()).then(|| {
        format!(
            "<strong>Too few to judge</strong> (fewer than {FEW} positive slices): {}.",
            few.join(", ")
        )
    })
}

fn complement(interval: &Interval) -> Interval {
    let rest = |value: Option<f64>| value.map(|value| 1.0 - value);
    Interval {
        value: rest(interval.value),
        low: rest(interval.high),
        high: rest(interval.low),
        ..*interval
    }
}

/// `87 (80 to 92)`.
fn range(interval: &Interval) -> String {
    let Some(value) = interval.value else { return "an undefined number".to_owned() };
    match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!(
            "<strong>{}</strong> ({} to {})",
            of_hundred(value),
            of_hundred(low),
            of_hundred(high)
        ),
        _ => format!("<strong>{}</strong>", of_hundred(value)),
    }
}

fn plural(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::Slice => ("slice", "slices"),
        Level::Series => ("series", "series"),
        Level::Study => ("study", "studies"),
    }
}

fn phrase(label: Label) -> &'static str {
    match label {
        Label::Any => "any hemorrhage",
        Label::Epidural => "epidural hemorrhage",
        Label::Intraparenchymal => "intraparenchymal hemorrhage",
        Label::Intraventricular => "intraventricular hemorrhage",
        Label::Subarachnoid => "subarachnoid hemorrhage",
        Label::Subdural => "subdural hemorrhage",
    }
}
