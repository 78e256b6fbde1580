//! The page of an evaluation: one HTML file for a reader who knows no code.

mod alike;
mod comparison;
mod curves;
mod figures;
mod layout;
mod lesions;
mod mistakes;
mod points;
mod subgroups;
mod summary;
mod words;

pub use layout::write_html;
pub(crate) use words::interval_text;
