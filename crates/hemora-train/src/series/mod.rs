//! Training of networks that read whole series, on what a network of single slices predicted of each
//! slice out of fold: the second stage of the competition's winner (docs/references.md#winner).

mod batch;
mod config;
mod error;
mod run;
mod set;
mod settings;
mod timing;
mod validation;

pub use config::SequenceConfig;
pub use error::SeriesError;
pub use run::run;
pub use set::SequenceSet;
pub use settings::{Keep, SequenceSettings};
pub use timing::{SequenceTime, time};
