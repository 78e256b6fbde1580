//! A result as DICOM objects.

mod capture;
mod content;
mod data_set;
mod key_objects;
mod modules;
mod structured_report;

pub use capture::{Picture, secondary_capture};
pub use key_objects::key_objects;
pub use structured_report::structured_report;

/// A DICOM object, ready to be stored or sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// SOPClassUID.
    pub sop_class_uid: String,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// The file as of PS3.10, in explicit VR little endian.
    pub bytes: Vec<u8>,
}
