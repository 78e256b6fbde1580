//! Phantoms as their users see them.

mod files;
mod series;
