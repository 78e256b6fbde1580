//! Training of networks that read whole series, on what a network of single slices said of each
//! slice out of fold: the second stage of the competition's winner (facts §4).

mod config;
mod run;
mod set;
mod validation;
mod windows;

pub use config::{Keep, SequenceConfig};
pub use run::run;
pub use set::SequenceSet;
pub use windows::{Window, draw};
