//! Files to studies and ordered series.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use hemora_ct::{ImagePlane, Slice};
use hemora_io::{
    Collection, NewSlice, PixelStorage, ReadError, Series, SeriesWarning, SliceOrder, collect,
    write_slice,
};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::raw::{ROWS, Raw, write_file};
use crate::shared;

pub fn collect_one(folder: &Path) -> Collection {
    collect(&[folder.to_owned()], &|_, _| ())
}

pub fn only_series(found: &Collection) -> &Series {
    assert_eq!(found.studies.len(), 1);
    assert_eq!(found.studies[0].series.len(), 1, "{:?}", found.studies[0].series);
    &found.studies[0].series[0]
}

fn axial(tilt: f64) -> [f64; 6] {
    [1.0, 0.0, 0.0, 0.0, tilt.cos(), -tilt.sin()]
}

/// Writes a slice whose only pixel is its number in the true order.
fn write(folder: &Path, file: &str, number: usize, instance: i32, plane: ImagePlane) {
    let slice = Slice::new(1, 1, vec![number as f32], Some(plane)).unwrap();
    let new = NewSlice {
        sop_instance_uid: &format!("ID_{number}"),
        series_instance_uid: "ID_series",
        study_instance_uid: "ID_study",
        patient_id: "ID_patient",
        series_description: "",
        instance_number: instance,
        storage: PixelStorage::Signed16 { intercept: 0 },
        slice: &slice,
    };
    write_slice(&folder.join(file), &new).unwrap();
}

fn numbers(series: &Series) -> Vec<usize> {
    series.slices.iter().map(|slice| slice.image_id()[3..].parse().unwrap()).collect()
}

#[test]
fn slices_stand_from_feet_to_head_whatever_the_names_numbers_and_tilt() {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    for round in 0..25 {
        let folder = tempfile::tempdir().unwrap();
        let count = random.random_range(3..12);
        let tilt: f64 = random.random_range(-0.5..0.5);
        let spacing = random.random_range(0.5..6.0);
        let mut names: Vec<usize> = (0..count).collect();
        names.shuffle(&mut random);
        // Seen from the feet or from the head: the normal then points down.
        let flipped = random.random_bool(0.5);
        let mut orientation = axial(tilt);
        if flipped {
            orientation[..3].copy_from_slice(&[-1.0, 0.0, 0.0]);
        }
        for (number, name) in names.iter().enumerate() {
            let position = [-100.0, 20.0, -40.0 + number as f64 * spacing];
            let plane = ImagePlane::new(position, orientation, Some([0.5, 0.5])).unwrap();
            let instance = random.random_range(0..100);
            write(folder.path(), &format!("{name}.dcm"), number, instance, plane);
        }
        let found = collect_one(folder.path());
        let series = only_series(&found);
        assert_eq!(numbers(series), (0..count).collect::<Vec<_>>(), "round {round}");
        let degrees = tilt.abs().to_degrees();
        let warned = series.warnings.iter().find_map(|warning| match warning {
            SeriesWarning::GantryTilt(angle) => Some(*angle),
            _ => None,
        });
        match warned {
            Some(angle) => assert!(degrees > 0.999 && (angle - degrees).abs() < 0.01),
            None => assert!(degrees < 1.001),
        }
        let others = series.warnings.len() - usize::from(warned.is_some());
        assert_eq!(others, 0, "{:?}", series.warnings);
        assert!(found.skipped.is_empty());
    }
}

fn at(z: f64) -> ImagePlane {
    ImagePlane::new([0.0, 0.0, z], axial(0.0), Some([0.5, 0.5])).unwrap()
}

#[test]
fn gaps_and_slices_at_one_place_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    for (number, z) in [0.0, 5.0, 10.0, 10.0, 15.0, 30.0, 35.0, 47.0].into_iter().enumerate() {
        write(folder.path(), &format!("{number}"), number, number as i32, at(z));
    }
    let found = collect_one(folder.path());
    let series = only_series(&found);
    assert_eq!(
        series.warnings,
        [
            SeriesWarning::SamePosition(1),
            SeriesWarning::Gaps { count: 2, largest: 15.0, median: 5.0, missing: 3 }
        ]
    );
    assert_eq!(numbers(series), [0, 1, 2, 3, 4, 5, 6, 7]);

    // Of an even number of distances the median is the mean of the two in the middle, here as in
    // the result's slice spacing.
    let folder = tempfile::tempdir().unwrap();
    for (number, z) in [0.0, 4.0, 8.0, 14.0, 24.0].into_iter().enumerate() {
        write(folder.path(), &format!("{number}"), number, number as i32, at(z));
    }
    let found = collect_one(folder.path());
    let warnings = &only_series(&found).warnings;
    assert_eq!(
        warnings[..],
        [
            SeriesWarning::Gaps { count: 1, largest: 10.0, median: 5.0, missing: 1 },
            SeriesWarning::UnevenSpacing { smallest: 4.0, largest: 6.0 }
        ]
    );
}

#[test]
fn the_same_file_twice_is_used_once() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.dcm", 1, 1, at(0.0));
    write(folder.path(), "b.dcm", 2, 2, at(5.0));
    fs::create_dir(folder.path().join("copy")).unwrap();
    fs::copy(folder.path().join("a.dcm"), folder.path().join("copy/a.dcm")).unwrap();
    // Another image under the same UID is no copy.
    write(folder.path(), "c.dcm", 2, 3, at(10.0));
    let twice = [folder.path().to_owned(), folder.path().join("a.dcm")];
    let found = collect(&twice, &|_, _| ());
    let series = only_series(&found);
    assert_eq!(numbers(series), [1, 2, 2]);
    assert_eq!(series.warnings, [SeriesWarning::SharedUid(1)]);
    assert_eq!(found.skipped.len(), 1);
    assert!(
        matches!(&found.skipped[0].reason, ReadError::Duplicate { of } if of.to_string().ends_with("a.dcm"))
    );
    assert!(found.skipped[0].source.to_string().contains("copy"));
    assert!(!found.skipped[0].reason.is_failure());
}

#[test]
fn a_localizer_and_another_size_become_parts_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..4 {
        write(folder.path(), &format!("{number}"), number, 1, at(number as f64 * 5.0));
    }
    let sagittal = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];
    let plane = ImagePlane::new([0.0; 3], sagittal, Some([0.5, 0.5])).unwrap();
    write(folder.path(), "localizer", 4, 1, plane);
    let other = Raw::image()
        .text(0x0020_000D, b"UI", "ID_study")
        .text(0x0020_000E, b"UI", "ID_series")
        .text(0x0010_0020, b"LO", "ID_patient");
    write_file(folder.path(), "z", &other.file());
    let found = collect_one(folder.path());
    assert_eq!(found.studies.len(), 1);
    let series = &found.studies[0].series;
    let sizes: Vec<usize> = series.iter().map(|part| part.slices.len()).collect();
    assert_eq!(sizes, [4, 1, 1]);
    for (index, part) in series.iter().enumerate() {
        assert_eq!(part.uid.as_deref(), Some("ID_series"));
        assert_eq!(part.warnings[0], SeriesWarning::Split { part: index + 1, parts: 3 });
    }
    assert!(series[1].warnings.contains(&SeriesWarning::NotAxial(90.0)));
}

#[test]
fn files_without_position_or_identity_are_still_used() {
    let folder = tempfile::tempdir().unwrap();
    let image = |uid: &str| Raw::image().text(0x0008_0018, b"UI", uid).without(0x0020_0032);
    write_file(folder.path(), "a", &image("ID_a").text(0x0020_0013, b"IS", "10").file());
    write_file(folder.path(), "b", &image("ID_b").text(0x0020_0013, b"IS", "9").file());
    write_file(folder.path(), "c", &Raw::image().text(0x0020_0032, b"DS", "nan\\0\\0").file());
    write_file(folder.path(), "d", &Raw::image().text(0x0008_0018, b"UI", "ID_d").file());
    let found = collect_one(folder.path());
    let series = only_series(&found);
    let order: Vec<&str> =
        series.slices.iter().filter_map(|slice| slice.sop_instance_uid.as_deref()).collect();
    assert_eq!(order, ["ID_d", "ID_b", "ID_a", "ID_000012eaf"]);
    let order = SliceOrder::FileName;
    assert!(series.warnings.contains(&SeriesWarning::NoPosition { count: 3, order }));
    let bad =
        |warning: &SeriesWarning| matches!(warning, SeriesWarning::BadGeometry { count: 1, .. });
    assert!(series.warnings.iter().any(bad));

    let folder = tempfile::tempdir().unwrap();
    let nameless = Raw::image().without(0x0008_0018).without(0x0020_000D).without(0x0020_000E);
    write_file(folder.path(), "a", &nameless.clone().without(0x0028_0030).file());
    write_file(folder.path(), "b", &nameless.file());
    let found = collect_one(folder.path());
    let series = only_series(&found);
    let study = &found.studies[0];
    assert_eq!((&series.uid, &study.uid), (&None, &None));
    // Results get identifiers that are derived: images have the names of their files.
    assert_eq!(series.slices.iter().map(|slice| slice.image_id()).collect::<Vec<_>>(), ["a", "b"]);
    let ids = [study.id(), series.id()];
    assert!(ids.iter().all(|id| id.starts_with("2.25.") && id.len() <= 64) && ids[0] != ids[1]);
    assert_eq!(collect_one(folder.path()).studies[0].id(), ids[0], "always the same");
    assert_eq!(series.slices.len(), 2);
    for attribute in ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"] {
        assert!(series.warnings.contains(&SeriesWarning::NoUid { attribute, count: 2 }));
    }
    assert!(series.warnings.contains(&SeriesWarning::NoSpacing(1)));
}

/// Every scanner calls its first file IM0001.
#[test]
fn files_of_the_same_names_are_other_studies_of_other_patients_and_other_series_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let nameless = Raw::image().without(0x0008_0018).without(0x0020_000D).without(0x0020_000E);
    for (place, patient) in [("a/x", "A"), ("a/y", "A"), ("b", "B")] {
        let image = nameless.clone().text(0x0010_0020, b"LO", patient);
        write_file(folder.path(), &format!("{place}/IM0001"), &image.file());
    }
    let places = ["a/x", "a/y", "b"].map(|place| folder.path().join(place));
    let ids = places.map(|place| {
        let found = collect_one(&place);
        (found.studies[0].id().into_owned(), only_series(&found).id().into_owned())
    });
    let distinct = |ids: [&String; 3]| ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2];
    assert!(distinct(ids.each_ref().map(|id| &id.0)), "{ids:?}");
    assert!(distinct(ids.each_ref().map(|id| &id.1)), "{ids:?}");
    // What has UIDs of its images is known by them wherever it lies.
    let named = ["c", "d"].map(|place| {
        let image = Raw::image().without(0x0020_000D).without(0x0020_000E);
        write_file(folder.path(), &format!("{place}/IM0001"), &image.file());
        only_series(&collect_one(&folder.path().join(place))).id().into_owned()
    });
    assert_eq!(named[0], named[1]);
}

#[test]
fn a_file_of_another_size_by_now_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = write_file(folder.path(), "a", &Raw::image().file());
    let found = collect_one(folder.path());
    let series = only_series(&found);
    assert!(series.read_slice(0).is_ok());
    let smaller = Raw::image().words(ROWS, &[2]).pixels(&[0; 8]);
    fs::write(path, smaller.file()).unwrap();
    let error = series.read_slice(0).unwrap_err().to_string();
    assert!(error.contains("has changed"), "{error}");
}

#[test]
fn everything_that_is_not_used_is_named_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    write_file(folder.path(), "in/good", &Raw::image().file());
    write_file(folder.path(), "in/broken.dcm", &Raw::image().words(ROWS, &[400]).file());
    write_file(folder.path(), "in/notes.txt", b"not an image");
    write_file(folder.path(), "in/text.dcm", b"not an image");
    write_file(folder.path(), "in/.DS_Store", b"clutter");
    write_file(folder.path(), "in/.hidden/image.dcm", b"clutter");
    write_file(folder.path(), "named", b"the user says that this is an image");
    fs::create_dir_all(folder.path().join("empty/inside")).unwrap();
    let paths = ["in", "in", "empty", "missing", "named"].map(|name| folder.path().join(name));
    let calls = Mutex::new(Vec::new());
    let found = collect(&paths, &|done, total| calls.lock().unwrap().push((done, total)));
    assert_eq!(only_series(&found).slices.len(), 1);
    let skipped: Vec<(PathBuf, &ReadError)> = found
        .skipped
        .iter()
        .map(|skipped| (PathBuf::from(skipped.source.to_string()), &skipped.reason))
        .collect();
    let names: Vec<String> = skipped
        .iter()
        .map(|(path, _)| path.strip_prefix(folder.path()).unwrap().display().to_string())
        .collect();
    assert_eq!(
        names,
        ["empty", "in/broken.dcm", "in/notes.txt", "in/text.dcm", "missing", "named"]
    );
    let failures: Vec<bool> = skipped.iter().map(|(_, reason)| reason.is_failure()).collect();
    assert_eq!(failures, [true, true, false, true, true, true]);
    assert!(matches!(skipped[0].1, ReadError::Empty));
    assert!(matches!(skipped[1].1, ReadError::PixelsCutOff { .. }));
    assert!(matches!(skipped[4].1, ReadError::Missing));
    let mut calls = calls.into_inner().unwrap();
    calls.sort_unstable();
    assert_eq!(calls, (1..=5).map(|done| (done, 5)).collect::<Vec<_>>());
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end() {
    let folder = tempfile::tempdir().unwrap();
    write_file(folder.path(), "a/b/image", &Raw::image().file());
    std::os::unix::fs::symlink(folder.path(), folder.path().join("a/b/again")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("none"), folder.path().join("a/dead.dcm"))
        .unwrap();
    let found = collect_one(folder.path());
    assert_eq!(only_series(&found).slices.len(), 1);
    assert_eq!(found.skipped.len(), 1);
    assert!(matches!(found.skipped[0].reason, ReadError::Io(_)));
}

#[test]
fn the_result_does_not_depend_on_the_order_of_paths() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..6 {
        write(folder.path(), &format!("{number}"), number, 1, at(number as f64 / 2.0));
    }
    let mut paths: Vec<PathBuf> =
        (0..6).map(|number| folder.path().join(number.to_string())).collect();
    let describe = |found: &Collection| format!("{found:?}");
    let truth = describe(&collect(&paths, &|_, _| ()));
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..5 {
        paths.shuffle(&mut random);
        assert_eq!(describe(&collect(&paths, &|_, _| ())), truth);
    }
}

#[test]
fn real_studies_of_the_competition() {
    let Some(folder) = shared::folder("rsna-sample/dicom") else { return };
    let found = collect_one(&folder);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    let files = shared::dicom_files(&folder).len();
    let slices =
        found.studies.iter().flat_map(|study| &study.series).map(|series| series.slices.len());
    assert_eq!(slices.sum::<usize>(), files);
    for study in &found.studies {
        let [series] = study.series.as_slice() else { panic!("{} series", study.series.len()) };
        let heights = series.slices.iter().map(|slice| slice.plane.unwrap().position[2]);
        assert!(heights.is_sorted(), "{:?}", series.uid);
        assert!(study.patient_id.starts_with("ID_"));
        for slice in &series.slices {
            assert!(slice.window.is_some_and(|window| window.width > 0.0));
        }
    }
}

#[test]
fn a_real_tilted_head_is_ordered_and_warned_of() {
    let Some(folder) = shared::folder("dicom-edge/ge-gantry-tilt") else { return };
    let found = collect_one(&folder);
    let series = only_series(&found);
    assert_eq!(series.slices.len(), shared::dicom_files(&folder).len());
    let tilt = series.warnings.iter().find_map(|warning| match warning {
        SeriesWarning::GantryTilt(degrees) => Some(*degrees),
        _ => None,
    });
    assert!((tilt.unwrap() - 18.5).abs() < 0.1, "{tilt:?}");
    // 4 mm slices below 7 mm ones: SliceThickness says that none is missing.
    let is_gap = |warning: &SeriesWarning| matches!(warning, SeriesWarning::Gaps { .. });
    assert!(!series.warnings.iter().any(is_gap), "{:?}", series.warnings);
    let is_uneven = |it: &SeriesWarning| matches!(it, SeriesWarning::UnevenSpacing { .. });
    assert!(series.warnings.iter().any(is_uneven), "{:?}", series.warnings);
    let heights = series.slices.iter().map(|slice| slice.plane.unwrap().position[2]);
    assert!(heights.is_sorted());
}
