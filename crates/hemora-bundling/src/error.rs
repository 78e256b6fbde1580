//! Why a bundle is not made.

use std::io;
use std::path::{Path, PathBuf};

use hemora_data::SliceTableError;
use hemora_evaluation::EvaluateError;
use hemora_model::{BundleError, FeatureError, TrainedError};
use hemora_nn::{GraphError, ImportError, WeightsError};

/// Why a bundle, or what goes into one, is not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundlingError {
    /// A file cannot be read or written.
    #[error("{}: cannot {action} the file: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `write`.
        action: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A TOML file cannot be used.
    #[error("{}: {source}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// Weights cannot be used.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        source: WeightsError,
    },
    /// Weights without a usable document of their training.
    #[error("{}: {source}", path.display())]
    Trained {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: TrainedError,
    },
    /// Weights of timm or torchvision cannot be used.
    #[error("{}: {source}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        source: ImportError,
    },
    /// A network cannot be built as its training describes it.
    #[error("{}: {source}", path.display())]
    Graph {
        /// The file of its weights.
        path: PathBuf,
        /// Why not.
        source: GraphError,
    },
    /// A table of slices cannot be used.
    #[error(transparent)]
    Slices(#[from] SliceTableError),
    /// A calibration, an evaluation or an ensemble's fit cannot be used.
    #[error(transparent)]
    Evaluation(#[from] EvaluateError),
    /// Networks of series do not fit the network of slices.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// A bundle cannot be read or written.
    #[error("{}: {source}", path.display())]
    Bundle {
        /// The bundle.
        path: PathBuf,
        /// Why not.
        source: BundleError,
    },
    /// What was given does not belong together.
    #[error("{subject}: {problem}; {advice}")]
    Unfit {
        /// The file, run or model.
        subject: String,
        /// What was found, and what was expected.
        problem: String,
        /// What to do.
        advice: String,
    },
}

impl BundlingError {
    pub(crate) fn unfit(
        subject: impl Into<String>,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let (subject, problem, advice) = (subject.into(), problem.into(), advice.into());
        Self::Unfit { subject, problem, advice }
    }

    pub(crate) fn weights(path: &Path) -> impl Fn(WeightsError) -> Self {
        move |source| Self::Weights { path: path.to_owned(), source }
    }

    pub(crate) fn bundle(path: &Path) -> impl Fn(BundleError) -> Self {
        move |source| Self::Bundle { path: path.to_owned(), source }
    }
}

/// All bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, BundlingError> {
    let failed = |source| BundlingError::Io { path: path.to_owned(), action: "read", source };
    std::fs::read(path).map_err(failed)
}

/// Writes a file whole or not at all.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), BundlingError> {
    let failed = |source| BundlingError::Io { path: path.to_owned(), action: "write", source };
    hemora_base::write_bytes(path, bytes).map_err(failed)
}
