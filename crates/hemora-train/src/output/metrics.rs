//! `metrics.jsonl`: a line an epoch.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::files::{self, FileError};

/// What one epoch came to.
#[derive(Debug, Clone, Serialize)]
pub struct EpochMetrics {
    /// Epochs finished, from 1.
    pub epoch: u64,
    /// Optimizer steps taken.
    pub step: u64,
    /// Mean training loss of the epoch.
    pub train_loss: f64,
    /// Validation loss with the same weights of the labels.
    pub validation_loss: f64,
    /// Validation AUROC per label; `null` where the label has one class only.
    pub auroc: BTreeMap<String, Option<f64>>,
    /// Mean of the defined AUROCs, by which the best checkpoint is chosen.
    pub mean_auroc: Option<f64>,
    /// Images trained on per second, loading included.
    pub images_per_second: f64,
    /// Seconds of the whole epoch, validation included.
    pub seconds: f64,
}

/// The mean of the AUROCs that are defined; `None` if none is.
pub fn mean_defined(aurocs: &BTreeMap<String, Option<f64>>) -> Option<f64> {
    let defined: Vec<f64> = aurocs.values().copied().flatten().collect();
    (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
}

/// Appends one line, on disk when this returns.
///
/// # Errors
/// [`FileError`] if the file cannot be written.
pub fn append(path: &Path, metrics: &EpochMetrics) -> Result<(), FileError> {
    let append = || {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let line = serde_json::to_string(metrics)?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_all()
    };
    append().map_err(FileError::on("append to", path))
}

/// Keeps the lines of the first `epochs` epochs: what a killed run wrote beyond its last
/// checkpoint is written again when it goes on.
///
/// # Errors
/// [`FileError`] if the file cannot be read or written.
pub fn keep_epochs(path: &Path, epochs: u64) -> Result<(), FileError> {
    if !path.exists() {
        return Ok(());
    }
    let text = files::read_text(path)?;
    let kept: String = text
        .lines()
        .filter(|line| {
            serde_json::from_str::<serde_json::Value>(line)
                .ok()
                .and_then(|value| value["epoch"].as_u64())
                .is_some_and(|epoch| epoch <= epochs)
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    files::write(path, kept.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_checkpoint_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        keep_epochs(&path, 3).unwrap();
        for epoch in 1..=3 {
            let metrics = EpochMetrics {
                epoch,
                step: epoch * 10,
                train_loss: 0.5,
                validation_loss: 0.4,
                auroc: BTreeMap::from([("any".to_owned(), None)]),
                mean_auroc: None,
                images_per_second: 1.0,
                seconds: 2.0,
            };
            append(&path, &metrics).unwrap();
        }
        keep_epochs(&path, 2).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("\"epoch\":2") && !text.contains("\"epoch\":3"), "{text}");
    }
}
