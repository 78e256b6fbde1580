//! The file of a trained network of series, as safetensors and as ONNX.

use std::path::Path;

use hemora_ct::Views;
use hemora_model::{SeriesNetwork, TrainedNetwork};
use hemora_nn::{Graph, Weights, WeightsError, onnx};

use super::files::{self, FileError};
use crate::model::SeriesPlan;

/// Why a network cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkFileError {
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// Weights that do not fit the network.
    #[error(transparent)]
    Weights(#[from] WeightsError),
}

/// Writes a network of series as safetensors to `path`, with what a bundle needs to know, and as ONNX
/// beside it. `fold`, from 1, is the one whose network of slices makes the features that it reads.
///
/// # Errors
/// [`NetworkFileError`] if a file cannot be written.
pub fn write_series_network(
    path: &Path,
    plan: &SeriesPlan,
    graph: &Graph,
    weights: &Weights,
    fold: Option<usize>,
    views: Option<Views>,
) -> Result<(), NetworkFileError> {
    let trained = TrainedNetwork::Series(SeriesNetwork {
        network: graph.name().to_owned(),
        columns: graph.input_shape()[0],
        hidden: plan.hidden,
        layers: plan.layers,
        features_of_fold: fold.and_then(|fold| u32::try_from(fold).ok()),
        views,
    });
    files::write(path, &weights.to_safetensors(trained.to_metadata())?)?;
    Ok(files::write(&path.with_extension("onnx"), &onnx::write(graph, weights)?)?)
}
