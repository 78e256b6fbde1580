//! The toolkit of Hemora's pages: shell, tables, charts, numbers and guides.
//!
//! A page is one HTML file. It loads nothing from anywhere, has no script, follows the reader's
//! light or dark setting, and prints on white. Colour is never the only carrier of a meaning.
//!
//! Every part of a page is a function that returns [`Markup`], made with [`maud::html!`]: whatever is
//! spliced into it is escaped, so a text from a file cannot become markup. [`Page::write`] and
//! [`write_markup`] also replace control characters and those that reverse the reading direction.

pub mod chart;
mod guide;
pub mod number;
mod parts;
mod shell;
mod table;
mod text;
mod words;

pub use guide::{Point, guide};
pub use maud::Markup;
pub use parts::{facts, file_reference, notice, section, warnings};
pub use shell::Page;
pub use table::{table, table_of};
pub use text::{or_dash, short, write_markup};
pub use words::{count, phrase, title};
