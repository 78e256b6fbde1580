//! What Hemora's pages share: their head and style, escaped text, axes of charts.
//!
//! A page is one HTML file. It loads nothing from anywhere, has no script, follows the reader's
//! light or dark setting, and prints on white. Colour is never the only carrier of a meaning.

mod escape;
mod head;
mod scale;
mod words;

pub use escape::{Escaped, or_dash};
pub use head::write_head;
pub use scale::Scale;
pub use words::{count, title};
