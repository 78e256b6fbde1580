//! Checkpoints: weights, optimizer state and counters in one safetensors file.

use std::collections::HashMap;
use std::path::Path;

use hemora_nn::{Weights, WeightsError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::trainer::Trainer;
use crate::model::{LossScale, Model};
use crate::optim::Watch;
use crate::output::FileError;
use crate::output::files;

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs finished.
    pub epoch: u64,
    /// Steps taken.
    pub step: u64,
    /// The validation scores so far.
    pub watch: Watch,
}

/// What the trainer knows beside tensors.
#[derive(Serialize, Deserialize)]
struct TrainerState {
    optimizer_steps: u64,
    scale: LossScale,
}

/// Why a checkpoint cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The operating system refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not a checkpoint of this network.
    #[error("{path}: {source}; remove it to start over, or train the network that it belongs to")]
    Weights {
        /// The file.
        path: String,
        /// What does not fit.
        source: Box<WeightsError>,
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
    let state = TrainerState { optimizer_steps: trainer.optimizer.steps(), scale: trainer.scale };
    let metadata = [("progress", json(&progress)), ("trainer", json(&state))];
    write(path, &trainer.model, &weights, progress, metadata)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("counters are numbers")
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
    write(path, model, weights, progress, [])
}

fn write<const N: usize>(
    path: &Path,
    model: &Model,
    weights: &Weights,
    progress: Progress,
    more: [(&str, String); N],
) -> Result<(), CheckpointError> {
    let mut metadata = HashMap::from([
        ("network".to_owned(), model.graph().name().to_owned()),
        ("epoch".to_owned(), progress.epoch.to_string()),
        ("step".to_owned(), progress.step.to_string()),
    ]);
    if let Some(best) = progress.watch.best {
        metadata.insert("best".to_owned(), best.to_string());
    }
    metadata.extend(more.map(|(key, value)| (key.to_owned(), value)));
    let bytes = weights.to_safetensors(metadata).map_err(|source| CheckpointError::Weights {
        path: path.display().to_string(),
        source: Box::new(source),
    })?;
    Ok(files::write(path, &bytes)?)
}

/// Puts a trainer where it was when the checkpoint was written.
///
/// # Errors
/// [`CheckpointError`] if the file cannot be read or belongs to another run.
pub fn load(path: &Path, trainer: &mut Trainer) -> Result<Progress, CheckpointError> {
    restore(path, &files::read(path)?, trainer)
}

/// Puts a trainer where it was when the checkpoint `bytes`, read from `path`, was written.
///
/// # Errors
/// [`CheckpointError`] if it belongs to another run.
pub fn restore(
    path: &Path,
    bytes: &[u8],
    trainer: &mut Trainer,
) -> Result<Progress, CheckpointError> {
    let name = path.display().to_string();
    let weights_error =
        |source| CheckpointError::Weights { path: name.clone(), source: Box::new(source) };
    let state_error = |problem| CheckpointError::State { path: name.clone(), problem };
    let weights = Weights::from_safetensors(bytes).map_err(weights_error)?;
    let metadata = Weights::metadata(bytes).map_err(weights_error)?;
    fn part<T: DeserializeOwned>(
        metadata: &HashMap<String, String>,
        key: &str,
    ) -> Result<T, String> {
        let text = metadata.get(key).ok_or_else(|| format!("no `{key}` in its metadata"))?;
        serde_json::from_str(text).map_err(|error| format!("`{key}` in its metadata: {error}"))
    }
    let progress: Progress = part(&metadata, "progress").map_err(state_error)?;
    let state: TrainerState = part(&metadata, "trainer").map_err(state_error)?;
    let restored = trainer.model.again(&weights).map_err(weights_error)?;
    trainer.optimizer.load(&restored, &weights, state.optimizer_steps).map_err(state_error)?;
    if let Some(average) = &mut trainer.average {
        average.load(&weights).map_err(state_error)?;
    }
    trainer.restore(restored);
    trainer.steps = progress.step;
    trainer.scale = state.scale;
    Ok(progress)
}
