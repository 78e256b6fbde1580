//! Training on libtorch.
//!
//! The only crate that links libtorch. A [`Model`] is a graph of `hemora-nn` with tensors; what it
//! learns is written as safetensors and exported to ONNX from the same graph.

mod average;
pub mod checkpoint;
pub mod config;
pub mod dataset;
pub mod files;
mod loss;
pub mod metrics;
mod model;
pub mod optimizer;
mod progress;
mod run;
mod schedule;
mod task;
pub mod trainer;
pub mod validation;

pub use average::WeightAverage;
pub use loss::weighted_binary_cross_entropy;
pub use model::{Mode, Model, to_host};
pub use run::run;
pub use schedule::{OneCycle, Schedule, ScheduleName};
pub use task::Task;
