//! The model bundle `*.hemora`: a network with all that is needed to use it rightly.

mod archive;
mod error;
mod file;
mod info;
mod series;

pub use error::BundleError;
pub use file::Bundle;
pub use info::{FORMAT_VERSION, MeasuredLevel, Metric, ModelInfo, NetworkRef};
pub use series::{MOST_SERIES_NETWORKS, SeriesInput, SeriesStage, series_entry};
