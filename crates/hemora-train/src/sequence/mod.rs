//! Training of networks that read whole series, on what a network of single slices said of each
//! slice out of fold: the second stage of the competition's winner (facts §4).

mod batch;
mod config;
mod run;
mod set;
mod settings;
mod timing;
mod validation;

pub use config::SequenceConfig;
pub use run::run;
pub(crate) use run::{SeriesNotes, write_model};
pub use set::SequenceSet;
pub use settings::{Keep, SequenceSettings};
pub(crate) use settings::{reads_features, reads_places};
pub use timing::{SequenceTime, time};
