//! What a run is asked to do: flags over a file over defaults, resolved once into a plan.

mod check;
mod error;
mod file;
mod flags;
mod plan;
mod resolve;
mod text;

pub use error::ConfigError;
pub(crate) use file::NOT_OF_A_RUN;
pub use file::{Settings, commented, differences, read};
pub use flags::RunConfig;
pub use plan::{ComputePlan, RunPlan, Teaching, TrainPlan};
pub(crate) use resolve::unless_zero;
