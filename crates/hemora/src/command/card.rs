//! What a bundle and its card say of calibration, operating points and evaluations, of one network or
//! of several.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use hemora_evaluation::{Evaluation, card_section, read_evaluation};
use hemora_experiment::recipe::About;
use hemora_metrics::{Aggregation, FitReport, Level};
use hemora_model::{Claims, MeasuredLevel, Metric};
use miette::{IntoDiagnostic, Result, WrapErr, bail};

use super::compare::evaluation_file;

/// Reads what only a person can say of a model.
///
/// # Errors
/// A report that names the file.
pub fn read_about(path: &Path) -> Result<About> {
    let name = || path.display().to_string();
    let text = std::fs::read(path).into_diagnostic().wrap_err_with(name)?;
    toml::from_slice(&text).into_diagnostic().wrap_err_with(name)
}

/// Reads a document of `hemora calibrate` for a bundle.
///
/// # Errors
/// A report that names the file, or that it is for another aggregation than triage's.
pub fn read_fit(path: Option<&Path>) -> Result<Option<FitReport>> {
    let Some(path) = path else { return Ok(None) };
    let fit = hemora_evaluation::read_fit(path).into_diagnostic()?;
    if fit.plain_aggregation != Aggregation::default() {
        bail!(
            help = "choose the operating points with --aggregate top-3 or --learn-aggregation",
            "the operating points are for the aggregation `{}`; triage takes top-3 or a learned one",
            fit.plain_aggregation
        );
    }
    Ok(Some(fit))
}

/// Reads evaluations, folders or documents.
///
/// # Errors
/// A report that names the file.
pub fn read_evaluations(paths: &[PathBuf]) -> Result<Vec<Evaluation>> {
    let read = |path: &PathBuf| read_evaluation(&evaluation_file(path)).into_diagnostic();
    paths.iter().map(read).collect()
}

/// AUROC and average precision of every level of an evaluation.
pub fn measured_metrics(evaluation: &Evaluation) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for level in &evaluation.levels {
        for label in &level.metrics.labels {
            for (name, figure) in
                [("AUROC", label.auroc), ("average precision", label.average_precision)]
            {
                let Some(value) = figure.value else { continue };
                metrics.push(Metric {
                    name: name.to_owned(),
                    label: Some(label.label),
                    level: match level.level {
                        Level::Slice => MeasuredLevel::Slice,
                        Level::Series => MeasuredLevel::Series,
                        Level::Study => MeasuredLevel::Study,
                    },
                    value,
                    low: figure.low,
                    high: figure.high,
                    n: level.metrics.items,
                    positives: label.positives,
                    note: format!(
                        "evaluation `{}` of {}, {} groups ({})",
                        evaluation.name,
                        evaluation.predictions.file,
                        level.metrics.groups,
                        evaluation.grouping.kind
                    ),
                });
            }
        }
    }
    metrics
}

/// What stands last in a card: calibration and thresholds, evaluations, limits.
pub fn write_end(
    card: &mut String,
    claims: &Claims<'_>,
    evaluations: &[Evaluation],
    limits: &[String],
) {
    write_fit(card, claims);
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

/// The calibration and the thresholds, with where they come from.
fn write_fit(card: &mut String, claims: &Claims<'_>) {
    if let Some(calibration) = claims.calibration {
        let origin = &calibration.origin;
        let _ = writeln!(
            card,
            "\n## Calibration\n\nMethod: {}, fitted on {} slices of {} groups ({}). Every \
             probability that is reported is calibrated.",
            calibration.method, origin.items, origin.groups, origin.file
        );
    }
    if let Some(learned) = claims.aggregation {
        let origin = &learned.origin;
        let _ = writeln!(
            card,
            "\n## From slices to a {}\n\nA logistic regression on the highest slice, the mean of the \
             three highest, and all together, fitted on {} slices of {} groups ({}). Log loss with \
             the mean of the three highest, and held out with the rule:\n\n| label | top-3 | rule | \
             positives | of |\n|---|---|---|---|---|",
            learned.level, origin.items, origin.groups, origin.file
        );
        let shown = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
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
    if claims.operating_points.is_empty() {
        return;
    }
    card.push_str(
        "\n## Operating points\n\n| point | label | level | threshold | sensitivity | specificity | \
         positives | chosen on |\n|---|---|---|---|---|---|---|---|\n",
    );
    let shown = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
    for point in claims.operating_points {
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
}
