//! The model bundle `*.hemora`: a network with all that is needed to use it rightly, or several.

mod archive;
mod claims;
mod ensemble;
mod error;
mod file;
mod info;
mod model;
mod series;

pub use claims::Claims;
pub use ensemble::{
    ENSEMBLE_FORMAT_VERSION, EnsembleInfo, EnsembleModel, EnsembleSeries, MOST_MEMBERS,
    member_entry,
};
pub use error::BundleError;
pub use file::Bundle;
pub use info::{FORMAT_VERSION, MeasuredLevel, Metric, ModelInfo, NetworkRef};
pub use model::{Ensemble, Model};
pub use series::{MOST_SERIES_NETWORKS, SeriesStage, series_entry};
