//! Whose a DICOM object is and what it belongs to, of any kind of object.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use dicom_dictionary_std::tags;
use flate2::read::DeflateDecoder;

use super::attributes::Attributes;
use super::file::{FileStart, Stop, file_start, stop, walk};
use super::format::read_until;
use crate::ReadError;

/// Whose an object is and what it belongs to: what a node needs to file it and to answer about it.
///
/// Texts are decoded from the character set that the object declares, without padding and control
/// characters; empty where the object has none. Dates and times are as they stand in the object (`DA`,
/// `TM`); names have their components (`Family^Given`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// Transfer syntax of the meta header; of a bare data set that by which it was read.
    pub transfer_syntax: String,
    /// SOPClassUID.
    pub sop_class_uid: String,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// SeriesInstanceUID.
    pub series_instance_uid: String,
    /// StudyInstanceUID.
    pub study_instance_uid: String,
    /// PatientID.
    pub patient_id: String,
    /// IssuerOfPatientID.
    pub issuer_of_patient_id: String,
    /// PatientName.
    pub patient_name: String,
    /// PatientBirthDate.
    pub patient_birth_date: String,
    /// PatientSex.
    pub patient_sex: String,
    /// AccessionNumber.
    pub accession_number: String,
    /// StudyID.
    pub study_id: String,
    /// StudyDate.
    pub study_date: String,
    /// StudyTime.
    pub study_time: String,
    /// StudyDescription.
    pub study_description: String,
    /// ReferringPhysicianName.
    pub referring_physician: String,
    /// InstitutionName.
    pub institution: String,
    /// FrameOfReferenceUID.
    pub frame_of_reference_uid: String,
    /// Modality.
    pub modality: String,
    /// SeriesDescription.
    pub series_description: String,
    /// First item of ProcedureCodeSequence: CodeValue, CodingSchemeDesignator and CodeMeaning.
    pub procedure_code: Option<[String; 3]>,
}

/// Reads whose a DICOM file is, and no further than its pixels. The kind of object is not checked: any
/// object has an identity.
///
/// # Errors
/// [`ReadError`] if the file cannot be read, is no DICOM, or ends within its header.
pub fn read_identity(path: &Path) -> Result<Identity, ReadError> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    let start = read_until(&mut file, &mut bytes, file_start)?;
    let parse = |begin: usize| {
        let start = &start;
        move |bytes: &[u8], complete: bool| identity(bytes, begin, start, complete)
    };
    if !start.transfer_syntax.deflated {
        return read_until(&mut file, &mut bytes, parse(start.offset));
    }
    let compressed = bytes.split_off(start.offset);
    let mut inflated = DeflateDecoder::new(Cursor::new(compressed).chain(file));
    read_until(&mut inflated as &mut dyn Read, &mut Vec::new(), parse(0))
}

fn identity(
    bytes: &[u8],
    begin: usize,
    start: &FileStart,
    complete: bool,
) -> Result<Identity, Stop> {
    let (object, _) = walk(bytes, begin, start.transfer_syntax.encoding, complete)?;
    let codes = object.items(tags::PROCEDURE_CODE_SEQUENCE, 1);
    let codes = codes.map_err(|error| stop(error, true, "the procedure code"))?;
    Ok(from_attributes(&object, codes.first(), start))
}

fn from_attributes(
    object: &Attributes<'_>,
    code: Option<&Attributes<'_>>,
    start: &FileStart,
) -> Identity {
    let text = |tag| object.text(tag).unwrap_or_default();
    let name = |tag| object.name(tag).unwrap_or_default();
    let code = code.and_then(|code| {
        let value = code.text(tags::CODE_VALUE)?;
        Some([value, code.text(tags::CODING_SCHEME_DESIGNATOR)?, code.name(tags::CODE_MEANING)?])
    });
    Identity {
        transfer_syntax: start.transfer_syntax.uid.clone(),
        sop_class_uid: object
            .text(tags::SOP_CLASS_UID)
            .or_else(|| start.sop_class.clone())
            .unwrap_or_default(),
        sop_instance_uid: text(tags::SOP_INSTANCE_UID),
        series_instance_uid: text(tags::SERIES_INSTANCE_UID),
        study_instance_uid: text(tags::STUDY_INSTANCE_UID),
        patient_id: name(tags::PATIENT_ID),
        issuer_of_patient_id: name(tags::ISSUER_OF_PATIENT_ID),
        patient_name: name(tags::PATIENT_NAME),
        patient_birth_date: text(tags::PATIENT_BIRTH_DATE),
        patient_sex: text(tags::PATIENT_SEX),
        accession_number: name(tags::ACCESSION_NUMBER),
        study_id: name(tags::STUDY_ID),
        study_date: text(tags::STUDY_DATE),
        study_time: text(tags::STUDY_TIME),
        study_description: name(tags::STUDY_DESCRIPTION),
        referring_physician: name(tags::REFERRING_PHYSICIAN_NAME),
        institution: name(tags::INSTITUTION_NAME),
        frame_of_reference_uid: text(tags::FRAME_OF_REFERENCE_UID),
        modality: text(tags::MODALITY),
        series_description: name(tags::SERIES_DESCRIPTION),
        procedure_code: code,
    }
}
