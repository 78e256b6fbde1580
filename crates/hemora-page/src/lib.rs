//! What Hemora's pages share: their head and style, escaped text, small charts.
//!
//! A page is one HTML file. It loads nothing from anywhere, has no script, follows the reader's
//! light or dark setting, and prints on white. Colour is never the only carrier of a meaning.

mod escape;
mod head;
mod plot;
mod scale;
mod table;
mod words;

pub use escape::{Escaped, or_dash};
pub use head::write_head;
pub use plot::Plot;
pub use scale::Scale;
pub use table::{close_table, open_table};
pub use words::{count, title};
