//! A training: from a plan to the best weights and what they predict.

pub mod allocator;
pub mod checkpoint;
mod device;
mod error;
mod finish;
mod folds;
mod joint;
pub mod memory;
mod pointing;
mod predict;
pub mod ranks;
mod rate_finder;
mod run;
mod start;
mod teachers;
mod tensors;
mod timing;
mod trainer;
pub mod validation;
mod views;

pub use device::{Compute, DeviceError, set_threads};
pub use error::TrainError;
pub(crate) use finish::shown;
pub use pointing::{PointingError, PointingOptions, point_run};
pub(crate) use predict::predicted_views;
pub use predict::{PredictError, PredictOptions, fold_features, predict_run};
pub use rate_finder::{RateCurve, RateRange, find_rate};
pub use run::run;
pub use teachers::{TeacherError, Teachers};
pub use timing::{Timing, time};
pub use trainer::{Trainer, TrainerOptions, fits};
