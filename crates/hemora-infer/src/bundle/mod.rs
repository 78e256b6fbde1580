//! The model bundle `*.hemora`: a network with all that is needed to use it rightly.

mod archive;
mod error;
mod file;
mod info;

pub use error::BundleError;
pub use file::Bundle;
pub use info::{FORMAT_VERSION, MeasuredLevel, Metric, ModelInfo, NetworkRef};
