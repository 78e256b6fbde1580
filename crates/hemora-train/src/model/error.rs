//! Why a network cannot be built or given weights.

use std::path::PathBuf;

use hemora_nn::{GraphError, WeightsError};

/// Why a network cannot be built or given weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// No network of that name.
    #[error("unknown network `{name}`; there are {names}")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        names: String,
    },
    /// The network does not fit its input.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// Weights that fit no network.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A file of weights does not fit.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: Box<WeightsError>,
    },
    /// A file of weights cannot be read.
    #[error("{}: cannot read the weights: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system reports.
        source: std::io::Error,
    },
    /// A network without a last layer that could be replaced.
    #[error("network `{0}` ends in no linear layer, so weights of other labels cannot start it")]
    NoHead(String),
}
