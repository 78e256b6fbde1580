//! Whole recipes: from a data set of DICOM files to a bundle and a submission, in one command.
//!
//! [`Recipe::plan`] lays out the steps (index, prepare, folds of stage 1, their predictions out of
//! fold, networks of series on these, evaluation, bundle, submission) by [`RecipeOptions`];
//! [`Recipe::run`] lets the [engine](crate::engine) start `hemora` and `hemora-train` for each step
//! that an earlier run did not complete. No network runs here.

mod about;
mod cost;
mod dataset;
mod error;
mod layout;
mod members;
mod options;
mod plan;
mod plan_text;
mod submission;

pub use cost::{Cost, SeriesTiming, Timing};
pub use dataset::Dataset;
pub use error::RecipeError;
pub use options::{Kind, Preset, RecipeOptions, Stage1};
pub use plan::Recipe;
