//! The formats that are read, a folder each, and the table of them.

pub(crate) mod dicom;
mod format;
mod nifti;
pub(crate) mod picture;

pub(crate) use format::{
    FIRST_READ, ImageFile, ImageFormat, Input, MAX_FRAMES, MAX_PIXELS, format_of, mismatch,
};
