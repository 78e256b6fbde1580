//! What is written reads back through `hemora-io` as it was made.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_ct::Label;
use hemora_io::{PixelStorage, collect, read_slice};
use hemora_synth::{
    Bleeds, HeadPhantom, PhantomOptions, StudyIds, SynthError, write_dataset, write_study,
};

fn small() -> PhantomOptions {
    let wide = PhantomOptions { slice_spacing: 12.0, ..PhantomOptions::default() };
    wide.with_size(48)
}

#[test]
fn a_study_reads_back_in_order_with_the_same_hounsfield_units() {
    let bleeds = Bleeds::These(vec![Label::Subdural]);
    let phantom = HeadPhantom::new(3, PhantomOptions { bleeds, tilt_degrees: 14.0, ..small() });
    let study = phantom.unwrap().render();
    let ids = StudyIds::from_seed(study.seed, study.slices.len());
    for storage in [
        PixelStorage::Unsigned12 { intercept: -1024 },
        PixelStorage::Signed16 { intercept: -1024 },
        PixelStorage::Signed16 { intercept: 0 },
    ] {
        let dir = tempfile::tempdir().unwrap();
        let paths = write_study(dir.path(), &study, &ids, storage).unwrap();
        assert_eq!(paths.len(), study.slices.len());

        let found = collect(&[dir.path().to_owned()], &|_, _| {});
        assert!(found.skipped.is_empty(), "{:?}", found.skipped);
        assert_eq!(found.studies.len(), 1);
        assert_eq!(found.studies[0].id(), ids.study_instance_uid);
        assert_eq!(found.studies[0].patient_id, ids.patient_id);
        let series = &found.studies[0].series[0];
        assert_eq!(series.id(), ids.series_instance_uid);
        let order: Vec<&str> =
            series.slices.iter().filter_map(|s| s.sop_instance_uid.as_deref()).collect();
        assert_eq!(order, ids.sop_instance_uids);
        for (header, made) in series.slices.iter().zip(&study.slices) {
            let (_, read) = read_slice(&header.source).unwrap();
            assert_eq!(read.hu(), made.slice.hu());
            let (read, made) = (read.plane.unwrap(), made.slice.plane.unwrap());
            assert!((read.tilt_degrees() - made.tilt_degrees()).abs() < 1e-3);
            for axis in 0..3 {
                assert!((read.position[axis] - made.position[axis]).abs() < 1e-3);
            }
        }
    }
}

#[test]
fn identifiers_must_fit_the_study() {
    let study = HeadPhantom::new(1, small()).unwrap().render();
    let dir = tempfile::tempdir().unwrap();
    let ids = StudyIds::from_seed(1, 2);
    let storage = PixelStorage::Signed16 { intercept: -1024 };
    let refused = write_study(dir.path(), &study, &ids, storage);
    assert!(matches!(refused, Err(SynthError::Ids { found: 2, .. })));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_data_set_has_the_competitions_layout_and_repeats() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let calls = AtomicUsize::new(0);
    let count = |done: usize, total: usize| {
        assert!(done <= total);
        calls.fetch_add(1, Ordering::Relaxed);
    };
    let summary = write_dataset(first.path(), 11, 12, &small(), &count).unwrap();
    assert_eq!(calls.into_inner(), 12);
    assert_eq!(write_dataset(second.path(), 11, 12, &small(), &|_, _| {}).unwrap(), summary);
    assert_eq!(summary.patients, 12);
    assert!(summary.positive_slices.iter().all(|&slices| slices > 0), "{summary:?}");
    assert!((4..=6).contains(&summary.positive_patients), "{summary:?}");

    let table = fs::read_to_string(first.path().join("stage_2_train.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("ID,Label"));
    let rows: Vec<&str> = lines.collect();
    assert_eq!(rows.len(), 6 * summary.slices);
    let mut positive = [0usize; 6];
    let mut labels = BTreeMap::new();
    for slice in rows.chunks(6) {
        let (id, _) = slice[0].rsplit_once('_').unwrap();
        let bits: Vec<bool> = slice
            .iter()
            .zip(Label::ALL)
            .map(|(row, label)| {
                let value = row.strip_prefix(&format!("{id}_{label},")).unwrap();
                positive[label.index()] += usize::from(value == "1");
                value == "1"
            })
            .collect();
        assert_eq!(bits[5], bits[..5].contains(&true), "{id}");
        labels.insert(id.to_owned(), bits);
    }
    assert_eq!(positive, summary.positive_slices);

    let images = first.path().join("stage_2_train");
    let found = collect(std::slice::from_ref(&images), &|_, _| {});
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    assert_eq!(found.studies.len(), 12);
    let (mut tilted, mut signed, mut read) = (0, 0, 0);
    for study in &found.studies {
        assert!(study.id().starts_with("ID_") && study.patient_id.starts_with("ID_"));
        let slices = &study.series[0].slices;
        tilted += usize::from(slices[0].plane.unwrap().tilt_degrees() > 1.0);
        signed += usize::from(slices[0].stored.signed);
        read += slices.len();
        for header in slices {
            assert!(labels.contains_key(&*header.image_id()));
            assert_eq!(header.image_id().len(), "ID_".len() + 9);
            assert!(images.join(format!("{}.dcm", header.image_id())).is_file());
        }
    }
    assert_eq!(read, summary.slices);
    assert!((1..12).contains(&tilted) && (1..12).contains(&signed), "{tilted} {signed}");
    for entry in fs::read_dir(&images).unwrap() {
        let name = entry.unwrap().file_name();
        let other = second.path().join("stage_2_train").join(&name);
        assert_eq!(fs::read(images.join(&name)).unwrap(), fs::read(other).unwrap(), "{name:?}");
    }
}

#[test]
fn nothing_is_overwritten_and_a_broken_run_is_done_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("stage_2_train.partial")).unwrap();
    fs::write(dir.path().join("stage_2_train.partial/ID_0.dcm"), "half a file").unwrap();
    write_dataset(dir.path(), 1, 1, &small(), &|_, _| {}).unwrap();
    assert!(!dir.path().join("stage_2_train/ID_0.dcm").exists());
    assert!(!dir.path().join("stage_2_train.partial").exists());
    let before = fs::read(dir.path().join("stage_2_train.csv")).unwrap();
    let again = write_dataset(dir.path(), 2, 1, &small(), &|_, _| {});
    assert!(matches!(again, Err(SynthError::Exists(_))));
    assert_eq!(fs::read(dir.path().join("stage_2_train.csv")).unwrap(), before);
    let none = write_dataset(dir.path(), 2, 0, &small(), &|_, _| {});
    assert!(none.unwrap_err().to_string().contains("number of patients is 0"));
}
