//! Reports to write, and files for the programs that read them.

use std::path::{Path, PathBuf};

use chrono::{DateTime, FixedOffset, Utc};
use hemora_ct::{Label, Probabilities};
use hemora_interop::{
    Class, Finding, KeyImage, Node, Object, Picture, Report, Thresholds, Verdict, key_objects,
    secondary_capture, structured_report,
};
use hemora_io::Identity;
use hemora_model::ModelRef;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const ENHANCED_CT: &str = "1.2.840.10008.5.1.4.1.1.2.1";

/// A positive report of a study whose images say all that they can.
pub fn full() -> Report {
    let identity = Identity {
        sop_class_uid: CT.into(),
        sop_instance_uid: "1.2.826.0.1.3680043.8.498.5.1.1".into(),
        series_instance_uid: "1.2.826.0.1.3680043.8.498.5.1".into(),
        study_instance_uid: "1.2.826.0.1.3680043.8.498.5".into(),
        patient_id: "P-4711".into(),
        issuer_of_patient_id: "GENERAL".into(),
        patient_name: "Doe^Jane^Mary^Dr.^MSc".into(),
        patient_birth_date: "19500203".into(),
        patient_sex: "F".into(),
        accession_number: "A-2026-1".into(),
        study_id: "77".into(),
        study_date: "20261127".into(),
        study_time: "101500.5".into(),
        study_description: "CT head without contrast".into(),
        referring_physician: "House^Gregory".into(),
        procedure_code: Some(["CTHEAD", "L", "CT of the head"].map(str::to_owned)),
        modality: "CT".into(),
        ..Identity::default()
    };
    Report { identity, ..anonymous() }
}

/// The same with a name in three scripts, of which one is not in Latin letters.
pub fn not_latin() -> Report {
    let mut report = full();
    report.identity.patient_name = "Wang^XiaoDong=王^小東=Ωμέγα^Ж".into();
    report.identity.patient_id = "ПАЦИЕНТ-Ü".into();
    report.identity.study_description = "Schädel-CT 頭部".into();
    report
}

/// The same with texts that would break every format.
pub fn hostile() -> Report {
    let mut report = full();
    let identity = &mut report.identity;
    identity.patient_name = "Do|e^Ja~ne\\&\r\nOBX|9|^^\u{1b}[2J".into();
    identity.patient_id = "P|^~\\&\rPID|2".into();
    identity.issuer_of_patient_id = "x".repeat(300);
    identity.accession_number = "A\\B|C-0123456789-0123456789".into();
    identity.patient_birth_date = "yesterday".into();
    identity.patient_sex = "female".into();
    identity.study_date = "20260231".into();
    identity.procedure_code = Some(["".to_owned(), "L".to_owned(), "?".to_owned()]);
    report.warnings = vec!["a|b\rMSH|^~\\&|\u{202e}".into(), "\u{7}".into(), "ß".repeat(3000)];
    report.model.name = "<b>&\"model\"|^".into();
    report
}

/// The same of a study whose images name nobody.
pub fn anonymous() -> Report {
    let probability = [
        (Label::Any, 0.9732, Verdict::Present),
        (Label::Epidural, 0.004, Verdict::Absent),
        (Label::Intraparenchymal, 0.05, Verdict::Absent),
        (Label::Intraventricular, 0.31, Verdict::NotSure),
        (Label::Subarachnoid, 0.12, Verdict::Absent),
        (Label::Subdural, 0.84, Verdict::Present),
    ];
    let findings = probability.map(|(label, probability, presence)| Finding {
        label,
        probability,
        presence,
        thresholds: (label != Label::Epidural)
            .then_some(Thresholds { absent_below: 0.25, present_from: 0.6 }),
        reasons: match presence {
            Verdict::NotSure => vec!["the slices are 10 mm apart".into()],
            _ => vec![],
        },
    });
    let slice = |number: u32, frame, class: &str| KeyImage {
        sop_class_uid: class.into(),
        sop_instance_uid: format!("1.2.826.0.1.3680043.8.498.5.1.{number}"),
        series_instance_uid: "1.2.826.0.1.3680043.8.498.5.1".into(),
        frame,
        z_mm: Some(f64::from(number) * 5.0 - 20.0),
        probabilities: Probabilities { any: 0.97, subdural: 0.9, ..Probabilities::default() },
        flagged: vec![Label::Subdural, Label::Any],
    };
    let mut not_flagged = slice(9, Some(4), ENHANCED_CT);
    not_flagged.series_instance_uid = "1.2.826.0.1.3680043.8.498.5.2".into();
    not_flagged.flagged = vec![];
    Report {
        identity: Identity {
            study_instance_uid: "1.2.826.0.1.3680043.8.498.5".into(),
            ..Identity::default()
        },
        node: Node {
            name: "Hemora in the basement".into(),
            ae_title: "HEMORA".into(),
            uid: "2.25.1234567890".into(),
            version: "0.1.0".into(),
            utc_offset: FixedOffset::east_opt(3600).unwrap(),
        },
        model: ModelRef {
            name: "lite".into(),
            version: "3".into(),
            sha256: "0123456789abcdef".repeat(4),
            series_sha256: vec![],
            member_sha256: vec![],
        },
        engine: "tract".into(),
        operating_point: "sensitivity=0.95".into(),
        findings: findings.to_vec(),
        key_images: vec![slice(7, None, CT), slice(8, None, CT), not_flagged],
        class: Class::Positive,
        revision: 1,
        predecessor: None,
        may_be_incomplete: false,
        warnings: vec!["the gantry is tilted by 12°".into()],
        made_at: "2026-11-27T23:30:05Z".parse::<DateTime<Utc>>().unwrap(),
        link: Some("http://127.0.0.1:8050/study/1.2.3?a=1&b=2".into()),
    }
}

/// A second revision that is not sure, with images missing and none to look at.
pub fn not_sure() -> Report {
    let mut report = full();
    report.class = Class::NotSure;
    report.revision = 2;
    report.predecessor = Some(1);
    report.may_be_incomplete = true;
    report.findings[0].presence = Verdict::NotSure;
    report.findings[0].probability = 0.43;
    report.findings[0].reasons = vec!["half of the head is missing".into()];
    report.key_images.clear();
    report
}

/// All of them, by name.
pub fn all() -> [(&'static str, Report); 5] {
    [
        ("full", full()),
        ("not_latin", not_latin()),
        ("hostile", hostile()),
        ("anonymous", anonymous()),
        ("not_sure", not_sure()),
    ]
}

/// Bytes of a picture of 3 × 5 pixels: an odd number.
pub const RGB: [u8; 45] = [200; 45];

/// The objects of a report by their kind; no key objects where it has no key images.
pub fn objects(report: &Report) -> Vec<(&'static str, Object)> {
    let picture = Picture { rows: 3, columns: 5, rgb: &RGB };
    let mut objects = vec![
        ("sr", structured_report(report).unwrap()),
        ("sc", secondary_capture(report, &picture).unwrap()),
    ];
    if !report.key_images.is_empty() {
        objects.push(("ko", key_objects(report).unwrap()));
    }
    objects
}

/// Writes an object into `folder`.
pub fn write(folder: &Path, name: &str, object: &Object) -> PathBuf {
    let path = folder.join(format!("{name}.dcm"));
    std::fs::write(&path, &object.bytes).unwrap();
    path
}
