//! Cleaning: from a whole slice to the part that shows brain, in one size and one scale of grey.

mod brain_box;
mod crop;
mod frequency;
mod zoom;

pub use brain_box::{PixelBox, brain_box};
pub(crate) use crop::count_each;
pub use crop::{Square, hu_range, part_in_window, resize_square};
pub use frequency::{FrequencyError, FrequencyScale, HuCounts, whole_hu};
pub use zoom::zoom;
