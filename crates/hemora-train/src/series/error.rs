//! Why networks of series cannot be trained.

use std::path::PathBuf;

use hemora_data::{FeaturesError, SliceTableError};
use hemora_metrics::MetricError;
use hemora_nn::WeightsError;

use crate::model::ModelError;
use crate::output::{FileError, FolderError, NetworkFileError};
use crate::training::checkpoint::CheckpointError;
use crate::training::ranks::RanksError;
use crate::training::{DeviceError, TrainError};

/// Why networks of series cannot be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// The training itself.
    #[error(transparent)]
    Train(Box<TrainError>),
    /// The network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Weights that do not fit.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The other processes.
    #[error(transparent)]
    Ranks(#[from] RanksError),
    /// The folder of the run.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file of the run.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file of a network.
    #[error(transparent)]
    NetworkFile(#[from] NetworkFileError),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A figure.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The table of slices.
    #[error(transparent)]
    Slices(#[from] SliceTableError),
    /// A file of features.
    #[error(transparent)]
    Features(#[from] FeaturesError),
    /// A setting out of bounds.
    #[error("{flag} is {value}; expected {expected}")]
    Value {
        /// The flag.
        flag: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// A network of features without any.
    #[error("{0} reads features: name them with --features")]
    NoFeatures(String),
    /// A network of features with probabilities of a first model.
    #[error("{0} reads features alone: leave out --first")]
    First(String),
    /// Nothing to hold out.
    #[error("{} has one fold; expected 2 or more", .0.display())]
    OneFold(PathBuf),
    /// Features of other slices.
    #[error("{} has the features of {rows} slices, {} has {slices}", features.display(), table.display())]
    Rows {
        /// The file of features.
        features: PathBuf,
        /// Its slices.
        rows: usize,
        /// The table.
        table: PathBuf,
        /// Its slices.
        slices: usize,
    },
    /// Features of another network.
    #[error("the features of fold {fold} have {found} columns; expected {expected}, as of fold 1")]
    Columns {
        /// The fold, from 1.
        fold: u32,
        /// Its columns.
        found: usize,
        /// Those of fold 1.
        expected: usize,
    },
    /// The first model's table is of other slices.
    #[error("{}: {problem}", path.display())]
    FirstTable {
        /// The table.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// A series in several folds.
    #[error("the slices of series `{0}` are in several folds: of several patients?")]
    Torn(String),
    /// Nothing to learn from.
    #[error("no series outside fold {0} has labels")]
    NoLabels(u32),
    /// Too little to learn from.
    #[error("fold {0}: too few slices with labels outside it for a batch")]
    TooFew(u32),
}

// Boxed, since it is by far the largest.
impl From<TrainError> for SeriesError {
    fn from(error: TrainError) -> Self {
        Self::Train(Box::new(error))
    }
}

impl SeriesError {
    /// How a program ends with it.
    pub fn exit_status(&self) -> hemora_base::ExitStatus {
        match self {
            Self::Train(error) => error.exit_status(),
            _ => hemora_base::ExitStatus::Failed,
        }
    }
}
