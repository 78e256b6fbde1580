//! Whole recipes: from a data set of DICOM files to a bundle and a submission, in one command.
//!
//! [`Recipe::plan`] lays out the steps (index, prepare, folds of stage 1, what they say out of fold,
//! networks of series on that, evaluation, bundle, submission) by [`RecipeOptions`]; [`Recipe::run`]
//! starts `hemora` and `hemora-train` for each step that an earlier run did not complete. No network is
//! run here.

mod about;
mod cost;
mod dataset;
mod error;
mod layout;
mod members;
mod options;
mod plan;
mod programs;
mod step;
mod submission;

pub use about::About;
pub use cost::{Cost, Timing};
pub use dataset::Dataset;
pub use error::RecipeError;
pub use options::{Kind, Preset, RecipeOptions, Stage1};
pub use plan::Recipe;
pub use programs::Programs;
pub use step::{Event, Step};
