//! The page as a whole: header, order of the parts, guide.

use std::io::{self, Write};

use hemora_metrics::{Aggregation, BootstrapMethod, DECISION_METRICS};
use hemora_page::{
    Page, Point, count, facts, file_reference, guide, notice, or_dash, short, warnings,
};
use maud::{Markup, html};

use super::{alike, comparison, curves, figures, lesions, mistakes, points, subgroups, summary};
use crate::Evaluation;

const STYLE: &str = include_str!("style.css");

/// Writes the page of an evaluation.
///
/// # Errors
/// If `out` cannot be written.
pub fn write_html(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    let page = Page {
        title: "Hemora evaluation, for research use only",
        style: STYLE,
        skip: Some(("short", "Skip to the summary")),
        header: header(evaluation),
        notice: &evaluation.notice,
    };
    // In the order of the page.
    let parts: [fn(&Evaluation) -> Markup; 12] = [
        to_know_first,
        summary::summary,
        figures::figures,
        points::points,
        lesions::lesions,
        curves::curves,
        points::calibration,
        comparison::comparison,
        subgroups::subgroups,
        mistakes::mistakes,
        alike::alike,
        reading_guide,
    ];
    page.write(out, parts.into_iter().map(|part| part(evaluation)))
}

fn header(evaluation: &Evaluation) -> Markup {
    let Evaluation { name, alignment, grouping, predictions, labels, index, tool, .. } = evaluation;
    let files = [
        ("Predictions", Some(predictions)),
        ("Labels", labels.as_ref()),
        ("Index", index.as_ref()),
    ];
    let files = files.into_iter().filter_map(|(what, file)| {
        let file = file?;
        Some((what, file_reference(&file.file, &file.sha256)))
    });
    let program = ("Program", html! { (or_dash(&tool.name)) " " (short(&tool.version)) });
    html! {
        h1 { "Evaluation of " (short(name)) }
        (notice(&evaluation.notice, None))
        p {
            (count(alignment.evaluated as usize, "slice", "slices")) " of "
            @match grouping.kind.as_str() {
                "slice" => "unknown patients",
                kind => { (grouping.groups) " groups by " (short(kind)) },
            }
            ". " a href="#guide" { "How to read this page" }
        }
        (facts(files.chain([program])))
    }
}

fn to_know_first(evaluation: &Evaluation) -> Markup {
    html! {
        @if evaluation.tuned_on_these_cases {
            div class="warnings tuned" {
                p {
                    strong { "Tuned on these cases." }
                    " Thresholds or the calibration were chosen on the very cases that are evaluated. \
                     Figures that depend on them (marked †) are better than what other patients will \
                     see."
                }
            }
        }
        (warnings("To know first", &evaluation.warnings))
    }
}

/// What each figure means.
const GUIDE: [Point; 6] = [
    (
        "AUROC.",
        "The chance that a positive gets a higher probability than a negative: 0.5 is a coin, 1 is \
         perfect. It says nothing about whether the probabilities mean what they say.",
    ),
    (
        "Average precision (AP).",
        "Of what is called positive, the share that is, averaged over thresholds. A coin reaches \
         the share of positives, so compare it only between sets with the same share.",
    ),
    (
        "Log loss, Brier score, ECE.",
        "How far the probabilities are from the truth; lower is better. ECE is the mean distance \
         between probability and frequency in ten bins, and looks worse than it is in small sets.",
    ),
    (
        "Reliability.",
        "Of the cases with a probability near 0.3, about 30 of 100 should be positive. Above the \
         dashed line the model is too cautious, below it too sure. Larger dots are more cases.",
    ),
    (
        "Decision curve.",
        "Whether acting on the model's calls does more good than acting on all or on none, when one \
         hemorrhage that is found is worth a certain number of false alarms (the odds of the \
         threshold).",
    ),
    (
        "Intervals.",
        "Where the figure would fall if as many other patients of the same kind were drawn. * in \
         more than one of twenty resamples the figure was undefined; – undefined.",
    ),
];

fn reading_guide(evaluation: &Evaluation) -> Markup {
    let bootstrap = &evaluation.bootstrap;
    let method = match bootstrap.method {
        BootstrapMethod::Percentile => "percentile",
        BootstrapMethod::Bca => "BCa",
    };
    let rule = match &evaluation.learned_aggregation {
        Some(learned) => format!("outcome of a rule fitted on {}", short(&learned.origin.file)),
        None => match evaluation.aggregation.parse::<Aggregation>() {
            Ok(plain) => plain.words(),
            Err(_) => short(&evaluation.aggregation).into_owned(),
        },
    };
    guide(
        &GUIDE,
        html! {
            li {
                strong { "Operating points." }
                " A threshold, chosen on other patients or given beforehand."
                @for metric in DECISION_METRICS { " " (metric.title) ": " (metric.help) }
            }
            li {
                strong { "How it was computed." }
                " " (bootstrap.repeats) " resamples of whole groups ("
                (short(&evaluation.grouping.kind)) "), " (method) " method, seed " (bootstrap.seed)
                ". A series is the " (rule) "; a study has the numbers of its most \
                suspicious series. Figures with every digit, Wilson and DeLong intervals: \
                metrics.json."
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_loads_nothing() {
        for forbidden in ["url(", "@import", "http", "</"] {
            assert!(!STYLE.contains(forbidden), "style.css contains {forbidden}");
        }
    }
}
