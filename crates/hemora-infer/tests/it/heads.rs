//! What is not one whole head, upright.

use std::fs;

use hemora_infer::{SeriesPolicy, triage};
use hemora_io::collect;

use crate::archive::{archive, assert_near, expected_any, series};
use crate::support::{AXIAL, NewFile, brightness_bundle, loaded};

#[test]
fn values_that_are_no_heads_are_doubted() {
    let archive = archive();
    let result = archive.triage(&archive.collect());
    // The test's slices are soft tissue to their edges: no air, no bone.
    let warnings = result.studies[0].series[0].warnings.join("; ");
    assert!(warnings.contains("5 of 5 slices can hardly be a head's HU"), "{warnings}");
    assert!(warnings.contains("no air") && warnings.contains("no bone"), "{warnings}");
}

#[test]
fn a_series_without_a_head_is_warned_of() {
    let archive = archive();
    let collection = archive.collect();
    let result = archive.triage(&collection);
    // 90 and −50 HU, and no bone anywhere.
    for series in series(&result.studies) {
        let warned = series.warnings.iter().any(|it| it.starts_with("no slice shows a head"));
        assert!(warned, "{:?}", series.warnings);
    }
}

#[test]
fn series_at_two_levels_of_one_head_are_one_row_with_the_probabilities_of_all_slices() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    fs::create_dir(&path).unwrap();
    let write = |series: &str, from: f64, bright: &[usize]| {
        for (index, &bright) in bright.iter().enumerate() {
            let sop = format!("{series}.{index}");
            let position = [0.0, 0.0, from + 5.0 * index as f64];
            let (study, orientation) = ("1.9", AXIAL);
            NewFile { sop: &sop, series, study, orientation, position, bright }.write(&path);
        }
    };
    write("1.9.1", 0.0, &[3000, 100, 100]);
    write("1.9.2", 20.0, &[2500, 1500, 100, 100, 100]);
    let bundle = brightness_bundle(folder.path());
    let collection = collect(&[path], &|_, _| ());
    let policy = SeriesPolicy::Chosen;
    let result = triage(&loaded(&bundle), &collection, policy, &|_, _| ());
    let [study] = result.studies.as_slice() else { panic!("{:?}", result.studies) };
    let slices: usize = study.series.iter().map(|series| series.slices.len()).sum();
    assert_eq!((study.series.len(), slices), (2, 8));
    assert!(result.skipped.is_empty(), "{:?}", result.skipped);
    let highest = [3000, 2500, 1500].map(expected_any).iter().sum::<f64>() / 3.0;
    assert_near(f64::from(study.probabilities.any), highest);
    let warnings = study.warnings.join("; ");
    assert!(warnings.contains("read too: it covers 0.0 to 10.0 mm"), "{warnings}");
    assert!(warnings.contains("2 series show one head"), "{warnings}");
}
