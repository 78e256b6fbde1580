//! The images of a run: which they are, how they are divided, and reading them.

mod error;
mod hold_out;
mod images;
mod parts;
mod plan;
mod read;

pub use error::LoadError;
pub use hold_out::hold_out;
pub use images::{Images, RunData, load};
pub use parts::{MOST_FOLDS, Parts, open_prepared};
pub use plan::{By, DataPlan, ExtraImages, Fold, HoldOut, NetworkInput, Source, SplitPlan};
