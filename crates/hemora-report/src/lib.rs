//! The triage report, and contact sheets of slices. The report: one self-contained HTML file that a radiologist can read without help.
//!
//! [`write_html`] writes a [`TriageResult`](hemora_model::TriageResult) with the pictures of its
//! most suspicious slices ([`KeySlice`]); [`Report`] gives the same in parts. The file loads nothing from anywhere: its style and
//! charts are inline, its pictures are data URIs, it has no script, and a content security policy
//! forbids everything else. Every text that came from a file is escaped.

mod chart;
mod colour;
mod contact_sheet;
mod contour;
mod csv;
mod error;
mod figure;
mod leading;
mod page;
mod picture;
mod series;
mod skipped;
mod study;
mod worklist;

pub use contact_sheet::{SheetPicture, SheetSection, SheetSlice, write_contact_sheet};
pub use csv::{result_csv, write_csv};
pub use error::ReportError;
pub use page::{Report, write_html};
pub use picture::{KeySlice, PICTURE_SIZE};
