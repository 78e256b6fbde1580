//! Heads that must not be mixed: one study on one side, neighbours of one person and direction, and
//! whatever is left out is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hemora_ct::{ImagePlane, Label, Slice};
use hemora_data::{
    Crop, IndexReader, PrepareError, PrepareRecipe, PrepareReport, Selection, SetStats,
    SharedPictures, SliceRow, SplitBy, SplitInto, SplitRule, build_index, prepare, store_split,
};
use hemora_io::{NewSlice, PixelStorage, write_slice};

use crate::support::write_labels;

const AXIAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
const SAGITTAL: [f64; 6] = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];

/// A slice to write: its id, patient, study, series and position, mm.
struct Head<'a>(&'a str, &'a str, &'a str, &'a str, f64);

/// A slice with this added to its look has the same steps and other values.
const BRIGHTER: usize = 1000;

/// Writes a slice of a square whose place depends on `look`.
fn write(folder: &Path, head: &Head<'_>, orientation: [f64; 6], look: usize) {
    let Head(id, patient, study, series, position) = *head;
    let corner = if orientation == AXIAL { [0.0, 0.0, position] } else { [position, 0.0, 0.0] };
    let plane = ImagePlane::new(corner, orientation, Some([0.5, 0.5])).unwrap();
    let level = |index: usize| {
        let (row, column) = (index / 32, index % 32);
        let bright = if look >= BRIGHTER { 71.0 } else { 70.0 };
        if (row * (look % BRIGHTER + 3) + column * 7) % 37 < 17 { bright } else { 10.0 }
    };
    let pixels = (0..1024).map(level).collect();
    let slice = Slice::new(32, 32, pixels, Some(plane)).unwrap();
    let new = NewSlice {
        sop_instance_uid: id,
        series_instance_uid: series,
        study_instance_uid: study,
        patient_id: patient,
        series_description: "",
        instance_number: 1,
        storage: PixelStorage::Signed16 { intercept: -1024 },
        slice: &slice,
    };
    fs::create_dir_all(folder).unwrap();
    write_slice(&folder.join(format!("{id}-{patient}{look}.dcm")), &new).unwrap();
}

/// Indexes `scans` with labels of all `ids`, every second one positive.
fn indexed(folder: &Path, ids: &[String]) -> (PathBuf, hemora_data::IndexReport) {
    let positive = [Label::Subdural, Label::Any];
    let rows: Vec<(&str, &[Label])> = ids
        .iter()
        .enumerate()
        .map(|(index, id)| (id.as_str(), if index % 2 == 0 { &positive[..] } else { &[] }))
        .collect();
    write_labels(&folder.join("labels.csv"), &rows);
    let index = folder.join("set.parquet");
    let report =
        build_index(&[folder.join("scans")], &[folder.join("labels.csv")], &index, &|_, _| {});
    (index, report.unwrap())
}

fn rows(index: &Path) -> Vec<SliceRow> {
    IndexReader::open(index).unwrap().map(Result::unwrap).collect()
}

fn prepared(index: &Path, out: &Path, recipe: &str) -> Result<PrepareReport, PrepareError> {
    let recipe = PrepareRecipe::built_in(recipe).unwrap();
    let recipe = PrepareRecipe { canvas: None, crop: Crop::Whole, min_in_window: 0.0, ..recipe };
    let selection = Selection {
        split: SplitInto::Parts { validation: 0.0, test: 0.0 },
        ..Selection::default()
    };
    prepare(index, out, &recipe, &selection, &|_, _| ControlFlow::Continue(()))
}

/// Series and place of each image of a set.
fn places(set: &Path) -> BTreeMap<String, (String, u32)> {
    let text = fs::read_to_string(set.join("splits.csv")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[0].to_owned(), (fields[3].to_owned(), fields[5].parse().unwrap()))
    };
    text.lines().skip(1).map(row).collect()
}

const FOLDS: SplitRule = SplitRule { into: SplitInto::Folds(3), by: SplitBy::Patient, seed: 0 };

#[test]
fn a_study_stands_in_one_fold_whatever_is_known_of_the_patient() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for study in 0..6 {
        for series in 0..2 {
            for slice in 0..3 {
                let id = format!("ID_{study}{series}{slice}");
                // Two studies have a patient for one of their series only.
                let patient = if study < 2 && series == 0 { "known" } else { "" };
                let names = [format!("1.{study}"), format!("1.{study}.{series}")];
                let head = Head(&id, patient, &names[0], &names[1], f64::from(slice) * 5.0);
                write(&folder.path().join("scans"), &head, AXIAL, ids.len());
                ids.push(id);
            }
        }
    }
    let (index, _) = indexed(folder.path(), &ids);
    let report = store_split(&index, &FOLDS).unwrap();
    assert_eq!(report.without_patient, 30);
    let rows = rows(&index);
    let mut parts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        let group = row.study_instance_uid.as_deref().unwrap();
        let group = if ["1.0", "1.1"].contains(&group) { "known" } else { group };
        parts.entry(group).or_default().insert(row.split.as_deref().unwrap());
    }
    assert!(parts.len() == 5 && parts.values().all(|parts| parts.len() == 1), "{parts:?}");
}

#[test]
fn slices_without_a_series_are_neighbours_within_their_study_patient_and_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for patient in ["A", "B", "C"] {
        for slice in 0..4 {
            let id = format!("ID_{patient}{slice}");
            let head = Head(&id, patient, "", "", f64::from(slice) * 5.0);
            write(&folder.path().join("scans").join(patient), &head, AXIAL, ids.len());
            ids.push(id);
        }
    }
    let (index, report) = indexed(folder.path(), &ids);
    assert_eq!(report.without_series, 12);
    assert!(rows(&index).iter().all(|row| row.flags.contains(&"no_series".to_owned())));
    assert_eq!(store_split(&index, &FOLDS).unwrap().parts.len(), 3);
    prepared(&index, &folder.path().join("set"), "hu").unwrap();
    let places = places(&folder.path().join("set"));
    for patient in ["A", "B", "C"] {
        let of = |slice: u32| &places[&format!("ID_{patient}{slice}")];
        assert!((0..4).all(|slice| of(slice) == &(of(0).0.clone(), slice)), "{places:?}");
    }
    let series: BTreeSet<&String> = places.values().map(|(series, _)| series).collect();
    assert_eq!(series.len(), 3);
    assert_eq!(SetStats::of_index(&index).unwrap().series, 3);
}

#[test]
fn a_localizer_of_the_series_and_another_patient_are_no_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let scans = folder.path().join("scans");
    let mut ids = Vec::new();
    for slice in 0..4 {
        let id = format!("ID_a{slice}");
        write(
            &scans,
            &Head(&id, "A", "1.1", "1.1.1", f64::from(slice) * 5.0),
            AXIAL,
            slice as usize,
        );
        ids.push(id);
    }
    let with = |name: &str| {
        let out = folder.path().join(name);
        prepared(&indexed(folder.path(), &ids).0, &out, "winner-neighbours").unwrap();
        let image = |id: &String| fs::read(out.join(format!("images/{id}.jpg"))).unwrap();
        (ids.iter().map(image).collect::<Vec<_>>(), places(&out))
    };
    let (alone, before) = with("alone");
    write(&scans, &Head("ID_z", "A", "1.1", "1.1.1", 7.0), SAGITTAL, 9);
    // Another patient under the same UIDs, as a bad anonymiser makes it.
    write(&scans, &Head("ID_y", "B", "1.1", "1.1.1", 8.0), AXIAL, 8);
    let (beside, after) = with("beside");
    assert!(alone == beside);
    assert_eq!(before, after);
}

#[test]
fn repeated_ids_and_looks_of_two_patients_are_counted_and_stand_on_one_side() {
    let folder = tempfile::tempdir().unwrap();
    let scans = folder.path().join("scans");
    let mut ids = Vec::new();
    for (number, patient) in ["A", "B", "C"].into_iter().enumerate() {
        let (study, series) = (format!("1.{patient}"), format!("1.{patient}.1"));
        for slice in 0..2 {
            let id = format!("ID_{patient}{slice}");
            // The heads of A and B are the same.
            let look = 2 * number.saturating_sub(1) + slice;
            write(&scans, &Head(&id, patient, &study, &series, slice as f64 * 5.0), AXIAL, look);
            ids.push(id);
        }
        write(&scans, &Head("ID_once", patient, &study, &series, 20.0), AXIAL, 30 + number);
    }
    // A head that looks like C's, with other values.
    write(&scans, &Head("ID_D0", "D", "1.D", "1.D.1", 0.0), AXIAL, BRIGHTER + 2);
    ids.extend(["ID_once", "ID_D0"].map(str::to_owned));
    let (index, report) = indexed(folder.path(), &ids);
    assert_eq!(report.repeated_ids, 2);
    let stored = store_split(&index, &FOLDS).unwrap();
    assert_eq!((stored.repeated_ids, stored.alike), (2, 2));
    assert_eq!(stored.pictures, SharedPictures { images: 4, is_apart: false });
    // Whatever the seed, A and B stand on one side, and the third fold has room for D.
    for seed in 0..8 {
        store_split(&index, &SplitRule { seed, ..FOLDS }).unwrap();
        let parts: BTreeSet<(String, String)> =
            rows(&index).into_iter().filter_map(|row| Some((row.patient_id, row.split?))).collect();
        let of = |patient: &str| {
            let own = parts.iter().filter(|(name, _)| name == patient);
            own.map(|(_, part)| part.as_str()).collect::<Vec<_>>()
        };
        assert_eq!((of("A").len(), of("A")), (1, of("B")), "{parts:?}");
        assert!(of("C") != of("A") && of("D") != of("C"), "{parts:?}");
    }
    // Nothing keeps them there if images are dealt one by one.
    let by_image = store_split(&index, &SplitRule { by: SplitBy::Image, ..FOLDS }).unwrap();
    assert_eq!((by_image.pictures.images, by_image.alike), (4, 6));
    // Four patients, of whom three would be left, fill four folds.
    let four = SplitRule { into: SplitInto::Folds(4), ..FOLDS };
    let apart = store_split(&index, &four).unwrap();
    assert_eq!(apart.pictures, SharedPictures { images: 4, is_apart: true });
    assert!(apart.parts.iter().all(|(_, count)| *count > 0), "{:?}", apart.parts);
    store_split(&index, &SplitRule { by: SplitBy::Image, ..FOLDS }).unwrap();
    let stats = SetStats::of_index(&index).unwrap();
    assert!(stats.to_string().contains("slices that look alike a slice of another patient: 6"));
    let out = folder.path().join("set");
    let report = prepared(&index, &out, "hu").unwrap();
    assert_eq!((report.slices, report.repeated_ids), (8, 2));
    let skipped = fs::read_to_string(out.join("skipped.csv")).unwrap();
    assert_eq!(skipped.matches("another image has this id").count(), 2, "{skipped}");
    assert!(skipped.contains("ID_once-B") && skipped.contains("ID_once-C"), "{skipped}");
}

#[test]
fn images_that_are_gone_are_named_by_every_recipe() {
    let folder = tempfile::tempdir().unwrap();
    let mut ids = Vec::new();
    for slice in 0..4 {
        let id = format!("ID_{slice}");
        let head = Head(&id, "A", "1.1", "1.1.1", f64::from(slice) * 5.0);
        write(&folder.path().join("scans"), &head, AXIAL, slice as usize);
        ids.push(id);
    }
    let (index, _) = indexed(folder.path(), &ids);
    assert!(rows(&index).iter().all(|row| Path::new(&row.path).is_absolute()));
    fs::rename(folder.path().join("scans"), folder.path().join("moved")).unwrap();
    for recipe in ["howard", "winner", "hu"] {
        let error = prepared(&index, &folder.path().join(recipe), recipe).unwrap_err();
        // Of the first the frequencies are counted before anything is prepared.
        match error {
            PrepareError::NoneSampled { count: 4, .. } if recipe == "howard" => {}
            PrepareError::AllFailed { count: 4, .. } if recipe != "howard" => {}
            ref other => panic!("{recipe}: {other}"),
        }
        assert!(error.to_string().contains("scans/ID_"), "{recipe}: {error}");
    }
}
