//! Benchmarks beside what a Python user would run.

mod eval;
mod measure;
mod table;
mod triage;

pub use eval::{Options as EvalOptions, eval};
pub use triage::{Options, triage};
