//! Why a training ends before its end.

use hemora_ct::RecipeError;
use hemora_data::{
    DataError, FeaturesError, LoaderError, PrepareRecipeError, SliceTableError, TableError,
};
use hemora_metrics::MetricError;
use hemora_nn::WeightsError;
use hemora_nn::onnx::OnnxError;

use super::checkpoint::CheckpointError;
use super::device::DeviceError;
use super::memory::OutOfMemory;
use super::pointing::PointingError;
use super::predict::PredictError;
use super::ranks::RanksError;
use super::teachers::TeacherError;
use crate::config::ConfigError;
use crate::data::LoadError;
use crate::model::ModelError;
use crate::output::{FileError, FolderError, NetworkFileError};
use crate::series::SeriesError;

/// Why a training ends before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The images.
    #[error(transparent)]
    Load(Box<LoadError>),
    /// The batches.
    #[error(transparent)]
    Loader(#[from] LoaderError),
    /// The network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Weights that do not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Memory ran out.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// The other processes.
    #[error(transparent)]
    Ranks(#[from] RanksError),
    /// The teachers.
    #[error(transparent)]
    Teacher(#[from] TeacherError),
    /// The folder of the run.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file of the run.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file of the network of series.
    #[error(transparent)]
    NetworkFile(#[from] NetworkFileError),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A figure.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// What cannot be predicted.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// Maps that cannot be judged.
    #[error(transparent)]
    Pointing(#[from] PointingError),
    /// The exported network.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// A table of slices.
    #[error(transparent)]
    Slices(#[from] SliceTableError),
    /// A file of features.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// The loss is no number.
    #[error(
        "the loss is {loss} at step {step}; lower --learning-rate: the last checkpoint is kept"
    )]
    Diverged {
        /// The loss.
        loss: f64,
        /// The step, from 1.
        step: u64,
    },
    /// A network of slices without features for one of series.
    #[error(
        "--network {0}: a network of series reads the mean over the last feature map, and it has none \
         before its last layer; any network but the ConvNeXts, simple-nn and deep-cnn has one"
    )]
    NoFeatures(String),
    /// Networks of series.
    #[error(transparent)]
    Series(#[from] SeriesError),
    /// What one process does alone was started as several.
    #[error("{what} one process: start one, without torchrun or srun -n")]
    Processes {
        /// What, for instance `--series-network trains in`.
        what: &'static str,
    },
}

// Boxed, since it is by far the largest.
impl From<LoadError> for TrainError {
    fn from(error: LoadError) -> Self {
        Self::Load(Box::new(error))
    }
}

impl From<TableError> for TrainError {
    fn from(error: TableError) -> Self {
        LoadError::from(error).into()
    }
}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> Self {
        LoadError::from(error).into()
    }
}

impl From<PrepareRecipeError> for TrainError {
    fn from(error: PrepareRecipeError) -> Self {
        LoadError::from(error).into()
    }
}

impl From<RecipeError> for TrainError {
    fn from(error: RecipeError) -> Self {
        LoadError::from(error).into()
    }
}

impl TrainError {
    /// How a program ends with it.
    pub fn exit_status(&self) -> hemora_base::ExitStatus {
        match self {
            Self::OutOfMemory(_) => hemora_base::ExitStatus::OutOfMemory,
            _ => hemora_base::ExitStatus::Failed,
        }
    }
}
