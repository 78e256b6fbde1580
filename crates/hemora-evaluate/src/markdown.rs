//! The figures as Markdown, for a model card or a paper's draft.

use std::fmt::Write;

use hemora_page::title;

use crate::Evaluation;
use crate::page::{interval_text, number_text};

/// The figures of every level and operating point as Markdown tables.
pub fn markdown(evaluation: &Evaluation) -> String {
    let mut text = format!(
        "# Evaluation of {}\n\n{}\n\n{} slices, {} groups ({}). {:.0} % intervals, {} resamples of \
         whole groups.\n",
        plain(&evaluation.name),
        evaluation.notice,
        evaluation.alignment.evaluated,
        evaluation.grouping.groups,
        plain(&evaluation.grouping.kind),
        evaluation.bootstrap.confidence * 100.0,
        evaluation.bootstrap.repeats
    );
    // Writing to a string cannot fail.
    if evaluation.tuned_on_these_cases {
        let _ =
            writeln!(text, "\n**Tuned on these cases: figures at operating points are too good.**");
    }
    for warning in &evaluation.warnings {
        let _ = writeln!(text, "\n- {}", plain(warning));
    }
    for level in &evaluation.levels {
        let metrics = &level.metrics;
        let _ = writeln!(
            text,
            "\n## By {}\n\n{} from {} groups\n\n| label | positive | AUROC | average precision | log \
             loss | Brier | ECE |\n|---|---:|---|---|---|---|---|",
            level.level, metrics.items, metrics.groups
        );
        for label in &metrics.labels {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                title(label.label),
                label.positives,
                interval_text(&label.auroc),
                interval_text(&label.average_precision),
                interval_text(&label.log_loss),
                interval_text(&label.brier),
                number_text(label.expected_calibration_error)
            );
        }
        if let Some(loss) = &metrics.competition_log_loss {
            let _ = writeln!(text, "\nWeighted log loss: {}", interval_text(loss));
        }
        if metrics.labels.iter().all(|label| label.decisions.is_empty()) {
            continue;
        }
        let _ = writeln!(
            text,
            "\n| label | operating point | threshold | sensitivity | specificity | PPV | NPV |\n\
             |---|---|---:|---|---|---|---|"
        );
        for label in &metrics.labels {
            for decisions in &label.decisions {
                let _ = writeln!(
                    text,
                    "| {} | {} | {:.4} | {} | {} | {} | {} |",
                    title(label.label),
                    plain(&decisions.point.name),
                    decisions.point.threshold,
                    interval_text(&decisions.sensitivity),
                    interval_text(&decisions.specificity),
                    interval_text(&decisions.positive_predictive_value),
                    interval_text(&decisions.negative_predictive_value)
                );
            }
        }
    }
    text
}

/// Text from a file in one line that disturbs no table.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() || "|<>`*".contains(letter) { ' ' } else { letter })
        .take(300)
        .collect()
}
