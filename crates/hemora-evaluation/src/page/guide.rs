//! How to read the page.

use std::io::{self, Write};

use hemora_metrics::BootstrapMethod;
use hemora_page::Escaped;

use crate::Evaluation;

/// What each figure means.
const POINTS: [(&str, &str); 9] = [
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
        "Sensitivity and specificity.",
        "The share of positives that are called positive, and of negatives that are called negative, \
         at an operating point: a threshold chosen on other patients, or given beforehand.",
    ),
    (
        "PPV and NPV.",
        "The share of positive (negative) calls that are right. They change with how common \
         hemorrhage is: in a hospital it is rarer than in this data set.",
    ),
    ("F1, MCC.", "Single numbers for a table of decisions; 1 is perfect. MCC is 0 for a coin."),
    (
        "Reliability.",
        "Of the cases with a probability near 0.3, about 30 of 100 should be positive. Above the \
         dashed line the model is too cautious, below it too sure. Larger dots are more cases.",
    ),
    (
        "Decision curve.",
        "Whether acting on the model's calls does more good than acting on all or on none, when one \
         found hemorrhage is worth a certain number of false alarms (the odds of the threshold).",
    ),
    (
        "Intervals.",
        "Where the figure would fall if as many other patients of the same kind were drawn. * in \
         more than one of twenty resamples the figure was undefined; – undefined.",
    ),
];

pub(super) fn write(out: &mut dyn Write, evaluation: &Evaluation) -> io::Result<()> {
    writeln!(
        out,
        "<section aria-labelledby=\"guide\"><h2 id=\"guide\">How to read this page</h2><ul class=\"guide\">"
    )?;
    for (what, means) in POINTS {
        writeln!(out, "<li><strong>{what}</strong> {means}</li>")?;
    }
    let bootstrap = &evaluation.bootstrap;
    writeln!(
        out,
        "<li><strong>How it was computed.</strong> {} resamples of whole groups ({}), {} method, seed \
         {}. A series is the {} of its slices, a study has the numbers of its most suspicious \
         series. Figures with every digit, Wilson and DeLong intervals: metrics.json.</li></ul></section>",
        bootstrap.repeats,
        Escaped(&evaluation.grouping.kind),
        match bootstrap.method {
            BootstrapMethod::Percentile => "percentile",
            BootstrapMethod::Bca => "BCa",
        },
        bootstrap.seed,
        match (evaluation.aggregation.strip_prefix("top-"), &evaluation.learned_aggregation) {
            (_, Some(learned)) => {
                format!("outcome of a rule fitted on {}", Escaped(&learned.origin.file))
            }
            (Some(most), None) => format!("mean of the {} highest", Escaped(most)),
            (None, None) => Escaped(&evaluation.aggregation).to_string(),
        }
    )
}
