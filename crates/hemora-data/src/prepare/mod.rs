//! Prepared sets: what a recipe makes of the slices of an index.

mod error;
mod plan;
mod recipe;
mod render;
mod run;
mod shard;

pub use error::PrepareError;
pub use plan::{Negatives, Selection, SplitBy, SplitInto};
pub use recipe::{Crop, Output, PrepareRecipe, PrepareRecipeError, PreparedChannel};
pub use render::Renderer;
pub use run::{PrepareReport, prepare};
pub(crate) use shard::{read_shard_table, unpack};
