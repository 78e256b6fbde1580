//! DICOM files, NIfTI volumes and pictures to Hounsfield units, and HU to DICOM files.
//!
//! [`collect`] reads the headers of files, folders and zip archives and groups them into studies
//! and series ordered along the slice normal; [`read_slice`] decodes one image to HU;
//! [`write_slice`] writes one as a DICOM file.
//!
//! | read | |
//! |---|---|
//! | files | with or without preamble and meta header; entries of zip archives; every frame of an enhanced CT object |
//! | volumes | NIfTI-1 and NIfTI-2 in one file, plain or in gzip, either byte order, integers of up to 32 bits and real numbers |
//! | pictures | 8-bit grey PNG and JPEG, in a window that the user declares ([`ReadOptions`]) |
//! | data sets | implicit and explicit little endian, explicit big endian, deflated |
//! | pixels | native; RLE; JPEG: baseline, extended with 8 and 12 bits, lossless, and the retired progressive processes; JPEG-LS; JPEG 2000 and High-Throughput JPEG 2000 |
//! | with the feature `jpeg-xl` | JPEG XL |
//! | refused with the reason | other modalities, colour, several frames in an object that is no enhanced CT, video |
//!
//! Every codec is Rust and builds with plain cargo. `jpeg-xl` is a feature because it alone costs
//! about a minute to build.

mod archive;
mod attributes;
mod choose;
mod codec;
mod collect;
mod dataset;
mod error;
mod file;
mod fragments;
mod functional_groups;
mod header;
mod image;
mod kernel;
mod modality;
mod nifti;
mod object;
mod padding;
mod picture;
mod pixels;
mod series;
mod source;
mod transfer_syntax;
mod uid;
mod walk;
mod write;

pub use choose::{COVERAGE, SelectionRule, SeriesChoice, USUAL_THICKNESS, choose_series};
pub use collect::{
    Collection, ReadOptions, Skipped, collect, collect_sources, collect_with, group,
};
pub use error::ReadError;
pub use header::{FileFormat, SliceHeader, StoredFormat, read_header, read_headers};
pub use picture::{
    JpegPixels, MAX_SIDE, PictureWindow, PictureWindowError, PngError, jpeg_channels, read_jpeg,
    read_jpeg_pixels, read_png,
};
pub use pixels::{read_slice, read_slices};
pub use series::{Series, SeriesWarning, Study};
pub use source::{FileBytes, Source, read_bytes};
pub use walk::{SourceList, list_sources};
pub use write::{NewSlice, PixelStorage, WriteError, write_slice};
