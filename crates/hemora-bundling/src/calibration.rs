//! What was fitted and measured for a bundle: calibration, operating points, evaluations.

use std::path::{Path, PathBuf};

use hemora_evaluation::{Evaluation, evaluation_file, read_evaluation, read_fit};
use hemora_metrics::FitReport;
use hemora_model::Metric;

use crate::BundlingError;

/// Reads a document of `hemora calibrate` for a bundle.
pub(crate) fn read_calibration(path: Option<&Path>) -> Result<Option<FitReport>, BundlingError> {
    let Some(path) = path else { return Ok(None) };
    Ok(Some(read_fit(path)?))
}

/// Reads evaluations: folders of `hemora evaluate`, or documents.
pub(crate) fn read_evaluations(paths: &[PathBuf]) -> Result<Vec<Evaluation>, BundlingError> {
    let read = |path: &PathBuf| Ok(read_evaluation(&evaluation_file(path))?);
    paths.iter().map(read).collect()
}

/// AUROC and average precision of every level of an evaluation.
pub(crate) fn measured_metrics(evaluation: &Evaluation) -> Vec<Metric> {
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
                    level: level.level,
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
