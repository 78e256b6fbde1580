//! From the first byte of an instance to its place among the studies.

mod arrival;
mod draft;

pub use arrival::{Arrival, Kept, Recovery};
pub use draft::{Draft, Sealed};
