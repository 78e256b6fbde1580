//! What the model can and cannot do, in sentences.

use hemora_ct::Label;
use hemora_metrics::{Decisions, Interval, LabelMetrics, Level};
use hemora_page::{number, section, title};
use maud::{Markup, html};

use super::words::{point_name_text, point_text, tuned_mark};
use crate::{Evaluation, LevelMetrics};

/// AUROC words: a reader who knows no AUROC must get an idea of its size.
const SIZES: [(f64, &str); 4] =
    [(0.95, "very well"), (0.9, "well"), (0.8, "fairly"), (0.7, "poorly")];

/// Fewer positives than these carry no claim.
const FEW: u64 = 30;

/// With fewer positives or negatives than these a level gets no figures here.
const FEW_TO_RANK: u64 = 10;

pub(super) fn summary(evaluation: &Evaluation) -> Markup {
    let studies = evaluation.levels.iter().any(|level| level.level == Level::Study);
    let slices = evaluation.levels.iter().find(|level| level.level == Level::Slice);
    // Studies are what is read; their series stand in the tables.
    let levels = evaluation.levels.iter().filter(|level| !studies || level.level != Level::Series);
    let mut sentences: Vec<Markup> =
        levels.flat_map(|level| level_sentences(evaluation, level)).collect();
    sentences.extend(lesions(evaluation));
    sentences.extend(slices.and_then(subtypes));
    sentences.extend(slices.and_then(too_few));
    section(
        "short",
        "In short",
        html! {
            ul class="guide" {
                @for sentence in sentences { li { (sentence) } }
                li {
                    "These figures hold for the patients, scanners and labels of this data set. \
                     Elsewhere a model is usually worse."
                }
            }
        },
    )
}

/// How well a level's items are ranked and decided upon, by any hemorrhage or the first label.
fn level_sentences(evaluation: &Evaluation, level: &LevelMetrics) -> Vec<Markup> {
    let labels = &level.metrics.labels;
    let any = labels.iter().find(|label| label.label == Label::Any);
    let Some(label) = any.or(labels.first()) else { return Vec::new() };
    let what = phrase(label.label);
    let (item, items) = words(level.level);
    let total = level.metrics.items;
    let counts = html! {
        strong { (label.positives) " of " (total) " " (items) " have " (what) "." }
    };
    if label.positives < FEW_TO_RANK || total - label.positives < FEW_TO_RANK {
        return vec![html! {
            (counts) " That is too few to judge " (items) " by: their figures are below and carry no \
            claim."
        }];
    }
    let ranked = match label.auroc.value {
        Some(auroc) => {
            let size =
                SIZES.iter().find(|(least, _)| auroc >= *least).map_or("badly", |size| size.1);
            html! {
                (counts) " The model ranks them " (size) ": of 100 pairs of a " (item) " with and a "
                (item) " without " (what) ", it gives the first the higher probability in "
                (range(&label.auroc)) "."
            }
        }
        None => html! { (counts) " With one kind only, ranking is undefined." },
    };
    let decided =
        label.decisions.iter().map(|decisions| decided(evaluation, decisions, items, what));
    std::iter::once(ranked).chain(decided).collect()
}

fn decided(evaluation: &Evaluation, decisions: &Decisions, items: &str, what: &str) -> Markup {
    html! {
        "At the operating point \u{201c}" (point_text(&decisions.point)) "\u{201d}"
        (tuned_mark(evaluation))
        " it finds " (range(&decisions.sensitivity)) " of 100 " (items) " with " (what)
        ", and raises a false alarm for " (range(&complement(&decisions.specificity)))
        " of 100 without."
    }
}

/// How many lesions the first operating point finds.
fn lesions(evaluation: &Evaluation) -> Option<Markup> {
    let lesions = evaluation.lesions.as_ref()?;
    let any = lesions.labels.iter().find(|label| label.label == Label::Any)?;
    let decisions = any.decisions.first().filter(|_| any.runs >= FEW_TO_RANK)?;
    Some(html! {
        "Of " strong { (any.runs) } " lesions (runs of neighbouring slices with any hemorrhage) it \
        finds " (range(&decisions.sensitivity)) " of 100 at \u{201c}"
        (point_name_text(&decisions.name)) "\u{201d}" (tuned_mark(evaluation)) ", with " (number::decimal(decisions.false_runs_a_series.value))
        " false alarms a series."
    })
}

fn subtypes(slices: &LevelMetrics) -> Option<Markup> {
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
    let [best, worst] = [known[0], known[known.len() - 1]]
        .map(|(label, auroc)| (title(label.label).to_lowercase(), number::decimal(Some(auroc))));
    Some(html! {
        "Of the subtypes it recognises " (best.0) " best (AUROC " (best.1) ") and " (worst.0) " worst ("
        (worst.1) ")."
    })
}

fn too_few(slices: &LevelMetrics) -> Option<Markup> {
    let few: Vec<String> = slices
        .metrics
        .labels
        .iter()
        .filter(|label| label.positives < FEW)
        .map(|label| format!("{} ({})", title(label.label).to_lowercase(), label.positives))
        .collect();
    (!few.is_empty()).then(|| {
        html! {
            strong { "Too few to judge" } " (fewer than " (FEW) " positive slices): "
            (few.join(", ")) "."
        }
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
fn range(interval: &Interval) -> Markup {
    let Some(value) = interval.value else { return html! { "an undefined number" } };
    html! {
        strong { (number::of_hundred(value)) }
        @if let (Some(low), Some(high)) = (interval.low, interval.high) {
            " (" (number::of_hundred(low)) " to " (number::of_hundred(high)) ")"
        }
    }
}

fn words(level: Level) -> (&'static str, &'static str) {
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
