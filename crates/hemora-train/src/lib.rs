//! Training on libtorch.
//!
//! A [`Model`] is a graph of `hemora-nn` with tensors; what it
//! learns is written as safetensors and exported to ONNX from the same graph.

pub mod allocator;
mod average;
pub mod balance;
pub mod checkpoint;
pub mod config;
pub mod dataset;
pub mod events;
pub mod files;
mod finish;
pub mod folder;
pub mod folds;
pub mod gradients;
mod joint;
pub mod loss;
pub mod memory;
pub mod metrics;
mod model;
pub mod optimizer;
mod parts;
pub mod precision;
pub mod predict;
pub mod progress;
pub mod ranks;
mod rate_finder;
mod run;
pub mod schedule;
pub mod sequence;
mod start;
mod task;
mod teachers;
pub mod timing;
pub mod trainer;
pub mod validation;
pub mod watch;

pub use average::WeightAverage;
pub use loss::Loss;
pub use model::{Layout, Mode, Model, to_host};
pub use rate_finder::{RateCurve, RateRange, find_rate};
pub use run::run;
pub use schedule::{OneCycle, Schedule, ScheduleName};
pub use task::Task;
