//! Which networks a run trains.

use std::path::PathBuf;

use hemora_ct::SeriesInput;
use hemora_nn::networks::{self, SequenceOptions, build_sequence, sequence_input, sequence_names};
use hemora_nn::{Graph, GraphError};

use super::{ModelError, Task};

/// The network of single slices.
#[derive(Debug, Clone, PartialEq)]
pub struct SlicePlan {
    /// Its name.
    pub network: String,
    /// What it learns.
    pub task: Task,
    /// Height and width of its input, pixels.
    pub size: usize,
    /// Dropout before its last layer.
    pub dropout: f64,
    /// Weights to start from.
    pub weights: Option<PathBuf>,
}

impl SlicePlan {
    /// Pixels along the side of each part of which the network says which labels it has; `None` of a
    /// network without a dense head.
    ///
    /// # Errors
    /// As [`SlicePlan::graph`].
    pub fn map_stride(&self, channels: usize) -> Result<Option<usize>, ModelError> {
        let graph = self.graph(channels)?;
        Ok(graph.dense().map(|dense| self.size.div_ceil(graph.shape(dense.maps)[1])))
    }

    /// The network, for inputs of so many channels.
    ///
    /// # Errors
    /// [`ModelError`] if there is none of that name, or it does not fit the image size.
    pub fn graph(&self, channels: usize) -> Result<Graph, ModelError> {
        let graph = self.task.graph(&self.network, [channels, self.size], self.dropout);
        built(&self.network, graph, || networks::names().collect())
    }
}

/// A network that reads the slices of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesPlan {
    /// Its name.
    pub network: String,
    /// What it reads of each slice.
    pub input: SeriesInput,
    /// Units of its recurrent layers in each direction; half the channels of a transformer.
    pub hidden: usize,
    /// Recurrent layers, or blocks of a transformer.
    pub layers: usize,
    /// Dropout of whole channels.
    pub dropout: f64,
}

impl SeriesPlan {
    /// The network, for slices of so many values.
    ///
    /// # Errors
    /// [`ModelError`] if it does not take them.
    pub fn graph(&self, columns: usize) -> Result<Graph, ModelError> {
        let Self { hidden, layers, dropout, .. } = *self;
        let options = SequenceOptions { columns, hidden, layers, dropout };
        let graph = build_sequence(&self.network, &options);
        built(&self.network, graph, || sequence_names().collect())
    }

    /// The network, for slices of which so many features are known.
    ///
    /// # Errors
    /// [`ModelError`] if it does not take them.
    pub fn graph_on_features(&self, features: usize) -> Result<Graph, ModelError> {
        self.graph(features + usize::from(self.input == SeriesInput::FeaturesAndPositions))
    }
}

/// What a network of series reads of each slice.
///
/// # Errors
/// [`ModelError`] if there is none of that name.
pub fn series_input(network: &str) -> Result<SeriesInput, ModelError> {
    sequence_input(network).ok_or_else(|| unknown(network, sequence_names().collect()))
}

fn built(
    name: &str,
    graph: Option<Result<Graph, GraphError>>,
    names: impl FnOnce() -> Vec<&'static str>,
) -> Result<Graph, ModelError> {
    Ok(graph.ok_or_else(|| unknown(name, names()))??)
}

fn unknown(name: &str, names: Vec<&'static str>) -> ModelError {
    ModelError::Unknown { name: name.to_owned(), names: names.join(", ") }
}

/// The networks of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelPlan {
    /// That of single slices.
    pub slices: SlicePlan,
    /// That of series which is trained with it, on its features.
    pub joint: Option<JointPlan>,
}

/// A network of series that is trained with that of slices.
#[derive(Debug, Clone, PartialEq)]
pub struct JointPlan {
    /// The network.
    pub series: SeriesPlan,
    /// Most slices of a window.
    pub window: usize,
}
