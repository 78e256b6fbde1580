//! What `hemora calibrate` fitted, as text for a terminal.

use std::fmt::Write;

use hemora_metrics::FitReport;

/// Log losses before and after, the fitted aggregation and the operating points, in lines.
pub fn fit_text(report: &FitReport) -> String {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
    let mut text = String::from("label             positive  log loss: before   after  held out\n");
    // Writing to a string cannot fail.
    for label in &report.labels {
        let _ = writeln!(
            text,
            "{:<17} {:>8}  {:>16} {:>7}  {:>8}",
            label.label,
            label.positives,
            number(label.before.log_loss),
            number(label.after.log_loss),
            number(label.held_out.and_then(|scores| scores.log_loss))
        );
    }
    if let Some(learned) = &report.aggregation {
        let _ = writeln!(text, "{}: log loss top-3  learned, held out", learned.level);
        for rule in &learned.labels {
            let _ = writeln!(
                text,
                "{:<17} {:>14} {:>18}",
                rule.label,
                number(rule.before.log_loss),
                number(rule.held_out.and_then(|scores| scores.log_loss))
            );
        }
    }
    for point in &report.operating_points {
        let _ = writeln!(
            text,
            "{} {}, {}: threshold {:.4}, sensitivity {}, specificity {}",
            point.level,
            point.label,
            point.name,
            point.threshold,
            number(point.sensitivity),
            number(point.specificity)
        );
    }
    for certain in &report.certainty {
        let all = certain.folds.iter().fold([0; 5], |sums, fold| {
            let counts =
                [fold.missed, fold.positives, fold.false_alarms, fold.negatives, fold.not_sure];
            std::array::from_fn(|at| sums[at] + counts[at])
        });
        let [missed, positives, alarms, negatives, not_sure] = all;
        let _ = writeln!(
            text,
            "{} {}, held out in {} parts: missed {missed} of {positives} patients, false alarms \
             {alarms} of {negatives}, not sure {not_sure} of {}",
            certain.level,
            certain.label,
            certain.folds.len(),
            positives + negatives
        );
    }
    text
}
