//! What is known of one CT image beside its pixels.

use std::borrow::Cow;

use hemora_ct::{GeometryError, ImagePlane, Window};

use crate::source::{file_stem, frame_number};
use crate::{PictureWindow, Source};

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

/// What kind of file an image comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// A DICOM file.
    Dicom,
    /// A volume in the format of this name, such as `NIfTI`: identifiers are derived from its
    /// content, and nothing says how it was taken.
    Volume(&'static str),
    /// A picture: identifiers are made of the names of file and folder, HU reach from end to end of
    /// the window, and nothing says where the image lies.
    Picture(PictureWindow),
}

/// What a file does not say of where its image lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssumedGeometry {
    /// ImageOrientationPatient is absent; axial is assumed.
    Orientation,
    /// ImagePositionPatient is absent; SliceLocation is taken for the position.
    Position,
    /// Both are absent; SliceLocation is taken for the position of an axial slice.
    PositionAndOrientation,
}

impl AssumedGeometry {
    /// The attributes that are absent.
    pub fn absent(self) -> &'static str {
        match self {
            Self::Orientation => "ImageOrientationPatient",
            Self::Position => "ImagePositionPatient",
            Self::PositionAndOrientation => "ImagePositionPatient and ImageOrientationPatient",
        }
    }
}

/// The checked header of one CT image; its pixels stay in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceHeader {
    /// The file, the entry of an archive, or the frame.
    pub source: Source,
    /// What kind of file that is.
    pub format: FileFormat,
    /// SOPInstanceUID, if any; the competition's `ID_…` form is accepted. The frames of an object
    /// share it; `source` tells them apart.
    pub sop_instance_uid: Option<String>,
    /// SeriesInstanceUID, if any.
    pub series_instance_uid: Option<String>,
    /// StudyInstanceUID, if any.
    pub study_instance_uid: Option<String>,
    /// PatientID, empty if absent.
    pub patient_id: String,
    /// PatientAge, years, if any.
    pub patient_age: Option<f64>,
    /// PatientSex, if any: `F`, `M` or `O`.
    pub patient_sex: Option<String>,
    /// Manufacturer of the scanner, if any.
    pub manufacturer: Option<String>,
    /// ManufacturerModelName of the scanner, if any.
    pub scanner_model: Option<String>,
    /// StudyDescription, if any.
    pub study_description: Option<String>,
    /// BodyPartExamined, if any.
    pub body_part: Option<String>,
    /// FrameOfReferenceUID, if any: positions can be compared within one.
    pub frame_of_reference_uid: Option<String>,
    /// SeriesDescription, if any.
    pub series_description: Option<String>,
    /// AcquisitionNumber, if any: tells slices of several passes over one head apart.
    pub acquisition_number: Option<i32>,
    /// InstanceNumber, if any. Never used for ordering when positions are known.
    pub instance_number: Option<i32>,
    /// ImageType, its values in order, such as ORIGINAL, PRIMARY and AXIAL; empty if absent.
    pub image_type: Vec<String>,
    /// ConvolutionKernel, if any: the filter of the reconstruction, under its maker's name.
    pub convolution_kernel: Option<String>,
    /// ContrastBolusAgent, if any.
    pub contrast_agent: Option<String>,
    /// Rows, at least 1.
    pub rows: usize,
    /// Columns, at least 1.
    pub columns: usize,
    /// Position, orientation and spacing, if the file has them.
    pub plane: Option<ImagePlane>,
    /// What of `plane` the file does not say, so that it was assumed: only in a
    /// [`Series`](crate::Series), whose slices together show whether it holds. The header of a
    /// file alone has no plane then.
    pub assumed: Option<AssumedGeometry>,
    /// SliceThickness, mm, if any.
    pub slice_thickness: Option<f64>,
    /// Storage of the pixels.
    pub stored: StoredFormat,
    /// RescaleSlope, finite and not 0; 1 if the file has none or has a modality table instead.
    pub rescale_slope: f64,
    /// RescaleIntercept, HU; 0 if the file has none or has a modality table instead.
    pub rescale_intercept: f64,
    /// Whether the intercept is wrong and the pixels are repaired as they are read: 12 bits
    /// unsigned with an intercept above −100 HU, the pixels wrapped at 4096 (docs/references.md#slice-preparation).
    /// `rescale_intercept` stays as the file has it.
    pub intercept_repaired: bool,
    /// First declared WindowCenter and WindowWidth, if any.
    pub window: Option<Window>,
}

/// Row and column directions of an axial slice.
pub(crate) const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];

impl SliceHeader {
    /// A header of an image of `[rows, columns]` pixels of which nothing else is known, of unsigned
    /// 16-bit HU.
    pub fn new(source: Source, format: FileFormat, [rows, columns]: [usize; 2]) -> Self {
        Self {
            source,
            format,
            sop_instance_uid: None,
            series_instance_uid: None,
            study_instance_uid: None,
            patient_id: String::new(),
            patient_age: None,
            patient_sex: None,
            manufacturer: None,
            scanner_model: None,
            study_description: None,
            body_part: None,
            frame_of_reference_uid: None,
            series_description: None,
            acquisition_number: None,
            instance_number: None,
            image_type: Vec::new(),
            convolution_kernel: None,
            contrast_agent: None,
            rows,
            columns,
            plane: None,
            assumed: None,
            slice_thickness: None,
            stored: StoredFormat { bits_allocated: 16, bits_stored: 16, signed: false },
            rescale_slope: 1.0,
            rescale_intercept: 0.0,
            intercept_repaired: false,
            window: None,
        }
    }

    /// Whether ImageType calls the image a localizer.
    pub fn is_localizer(&self) -> bool {
        self.image_type.iter().any(|value| value.eq_ignore_ascii_case("LOCALIZER"))
    }

    /// What results call the image, as the index does: its SOPInstanceUID or, where the file has none,
    /// the name of the file; with `-frameN` behind if it is frame N. An identifier of the file's
    /// name is derived, and the series has a [`SeriesWarning::NoUid`](crate::SeriesWarning::NoUid).
    pub fn image_id(&self) -> Cow<'_, str> {
        match (&self.sop_instance_uid, frame_number(&self.source)) {
            (Some(uid), Some(number)) => Cow::Owned(format!("{uid}-frame{number}")),
            (Some(uid), None) => Cow::Borrowed(uid),
            (None, Some(number)) => {
                Cow::Owned(format!("{}-frame{number}", file_stem(&self.source)))
            }
            (None, None) => Cow::Owned(file_stem(&self.source)),
        }
    }
}

/// A header as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) header: SliceHeader,
    /// Why the file's geometry, or a part of it, is not used.
    pub(crate) geometry_error: Option<GeometryError>,
    /// A plane of which the file says a part only. It comes into the header where the other slices
    /// of the series agree.
    pub(crate) assumed: Option<(AssumedGeometry, ImagePlane)>,
}

impl Member {
    /// A header whose geometry is as the file says.
    pub(crate) fn new(header: SliceHeader) -> Self {
        Self { header, geometry_error: None, assumed: None }
    }
}
