//! The header of one CT image, read without its pixels.

use std::io::{Cursor, Read};

use flate2::read::DeflateDecoder;
use hemora_ct::{ImagePlane, Window};

use crate::file::{FileStart, Stop, file_start};
use crate::image::{CheckedImage, DataSet, check_images};
use crate::object::{Kind, Object, named_index, object_of};
use crate::series::Member;
use crate::source::{read_all, with_reader};
use crate::{PictureWindow, ReadError, Source};

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
    /// A NIfTI volume: identifiers are made of its content, and nothing says how it was taken.
    Nifti,
    /// A picture: identifiers are made of the names of file and folder, HU reach from end to end of
    /// the window, and nothing says where the image lies.
    Picture(PictureWindow),
}

/// The checked header of one CT image; its pixels stay in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct SliceHeader {
    /// The file, the entry of a zip archive, or the frame.
    pub source: Source,
    /// What kind of file that is.
    pub format: FileFormat,
    /// SOPInstanceUID; the competition's `ID_…` form is accepted. “unknown” if absent. The frames
    /// of an object share it; `source` tells them apart.
    pub sop_instance_uid: String,
    /// SeriesInstanceUID, “unknown” if absent.
    pub series_instance_uid: String,
    /// StudyInstanceUID, “unknown” if absent.
    pub study_instance_uid: String,
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
    /// SeriesDescription, if any.
    pub series_description: Option<String>,
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
    /// SliceThickness, mm, if any.
    pub slice_thickness: Option<f64>,
    /// Storage of the pixels.
    pub stored: StoredFormat,
    /// RescaleSlope, finite and not 0; 1 if the file has none or has a modality table instead.
    pub rescale_slope: f64,
    /// RescaleIntercept, HU; 0 if the file has none or has a modality table instead.
    pub rescale_intercept: f64,
    /// Whether the intercept is wrong and the pixels are repaired as they are read: 12 bits
    /// unsigned with an intercept above −100 HU, the pixels wrapped at 4096 (facts §2.3).
    /// `rescale_intercept` stays as the file has it.
    pub intercept_repaired: bool,
    /// First declared WindowCenter and WindowWidth, if any.
    pub window: Option<Window>,
}

/// In place of a StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID that a file lacks.
pub(crate) const UNKNOWN_UID: &str = "unknown";

/// Reads and checks the header of one CT image without decoding its pixels.
///
/// # Errors
/// [`ReadError`] with the reason why this is not a readable CT image; [`ReadError::MultiFrame`] for
/// an object of several frames, unless `source` names one of them.
pub fn read_header(source: &Source) -> Result<SliceHeader, ReadError> {
    let mut members = read_members(source)?;
    let index = named_index(source, members.len())?;
    Ok(members.swap_remove(index).header)
}

/// Reads the headers of all frames of an enhanced CT object or of all slices of a NIfTI volume, or
/// the one header of a CT image.
///
/// # Errors
/// [`ReadError`] with the reason why this is not a readable CT image.
pub fn read_headers(source: &Source) -> Result<Vec<SliceHeader>, ReadError> {
    Ok(read_members(source)?.into_iter().map(|member| member.header).collect())
}

/// What a file begins as.
enum Start {
    Dicom(FileStart),
    Other(Kind),
}

/// The headers in a file, and what they say beside them.
pub(crate) fn read_members(source: &Source) -> Result<Vec<Member>, ReadError> {
    let object = object_of(source);
    with_reader(object, |reader, size| {
        let mut bytes = Vec::new();
        let start = read_until(reader, &mut bytes, |bytes, complete| match Kind::of(bytes) {
            Some(kind) => Ok(Start::Other(kind)),
            None => file_start(bytes, complete).map(Start::Dicom),
        })?;
        let start = match (start, object) {
            (Start::Dicom(_), Source::Picture { .. }) => {
                return Err(ReadError::Picture("neither a PNG nor a JPEG file".to_owned()));
            }
            (Start::Dicom(start), _) => start,
            (Start::Other(Kind::Png | Kind::Jpeg), source) if !is_picture(source) => {
                return Err(ReadError::UndeclaredWindow { named: true });
            }
            (Start::Other(kind), _) => {
                let bytes = read_all(&mut Cursor::new(bytes).chain(reader), size)?;
                let object = Object::other(object, kind, bytes)?;
                let member = |header| Member { header, geometry_error: None };
                return Ok((0..object.len()).map(|index| member(object.header(index))).collect());
            }
        };
        let images = if start.transfer_syntax.deflated {
            let compressed = bytes.split_off(start.offset);
            let mut inflated = DeflateDecoder::new(Cursor::new(compressed).chain(reader));
            let mut data_set = Vec::new();
            read_until(&mut inflated, &mut data_set, |bytes, complete| {
                check_images(object, &start, DataSet { bytes, begin: 0, size: None, complete })
            })?
        } else {
            read_until(reader, &mut bytes, |bytes, complete| {
                let begin = start.offset;
                check_images(object, &start, DataSet { bytes, begin, size: Some(size), complete })
            })?
        };
        let member = |image: CheckedImage| {
            let CheckedImage { header, geometry_error, .. } = image;
            Member { header, geometry_error }
        };
        Ok(images.into_iter().map(member).collect())
    })
}

fn is_picture(source: &Source) -> bool {
    matches!(source, Source::Picture { .. })
}

/// First read of a file: the header of nearly every CT image.
const FIRST_READ: usize = 16 << 10;
/// No CT image has more before its pixels.
const MAX_HEADER: usize = 64 << 20;

/// Reads until `parse` has enough bytes.
fn read_until<T>(
    reader: &mut dyn Read,
    bytes: &mut Vec<u8>,
    parse: impl Fn(&[u8], bool) -> Result<T, Stop>,
) -> Result<T, ReadError> {
    let mut want = FIRST_READ.max(bytes.len());
    loop {
        let missing = want.saturating_sub(bytes.len());
        reader.take(missing as u64).read_to_end(bytes)?;
        let complete = bytes.len() < want;
        match parse(bytes, complete) {
            Ok(value) => return Ok(value),
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::NeedMore) if !complete && want < MAX_HEADER => want *= 4,
            Err(Stop::NeedMore) => {
                let what = "no pixel data within the first 64 MiB";
                return Err(ReadError::Malformed { offset: bytes.len() as u64, what });
            }
        }
    }
}
