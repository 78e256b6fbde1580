//! A split that the index keeps: shared by sets, kept when the index is brought up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hemora_data::{
    Crop, IndexError, IndexReader, Negatives, PrepareError, PrepareRecipe, Selection, SliceRow,
    SplitBy, SplitInto, SplitRule, build_index, prepare, store_split,
};
use hemora_synth::{PhantomOptions, write_dataset};

const FOLDS: SplitRule = SplitRule { into: SplitInto::Folds(3), by: SplitBy::Patient, seed: 0 };

/// Six phantom patients, indexed with their labels.
fn indexed(folder: &Path) -> PathBuf {
    let data = folder.join("data");
    let options = PhantomOptions { slice_spacing: 14.0, ..PhantomOptions::default() };
    write_dataset(&data, 5, 6, &options.with_size(64), &|_, _| {}).unwrap();
    let index = folder.join("set.parquet");
    bring_up_to_date(folder, &index);
    index
}

fn bring_up_to_date(folder: &Path, index: &Path) {
    let (images, labels) =
        (folder.join("data/stage_2_train"), folder.join("data/stage_2_train.csv"));
    build_index(&[images], &[labels], index, &|_, _| {}).unwrap();
}

fn rows(index: &Path) -> Vec<SliceRow> {
    IndexReader::open(index).unwrap().map(Result::unwrap).collect()
}

fn recipe() -> PrepareRecipe {
    let recipe = PrepareRecipe::built_in("hu").unwrap();
    PrepareRecipe { canvas: None, crop: Crop::Whole, min_in_window: 0.0, ..recipe }
}

fn prepared(index: &Path, out: &Path, selection: &Selection) -> Result<usize, PrepareError> {
    let go = |_, _| ControlFlow::Continue(());
    prepare(index, out, &recipe(), selection, &go).map(|report| report.slices)
}

/// The part of each image of a prepared set.
fn parts(set: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(set.join("splits.csv")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[0].to_owned(), fields[4].to_owned())
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn sets_of_one_index_share_its_split() {
    let folder = tempfile::tempdir().unwrap();
    let index = indexed(folder.path());
    let before = rows(&index);
    let rule = SplitRule { into: SplitInto::Folds(3), by: SplitBy::Patient, seed: 4 };
    let report = store_split(&index, &rule).unwrap();
    assert_eq!(IndexReader::open(&index).unwrap().split_rule(), Some(&rule));
    let after = rows(&index);
    assert_eq!(report.parts.iter().map(|(_, count)| count).sum::<usize>(), after.len());
    let mut of_patient: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &after {
        of_patient.entry(&row.patient_id).or_default().insert(row.split.as_deref().unwrap());
    }
    assert!(of_patient.values().all(|parts| parts.len() == 1), "{of_patient:?}");
    let without: Vec<_> =
        after.iter().cloned().map(|row| SliceRow { split: None, ..row }).collect();
    assert_eq!(without, before);

    // Other slices and another seed: the parts are those of the index.
    let stored: BTreeMap<&str, &str> =
        after.iter().map(|row| (row.id.as_str(), row.split.as_deref().unwrap())).collect();
    let all = Selection { split: SplitInto::Stored, ..Selection::default() };
    let few = Selection { min_types: 1, negatives: Negatives::Count(9), seed: 8, ..all.clone() };
    for (name, selection) in [("all", &all), ("few", &few)] {
        let out = folder.path().join(name);
        let count = prepared(&index, &out, selection).unwrap();
        let parts = parts(&out);
        assert_eq!(parts.len(), count);
        assert!(parts.iter().all(|(id, part)| stored[id.as_str()] == part), "{parts:?}");
        let set = std::fs::read_to_string(out.join("set.toml")).unwrap();
        assert!(set.contains("[stored_split]") && set.contains("seed = 4"), "{set}");
    }
    // Split anew, the index makes another set.
    store_split(&index, &SplitRule { seed: 5, ..rule }).unwrap();
    let error = prepared(&index, &folder.path().join("all"), &all).unwrap_err();
    assert!(matches!(error, PrepareError::OtherSet(_)), "{error}");
}

#[test]
fn a_split_stays_with_unchanged_files_and_new_ones_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let index = indexed(folder.path());
    let stored = Selection { split: SplitInto::Stored, ..Selection::default() };
    let out = folder.path().join("set");
    let error = prepared(&index, &out, &stored).unwrap_err();
    assert!(error.to_string().contains("hemora index split"), "{error}");
    let rule = SplitRule {
        into: SplitInto::Parts { validation: 0.3, test: 0.0 },
        by: SplitBy::Patient,
        seed: 0,
    };
    store_split(&index, &rule).unwrap();
    let before = rows(&index);
    bring_up_to_date(folder.path(), &index);
    assert_eq!(rows(&index), before);
    assert_eq!(IndexReader::open(&index).unwrap().split_rule(), Some(&rule));

    // A file with other bytes is a new one.
    let changed = Path::new(&before[0].path);
    let mut bytes = std::fs::read(changed).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(changed, bytes).unwrap();
    bring_up_to_date(folder.path(), &index);
    let without = rows(&index).iter().filter(|row| row.split.is_none()).count();
    assert_eq!(without, 1);
    let error = prepared(&index, &out, &stored).unwrap_err();
    let named = matches!(error, PrepareError::NoStoredPart { without: 1, .. });
    assert!(named, "{error}");
}

#[test]
fn what_cannot_be_dealt_is_refused_and_the_index_stays() {
    let folder = tempfile::tempdir().unwrap();
    let index = indexed(folder.path());
    let before = std::fs::read(&index).unwrap();
    let names = || std::fs::read_dir(folder.path()).unwrap().count();
    let files = names();
    for into in [SplitInto::Stored, SplitInto::Folds(1), SplitInto::Folds(50)] {
        let rule = SplitRule { into, by: SplitBy::Patient, seed: 0 };
        assert!(store_split(&index, &rule).is_err(), "{into:?}");
    }
    assert_eq!(std::fs::read(&index).unwrap(), before);
    let error = store_split(&folder.path().join("none.parquet"), &FOLDS).unwrap_err();
    assert!(error.to_string().contains("none.parquet"), "{error}");
    // Neither half an index nor a lock is left beside it.
    assert_eq!(names(), files);
}

#[test]
#[cfg(unix)]
fn an_index_that_another_run_writes_is_not_split() {
    let folder = tempfile::tempdir().unwrap();
    let index = indexed(folder.path());
    let before = std::fs::read(&index).unwrap();
    let parts = folder.path().join("set.parquet.parts");
    std::fs::create_dir(&parts).unwrap();
    let held = std::fs::File::open(&parts).unwrap();
    held.lock().unwrap();
    let error = store_split(&index, &FOLDS).unwrap_err();
    assert!(matches!(error, PrepareError::Index(IndexError::Busy(_))), "{error}");
    assert_eq!(std::fs::read(&index).unwrap(), before);
    drop(held);
    store_split(&index, &FOLDS).unwrap();
}
