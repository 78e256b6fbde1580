//! The values of the attributes that a CT image and the identity of an object need.

use std::collections::BTreeMap;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_encoding::text::{SpecificCharacterSet, TextCodec};

use super::dataset::{Encoding, ITEM, WalkError, Walker};
use crate::ReadError;

/// What is kept of a header; all else is walked over.
const KEPT: [Tag; 72] = [
    tags::TRANSFER_SYNTAX_UID,
    tags::MEDIA_STORAGE_SOP_CLASS_UID,
    tags::SPECIFIC_CHARACTER_SET,
    tags::IMAGE_TYPE,
    tags::SOP_CLASS_UID,
    tags::SOP_INSTANCE_UID,
    tags::MODALITY,
    tags::SERIES_DESCRIPTION,
    tags::STUDY_DESCRIPTION,
    tags::BODY_PART_EXAMINED,
    tags::MANUFACTURER,
    tags::MANUFACTURER_MODEL_NAME,
    tags::PATIENT_AGE,
    tags::PATIENT_SEX,
    tags::PATIENT_ID,
    tags::CONTRAST_BOLUS_AGENT,
    tags::SLICE_THICKNESS,
    tags::CONVOLUTION_KERNEL,
    tags::STUDY_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
    tags::ACQUISITION_NUMBER,
    tags::INSTANCE_NUMBER,
    tags::IMAGE_POSITION_PATIENT,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::FRAME_OF_REFERENCE_UID,
    tags::SLICE_LOCATION,
    tags::SAMPLES_PER_PIXEL,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::NUMBER_OF_FRAMES,
    tags::ROWS,
    tags::COLUMNS,
    tags::PIXEL_SPACING,
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::HIGH_BIT,
    tags::PIXEL_REPRESENTATION,
    tags::PIXEL_PADDING_VALUE,
    tags::PIXEL_PADDING_RANGE_LIMIT,
    tags::WINDOW_CENTER,
    tags::WINDOW_WIDTH,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::RESCALE_TYPE,
    tags::MODALITY_LUT_SEQUENCE,
    tags::LUT_DESCRIPTOR,
    tags::MODALITY_LUT_TYPE,
    tags::LUT_DATA,
    tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
    tags::PIXEL_MEASURES_SEQUENCE,
    tags::PLANE_POSITION_SEQUENCE,
    tags::PLANE_ORIENTATION_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    tags::FRAME_VOILUT_SEQUENCE,
    tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::CT_RECONSTRUCTION_SEQUENCE,
    tags::FRAME_TYPE,
    tags::ISSUER_OF_PATIENT_ID,
    tags::PATIENT_NAME,
    tags::PATIENT_BIRTH_DATE,
    tags::ACCESSION_NUMBER,
    tags::STUDY_ID,
    tags::STUDY_DATE,
    tags::STUDY_TIME,
    tags::REFERRING_PHYSICIAN_NAME,
    tags::INSTITUTION_NAME,
    tags::PROCEDURE_CODE_SEQUENCE,
    tags::CODE_VALUE,
    tags::CODING_SCHEME_DESIGNATOR,
    tags::CODE_MEANING,
    tags::FLOAT_PIXEL_DATA,
    tags::DOUBLE_FLOAT_PIXEL_DATA,
];

/// A longer text is no name of anything: 64 characters (PS3.5 §6.2) of at most four bytes.
const MAX_TEXT: usize = 256;

/// The kept attributes of one data set or item, as they stand in the file.
#[derive(Debug, Clone)]
pub(crate) struct Attributes<'a> {
    values: BTreeMap<Tag, &'a [u8]>,
    pub(crate) encoding: Encoding,
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self { values: BTreeMap::new(), encoding }
    }

    /// Keeps a value if anything here asks for it; of two with one tag, the later.
    pub(crate) fn insert(&mut self, tag: Tag, value: &'a [u8]) {
        if KEPT.contains(&tag) {
            self.values.insert(tag, value);
        }
    }

    /// The attributes of the items of a sequence, at most the first `limit`; none if the sequence
    /// is absent.
    pub(crate) fn items(
        &self,
        sequence: Tag,
        limit: usize,
    ) -> Result<Vec<Attributes<'a>>, WalkError> {
        let mut items = Vec::new();
        let mut walker = Walker::new(self.bytes(sequence).unwrap_or_default(), 0, self.encoding);
        while !walker.at_end() && items.len() < limit {
            let item = walker.start()?;
            if item.tag != ITEM {
                break;
            }
            let mut attributes = Attributes::new(self.encoding);
            match item.length {
                Some(length) => {
                    let mut inside = Walker::new(walker.take(length)?, 0, self.encoding);
                    attributes.walk(&mut inside)?;
                }
                None => attributes.walk(&mut walker)?,
            }
            // Items without a character set of their own have that of what holds them (PS3.3 C.12.1.1.2).
            if let Some(declared) = self.bytes(tags::SPECIFIC_CHARACTER_SET) {
                attributes.values.entry(tags::SPECIFIC_CHARACTER_SET).or_insert(declared);
            }
            items.push(attributes);
        }
        Ok(items)
    }

    /// Takes elements in until the end, or until the delimiter of an item.
    fn walk(&mut self, walker: &mut Walker<'a>) -> Result<(), WalkError> {
        while !walker.at_end() {
            let start = walker.start()?;
            if start.tag.group() == 0xFFFE {
                break;
            }
            self.insert(start.tag, walker.value(&start)?);
        }
        Ok(())
    }

    /// Takes the values of another item in; of two with one tag, the other's.
    pub(crate) fn extend(&mut self, other: Attributes<'a>) {
        self.values.extend(other.values);
    }

    /// The value's bytes; `None` if the attribute is absent or empty.
    pub(crate) fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        self.values.get(&tag).copied().filter(|value| !value.is_empty())
    }

    /// A text of ASCII without its padding; `None` if there is nothing but padding.
    pub(crate) fn text(&self, tag: Tag) -> Option<String> {
        let bytes = self.bytes(tag)?;
        trimmed(&String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]))
    }

    /// A text in the character set that the file declares. Where that is not known or not the right
    /// one, bytes that are no UTF-8 either are written as `\xD5`, so that different texts differ.
    pub(crate) fn name(&self, tag: Tag) -> Option<String> {
        let bytes = self.bytes(tag)?;
        let bytes = &bytes[..bytes.len().min(MAX_TEXT)];
        let declared = self.text(tags::SPECIFIC_CHARACTER_SET).unwrap_or_default();
        let code = declared.split('\\').find(|code| !code.trim().is_empty()).unwrap_or_default();
        let decoded = SpecificCharacterSet::from_code(code.trim())
            .and_then(|character_set| character_set.decode(bytes).ok())
            .filter(|text| !text.contains(char::REPLACEMENT_CHARACTER))
            .unwrap_or_else(|| plain(bytes));
        trimmed(&decoded)
    }

    /// All numbers of a decimal or integer string; `None` if absent or one is no number.
    pub(crate) fn decimals(&self, tag: Tag) -> Option<Vec<f64>> {
        self.text(tag)?.split('\\').map(|part| part.trim().parse().ok()).collect()
    }

    /// The first number of a decimal string: `None` if absent, an error if it is no finite number.
    pub(crate) fn first_decimal(
        &self,
        tag: Tag,
        attribute: &'static str,
    ) -> Result<Option<f64>, ReadError> {
        let Some(text) = self.text(tag) else { return Ok(None) };
        let first = text.split('\\').next().unwrap_or_default().trim();
        match first.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Some(value)),
            _ => Err(ReadError::BadAttribute {
                attribute,
                found: format!("{text:?}"),
                expected: "a finite number",
            }),
        }
    }

    /// All 16-bit numbers of a value.
    pub(crate) fn words(&self, tag: Tag) -> Option<Vec<u16>> {
        let (pairs, _) = self.bytes(tag)?.as_chunks::<2>();
        Some(pairs.iter().map(|&pair| self.encoding.u16(pair)).collect())
    }

    /// The first 16-bit number of a value.
    pub(crate) fn word(&self, tag: Tag) -> Option<u16> {
        self.bytes(tag)?.first_chunk::<2>().map(|&pair| self.encoding.u16(pair))
    }

    /// The first 16-bit number of a value that must be there.
    pub(crate) fn required_word(&self, tag: Tag, name: &'static str) -> Result<u16, ReadError> {
        self.word(tag).ok_or(ReadError::MissingAttribute(name))
    }
}

/// Without control characters, which would break a message or a table, and without padding.
fn trimmed(text: &str) -> Option<String> {
    let clean: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}

/// The text of bytes in an unknown character set.
fn plain(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        chunk.invalid().iter().for_each(|byte| text += &format!("\\x{byte:02X}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_an_unknown_character_set_stay_different() {
        assert_eq!(plain(b"\xd5\xc5\xc8\xfd 7"), "\\xD5\\xC5\\xC8\\xFD 7");
        assert_ne!(plain(b"\xd5\xc5"), plain(b"\xc0\xee"));
        assert_eq!(plain("Größe".as_bytes()), "Größe");
    }

    #[test]
    fn numbers_as_the_competition_writes_them() {
        let mut attributes = Attributes::new(Encoding::ImplicitLittle);
        attributes.insert(tags::WINDOW_CENTER, b"00036\\00036 ");
        attributes.insert(tags::RESCALE_SLOPE, b"NaN ");
        attributes.insert(tags::PATIENT_ID, b"  \0\0");
        assert_eq!(attributes.first_decimal(tags::WINDOW_CENTER, "w").unwrap(), Some(36.0));
        assert!(attributes.first_decimal(tags::RESCALE_SLOPE, "s").is_err());
        assert_eq!(attributes.first_decimal(tags::WINDOW_WIDTH, "w").unwrap(), None);
        assert_eq!(attributes.text(tags::PATIENT_ID), None);
    }

    #[test]
    fn names_are_read_in_their_character_set() {
        let mut attributes = Attributes::new(Encoding::ImplicitLittle);
        attributes.insert(tags::SPECIFIC_CHARACTER_SET, b"ISO_IR 100");
        attributes.insert(tags::SERIES_DESCRIPTION, b"Sch\xE4del ");
        assert_eq!(attributes.name(tags::SERIES_DESCRIPTION).unwrap(), "Schädel");
        attributes.insert(tags::SPECIFIC_CHARACTER_SET, b"NO SUCH");
        attributes.insert(tags::SERIES_DESCRIPTION, "Schädel".as_bytes());
        assert_eq!(attributes.name(tags::SERIES_DESCRIPTION).unwrap(), "Schädel");
    }
}
