//! The built-in model predicts what it always has, whatever becomes of the format of bundles.

use std::collections::BTreeMap;

use hemora_ct::Label;
use hemora_model::TriageResult;
use serde::Deserialize;

use crate::support::succeed;

/// What the model predicted when its fixture was made.
#[derive(Deserialize)]
struct Predicted {
    /// The study, in label order.
    study: [f32; Label::ALL.len()],
    /// How many slices reach each operating point.
    flagged_slices: Vec<usize>,
    /// The slices, by their SOPInstanceUID.
    slices: BTreeMap<String, [f32; Label::ALL.len()]>,
}

#[test]
fn the_built_in_model_predicts_what_it_did_when_it_was_made() {
    let expected = include_str!("fixtures/default_model.json");
    let expected: Predicted = serde_json::from_str(expected).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (phantom, out) = (path("phantom"), path("out"));
    let small = ["--patients", "1", "--seed", "11", "--size", "128", "--slice-spacing", "9"];
    succeed(&[&["synth", &phantom][..], &small].concat());
    let images = path("phantom/stage_2_train");
    succeed(&["triage", &images, "--engine", "tract", "--out", &out]);
    let text = std::fs::read(path("out/result.json")).unwrap();
    let result: TriageResult = serde_json::from_slice(&text).unwrap();
    let [study] = result.studies.as_slice() else { panic!("{:?}", result.skipped) };
    let assert_near = |found: [f32; 6], expected: [f32; 6], what: &str| {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{what}: {found}, expected {expected}");
        }
    };
    assert_near(study.probabilities.to_array(), expected.study, "study");
    let flagged: Vec<usize> = study.flags.iter().map(|flag| flag.flagged_slices).collect();
    assert_eq!(flagged, expected.flagged_slices);
    assert_eq!(study.series[0].slices.len(), expected.slices.len());
    for slice in &study.series[0].slices {
        let expected = expected.slices[&slice.sop_instance_uid];
        assert_near(slice.probabilities.to_array(), expected, &slice.sop_instance_uid);
    }
}
