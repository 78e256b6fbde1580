//! Cross-validation: every image held out once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use super::TrainError;
use super::finish::shown;
use super::validation::LabelInterval;
use crate::config::TrainPlan;
use crate::output::{FileError, Folder, Reporter, join_predictions};

/// A label's AUROC over the folds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldSummary {
    /// AUROC of each fold; `null` where it is not defined.
    pub auroc: Vec<Option<f64>>,
    /// Mean of those that are.
    pub mean: Option<f64>,
    /// Their standard deviation; of fewer than two there is none.
    pub deviation: Option<f64>,
}

/// The AUROCs of each label over the folds.
pub fn summarise(folds: &[Vec<LabelInterval>]) -> BTreeMap<String, FoldSummary> {
    let mut labels: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for row in folds.iter().flatten() {
        labels.entry(row.label.name().to_owned()).or_default().push(row.auroc.value);
    }
    labels.into_iter().map(|(label, auroc)| (label, from_values(auroc))).collect()
}

fn from_values(auroc: Vec<Option<f64>>) -> FoldSummary {
    let defined: Vec<f64> = auroc.iter().copied().flatten().collect();
    let count = defined.len() as f64;
    let mean = (count > 0.0).then(|| defined.iter().sum::<f64>() / count);
    let deviation = mean.filter(|_| count > 1.0).map(|mean| {
        (defined.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt()
    });
    FoldSummary { auroc, mean, deviation }
}

/// Runs `train` for every fold in a folder of its own, then writes what all predict together:
/// `folds.json`, and the predictions of all images as `validation.csv`; of several processes the
/// first one writes.
///
/// # Errors
/// Those of `train`; [`TrainError`] if a file cannot be read or written.
pub fn run_all(
    out: &Path,
    plans: &[TrainPlan],
    is_first: bool,
    reporter: Reporter,
    train: impl Fn(&TrainPlan) -> Result<Vec<LabelInterval>, TrainError>,
) -> Result<(), TrainError> {
    let mut folds = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        reporter.log(&format!("fold {} of {}", index + 1, plans.len()));
        folds.push(train(plan)?);
    }
    if !is_first {
        return Ok(());
    }
    let summary = summarise(&folds);
    let path = out.join("folds.json");
    hemora_base::write_json(&path, &summary).map_err(FileError::on("write", &path))?;
    let tables: Vec<_> = plans.iter().map(|plan| Folder::new(&plan.out).validation()).collect();
    let path = out.join("validation.csv");
    join_predictions(&tables, &path)?;
    reporter.result(table(&summary, plans.len()).trim_end());
    reporter.result(&format!("predictions of all images: {}", path.display()));
    Ok(())
}

fn table(summary: &BTreeMap<String, FoldSummary>, folds: usize) -> String {
    let mut text = String::new();
    for (label, row) in summary {
        let _ = writeln!(
            text,
            "{label:<18} AUROC {} over {folds} folds, standard deviation {}",
            shown(row.mean),
            shown(row.deviation)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_leaves_out_folds_without_a_value() {
        let summary = from_values(vec![Some(0.5), None, Some(0.75)]);
        assert_eq!(summary.mean, Some(0.625));
        let deviation = summary.deviation.unwrap();
        assert!((deviation - 0.125 * 2f64.sqrt()).abs() < 1e-12, "{deviation}");
        assert_eq!(from_values(vec![Some(0.5), None]).deviation, None);
        assert_eq!(from_values(vec![None]).mean, None);
    }
}
