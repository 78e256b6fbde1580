//! Slices in HU to DICOM files.

use std::io;
use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use hemora_base::write_whole;
use hemora_ct::{Slice, Window};

use crate::uid::{dotted_uid, is_dotted_uid};

/// How HU are stored: the two kinds that the competition data has (docs/references.md#rsna-2019).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelStorage {
    /// 16 of 16 bits, two's complement: HU from `intercept − 32768` to `intercept + 32767`.
    Signed16 {
        /// RescaleIntercept, HU.
        intercept: i16,
    },
    /// 12 of 16 bits, unsigned: HU from `intercept` to `intercept + 4095`. An intercept above
    /// −100 is held to be wrong when the file is read (docs/references.md#slice-preparation).
    Unsigned12 {
        /// RescaleIntercept, HU, usually −1024.
        intercept: i16,
    },
}

/// What a written file says beside its pixels.
#[derive(Debug, Clone)]
pub struct NewSlice<'a> {
    /// SOPInstanceUID, dotted or of the competition's `ID_…` form.
    pub sop_instance_uid: &'a str,
    /// SeriesInstanceUID, in either form.
    pub series_instance_uid: &'a str,
    /// StudyInstanceUID, in either form.
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
    Io(#[from] io::Error),
    /// Rows and Columns are 16-bit numbers.
    #[error("{rows} × {columns} pixels are too many for a DICOM image, at most 65535 × 32767 fit")]
    TooLarge {
        /// Rows of the slice.
        rows: usize,
        /// Columns of the slice.
        columns: usize,
    },
    /// A value to write is infinite or not a number.
    #[error("{0} has a value that is not finite; DICOM has no form for it")]
    NotFinite(&'static str),
    /// A text to write would not be read back as it is.
    #[error(
        "{attribute} {value:?} has a backslash, a control character or more than 64 characters"
    )]
    Text {
        /// The attribute.
        attribute: &'static str,
        /// The text.
        value: String,
    },
    /// The DICOM library refused the data set.
    #[error("cannot encode the data set: {0}")]
    Encode(String),
}

/// Writes one slice as an uncompressed explicit little-endian CT image, beside and renamed.
/// HU are rounded to integers and clamped to what the storage holds.
///
/// # Errors
/// [`WriteError`] if the file cannot be written, the slice is too large for DICOM or a value has
/// no form in DICOM.
pub fn write_slice(path: &Path, new: &NewSlice<'_>) -> Result<(), WriteError> {
    let data_set = data_set(new)?;
    // A meta header takes dotted UIDs only, as in the competition's own files.
    let sop_instance_uid = match is_dotted_uid(new.sop_instance_uid) {
        true => new.sop_instance_uid.to_owned(),
        false => dotted_uid(new.sop_instance_uid.as_bytes()),
    };
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
        .media_storage_sop_instance_uid(sop_instance_uid)
        .build()
        .map_err(|error| WriteError::Encode(error.to_string()))?;
    let object = data_set.with_exact_meta(meta);
    write_whole(path, |file| {
        object.write_all(file).map_err(|error| WriteError::Encode(error.to_string()))
    })
}

/// The elements of the file, those of the competition and the empty ones that a CT image must
/// have (PS3.3 A.3).
fn data_set(new: &NewSlice<'_>) -> Result<InMemDicomObject, WriteError> {
    let slice = new.slice;
    let (Ok(rows), Ok(columns)) = (u16::try_from(slice.rows()), u16::try_from(slice.columns()))
    else {
        return Err(WriteError::TooLarge { rows: slice.rows(), columns: slice.columns() });
    };
    if slice.hu().len() > (u32::MAX / 2 - 1) as usize {
        return Err(WriteError::TooLarge { rows: slice.rows(), columns: slice.columns() });
    }
    let (intercept, bits, signed) = match new.storage {
        PixelStorage::Signed16 { intercept } => (intercept, 16u16, 1u16),
        PixelStorage::Unsigned12 { intercept } => (intercept, 12, 0),
    };
    let texts: [(Tag, VR, &'static str, &str); 5] = [
        (tags::SOP_INSTANCE_UID, VR::UI, "SOPInstanceUID", new.sop_instance_uid),
        (tags::STUDY_INSTANCE_UID, VR::UI, "StudyInstanceUID", new.study_instance_uid),
        (tags::SERIES_INSTANCE_UID, VR::UI, "SeriesInstanceUID", new.series_instance_uid),
        (tags::PATIENT_ID, VR::LO, "PatientID", new.patient_id),
        (tags::SERIES_DESCRIPTION, VR::LO, "SeriesDescription", new.series_description),
    ];
    let mut object = InMemDicomObject::new_empty();
    let mut insert = |tag, vr, value: PrimitiveValue| {
        object.put(DataElement::new(tag, vr, value));
    };
    for (tag, vr, attribute, value) in texts {
        if value.contains('\\') || value.chars().any(char::is_control) || value.chars().count() > 64
        {
            return Err(WriteError::Text { attribute, value: value.to_owned() });
        }
        insert(tag, vr, value.into());
    }
    for (tag, vr) in EMPTY {
        insert(tag, vr, PrimitiveValue::Empty);
    }
    insert(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192".into());
    insert(tags::SOP_CLASS_UID, VR::UI, uids::CT_IMAGE_STORAGE.into());
    insert(tags::MODALITY, VR::CS, "CT".into());
    insert(tags::IMAGE_TYPE, VR::CS, strings(["ORIGINAL", "PRIMARY", "AXIAL"]));
    insert(
        tags::FRAME_OF_REFERENCE_UID,
        VR::UI,
        dotted_uid(new.study_instance_uid.as_bytes()).into(),
    );
    insert(tags::INSTANCE_NUMBER, VR::IS, new.instance_number.to_string().into());
    if let Some(plane) = slice.plane {
        let orientation = plane.row_direction.iter().chain(&plane.column_direction);
        insert(tags::IMAGE_POSITION_PATIENT, VR::DS, decimals("image position", &plane.position)?);
        insert(
            tags::IMAGE_ORIENTATION_PATIENT,
            VR::DS,
            decimals("image orientation", orientation)?,
        );
        if let Some(spacing) = plane.spacing {
            insert(tags::PIXEL_SPACING, VR::DS, decimals("pixel spacing", &spacing)?);
        }
    }
    insert(tags::SAMPLES_PER_PIXEL, VR::US, 1u16.into());
    insert(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2".into());
    insert(tags::ROWS, VR::US, rows.into());
    insert(tags::COLUMNS, VR::US, columns.into());
    insert(tags::BITS_ALLOCATED, VR::US, 16u16.into());
    insert(tags::BITS_STORED, VR::US, bits.into());
    insert(tags::HIGH_BIT, VR::US, (bits - 1).into());
    insert(tags::PIXEL_REPRESENTATION, VR::US, signed.into());
    insert(tags::WINDOW_CENTER, VR::DS, Window::BRAIN.level.to_string().into());
    insert(tags::WINDOW_WIDTH, VR::DS, Window::BRAIN.width.to_string().into());
    insert(tags::RESCALE_INTERCEPT, VR::DS, intercept.to_string().into());
    insert(tags::RESCALE_SLOPE, VR::DS, "1".into());
    insert(tags::RESCALE_TYPE, VR::LO, "HU".into());
    insert(
        tags::PIXEL_DATA,
        VR::OW,
        PrimitiveValue::U16(stored_values(slice, new.storage)?.into()),
    );
    Ok(object)
}

/// Attributes that a CT image must have but that may be empty (type 2).
const EMPTY: [(Tag, VR); 13] = [
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::MANUFACTURER, VR::LO),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::KVP, VR::DS),
    (tags::STUDY_ID, VR::SH),
    (tags::SERIES_NUMBER, VR::IS),
    (tags::ACQUISITION_NUMBER, VR::IS),
    (tags::POSITION_REFERENCE_INDICATOR, VR::LO),
];

fn stored_values(slice: &Slice, storage: PixelStorage) -> Result<Vec<u16>, WriteError> {
    let (intercept, low, high) = match storage {
        PixelStorage::Signed16 { intercept } => (intercept, -32768.0, 32767.0),
        PixelStorage::Unsigned12 { intercept } => (intercept, 0.0, 4095.0),
    };
    if slice.hu().iter().any(|hu| hu.is_nan()) {
        return Err(WriteError::NotFinite("the image"));
    }
    let stored = |&hu: &f32| {
        let value = (f64::from(hu).round() - f64::from(intercept)).clamp(low, high);
        value as i32 as u16
    };
    Ok(slice.hu().iter().map(stored).collect())
}

fn strings<const N: usize>(values: [&str; N]) -> PrimitiveValue {
    PrimitiveValue::Strs(values.iter().map(|value| (*value).to_owned()).collect())
}

fn decimals<'a>(
    what: &'static str,
    values: impl IntoIterator<Item = &'a f64>,
) -> Result<PrimitiveValue, WriteError> {
    let texts: Option<Vec<String>> = values.into_iter().map(|&value| decimal(value)).collect();
    Ok(PrimitiveValue::Strs(texts.ok_or(WriteError::NotFinite(what))?.into()))
}

/// A decimal string, at most 16 characters (PS3.5 §6.2), as exact as these allow.
fn decimal(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    // `+ 0.0` turns a negative zero into zero.
    let shortest = (value + 0.0).to_string();
    if shortest.len() <= 16 {
        return Some(shortest);
    }
    let magnitude = value.abs();
    if (1e-4..1e14).contains(&magnitude) {
        return (0..15).rev().map(|digits| format!("{value:.digits$}")).find(|t| t.len() <= 16);
    }
    (0..15).rev().map(|digits| format!("{value:.digits$e}")).find(|text| text.len() <= 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_strings_fit_and_keep_their_value() {
        let values = [0.0, -0.0, 1.0, -125.0, 0.488281, -115.897980, 1.0 / 3.0, -2.0 / 3.0, 1e-9];
        let more =
            [-1.234567890123456e-7, 123_456_789.123_456_79, 1e20, -9.87654321e300, 0.92718385];
        for value in values.into_iter().chain(more) {
            let text = decimal(value).unwrap();
            assert!(text.len() <= 16, "{text}");
            let back: f64 = text.parse().unwrap();
            assert!((back - value).abs() <= value.abs() * 1e-8, "{value} became {text}");
        }
        assert_eq!(decimal(f64::NAN), None);
        assert_eq!(decimal(f64::INFINITY), None);
    }
}
