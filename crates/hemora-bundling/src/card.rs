//! The end of every card: calibration and thresholds, evaluations, limits.

use std::fmt::Write;

use hemora_evaluation::{Evaluation, card_section};
use hemora_metrics::CertaintyFold;
use hemora_model::ModelInfo;

/// Writes the end of a card.
pub(crate) fn write_end(
    card: &mut String,
    info: &ModelInfo,
    evaluations: &[Evaluation],
    limits: &[String],
) {
    write_fit(card, info);
    for evaluation in evaluations {
        card.push('\n');
        card.push_str(&card_section(evaluation));
    }
    card.push_str("\n## Limits\n\n");
    for limit in limits {
        // Writing to a string cannot fail.
        let _ = writeln!(card, "- {limit}");
    }
}

/// A figure with three digits, or a dash.
fn shown(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.3}"))
}

/// The calibration and the thresholds, with where they come from.
fn write_fit(card: &mut String, info: &ModelInfo) {
    if let Some(calibration) = &info.calibration {
        let origin = &calibration.origin;
        let _ = writeln!(
            card,
            "\n## Calibration\n\nMethod: {}, fitted on {} slices of {} groups ({}). Every \
             probability that is reported is calibrated.",
            calibration.method, origin.items, origin.groups, origin.file
        );
    }
    let _ = writeln!(
        card,
        "\n## From slices to a study\n\nA series is, for each label, the {}{}; a study has the numbers of its \
         most suspicious series.",
        info.plain_aggregation.words(),
        if info.aggregation.is_some() { ", unless a fitted rule stands below" } else { "" }
    );
    if let Some(learned) = &info.aggregation {
        let origin = &learned.origin;
        let _ = writeln!(
            card,
            "\n### Fitted for a {}\n\nA logistic regression on the highest slice, the mean of the \
             three highest, and all together, fitted on {} slices of {} groups ({}). Log loss with \
             the mean of the three highest alone, and held out with the rule:\n\n| label | top-3 | rule | \
             positives | of |\n|---|---|---|---|---|",
            learned.level, origin.items, origin.groups, origin.file
        );
        for rule in &learned.labels {
            let held_out = rule.held_out.and_then(|scores| scores.log_loss);
            let _ = writeln!(
                card,
                "| {} | {} | {} | {} | {} |",
                rule.label,
                shown(rule.before.log_loss),
                shown(held_out),
                rule.positives,
                rule.items
            );
        }
    }
    if info.operating_points.is_empty() {
        return;
    }
    card.push_str(
        "\n## Operating points\n\n| point | label | level | threshold | sensitivity | specificity | \
         positives | chosen on |\n|---|---|---|---|---|---|---|---|\n",
    );
    for point in &info.operating_points {
        let _ = writeln!(
            card,
            "| {} | {} | {} | {:.4} | {} | {} | {} | {} |",
            point.name,
            point.label,
            point.level,
            point.threshold,
            shown(point.sensitivity),
            shown(point.specificity),
            point.positives,
            point.origin.as_ref().map_or("fixed", |origin| &origin.file)
        );
    }
    certainty(card, info);
}

/// What the thresholds with promised rates came to, part by part.
fn certainty(card: &mut String, info: &ModelInfo) {
    if info.certainty.is_empty() {
        return;
    }
    card.push_str(
        "\n## Sure and not sure\n\nA label is called absent below the threshold of `miss` and present from \
         that of `false-alarm` on; between them nothing is said. Each part of the patients was judged by \
         thresholds chosen on the others. A patient counts as positive with the lowest positive item, and \
         as negative with the highest negative one.\n\n| label | level | promised: missed, false alarms | \
         missed, by part | false alarms, by part | not sure, by part |\n|---|---|---|---|---|---|\n",
    );
    for fit in &info.certainty {
        let parts = |share: &dyn Fn(&CertaintyFold) -> (u64, u64)| {
            let part = |fold| {
                let (some, all) = share(fold);
                format!("{some}/{all}")
            };
            fit.folds.iter().map(part).collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(
            card,
            "| {} | {} | {}, {} | {} | {} | {} |",
            fit.label,
            fit.level,
            fit.miss,
            fit.false_alarm,
            parts(&|fold| (fold.missed, fold.positives)),
            parts(&|fold| (fold.false_alarms, fold.negatives)),
            parts(&|fold| (fold.not_sure, fold.positives + fold.negatives)),
        );
    }
}
