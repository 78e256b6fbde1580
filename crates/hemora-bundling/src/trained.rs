//! Weights that hemora-train wrote, with its document on them.

use std::path::{Path, PathBuf};

use hemora_model::{SeriesNetwork, SliceNetwork, TrainedNetwork};
use hemora_nn::Weights;

use crate::BundlingError;
use crate::error::read;

/// A trained network of slices.
pub(crate) struct TrainedSlices {
    /// The file.
    pub path: PathBuf,
    /// All tensors.
    pub weights: Weights,
    /// What the training wrote of it.
    pub network: SliceNetwork,
}

/// A trained network of series.
pub(crate) struct TrainedSeries {
    /// All tensors.
    pub weights: Weights,
    /// What the training wrote of it.
    pub network: SeriesNetwork,
}

impl TrainedSlices {
    /// Reads a safetensors file.
    pub fn read(path: &Path) -> Result<Self, BundlingError> {
        match read_trained(path)? {
            (weights, TrainedNetwork::Slices(network)) => {
                Ok(Self { path: path.to_owned(), weights, network })
            }
            (_, TrainedNetwork::Series(network)) => Err(BundlingError::unfit(
                path.display().to_string(),
                format!("`{}` reads series; expected a network of slices", network.network),
                "give the model.safetensors of `hemora-train run`",
            )),
        }
    }
}

impl TrainedSeries {
    /// Reads a safetensors file.
    pub fn read(path: &Path) -> Result<Self, BundlingError> {
        match read_trained(path)? {
            (weights, TrainedNetwork::Series(network)) => Ok(Self { weights, network }),
            (_, TrainedNetwork::Slices(network)) => Err(BundlingError::unfit(
                path.display().to_string(),
                format!("`{}` reads single slices; expected a network of series", network.network),
                "give a run of `hemora-train sequence`",
            )),
        }
    }
}

fn read_trained(path: &Path) -> Result<(Weights, TrainedNetwork), BundlingError> {
    let bytes = read(path)?;
    let weights = Weights::from_safetensors(&bytes).map_err(BundlingError::weights(path))?;
    let metadata = Weights::metadata(&bytes).map_err(BundlingError::weights(path))?;
    let trained = TrainedNetwork::from_metadata(&metadata)
        .map_err(|source| BundlingError::Trained { path: path.to_owned(), source })?;
    Ok((weights, trained))
}
