//! Benchmarks beside what a Python user would run.

mod measure;
mod table;
mod triage;

pub use triage::{Options, triage};
