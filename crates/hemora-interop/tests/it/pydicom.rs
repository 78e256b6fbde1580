//! That pydicom reads every object with the values that went in.

use hemora_interop::report_uid;
use hemora_interop::{Kind, report_sentence};
use serde_json::{Value, json};

use crate::support::{anonymous, full, hostile, not_latin, not_sure, objects, write};

/// Prints what is asked of a file, and fails if any element is not readable as its VR says.
const READER: &str = r#"
import json, sys, warnings
import pydicom
warnings.simplefilter('error')
pydicom.config.settings.reading_validation_mode = pydicom.config.RAISE
d = pydicom.dcmread(sys.argv[1])
d.walk(lambda _, element: element.value)
def images(sequence):
    return [[s.SeriesInstanceUID, [r.ReferencedSOPInstanceUID for r in s.ReferencedSOPSequence]]
        for study in sequence for s in study.ReferencedSeriesSequence]
def text(name):
    return str(d[name].value) if name in d and d[name].value is not None else (None if name not in d else '')
tree = {}
if 'ContentSequence' in d:
    shown = [i for i in d.ContentSequence if i.ValueType == 'IMAGE']
    tree = {
        'title': d.ConceptNameCodeSequence[0].CodeValue,
        'template': d.ContentTemplateSequence[0].TemplateIdentifier,
        'shown': [[i.ReferencedSOPSequence[0].ReferencedSOPInstanceUID,
            i.ReferencedSOPSequence[0].get('ReferencedFrameNumber')] for i in shown],
        'words': [i.TextValue for i in d.ContentSequence if i.RelationshipType == 'CONTAINS' and i.ValueType == 'TEXT'],
        'schemes': [i.CodingSchemeDesignator for i in d.get('CodingSchemeIdentificationSequence', [])],
    }
pixels = {}
if 'PixelData' in d:
    array = d.pixel_array
    source = d.get('SourceImageSequence', [])
    pixels = {
        'shape': list(array.shape), 'mean': float(array.mean()),
        'source': [s.ReferencedSOPInstanceUID for s in source],
        'type': list(d.ImageType), 'derivation': d.DerivationDescription,
    }
json.dump({
    'class': d.SOPClassUID, 'instance': d.SOPInstanceUID, 'series': d.SeriesInstanceUID,
    'meta': [d.file_meta.MediaStorageSOPClassUID, d.file_meta.MediaStorageSOPInstanceUID, d.file_meta.TransferSyntaxUID],
    'tags': {name: text(name) for name in json.loads(sys.argv[2])},
    'evidence': images(d.get('CurrentRequestedProcedureEvidenceSequence', [])),
    'predecessors': images(d.get('PredecessorDocumentsSequence', [])),
    'tree': tree, 'pixels': pixels,
}, sys.stdout)
"#;

const TAGS: [&str; 18] = [
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyID",
    "StudyDescription",
    "ReferringPhysicianName",
    "SeriesNumber",
    "InstanceNumber",
    "ContentDate",
    "Modality",
    "BodyPartExamined",
    "BurnedInAnnotation",
];

/// What pydicom reads of each object of a report.
fn read(report: &hemora_interop::Report) -> Option<Vec<(&'static str, Value)>> {
    let python = hemora_testing::python()?;
    let folder = tempfile::tempdir().unwrap();
    let tags = json!(TAGS).to_string();
    let one = |(kind, object): (&'static str, hemora_interop::Object)| {
        let path = write(folder.path(), kind, &object);
        let arguments = [path.to_str().unwrap(), &tags];
        let output = hemora_testing::run_python(&python, READER, &arguments, b"");
        let value: Value = serde_json::from_slice(&output).unwrap();
        assert_eq!(value["instance"], json!(object.sop_instance_uid));
        assert_eq!(value["class"], json!(object.sop_class_uid));
        assert_eq!(value["series"], json!(object.series_instance_uid));
        let meta = [&object.sop_class_uid, &object.sop_instance_uid, "1.2.840.10008.1.2.1"];
        assert_eq!(value["meta"], json!(meta));
        (kind, value)
    };
    Some(objects(report).into_iter().map(one).collect())
}

#[test]
fn whose_the_study_is_stands_in_every_object() {
    let Some(read) = read(&full()) else { return };
    assert_eq!(read.len(), 3);
    for (kind, value) in read {
        let tags = &value["tags"];
        let expected = [
            ("PatientName", "Doe^Jane^Mary^Dr.^MSc"),
            ("PatientID", "P-4711"),
            ("IssuerOfPatientID", "GENERAL"),
            ("PatientBirthDate", "19500203"),
            ("PatientSex", "F"),
            ("StudyInstanceUID", "1.2.826.0.1.3680043.8.498.5"),
            ("StudyDate", "20261127"),
            ("StudyTime", "101500.5"),
            ("AccessionNumber", "A-2026-1"),
            ("StudyID", "77"),
            ("StudyDescription", "CT head without contrast"),
            ("ReferringPhysicianName", "House^Gregory"),
            ("InstanceNumber", "1"),
            // By the clock of the department, an hour east of Greenwich.
            ("ContentDate", "20261128"),
        ];
        for (tag, text) in expected {
            assert_eq!(tags[tag], text, "{kind} {tag}");
        }
        let of_kind = match kind {
            "sr" => ("901", "SR"),
            "sc" => ("902", "OT"),
            _ => ("903", "KO"),
        };
        assert_eq!(tags["SeriesNumber"], of_kind.0);
        assert_eq!(tags["Modality"], of_kind.1);
    }
}

#[test]
fn names_of_every_script_come_back() {
    let Some(read) = read(&not_latin()) else { return };
    for (kind, value) in read {
        let tags = &value["tags"];
        assert_eq!(tags["PatientName"], "Wang^XiaoDong=王^小東=Ωμέγα^Ж", "{kind}");
        assert_eq!(tags["PatientID"], "ПАЦИЕНТ-Ü");
        assert_eq!(tags["StudyDescription"], "Schädel-CT 頭部");
    }
}

#[test]
fn what_is_not_known_is_empty_and_what_is_broken_is_left_out() {
    let Some(of_nobody) = read(&anonymous()) else { return };
    for (kind, value) in of_nobody {
        let tags = &value["tags"];
        for tag in &TAGS[..12] {
            let expected = match *tag {
                "StudyInstanceUID" => continue,
                "IssuerOfPatientID" | "StudyDescription" => Value::Null,
                _ => json!(""),
            };
            assert_eq!(tags[tag], expected, "{kind} {tag}");
        }
    }
    for (kind, value) in read(&hostile()).unwrap() {
        let tags = &value["tags"];
        assert_eq!(tags["PatientName"], "Do|e^Ja~ne/& OBX|9|^^[2J", "{kind}");
        assert_eq!(tags["PatientID"], "P|^~/& PID|2");
        assert_eq!(tags["AccessionNumber"], "A/B|C-0123456789");
        for tag in ["PatientBirthDate", "PatientSex", "StudyDate"] {
            assert_eq!(tags[tag], "", "{tag}");
        }
    }
}

#[test]
fn documents_name_their_images_and_their_predecessors() {
    let report = full();
    let Some(of_first) = read(&report) else { return };
    let series = "1.2.826.0.1.3680043.8.498.5";
    let of_series = |number: u8, images: &[u8]| {
        let images = images.iter().map(|image| format!("{series}.1.{image}"));
        json!([format!("{series}.{number}"), images.collect::<Vec<_>>()])
    };
    let evidence = json!([of_series(1, &[7, 8]), of_series(2, &[9])]);
    for (kind, value) in &of_first {
        assert_eq!(value["predecessors"], json!([]));
        match *kind {
            "sc" => assert_eq!(value["pixels"]["source"], json!([format!("{series}.1.7")])),
            _ => assert_eq!(value["evidence"], evidence, "{kind}"),
        }
    }
    let selection = &of_first[2].1["tree"];
    let shown = [(7, None), (8, None), (9, Some(4))];
    let shown = shown.map(|(image, frame)| json!([format!("{series}.1.{image}"), frame]));
    assert_eq!(selection["shown"], json!(shown));
    assert_eq!((&selection["title"], &selection["template"]), (&json!("113000"), &json!("2010")));
    assert_eq!(selection["words"], json!([report_sentence(&report)]));
    assert_eq!(of_first[0].1["tree"]["schemes"], json!(["99HEMORA"]));

    let later = not_sure();
    let of_second = read(&later).unwrap();
    let study = &later.identity.study_instance_uid;
    let first = report_uid(&later.node.uid, study, 1, Kind::StructuredReport);
    assert_eq!(of_first[0].1["instance"], json!(first));
    let series = &of_first[0].1["series"];
    assert_eq!(of_second[0].1["predecessors"], json!([[series, [first]]]));
    assert_eq!(of_second[0].1["evidence"], json!([]));
    assert_eq!(&of_second[0].1["series"], series, "one series holds all revisions");
}

#[test]
fn the_capture_is_a_derived_picture_with_words_in_it() {
    let Some(read) = read(&full()) else { return };
    let (_, value) = &read[1];
    assert_eq!(value["pixels"]["shape"], json!([3, 5, 3]));
    assert_eq!(value["pixels"]["mean"], 200.0);
    assert_eq!(value["pixels"]["type"], json!(["DERIVED", "SECONDARY"]));
    let derivation = value["pixels"]["derivation"].as_str().unwrap();
    assert!(derivation.contains("model lite 3"), "{derivation}");
    assert_eq!(value["tags"]["BodyPartExamined"], "HEAD");
    assert_eq!(value["tags"]["BurnedInAnnotation"], "YES");
}
