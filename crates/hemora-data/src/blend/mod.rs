//! Bleeds of one slice blended into another: where a bleed lies, by a cautious guess, and how it is put
//! into a slice without any.

mod mask;
mod mix;
mod options;
mod region;

pub use mask::Mask;
pub use mix::{Blended, Head};
pub use options::Blend;
