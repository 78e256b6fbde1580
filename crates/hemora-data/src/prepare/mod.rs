//! Prepared sets: what a recipe makes of the slices of an index.

mod recipe;
mod render;

pub use recipe::{Crop, Output, PrepareRecipe, PrepareRecipeError, PreparedChannel};
pub use render::Renderer;
