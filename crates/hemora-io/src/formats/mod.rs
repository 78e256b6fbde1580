//! The formats that are read, a folder each, and the table of them.
//!
//! A new format is a folder that implements [`ImageFormat`] and [`ImageFile`], its `mod` line and its
//! entry in [`FORMATS`] here; nothing else has to know it. `nifti/format.rs` is the shortest example.

pub(crate) mod dicom;
mod format;
mod gzip;
pub(crate) mod nifti;
pub(crate) mod picture;

pub(crate) use format::{
    FIRST_READ, ImageFile, ImageFormat, Input, MAX_FRAMES, MAX_PIXELS, format_of, marked_format,
    mismatch,
};
pub(crate) use gzip::{check_inflated, inflate, inflated_head, is_gzip};

/// All formats, in the order in which they are asked whether a file is theirs.
pub(crate) const FORMATS: &[&dyn ImageFormat] = &[&dicom::Dicom, &nifti::Nifti, &picture::Pictures];
