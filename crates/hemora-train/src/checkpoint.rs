//! Checkpoints: weights, optimizer state and counters in one safetensors file.

use std::collections::HashMap;
use std::path::Path;

use hemora_nn::{Weights, WeightsError};

use crate::Model;
use crate::files::write_whole;
use crate::trainer::Trainer;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Epochs finished.
    pub epoch: u64,
    /// Optimizer steps taken.
    pub step: u64,
    /// Best validation score so far.
    pub best: Option<f64>,
}

/// Why a checkpoint cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The file is not a checkpoint of this network.
    #[error("{path}: {source}; remove it to start over, or train the network that it belongs to")]
    Weights {
        /// The file.
        path: String,
        /// What does not fit.
        source: WeightsError,
    },
    /// Counters or optimizer state are absent or wrong.
    #[error("{path}: {problem}; remove it to start over")]
    State {
        /// The file.
        path: String,
        /// What does not fit.
        problem: String,
    },
}

/// Writes a checkpoint from which the run can go on.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be written.
pub fn save(path: &Path, trainer: &Trainer, progress: Progress) -> Result<(), CheckpointError> {
    let mut weights = trainer.model.weights();
    trainer.optimizer.save(&mut weights);
    if let Some(average) = &trainer.average {
        average.save(&mut weights);
    }
    save_weights(path, &trainer.model, &weights, progress)
}

/// Writes weights of `model`'s graph alone.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be written.
pub fn save_weights(
    path: &Path,
    model: &Model,
    weights: &Weights,
    progress: Progress,
) -> Result<(), CheckpointError> {
    let mut metadata = HashMap::from([
        ("network".to_owned(), model.graph().name().to_owned()),
        ("epoch".to_owned(), progress.epoch.to_string()),
        ("step".to_owned(), progress.step.to_string()),
    ]);
    if let Some(best) = progress.best {
        metadata.insert("best".to_owned(), best.to_string());
    }
    let bytes = weights
        .to_safetensors(metadata)
        .map_err(|source| CheckpointError::Weights { path: path.display().to_string(), source })?;
    Ok(write_whole(path, &bytes)?)
}

/// Puts a trainer where it was when the checkpoint was written.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be read or belongs to another run.
pub fn load(path: &Path, trainer: &mut Trainer) -> Result<Progress, CheckpointError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)?;
    let weights_error = |source| CheckpointError::Weights { path: name.clone(), source };
    let state_error = |problem| CheckpointError::State { path: name.clone(), problem };
    let weights = Weights::from_safetensors(&bytes).map_err(weights_error)?;
    let metadata = Weights::metadata(&bytes).map_err(weights_error)?;
    let counter = |key: &str| -> Result<u64, CheckpointError> {
        let value = metadata.get(key).and_then(|value| value.parse().ok());
        value.ok_or_else(|| state_error(format!("no usable `{key}` in its metadata")))
    };
    let progress = Progress {
        epoch: counter("epoch")?,
        step: counter("step")?,
        best: metadata.get("best").and_then(|value| value.parse().ok()),
    };
    let graph = trainer.model.graph().clone();
    let restored = Model::with_weights(graph, &weights, trainer.model.device());
    let restored = restored.map_err(weights_error)?;
    trainer.optimizer.load(&restored, &weights, progress.step).map_err(state_error)?;
    if let Some(average) = &mut trainer.average {
        average.load(&weights).map_err(state_error)?;
    }
    trainer.model = restored;
    Ok(progress)
}
