//! The checks that make a data set a CT image.

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use hemora_ct::stack::upward_normal;
use hemora_ct::{GeometryError, ImagePlane, Window};

use super::attributes::Attributes;
use super::file::{FileStart, PixelElement, Stop, walk};
use super::functional_groups::{frame_count, frames};
use super::modality::{ModalityTransform, modality_transform, unit_is_unspecified};
use super::padding::Padding;
use super::transfer_syntax::TransferSyntax;
use crate::formats::MAX_PIXELS;
use crate::header::AXIAL;
use crate::{AssumedGeometry, FileFormat, ReadError, SliceHeader, Source, StoredFormat};

/// A data set as far as it is read.
pub(crate) struct DataSet<'a> {
    pub(crate) bytes: &'a [u8],
    /// Where the data set begins.
    pub(crate) begin: usize,
    /// Bytes of the whole file, if they are known.
    pub(crate) size: Option<u64>,
    /// Whether `bytes` are the whole file.
    pub(crate) complete: bool,
}

/// A header that was checked, and what is needed to decode the pixels.
#[derive(Debug, Clone)]
pub(crate) struct CheckedImage {
    pub(crate) header: SliceHeader,
    /// Why the file's geometry, or a part of it, is not used.
    pub(crate) geometry_error: Option<GeometryError>,
    /// A plane of which the file says a part only; the header has none then.
    pub(crate) assumed: Option<(AssumedGeometry, ImagePlane)>,
    pub(crate) pixels: PixelElement,
    /// Frames of the object.
    pub(crate) frames: usize,
    /// By how many bits HighBit claims the pixels to be shifted up; usually 0.
    pub(crate) claimed_shift: u16,
    pub(crate) transform: ModalityTransform,
    pub(crate) padding: Option<Padding>,
    pub(crate) transfer_syntax: TransferSyntax,
}

/// Checks everything that the header says; the pixels need not be there yet. One image for each
/// frame: one, unless this is an enhanced multi-frame object.
pub(crate) fn check_images(
    source: &Source,
    start: &FileStart,
    data_set: DataSet<'_>,
) -> Result<Vec<CheckedImage>, Stop> {
    let DataSet { bytes, begin, size, complete } = data_set;
    let (object, pixels) = walk(bytes, begin, start.transfer_syntax.encoding, complete)?;
    let enhanced = check_kind(&object, start.sop_class.as_deref())?;
    let count = frame_count(&object)?;
    let images = match enhanced {
        false if count > 1 => return Err(ReadError::MultiFrame(count).into()),
        false => vec![object],
        true => frames(&object, count)?,
    };
    // Enhanced CT has none (PS3.3 A.38.1.3), and each frame would hold the same again.
    let has_table = |image: &Attributes<'_>| image.bytes(tags::MODALITY_LUT_SEQUENCE).is_some();
    if enhanced && images.iter().any(has_table) {
        return Err(Stop::Failed(ReadError::BadAttribute {
            attribute: "ModalityLUTSequence",
            found: "a table in an enhanced CT object".to_owned(),
            expected: "RescaleSlope and RescaleIntercept",
        }));
    }
    // An object is one file: that it has frames shows only where it has several.
    let source_of = |index: usize| match count {
        1 => source.clone(),
        _ => Source::Frame { object: Box::new(source.clone()), number: index + 1 },
    };
    let check = |(index, attributes): (usize, &Attributes<'_>)| {
        let image = check_image(source_of(index), attributes, start, pixels, count)?;
        let stored = image.header.stored;
        let pixels = image.header.rows * image.header.columns * count;
        check_pixel_length(image.pixels, pixels * usize::from(stored.bits_allocated / 8), size)?;
        Ok(image)
    };
    images.iter().enumerate().map(check).collect()
}

fn check_image(
    source: Source,
    attributes: &Attributes<'_>,
    start: &FileStart,
    pixels: Option<PixelElement>,
    frames: usize,
) -> Result<CheckedImage, ReadError> {
    check_grey(attributes)?;
    let (rows, columns) = check_size(attributes)?;
    let (stored, claimed_shift) = check_storage(attributes)?;
    start.transfer_syntax.check()?;
    let transform = modality_transform(attributes, stored)?;
    let (rescale_slope, rescale_intercept) = transform.rescale();
    let pixels = pixels.ok_or_else(|| missing_pixels(attributes))?;
    let Geometry { plane, assumed, error: geometry_error } = geometry(attributes);
    let header = SliceHeader {
        source,
        format: FileFormat::Dicom,
        sop_instance_uid: attributes.text(tags::SOP_INSTANCE_UID),
        series_instance_uid: attributes.text(tags::SERIES_INSTANCE_UID),
        study_instance_uid: attributes.text(tags::STUDY_INSTANCE_UID),
        patient_id: attributes.name(tags::PATIENT_ID).unwrap_or_default(),
        patient_age: attributes.text(tags::PATIENT_AGE).and_then(|text| years(&text)),
        patient_sex: attributes.name(tags::PATIENT_SEX),
        manufacturer: attributes.name(tags::MANUFACTURER),
        scanner_model: attributes.name(tags::MANUFACTURER_MODEL_NAME),
        study_description: attributes.name(tags::STUDY_DESCRIPTION),
        body_part: attributes.name(tags::BODY_PART_EXAMINED),
        frame_of_reference_uid: attributes.text(tags::FRAME_OF_REFERENCE_UID),
        series_description: attributes.name(tags::SERIES_DESCRIPTION),
        acquisition_number: whole_number(attributes, tags::ACQUISITION_NUMBER),
        instance_number: whole_number(attributes, tags::INSTANCE_NUMBER),
        image_type: attributes
            .text(tags::IMAGE_TYPE)
            .map(|text| values(&text).map(|value| value.trim().to_owned()).collect())
            .unwrap_or_default(),
        convolution_kernel: attributes.name(tags::CONVOLUTION_KERNEL),
        contrast_agent: attributes.name(tags::CONTRAST_BOLUS_AGENT),
        rows,
        columns,
        plane,
        assumed: None,
        slice_thickness: attributes
            .first_decimal(tags::SLICE_THICKNESS, "SliceThickness")
            .unwrap_or_default()
            .filter(|&thickness| thickness > 0.0),
        stored,
        rescale_slope,
        rescale_intercept,
        intercept_repaired: transform.intercept_is_wrong(stored)
            && !unit_is_unspecified(attributes),
        window: window(attributes),
    };
    let padding = Padding::declared(attributes, stored);
    Ok(CheckedImage {
        header,
        geometry_error,
        assumed,
        pixels,
        frames,
        claimed_shift,
        transform,
        padding,
        transfer_syntax: start.transfer_syntax.clone(),
    })
}

/// A value of integer string; `None` where it is absent or none (PS3.5 §6.2).
fn whole_number(attributes: &Attributes<'_>, tag: Tag) -> Option<i32> {
    attributes.text(tag)?.trim_start_matches('+').parse().ok()
}

/// The first values of a text: no ImageType that was seen has more.
fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split('\\').take(32)
}

/// Years of an age string: three digits and D, W, M or Y (PS3.5 §6.2); a bare number is years.
fn years(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(['D', 'W', 'M', 'Y']);
    let number: u16 = digits.parse().ok()?;
    let parts = match &text[digits.len()..] {
        "D" => 365.25,
        "W" => 365.25 / 7.0,
        "M" => 12.0,
        "Y" | "" => 1.0,
        _ => return None,
    };
    Some(f64::from(number) / parts)
}

/// A CT image, by its modality and its SOP class, of which many files have only one. Whether it is
/// an enhanced one, with functional groups.
fn check_kind(attributes: &Attributes<'_>, meta_class: Option<&str>) -> Result<bool, ReadError> {
    let class = attributes.text(tags::SOP_CLASS_UID);
    let class = class.as_deref().or(meta_class);
    let modality = attributes.text(tags::MODALITY);
    if let Some(modality) = &modality
        && modality != "CT"
    {
        return Err(ReadError::OtherModality(modality.clone()));
    }
    match class {
        Some(uids::CT_IMAGE_STORAGE) => Ok(false),
        Some(
            uids::ENHANCED_CT_IMAGE_STORAGE
            | uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE
            | uids::ENHANCED_CT_IMAGE_STORAGE_FOR_PROCESSING
            | uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE_FOR_PROCESSING,
        ) => Ok(true),
        Some(uids::MEDIA_STORAGE_DIRECTORY_STORAGE) => {
            Err(ReadError::NotCtImage("DICOMDIR".to_owned()))
        }
        // Some tools store CT slices as secondary captures and keep their rescale.
        Some(uids::SECONDARY_CAPTURE_IMAGE_STORAGE)
            if attributes.bytes(tags::RESCALE_INTERCEPT).is_some() =>
        {
            Ok(false)
        }
        Some(uids::SECONDARY_CAPTURE_IMAGE_STORAGE) => {
            Err(ReadError::NotCtImage("secondary capture".to_owned()))
        }
        Some(other) if modality.is_none() || attributes.bytes(tags::ROWS).is_none() => {
            Err(ReadError::NotCtImage(other.to_owned()))
        }
        Some(_) => Ok(false),
        None if modality.is_some() => Ok(false),
        None => Err(ReadError::MissingAttribute("Modality")),
    }
}

fn check_grey(attributes: &Attributes<'_>) -> Result<(), ReadError> {
    let samples = attributes.word(tags::SAMPLES_PER_PIXEL).unwrap_or(1);
    let photometric = attributes.text(tags::PHOTOMETRIC_INTERPRETATION);
    let photometric = photometric.unwrap_or_else(|| "MONOCHROME2".to_owned());
    if samples != 1 || !matches!(photometric.as_str(), "MONOCHROME1" | "MONOCHROME2") {
        return Err(ReadError::Colour { samples, photometric });
    }
    Ok(())
}

fn check_size(attributes: &Attributes<'_>) -> Result<(usize, usize), ReadError> {
    let rows = usize::from(attributes.required_word(tags::ROWS, "Rows")?);
    let columns = usize::from(attributes.required_word(tags::COLUMNS, "Columns")?);
    if rows == 0 || columns == 0 || rows * columns > MAX_PIXELS {
        return Err(ReadError::BadAttribute {
            attribute: "Rows × Columns",
            found: format!("{rows} × {columns}"),
            expected: "at least one pixel and at most 8192 × 8192",
        });
    }
    Ok((rows, columns))
}

/// How pixels are stored, and by how many bits HighBit claims them to be shifted up.
fn check_storage(attributes: &Attributes<'_>) -> Result<(StoredFormat, u16), ReadError> {
    let bad = |attribute, found: u16, expected| {
        Err(ReadError::BadAttribute { attribute, found: found.to_string(), expected })
    };
    let bits_allocated = attributes.required_word(tags::BITS_ALLOCATED, "BitsAllocated")?;
    let bits_stored = attributes.required_word(tags::BITS_STORED, "BitsStored")?;
    let sign = attributes.required_word(tags::PIXEL_REPRESENTATION, "PixelRepresentation")?;
    if !matches!(bits_allocated, 8 | 16 | 32) {
        return bad("BitsAllocated", bits_allocated, "8, 16 or 32");
    }
    if !(1..=bits_allocated).contains(&bits_stored) {
        return bad("BitsStored", bits_stored, "1 to BitsAllocated");
    }
    if sign > 1 {
        return bad("PixelRepresentation", sign, "0 or 1");
    }
    // HighBit must be BitsStored − 1 (PS3.3 C.7.6.3.1.1); where it is not, the pixels tell.
    let high_bit = attributes.word(tags::HIGH_BIT).filter(|&bit| bit < bits_allocated);
    let claimed_shift = high_bit.map_or(0, |bit| (bit + 1).saturating_sub(bits_stored));
    Ok((StoredFormat { bits_allocated, bits_stored, signed: sign == 1 }, claimed_shift))
}

fn missing_pixels(attributes: &Attributes<'_>) -> ReadError {
    let float = [tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];
    if float.iter().any(|&tag| attributes.bytes(tag).is_some()) {
        return ReadError::MissingAttribute("PixelData of integers (only floating-point pixels)");
    }
    ReadError::MissingAttribute("PixelData")
}

/// The length that the file declares against the image's size and the bytes that are there.
fn check_pixel_length(
    pixels: PixelElement,
    expected: usize,
    size: Option<u64>,
) -> Result<(), ReadError> {
    let Some(length) = pixels.length else { return Ok(()) };
    let present = size.map_or(u64::MAX, |size| size.saturating_sub(pixels.offset as u64));
    let found = u64::from(length).min(present);
    if found < expected as u64 {
        return Err(ReadError::PixelsCutOff { expected: expected as u64, found });
    }
    Ok(())
}

/// A kilometre, mm: distances between positions within it are exact and finite.
const FARTHEST: f64 = 1e6;

/// Where an image lies, as far as the file says it.
struct Geometry {
    plane: Option<ImagePlane>,
    /// A plane that is not wholly the file's.
    assumed: Option<(AssumedGeometry, ImagePlane)>,
    /// Why the values, or the spacing among them, are left out.
    error: Option<GeometryError>,
}

/// The geometry by position and orientation. Where the file has only one of them, the other is
/// assumed: axial, or at SliceLocation. Values that are there and cannot be used are replaced by
/// nothing, and a SliceLocation that cannot be is as good as none.
fn geometry(attributes: &Attributes<'_>) -> Geometry {
    let none = |error| Geometry { plane: None, assumed: None, error };
    let present = |tag| attributes.text(tag).is_some();
    let location = attributes.first_decimal(tags::SLICE_LOCATION, "SliceLocation");
    let location = location.ok().flatten().filter(|at| at.abs() <= FARTHEST);
    let has = [tags::IMAGE_POSITION_PATIENT, tags::IMAGE_ORIENTATION_PATIENT].map(present);
    let assumed = match (has, location) {
        ([true, true], _) => None,
        ([true, false], _) => Some(AssumedGeometry::Orientation),
        ([false, true], Some(_)) => Some(AssumedGeometry::Position),
        ([false, false], Some(_)) => Some(AssumedGeometry::PositionAndOrientation),
        ([false, _], None) => return none(None),
    };
    let orientation = match has[1] {
        true => fixed::<6>(attributes.decimals(tags::IMAGE_ORIENTATION_PATIENT)),
        false => Some(AXIAL),
    };
    let Some(orientation) = orientation else { return none(Some(GeometryError::NotFinite)) };
    let position = match (has[0], location) {
        (true, _) => fixed::<3>(attributes.decimals(tags::IMAGE_POSITION_PATIENT)),
        (false, location) => ImagePlane::new([0.0; 3], orientation, None)
            .ok()
            .zip(location)
            .map(|(plane, at)| upward_normal(plane).map(|coordinate| coordinate * at)),
    };
    let Some(position) = position else { return none(Some(GeometryError::NotFinite)) };
    if position.iter().any(|coordinate| coordinate.abs() > FARTHEST) {
        return none(Some(GeometryError::NotFinite));
    }
    let of_plane = |plane, error| match assumed {
        None => Geometry { plane: Some(plane), assumed: None, error },
        Some(absent) => Geometry { plane: None, assumed: Some((absent, plane)), error },
    };
    let spacing = fixed::<2>(attributes.decimals(tags::PIXEL_SPACING));
    match ImagePlane::new(position, orientation, spacing) {
        Err(error @ GeometryError::Spacing(..)) => {
            match ImagePlane::new(position, orientation, None) {
                Ok(plane) => of_plane(plane, Some(error)),
                Err(_) => none(Some(error)),
            }
        }
        Err(error) => none(Some(error)),
        Ok(plane) => of_plane(plane, None),
    }
}

fn fixed<const N: usize>(values: Option<Vec<f64>>) -> Option<[f64; N]> {
    values?.try_into().ok()
}

fn window(attributes: &Attributes<'_>) -> Option<Window> {
    let first = |tag| attributes.first_decimal(tag, "window").ok().flatten();
    let (level, width) = (first(tags::WINDOW_CENTER)? as f32, first(tags::WINDOW_WIDTH)? as f32);
    (level.is_finite() && width.is_finite() && width > 0.0).then_some(Window { level, width })
}
