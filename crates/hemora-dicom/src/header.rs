//! What a CT image's header says, checked.

use hemora_ct::{ImagePlane, Window};

use crate::{ReadError, Source};

/// How pixels are stored in the file (PS3.5 §8.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredFormat {
    /// BitsAllocated: 8, 16 or 32.
    pub bits_allocated: u16,
    /// BitsStored, at most BitsAllocated.
    pub bits_stored: u16,
    /// PixelRepresentation: two's complement or unsigned.
    pub signed: bool,
}

/// The checked header of one CT image; its pixels stay in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceHeader {
    /// The file, or the entry of a zip archive.
    pub source: Source,
    /// SOPInstanceUID; the competition's `ID_…` form is accepted.
    pub sop_instance_uid: String,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// PatientID, empty if absent.
    pub patient_id: String,
    /// SeriesDescription, if any.
    pub series_description: Option<String>,
    /// InstanceNumber, if any. Never used for ordering when positions are known.
    pub instance_number: Option<i32>,
    /// Rows, at least 1.
    pub rows: usize,
    /// Columns, at least 1.
    pub columns: usize,
    /// Position, orientation and spacing, if the file has them.
    pub plane: Option<ImagePlane>,
    /// SliceThickness, mm, if any.
    pub slice_thickness: Option<f64>,
    /// Storage of the pixels.
    pub stored: StoredFormat,
    /// RescaleSlope, finite and not 0.
    pub rescale_slope: f64,
    /// RescaleIntercept, HU.
    pub rescale_intercept: f64,
    /// First declared WindowCenter and WindowWidth, if any.
    pub window: Option<Window>,
}

/// Reads and checks the header of one CT image without decoding its pixels.
///
/// # Errors
/// [`ReadError`] with the reason why this is not a readable CT image.
pub fn read_header(_source: &Source) -> Result<SliceHeader, ReadError> {
    unimplemented!()
}
