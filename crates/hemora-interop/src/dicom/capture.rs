//! A picture of the result as a secondary capture (PS3.3 A.8.1).

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};

use super::Object;
use super::modules::{self, Header};
use crate::codes;
use crate::report::Report;
use crate::uid::Kind;
use crate::{InteropError, report_sentence, text};

/// A picture in colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture<'a> {
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Red, green and blue of each pixel, row by row: `rows × columns × 3` bytes.
    pub rgb: &'a [u8],
}

/// A picture of the result, derived from the first key image. The result in words is its comment, and
/// its pixels are declared to hold words.
///
/// # Errors
/// [`InteropError::Picture`] if the picture does not fill its size, else [`InteropError`] if the report has
/// no form in DICOM.
pub fn secondary_capture(report: &Report, picture: &Picture<'_>) -> Result<Object, InteropError> {
    report.check()?;
    let &Picture { rows, columns, rgb } = picture;
    let sides = [rows, columns].map(|side| u16::try_from(side).ok().filter(|side| *side > 0));
    let [Some(short_rows), Some(short_columns)] = sides else {
        return Err(InteropError::Picture { rows, columns, bytes: rgb.len() });
    };
    if rows.checked_mul(columns).and_then(|pixels| pixels.checked_mul(3)) != Some(rgb.len()) {
        return Err(InteropError::Picture { rows, columns, bytes: rgb.len() });
    }
    let kind = Kind::SecondaryCapture;
    let header = Header {
        kind,
        sop_class_uid: uids::SECONDARY_CAPTURE_IMAGE_STORAGE,
        modality: "OT",
        series_number: "902",
        series_description: "Hemora ICH triage, research use, not for diagnosis",
    };
    let mut data = modules::data_set(report, &header);
    data.put(tags::CONVERSION_TYPE, VR::CS, "SYN");
    data.put_several(tags::IMAGE_TYPE, VR::CS, &["DERIVED", "SECONDARY"]);
    // Without the body part, laterality would be required (PS3.3 C.7.3.1).
    data.put(tags::BODY_PART_EXAMINED, VR::CS, "HEAD");
    data.put(tags::PATIENT_ORIENTATION, VR::CS, "");
    data.put(tags::BURNED_IN_ANNOTATION, VR::CS, "YES");
    data.put(tags::DERIVATION_DESCRIPTION, VR::ST, &derivation(report));
    let comment: String = text::value(&report_sentence(report), 1024);
    data.put(tags::IMAGE_COMMENTS, VR::LT, &comment);
    if let Some(image) = report.key_images.first() {
        let mut reference = modules::image_reference(image);
        let purpose = tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE;
        reference.put_code(purpose, &codes::SOURCE_OF_CAPTURE);
        data.put_items(tags::SOURCE_IMAGE_SEQUENCE, vec![reference]);
    }
    data.put_numbers(tags::SAMPLES_PER_PIXEL, VR::US, 3u16);
    data.put(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB");
    data.put_numbers(tags::PLANAR_CONFIGURATION, VR::US, 0u16);
    data.put_numbers(tags::ROWS, VR::US, short_rows);
    data.put_numbers(tags::COLUMNS, VR::US, short_columns);
    data.put_numbers(tags::BITS_ALLOCATED, VR::US, 8u16);
    data.put_numbers(tags::BITS_STORED, VR::US, 8u16);
    data.put_numbers(tags::HIGH_BIT, VR::US, 7u16);
    data.put_numbers(tags::PIXEL_REPRESENTATION, VR::US, 0u16);
    let mut pixels = rgb.to_vec();
    if pixels.len() % 2 == 1 {
        pixels.push(0);
    }
    data.put_numbers(tags::PIXEL_DATA, VR::OB, pixels);
    let [instance, series] = modules::uids(report, kind);
    data.into_object(header.sop_class_uid, instance, series)
}

fn derivation(report: &Report) -> String {
    let model = &report.model;
    let words = format!(
        "Drawn by Hemora {} from CT slices and the result of model {} {} (sha256 {}), revision {}",
        report.node.version, model.name, model.version, model.sha256, report.revision
    );
    text::value(&words, 1024)
}
