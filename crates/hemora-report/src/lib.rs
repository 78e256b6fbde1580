//! What is made of a triage: `result.json`, `result.csv` and `report.html` ([`write_all`]), the worklist
//! for a terminal ([`worklist_text`]), contact sheets of slices ([`write_contact_sheet`]), and one picture of a
//! study for systems that show pictures alone ([`capture()`]), and slices as grey PNGs ([`grey_png`],
//! [`thumbnail_png`]).
//!
//! The report is one self-contained HTML file that a radiologist can read without help: it loads nothing
//! from anywhere, its style and charts are inline, its pictures ([`SlicePicture`]) are data URIs, it has
//! no script, and a content security policy forbids everything else. Every text that came from a file is
//! escaped; [`Report`] gives it in parts. This crate needs no engine: it takes a
//! [`TriageOutput`](hemora_model::TriageOutput).

mod capture;
mod chart;
mod colour;
mod contact_sheet;
mod contour;
mod error;
mod figure;
mod grey;
mod leading;
mod page;
mod picture;
mod picture_document;
mod series;
mod skipped;
mod study;
mod text;
mod worklist;
mod writer;
mod writers;

pub use capture::{CapturePicture, CaptureText, CaptureVerdict, capture};
pub use contact_sheet::{SheetPicture, SheetSection, SheetSlice, write_contact_sheet};
pub use error::ReportError;
pub use grey::{grey_png, thumbnail_png};
pub use page::{Report, write_html};
pub use picture::{PICTURE_SIZE, SlicePicture};
pub use text::worklist_text;
pub use writer::{WriteError, Writer, write_all};
pub use writers::{WRITERS, result_csv, write_csv};
