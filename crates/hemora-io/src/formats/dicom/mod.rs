//! DICOM files, read and written.

mod attributes;
mod dataset;
mod file;
mod format;
mod fragments;
mod functional_groups;
mod identity;
mod image;
mod modality;
mod padding;
mod pixels;
mod transfer_syntax;
mod words;
mod write;

pub(crate) use format::{Dicom, may_be_dicom};
pub use identity::{Identity, read_identity};
pub use write::{NewSlice, PixelStorage, WriteError, write_slice};
