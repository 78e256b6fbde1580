//! How weights are moved: losses, optimizers, schedules, averages, and what follows from scores.

mod average;
mod balance;
mod dense_loss;
pub mod gradients;
mod loss;
mod optimizer;
mod plan;
mod preset;
mod rule;
mod schedule;
mod watch;

pub use average::WeightAverage;
pub use balance::{ClassWeights, MOST, Sampling};
pub use dense_loss::{DenseTargets, dense_loss};
pub use loss::{Loss, LossOptions};
pub use optimizer::Optimizer;
pub use plan::{Length, LossPlan, Monitor, OptimPlan};
pub use preset::{OptimizerOptions, Preset};
pub use rule::Rule;
pub use schedule::{OneCycle, Schedule, ScheduleName, ScheduleOptions};
pub use watch::{Watch, WatchOptions};
