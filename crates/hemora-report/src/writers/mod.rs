//! The files that are made of a triage, and the table of them.
//!
//! A new kind of file is a module here with a [`Writer`], its `mod` line and its row of [`WRITERS`];
//! nothing else has to know it. `json.rs` is the shortest example.

mod csv;
mod html;
mod json;

use crate::writer::Writer;

pub use csv::{result_csv, write_csv};

/// All kinds.
pub const WRITERS: &[Writer] = &[json::WRITER, csv::WRITER, html::WRITER];
