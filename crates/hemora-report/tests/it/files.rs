//! The files that are made of a triage.

use crate::support::{result, slice, study};
use hemora_ct::{Label, Plane, Probabilities};
use hemora_model::{KeySlice, LabelMap, MapKind, StudyResult, Timings, TriageOutput};
use hemora_report::{Report, SlicePicture, WRITERS, worklist_text, write_all};

fn output() -> TriageOutput {
    let plane = Plane { rows: 2, columns: 2, values: vec![0.0, 1.0, 0.2, 0.1] };
    let key = KeySlice {
        study_instance_uid: "1.2.3".into(),
        patient_id: study("1.2.3", 0.8, 3).patient_id,
        series_instance_uid: "1.2.3.1".into(),
        sop_instance_uid: "1.2.3.1.2".into(),
        index: 2,
        z_mm: None,
        probabilities: Probabilities::default(),
        leading_subtype: Label::Subdural,
        slice: slice(40, 40),
        any_map: Some(LabelMap { label: Label::Any, kind: MapKind::Probability, plane }),
        subtype_map: None,
    };
    let result = result(vec![study("1.2.3", 0.8, 3)]);
    TriageOutput { result, key_slices: vec![key], timings: Timings::default() }
}

#[test]
fn pictures_stand_with_their_patient_where_two_share_all_uids() {
    let other = StudyResult { patient_id: "P-2".into(), ..study("1.2.3", 0.5, 3) };
    let result = result(vec![study("1.2.3", 0.8, 3), other]);
    let key = KeySlice { patient_id: "P-2".into(), ..output().key_slices.remove(0) };
    let pictures = [SlicePicture::from_key_slice(&key).unwrap()];
    let report = Report::new(&result, &pictures).unwrap();
    let has_pictures =
        |study: usize| report.study(study, true).unwrap().into_string().contains("data:image/png");
    assert!(!has_pictures(0) && has_pictures(1));
}

#[test]
fn every_writer_leaves_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let output = output();
    write_all(&output, folder.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), WRITERS.len());
    assert_eq!(read("result.json"), serde_json::to_string_pretty(&output.result).unwrap());
    assert_eq!(read("result.csv"), hemora_report::result_csv(&output.result));
    let page = read("report.html");
    // Three windows and one map.
    assert_eq!(page.matches("data:image/png;base64,").count(), 4);
}

#[test]
fn files_of_two_runs_never_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let run = |uid: &str| {
        let output = TriageOutput {
            result: result(vec![study(uid, 0.8, 3)]),
            key_slices: vec![],
            timings: Timings::default(),
        };
        for _ in 0..30 {
            write_all(&output, folder.path()).unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| run("1.7.7.7"));
        scope.spawn(|| run("1.8.8.8"));
    });
    let of_first: Vec<bool> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap().contains("1.7.7.7"))
        .collect();
    assert_eq!(of_first.len(), WRITERS.len(), "no temporary file is left");
    assert!(of_first.iter().all(|&it| it == of_first[0]), "{of_first:?}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = write_all(&output(), &folder.path().join("none")).unwrap_err();
    assert!(error.to_string().contains("result.json"), "{error}");
}

#[test]
fn the_worklist_shows_no_control_characters() {
    let mut output = output();
    output.result.studies[0].study_instance_uid = "1.2\u{1b}[2J".into();
    let text = worklist_text(&output.result);
    assert!(
        text.contains("   1  0.800  subdural         0.640        3  1.2\u{fffd}[2J"),
        "{text}"
    );
}
