//! Benchmarks beside what a Python user would run.

mod measure;
mod prepare;
mod table;
mod triage;

pub use prepare::{PrepareOptions, prepare};
pub use triage::{Options, triage};
