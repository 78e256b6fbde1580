//! NIfTI-1 and NIfTI-2 volumes (nifti.nimh.nih.gov), plain or in gzip, as slices.
//!
//! A reader of our own: the `nifti` crate reserves what a header asks for.

mod format;
mod header;
mod volume;
mod write;

pub(crate) use format::Nifti;
pub use write::{NewVolume, VolumeFrame, VolumeWriter, Voxel, write_volume};
