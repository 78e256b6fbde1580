//! That dicom3tools finds nothing wrong, and that UIDs and bytes are always the same.

use std::process::Command;

use hemora_interop::{
    InteropError, Picture, key_objects, secondary_capture, structured_report, webhook_body,
};

use crate::support::{all, full, not_sure, objects, write};

/// What the validator says of things that are right: it knows no private coding scheme, ours being one for
/// what has no verified code, and it misses what the images do not tell in a folder index that there is not.
fn is_explained(line: &str) -> bool {
    line.contains(
        "Unrecognized defined term <99HEMORA> for value 1 of attribute <Coding Scheme Designator>",
    ) || line.contains("needed to build DICOMDIR")
}

#[test]
fn dicom3tools_finds_neither_errors_nor_warnings() {
    let install = "apt-get install dicom3tools";
    let Some(validator) = hemora_testing::program("dciodvfy", install) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut without_uids = full();
    without_uids.identity.study_instance_uid = "ID_286f17f9e7".into();
    without_uids.identity.frame_of_reference_uid = "ID_5".into();
    for (index, image) in without_uids.key_images.iter_mut().enumerate() {
        image.sop_instance_uid = format!("ID_e47669ce{index}");
        image.series_instance_uid = "ID_7e2939f5a2".into();
    }
    for (name, mut report) in all().into_iter().chain([("without UIDs", without_uids)]) {
        // A procedure of the site is in a scheme that the validator does not know.
        report.identity.procedure_code = None;
        for (kind, object) in objects(&report) {
            let path = write(folder.path(), &format!("{name}-{kind}"), &object);
            let output = Command::new(&validator).arg(&path).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // It also says what kind of object it took the file for.
            let expected = match kind {
                "sr" => "Comprehensive3DSR",
                "sc" => "SCImage",
                _ => "KeyObjectSelectionDocument",
            };
            let lines = said.lines().filter(|line| !line.trim().is_empty() && !is_explained(line));
            assert_eq!(lines.collect::<Vec<_>>(), [expected], "{name} {kind}");
            if name == "full" && kind != "sr" {
                assert_eq!(said.lines().count(), 1, "{said}");
            }
        }
    }
}

#[test]
fn the_same_report_gives_the_same_bytes_and_uids() {
    for (name, report) in all() {
        assert_eq!(objects(&report), objects(&report.clone()), "{name}");
    }
    let uids = |report| -> Vec<String> {
        objects(&report).into_iter().map(|(_, object)| object.sop_instance_uid).collect()
    };
    let mut later = full();
    later.revision = 2;
    let mut elsewhere = full();
    elsewhere.node.uid = "2.25.7".into();
    let all: Vec<String> = [full(), later, elsewhere].into_iter().flat_map(uids).collect();
    assert!((1..all.len()).all(|at| !all[..at].contains(&all[at])), "{all:?}");
}

#[test]
fn identifiers_of_the_competition_become_uids_in_objects_and_stay_in_texts() {
    let mut report = full();
    report.identity.study_instance_uid = "ID_b81a287f".into();
    report.key_images[0].z_mm = Some(f64::NAN);
    for (kind, object) in objects(&report) {
        let bytes = object.bytes;
        assert!(!bytes.windows(3).any(|window| window == b"ID_"), "{kind}");
        assert!(!bytes.windows(3).any(|window| window == b"NaN"), "{kind}");
    }
    assert!(String::from_utf8(webhook_body(&report, true)).unwrap().contains("ID_b81a287f"));
}

#[test]
fn what_has_no_form_is_refused() {
    assert!(matches!(key_objects(&not_sure()), Err(InteropError::NoKeyImages)));
    let mut report = full();
    report.revision = 0;
    assert!(matches!(structured_report(&report), Err(InteropError::Revision)));
    for predecessor in [0, 2, 3] {
        let mut report = full();
        (report.revision, report.predecessor) = (2, Some(predecessor));
        assert!(matches!(structured_report(&report), Err(InteropError::Predecessor)));
    }
    for uid in ["", "1.2\\1.3", "1.2.ä", &"1".repeat(65)] {
        let mut report = full();
        report.identity.study_instance_uid = uid.into();
        assert!(matches!(structured_report(&report), Err(InteropError::Uid { .. })), "{uid}");
        let mut report = full();
        report.key_images[1].sop_instance_uid = uid.into();
        assert!(matches!(key_objects(&report), Err(InteropError::Uid { .. })), "{uid}");
    }
    for value in [f64::NAN, -0.1, 1.1] {
        let mut report = full();
        report.findings[1].probability = value;
        let error = structured_report(&report).unwrap_err();
        assert!(matches!(error, InteropError::Probability { .. }), "{error}");
    }
    let mut report = full();
    report.findings.swap(0, 1);
    assert!(matches!(structured_report(&report), Err(InteropError::Findings { .. })));
    for (rows, columns) in [(0, 5), (3, 4), (65536, 1), (usize::MAX, usize::MAX)] {
        let picture = Picture { rows, columns, rgb: &[0; 45] };
        let error = secondary_capture(&full(), &picture).unwrap_err();
        assert!(matches!(error, InteropError::Picture { .. }), "{error}");
    }
}
