//! The page of a study: one HTML file for a reader who knows the seed study's slides.

mod bars;
mod confusions;
mod curves;
mod guide;
mod images;
mod layout;
mod results;
mod subtypes;

pub use layout::write_html;
