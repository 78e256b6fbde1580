//! Head CT slices in Hounsfield units: labels, geometry, windows, resizing, the cleaning of slices
//! for a data set, and the recipe that turns slices into a network's input.
//!
//! This crate does no I/O and knows no engine. Everything above it speaks its types: pixels are
//! HU from the moment a file is read, and every image carries its place in the patient.

mod clean;
mod fingerprint;
mod geometry;
mod grid;
mod label;
mod passes;
mod peak;
mod plausibility;
mod preparation;
mod recipe;
mod resize;
mod sequence;
mod slice;
pub mod stack;
mod turn;
mod views;
mod widest;
mod window;

/// Stands in every output of Hemora.
pub const NOTICE: &str =
    "For research use only. Not a medical device, not for diagnosis or treatment.";

pub use clean::{
    FrequencyError, FrequencyScale, HuCounts, PixelBox, Square, brain_box, hu_range,
    part_in_window, resize_square, whole_hu, zoom,
};
pub use fingerprint::Fingerprint;
pub use geometry::{GeometryError, ImagePlane};
pub use grid::{GridError, GridImage, StackGrid};
pub use label::{LABEL_COUNT, Label, Probabilities};
pub use peak::peak;
pub use plausibility::{HuProblem, hu_problems, shows_head};
pub use preparation::{Kept, Preparation, on_canvas};
pub use recipe::{Channel, InputRecipe, RecipeError};
pub use resize::{Plane, resize};
pub use sequence::{
    SEQUENCE_UNIT_MM, SequenceSlice, SeriesInput, places_along, probability_column_count,
    probability_columns,
};
pub use slice::{Slice, SliceError};
pub use turn::Turn;
pub use views::{View, Views};
pub use widest::widest;
pub use window::{Window, cut_byte, nearest_byte};
