//! Instances to send.

use crate::data_set::{DataSet, DataSetError, tags};
use crate::uids::{is_instance_name, is_uid};

/// An instance to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// SOPClassUID.
    pub sop_class_uid: String,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// Transfer syntax of the data set.
    pub transfer_syntax: String,
    /// The data set, without preamble and meta header.
    pub data_set: Vec<u8>,
}

/// Bytes that are no Part 10 file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// There is no `DICM` behind 128 bytes.
    #[error("no DICOM file: `DICM` is not at byte 128")]
    NoFile,
    /// The meta header ends too early.
    #[error("a damaged meta header: {0}")]
    Damaged(String),
    /// The meta header does not say what is to be sent.
    #[error("the meta header has no valid {0}, without which the object cannot be sent")]
    Missing(&'static str),
}

impl From<DataSetError> for ObjectError {
    fn from(error: DataSetError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl Object {
    /// Takes apart a Part 10 file in memory (PS3.10 §7.1): class, name and transfer syntax are those of
    /// its meta header, and the data set is sent as it stands there.
    ///
    /// # Errors
    /// [`ObjectError`] says what is missing.
    pub fn from_part10(file: &[u8]) -> Result<Self, ObjectError> {
        let rest = file.get(128..).and_then(|rest| rest.strip_prefix(b"DICM"));
        let (meta, data_set) = DataSet::parse_meta(rest.ok_or(ObjectError::NoFile)?)?;
        let checked = |tag, name, is_valid: fn(&str) -> bool| {
            let uid = meta.text(tag);
            if is_valid(&uid) { Ok(uid) } else { Err(ObjectError::Missing(name)) }
        };
        let sop_class_uid = checked(tags::MEDIA_STORAGE_CLASS, "MediaStorageSOPClassUID", is_uid)?;
        let instance = "MediaStorageSOPInstanceUID";
        let sop_instance_uid = checked(tags::MEDIA_STORAGE_INSTANCE, instance, is_instance_name)?;
        let transfer_syntax = checked(tags::TRANSFER_SYNTAX, "TransferSyntaxUID", is_uid)?;
        let data_set = data_set.to_vec();
        Ok(Self { sop_class_uid, sop_instance_uid, transfer_syntax, data_set })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_says_what_it_lacks() {
        assert_eq!(Object::from_part10(b"DICM"), Err(ObjectError::NoFile));
        let with = |meta: &[u8]| Object::from_part10(&[&[0; 128], &b"DICM"[..], meta].concat());
        assert_eq!(with(b"\x08\0"), Err(ObjectError::Missing("MediaStorageSOPClassUID")));
        let error = with(b"\x02\0\x02\0UI\xFF\xFF1.2").unwrap_err();
        assert!(matches!(error, ObjectError::Damaged(_)), "{error}");
    }
}
