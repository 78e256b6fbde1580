//! Training on libtorch.
//!
//! The only crate that links libtorch. A [`Model`] is a graph of `hemora-nn` with tensors; what it
//! learns is written as safetensors and exported to ONNX from the same graph.

pub mod checkpoint;
pub mod config;
pub mod dataset;
pub mod files;
mod loss;
pub mod metrics;
mod model;
mod optimizer;
mod progress;
mod run;
mod schedule;
pub mod validation;

pub use loss::weighted_binary_cross_entropy;
pub use model::{Mode, Model, to_host};
pub use optimizer::{AdamW, AdamWOptions};
pub use run::run;
pub use schedule::OneCycle;
