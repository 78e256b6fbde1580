//! Networks as libtorch operations: which network, its weights, and what it computes.

mod draw;
mod error;
mod initial;
mod network;
mod operations;
mod plan;
mod precision;
mod sequence;
mod task;
mod windows;

pub use error::ModelError;
pub use initial::{initial_model, trained_model};
pub(crate) use network::host_weights;
pub use network::{DenseLogits, Layout, Mode, Model, to_host};
pub use plan::{JointPlan, ModelPlan, SeriesPlan, SlicePlan, series_input};
pub use precision::{LossScale, Precision};
pub use task::Task;
pub use windows::SERIES;
