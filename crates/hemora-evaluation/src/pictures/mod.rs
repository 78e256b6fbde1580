//! Pictures of slices: where their pixels are, and the sheet of the worst mistakes.

mod pixels;
mod sheet;

pub use pixels::{Pixels, SliceImage};
pub use sheet::{SheetModel, SliceView, write_mistakes};
