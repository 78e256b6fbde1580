//! Training on libtorch.
//!
//! - [`config`]: flags and a file become one checked [`TrainPlan`](config::TrainPlan).
//! - [`gather`]: public sets joined into one folder to train on.
//! - [`data`]: the images of a run, read and divided.
//! - [`model`]: a [`Model`] is a graph of `hemora-nn` with tensors; what it learns is written as
//!   safetensors and exported to ONNX from the same graph.
//! - [`optim`]: losses, optimizers, schedules.
//! - [`training`]: the trainings themselves; [`run`] is the whole of one.
//! - [`series`]: networks that read whole series, on what a network of slices predicted.
//! - [`output`]: folders, tables, checkpoints and progress.

pub mod config;
pub mod data;
pub mod gather;
pub mod model;
pub mod optim;
pub mod output;
pub mod series;
pub mod training;

pub use model::{Layout, Mode, Model, Precision, Task, to_host};
pub use optim::{Loss, LossOptions, Schedule};
pub use training::{TrainError, run};
