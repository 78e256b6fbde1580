//! Prepared sets: what a recipe makes of the slices of an index.

mod deal;
mod error;
mod files;
mod identity;
mod plan;
mod reading;
mod recipe;
mod render;
mod run;
mod selection;
mod shard;
mod shared_pictures;
mod stack_names;
mod store;
mod target;
mod texts;

pub use error::PrepareError;
pub use recipe::{Crop, Output, PrepareRecipe, PrepareRecipeError, PreparedChannel};
pub use render::Renderer;
pub use run::{PrepareReport, prepare, prepare_share};
pub use selection::{Negatives, Selection, SplitBy, SplitInto, SplitRule};
pub(crate) use shard::{read_shard_table, unpack};
pub use shared_pictures::SharedPictures;
pub use store::{SplitReport, store_split};
