//! Whose an object is, beside what pydicom reads of it.

use std::path::{Path, PathBuf};

use hemora_io::{Identity, ReadError, read_identity};

/// Writes objects of several kinds into a folder, and prints what pydicom reads of each.
const WRITE: &str = r#"
import sys
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian
KINDS = {
    "ct": ("1.2.840.10008.5.1.4.1.1.2", ExplicitVRLittleEndian, "ISO_IR 100", "Müller^Jörg"),
    "sr": ("1.2.840.10008.5.1.4.1.1.88.33", ImplicitVRLittleEndian, "ISO_IR 192", "山田^太郎=やまだ"),
    "deflated": ("1.2.840.10008.5.1.4.1.1.2", DeflatedExplicitVRLittleEndian, "ISO_IR 144", "Люкceмбypг"),
}
NAMES = ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID",
    "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
    "StudyDate", "StudyTime", "StudyDescription", "ReferringPhysicianName", "InstitutionName",
    "FrameOfReferenceUID", "Modality", "SeriesDescription"]
for kind, (sop_class, syntax, characters, name) in KINDS.items():
    data = Dataset()
    data.SpecificCharacterSet = characters
    for index, keyword in enumerate(NAMES):
        value = f"1.2.3.{index}" if keyword.endswith("UID") else f"V{index}"
        setattr(data, keyword, value)
    data.SOPClassUID, data.PatientName, data.InstitutionName = sop_class, name, name[:3]
    data.PatientBirthDate, data.StudyDate, data.StudyTime, data.PatientSex = "19400102", "20261127", "101112.5", "F"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "CTH", "L", name
    data.ProcedureCodeSequence = [code]
    if kind != "sr":
        data.Rows, data.Columns, data.BitsAllocated, data.PixelData = 1, 1, 16, b"\0\0"
        data["PixelData"].VR = "OW"
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = sop_class
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    path = f"{sys.argv[1]}/{kind}.dcm"
    data.save_as(path, enforce_file_format=True)
    data = dcmread(path)
    item = data.ProcedureCodeSequence[0]
    read = [str(data[keyword].value) for keyword in NAMES]
    read += [str(syntax), item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning]
    sys.stdout.buffer.write(("\t".join([path] + read) + "\n").encode())
"#;

fn in_order(identity: &Identity) -> Vec<&str> {
    let it = identity;
    let mut all: Vec<&str> = [
        &it.sop_class_uid,
        &it.sop_instance_uid,
        &it.series_instance_uid,
        &it.study_instance_uid,
        &it.patient_id,
        &it.issuer_of_patient_id,
        &it.patient_name,
        &it.patient_birth_date,
        &it.patient_sex,
        &it.accession_number,
        &it.study_id,
        &it.study_date,
        &it.study_time,
        &it.study_description,
        &it.referring_physician,
        &it.institution,
        &it.frame_of_reference_uid,
        &it.modality,
        &it.series_description,
        &it.transfer_syntax,
    ]
    .map(String::as_str)
    .to_vec();
    all.extend(it.procedure_code.iter().flatten().map(String::as_str));
    all
}

/// The objects, and what pydicom reads of them.
fn written(folder: &Path) -> Option<Vec<(PathBuf, Vec<String>)>> {
    let python = hemora_testing::python()?;
    let printed = hemora_testing::run_python(&python, WRITE, &[folder], b"");
    let lines = String::from_utf8(printed).unwrap();
    let object = |line: &str| {
        let mut values = line.split('\t').map(str::to_owned);
        (PathBuf::from(values.next().unwrap()), values.collect())
    };
    Some(lines.lines().map(object).collect())
}

#[test]
fn every_kind_of_object_has_the_identity_that_pydicom_reads() {
    let folder = tempfile::tempdir().unwrap();
    let Some(objects) = written(folder.path()) else { return };
    assert_eq!(objects.len(), 3);
    for (path, expected) in objects {
        let identity = read_identity(&path).unwrap();
        assert_eq!(in_order(&identity), expected, "{}", path.display());
    }
}

#[test]
fn an_object_that_is_cut_has_no_other_identity() {
    let folder = tempfile::tempdir().unwrap();
    let Some(objects) = written(folder.path()) else { return };
    let cut = folder.path().join("cut.dcm");
    for (path, _) in objects {
        let (bytes, whole) = (std::fs::read(&path).unwrap(), read_identity(&path).unwrap());
        let mut failed = 0;
        for length in 0..bytes.len().min(600) {
            std::fs::write(&cut, &bytes[..length]).unwrap();
            let Ok(identity) = read_identity(&cut) else {
                failed += 1;
                continue;
            };
            // Cut between two elements, an object is a shorter one: its values are there or empty.
            for (found, expected) in in_order(&identity).into_iter().zip(in_order(&whole)) {
                assert!(found.is_empty() || found == expected, "{length}: {found:?}");
            }
        }
        assert!(failed > 250, "{failed} of {}", path.display());
    }
    std::fs::write(&cut, "no DICOM, but long enough to be looked at as such".repeat(9)).unwrap();
    assert!(matches!(read_identity(&cut), Err(ReadError::NotDicom)));
}
