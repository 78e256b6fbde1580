//! DICOM files to Hounsfield units and back.
//!
//! [`collect`] reads the headers of files, folders and zip archives and groups them into studies
//! and series ordered along the slice normal; [`read_slice`] decodes one image to HU;
//! [`write_slice`] writes one as a DICOM file.

mod collect;
mod error;
mod header;
mod pixels;
mod series;
mod source;
mod write;

pub use collect::{Collection, Skipped, collect};
pub use error::ReadError;
pub use header::{SliceHeader, StoredFormat, read_header};
pub use pixels::read_slice;
pub use series::{Series, SeriesWarning, Study};
pub use source::Source;
pub use write::{NewSlice, PixelStorage, WriteError, write_slice};
