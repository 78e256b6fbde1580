//! Prepared sets: the same bytes always, resuming, selection, splits.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_data::{
    IndexReader, LabelTable, Negatives, PrepareError, PrepareRecipe, Selection, SplitBy, SplitInto,
};
use hemora_testing::content;

use crate::phantoms::{Set, small};

fn names(files: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<&PathBuf> {
    files.keys().collect()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn the_bytes_do_not_depend_on_the_threads_or_on_being_stopped() {
    let set = Set::new();
    for name in ["howard", "winner-neighbours", "hu"] {
        let mut recipe = small(name);
        if let hemora_data::Output::Hu { shard_slices } = &mut recipe.output {
            *shard_slices = 7;
        }
        let selection = Selection::default();
        let out = |kind: &str| format!("{name}-{kind}");
        let report = with_threads(1, || set.prepare(&out("one"), &recipe, &selection));
        assert!(report.complete && report.skipped.is_empty() && report.slices > 20);
        with_threads(4, || set.prepare(&out("four"), &recipe, &selection));
        let one = content(&set.path(&out("one")));
        let four = content(&set.path(&out("four")));
        assert_eq!(names(&one), names(&four));
        assert!(one == four, "{name}");
        // Stopped twice on its way, with a file that was being written.
        for stop_after in [3, 9] {
            let calls = AtomicUsize::new(0);
            let stop = |_, _| match calls.fetch_add(1, Ordering::Relaxed) + 1 >= stop_after {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
            let stopped = with_threads(2, || {
                set.try_prepare(&out("resumed"), &recipe, &selection, &stop).unwrap()
            });
            assert!(!stopped.complete);
            assert!(!set.path(&out("resumed")).join("labels.csv").exists());
        }
        if name == "howard" {
            // Killed by a loss of power: a file without its end.
            let images = set.path(&out("resumed")).join("images");
            let first = content(&images).into_keys().next().unwrap();
            let path = images.join(first);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
        set.prepare(&out("resumed"), &recipe, &selection);
        assert!(content(&set.path(&out("resumed"))) == one, "{name}");
        // A complete set is left as it is.
        let again = set.prepare(&out("resumed"), &recipe, &selection);
        assert_eq!(again, report);
        assert!(content(&set.path(&out("resumed"))) == one, "{name}");
    }
}

/// The part of each image, by id, and its patient.
fn splits(folder: &Path) -> BTreeMap<String, (String, String)> {
    let text = std::fs::read_to_string(folder.join("splits.csv")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        (fields[0].to_owned(), (fields[1].to_owned(), fields[4].to_owned()))
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn slices_are_selected_by_types_and_split_by_patient() {
    let set = Set::new();
    let recipe = small("howard");
    let selection = Selection {
        min_types: 2,
        negatives: Negatives::Count(12),
        split: SplitInto::Folds(3),
        seed: 3,
        ..Selection::default()
    };
    let report = set.prepare("folds", &recipe, &selection);
    let rows: Vec<_> =
        IndexReader::open(&set.path("set.parquet")).unwrap().map(Result::unwrap).collect();
    let usable = rows.iter().filter(|row| row.pct_in_window >= 0.02);
    let types = |labels: [bool; 6]| labels[..5].iter().filter(|label| **label).count();
    let expected = usable.filter(|row| types(row.labels.unwrap()) >= 2).count();
    assert!(expected > 0 && report.positives[5] == expected);
    assert_eq!(report.slices, expected + 12);
    assert_eq!(report.too_little_brain, rows.iter().filter(|row| row.pct_in_window < 0.02).count());
    let folds = splits(&set.path("folds"));
    assert_eq!(folds.len(), report.slices);
    let mut of_patient: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (patient, fold) in folds.values() {
        of_patient.entry(patient).or_default().insert(fold);
    }
    assert!(of_patient.values().all(|folds| folds.len() == 1), "{of_patient:?}");
    let used: BTreeSet<&str> = folds.values().map(|(_, fold)| fold.as_str()).collect();
    assert_eq!(used, BTreeSet::from(["fold0", "fold1", "fold2"]));
    assert_eq!(report.parts.iter().map(|(_, count)| count).sum::<usize>(), report.slices);

    let ratio = Selection { negatives: Negatives::Ratio(0.5), seed: 4, ..selection.clone() };
    assert_eq!(set.prepare("ratio", &recipe, &ratio).slices, expected + expected.div_ceil(2));
    let by_image = Selection {
        split: SplitInto::Parts { validation: 0.3, test: 0.0 },
        split_by: SplitBy::Image,
        ..Selection::default()
    };
    set.prepare("image", &recipe, &by_image);
    let parts = splits(&set.path("image"));
    let patients = |part: &str| -> BTreeSet<String> {
        let inside = parts.values().filter(|(_, own)| own == part);
        inside.map(|(patient, _)| patient.clone()).collect()
    };
    assert!(!patients("train").is_disjoint(&patients("validation")));
}

#[test]
fn folders_of_other_sets_and_impossible_options_are_refused() {
    let set = Set::new();
    let recipe = small("howard");
    let default = Selection::default();
    let go = ControlFlow::Continue(());
    let refuse = |out: &str, recipe: &PrepareRecipe, selection: &Selection| {
        set.try_prepare(out, recipe, selection, &|_, _| go).unwrap_err()
    };
    set.prepare("set", &recipe, &default);
    let error = refuse("set", &small("winner"), &default);
    assert!(matches!(error, PrepareError::OtherSet(_)), "{error}");
    let error = refuse("set", &recipe, &Selection { seed: 1, ..default.clone() });
    assert!(matches!(error, PrepareError::OtherSet(_)), "{error}");
    let error = refuse("data", &recipe, &default);
    assert!(matches!(error, PrepareError::OtherSet(_)), "{error}");
    for selection in [
        Selection { min_types: 6, ..default.clone() },
        Selection { negatives: Negatives::Ratio(f64::NAN), ..default.clone() },
        Selection { split: SplitInto::Folds(1), ..default.clone() },
        Selection { split: SplitInto::Parts { validation: 0.6, test: 0.4 }, ..default.clone() },
    ] {
        let error = refuse("other", &recipe, &selection);
        assert!(matches!(error, PrepareError::Option { .. }), "{error}");
    }
    let few = Selection { split: SplitInto::Folds(50), ..default };
    assert!(matches!(refuse("other", &recipe, &few), PrepareError::Split(_)));
    assert!(!set.path("other").exists());
}

#[test]
fn files_that_changed_or_vanished_are_skipped_with_a_reason() {
    let set = Set::new();
    let images = set.path("data/stage_2_train");
    let mut files = crate::support::dicom_files(&images).into_iter().skip(9);
    let (changed, gone) = (files.next().unwrap(), files.next().unwrap());
    let recipe = PrepareRecipe { min_in_window: 0.0, ..small("howard") };
    let whole = set.prepare("whole", &recipe, &Selection::default());
    std::fs::write(&changed, b"another file").unwrap();
    std::fs::remove_file(&gone).unwrap();
    let report = set.prepare("holes", &recipe, &Selection::default());
    assert_eq!((report.slices, report.skipped.len()), (whole.slices - 2, 2));
    assert!(report.skipped.iter().any(|(_, reason)| reason.contains("hemora index")));
    let table = LabelTable::read(&set.path("holes/labels.csv")).unwrap();
    assert_eq!(table.len(), report.slices);
    let skipped = std::fs::read_to_string(set.path("holes/skipped.csv")).unwrap();
    assert!(skipped.contains(gone.file_stem().unwrap().to_str().unwrap()), "{skipped}");
}
