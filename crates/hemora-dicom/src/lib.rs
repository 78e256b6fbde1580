//! DICOM files to Hounsfield units and back.
//!
//! [`collect`] reads the headers of files, folders and zip archives and groups them into studies
//! and series ordered along the slice normal; [`read_slice`] decodes one image to HU;
//! [`write_slice`] writes one as a DICOM file.
//!
//! | read | |
//! |---|---|
//! | files | with or without preamble and meta header; entries of zip archives |
//! | data sets | implicit and explicit little endian, explicit big endian, deflated |
//! | pixels | native, RLE, JPEG baseline, JPEG extended with 8 bits, JPEG lossless |
//! | refused with the reason | other modalities, colour, multi-frame, JPEG 2000, JPEG-LS, JPEG XL, JPEG with 12 bits |

mod archive;
mod attributes;
mod collect;
mod dataset;
mod error;
mod file;
mod header;
mod image;
mod jpeg;
mod modality;
mod pixels;
mod run_length;
mod series;
mod source;
mod transfer_syntax;
mod uid;
mod walk;
mod write;

pub use collect::{Collection, Skipped, collect};
pub use error::ReadError;
pub use header::{SliceHeader, StoredFormat, read_header};
pub use pixels::read_slice;
pub use series::{Series, SeriesWarning, Study};
pub use source::{Source, read_bytes};
pub use walk::{SourceList, list_sources};
pub use write::{NewSlice, PixelStorage, WriteError, write_slice};
