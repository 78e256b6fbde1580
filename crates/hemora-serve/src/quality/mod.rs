//! How good the node is at its site: what readers say of its results, how long it takes, and whether what it
//! sees has changed.

mod drift;
mod figures;
mod table;

pub(crate) use drift::REFERENCE;
pub(crate) use figures::{begin, quality};
pub(crate) use table::csv;
