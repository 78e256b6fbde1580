//! Bleeds drawn into real slices, with exact masks, and what only looks like blood.
//!
//! [`HeadSlice`] reads the geometry of an 8-bit brain-window slice without hemorrhage;
//! [`HeadSlice::draw`] draws into it. Everything is a function of the generator that it is given.

mod canvas;
mod csf;
mod density;
mod extra_axial;
mod field;
mod folds;
mod head;
mod intraparenchymal;
mod look_alike;
mod mask;
mod midline;
mod slice;
mod subarachnoid;
#[cfg(test)]
mod testing;
mod warp;

pub use head::HeadSlice;
pub use slice::{DrawOptions, DrawnSlice};
