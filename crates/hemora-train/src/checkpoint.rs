//! Checkpoints: weights, optimizer state and counters in one safetensors file.

use std::collections::HashMap;
use std::path::Path;

use hemora_nn::{Weights, WeightsError};

use crate::files::write_whole;
use crate::{AdamW, Model};

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

/// Writes a checkpoint.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be written.
pub fn save(
    path: &Path,
    model: &Model,
    optimizer: &AdamW,
    progress: Progress,
) -> Result<(), CheckpointError> {
    let mut weights = model.weights();
    optimizer.save(&mut weights);
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

/// Reads a checkpoint into a model and optimizer for `model`'s graph.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be read or belongs to another run.
pub fn load(
    path: &Path,
    model: &Model,
    optimizer: &mut AdamW,
) -> Result<(Model, Progress), CheckpointError> {
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
    let restored = Model::with_weights(model.graph().clone(), &weights, model.device())
        .map_err(weights_error)?;
    optimizer.load(&restored, &weights, progress.step).map_err(state_error)?;
    Ok((restored, progress))
}
