//! Slices in HU to DICOM files.

use std::path::Path;

use hemora_ct::Slice;

/// How HU are stored: the two kinds that the competition data has (facts §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelStorage {
    /// 16 bits, two's complement, intercept 0... written with the given intercept.
    Signed16 {
        /// RescaleIntercept, HU.
        intercept: i16,
    },
    /// 12 of 16 bits, unsigned.
    Unsigned12 {
        /// RescaleIntercept, HU, usually −1024.
        intercept: i16,
    },
}

/// What a written file says beside its pixels.
#[derive(Debug, Clone)]
pub struct NewSlice<'a> {
    /// SOPInstanceUID.
    pub sop_instance_uid: &'a str,
    /// SeriesInstanceUID.
    pub series_instance_uid: &'a str,
    /// StudyInstanceUID.
    pub study_instance_uid: &'a str,
    /// PatientID.
    pub patient_id: &'a str,
    /// SeriesDescription.
    pub series_description: &'a str,
    /// InstanceNumber.
    pub instance_number: i32,
    /// How the pixels are stored.
    pub storage: PixelStorage,
    /// HU, and the plane (position, orientation, spacing) to write.
    pub slice: &'a Slice,
}

/// Why a slice cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file could not be written.
    #[error("cannot write the file: {0}")]
    Io(#[from] std::io::Error),
}

/// Writes one slice as an uncompressed explicit little-endian CT image, beside and renamed.
/// HU are rounded to integers and clamped to what the storage holds.
///
/// # Errors
/// [`WriteError`] if the file cannot be written or the slice is too large for DICOM.
pub fn write_slice(_path: &Path, _new: &NewSlice<'_>) -> Result<(), WriteError> {
    unimplemented!()
}
