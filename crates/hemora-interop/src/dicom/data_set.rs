//! A data set that is put together, and its file.

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use super::Object;
use crate::codes::Code;
use crate::uid::{conformant, uuid};
use crate::{InteropError, text};

/// A data set, or an item of a sequence.
#[derive(Debug, Clone)]
pub(super) struct DataSet(InMemDicomObject);

impl DataSet {
    pub(super) fn new() -> Self {
        Self(InMemDicomObject::new_empty())
    }

    /// Texts, UIDs and codes that are known to be right; without one the attribute is there and empty. A
    /// UID that is none, as in data without names, is replaced by one that is made of it.
    pub(super) fn put(&mut self, tag: Tag, vr: VR, value: &str) {
        let value = match value {
            "" => PrimitiveValue::Empty,
            value if vr == VR::UI => conformant(value).as_ref().into(),
            value => value.into(),
        };
        self.0.put(DataElement::new(tag, vr, value));
    }

    /// A text from outside, cut to what the VR holds: SH 16 characters, LO 64.
    pub(super) fn put_text(&mut self, tag: Tag, vr: VR, value: &str) {
        let limit = if vr == VR::SH { 16 } else { 64 };
        self.put(tag, vr, &text::value(value, limit));
    }

    pub(super) fn put_numbers(&mut self, tag: Tag, vr: VR, value: impl Into<PrimitiveValue>) {
        self.0.put(DataElement::new(tag, vr, value.into()));
    }

    pub(super) fn put_several(&mut self, tag: Tag, vr: VR, values: &[&str]) {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        self.0.put(DataElement::new(tag, vr, PrimitiveValue::Strs(values)));
    }

    pub(super) fn put_items(&mut self, tag: Tag, items: Vec<DataSet>) {
        let items: Vec<_> = items.into_iter().map(|item| item.0).collect();
        self.0.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
    }

    /// A sequence of one code (PS3.3 §8).
    pub(super) fn put_code(&mut self, tag: Tag, code: &Code<'_>) {
        let mut item = DataSet::new();
        item.put(tags::CODE_VALUE, VR::SH, code.value);
        item.put(tags::CODING_SCHEME_DESIGNATOR, VR::SH, code.scheme);
        item.put(tags::CODE_MEANING, VR::LO, code.meaning);
        self.put_items(tag, vec![item]);
    }

    /// The file of the object.
    pub(super) fn into_object(
        self,
        sop_class_uid: &str,
        sop_instance_uid: String,
        series_instance_uid: String,
    ) -> Result<Object, InteropError> {
        let refused = |error: &dyn std::fmt::Display| InteropError::Encode(error.to_string());
        let implementation = format!("2.25.{}", uuid(&["implementation"]).as_u128());
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
            .media_storage_sop_class_uid(sop_class_uid)
            .media_storage_sop_instance_uid(&sop_instance_uid)
            .implementation_class_uid(implementation)
            .implementation_version_name("HEMORA")
            .build()
            .map_err(|error| refused(&error))?;
        let mut bytes = Vec::new();
        self.0.with_exact_meta(meta).write_all(&mut bytes).map_err(|error| refused(&error))?;
        let sop_class_uid = sop_class_uid.to_owned();
        Ok(Object { sop_class_uid, sop_instance_uid, series_instance_uid, bytes })
    }
}
