//! Ensembles at work: what triage says with one is the weighted mean of what it says with each member
//! alone, whatever the members are and however many threads there are.

use std::fs;
use std::path::Path;

use hemora_ct::{Channel, InputRecipe, LABEL_COUNT, Label, Views, Window};
use hemora_infer::{EngineKind, LoadedModel, SeriesPolicy, key_slices, triage};
use hemora_io::Collection;
use hemora_metrics::{StackNode, StackedLabel, Stacking};
use hemora_model::{Bundle, Ensemble, EnsembleInfo, EnsembleModel, Model, ModelInfo, TriageResult};

use crate::series::{FEATURES, even, read, write_series};
use crate::support::{
    SIZE, brightness_bundle, calibration, info, loaded, operating_point, small_onnx,
};

/// The description of an ensemble of models with their weights and numbers of members.
pub fn ensemble_info(models: &[(&str, [f64; LABEL_COUNT], usize)]) -> EnsembleInfo {
    let model = |&(name, weights, members): &(&str, [f64; LABEL_COUNT], usize)| EnsembleModel {
        name: name.to_owned(),
        weights: weights.to_vec(),
        sha256: vec![String::new(); members],
    };
    EnsembleInfo {
        format_version: 3,
        name: "together".to_owned(),
        version: "2".to_owned(),
        created: "2026-01-02".to_owned(),
        licence: "CC0".to_owned(),
        intended_use: "tests".to_owned(),
        notice: "For research use only.".to_owned(),
        labels: Label::ALL.to_vec(),
        training_data: "none".to_owned(),
        metrics: Vec::new(),
        operating_points: Vec::new(),
        calibration: None,
        aggregation: None,
        models: models.iter().map(model).collect(),
        stacking: None,
        series: None,
    }
}

/// Three bundles: one that sees brightness, calibrated; one that reads neighbours in two views; one with
/// networks of series.
fn members(folder: &Path) -> Vec<(Bundle, Vec<u8>)> {
    let bright = brightness_bundle(folder);
    let calibrated = ModelInfo { calibration: Some(calibration(1.7)), ..info() };
    let path = folder.join("calibrated.hemora");
    let bright = Bundle::write(&path, &calibrated, bright.onnx(), "").unwrap();
    let bright = (bright, fs::read(&path).unwrap());
    let channel = |offset| Channel { window: Window { level: 80.0, width: 200.0 }, offset };
    let input = InputRecipe::of(SIZE, vec![channel(-2), channel(0), channel(1)]);
    let neighbours = ModelInfo { input, views: Views::Flip, ..info() };
    let path = folder.join("neighbours.hemora");
    let neighbours = Bundle::write(&path, &neighbours, &small_onnx(), "").unwrap();
    let neighbours = (neighbours, fs::read(&path).unwrap());
    let stages = [("sequence-features", FEATURES, 2), ("sequence-probabilities", 36, 2)];
    let series = crate::series::bundle(folder, &stages, None);
    let series = (series, fs::read(folder.join("series.hemora")).unwrap());
    vec![bright, neighbours, series]
}

fn write(folder: &Path, info: &EnsembleInfo, members: &[(Bundle, Vec<u8>)]) -> LoadedModel {
    let path = folder.join("together.hemora");
    let bytes: Vec<Vec<u8>> = members.iter().map(|(_, bytes)| bytes.clone()).collect();
    Ensemble::write(&path, info, &bytes, "# Together\n").unwrap();
    LoadedModel::load(EngineKind::Tract, Model::open(&path).unwrap(), None).unwrap()
}

fn run(model: &LoadedModel, collection: &Collection) -> TriageResult {
    triage(model, collection, SeriesPolicy::AllAxial, &|_, _| ())
}

fn slices(result: &TriageResult) -> Vec<[f32; LABEL_COUNT]> {
    let series = result.studies.iter().flat_map(|study| &study.series);
    series.flat_map(|it| &it.slices).map(|slice| slice.probabilities.to_array()).collect()
}

/// The first two are the folds of one model.
const WEIGHTS: [(&str, [f64; LABEL_COUNT], usize); 2] =
    [("folds", [0.5, 0.25, 0.0, 1.0, 0.7, 0.6], 2), ("series", [0.5, 0.75, 1.0, 0.0, 0.3, 0.4], 1)];

#[test]
fn what_triage_says_is_the_weighted_mean_of_its_members_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_series(&folder.join("in"), "1.5.1", &even(23, 5.0));
    let collection = read(&folder.join("in"));
    let members = members(folder);
    let together = write(folder, &ensemble_info(&WEIGHTS), &members);
    let found = run(&together, &collection);
    let alone: Vec<_> =
        members.iter().map(|it| slices(&run(&loaded(&it.0), &collection))).collect();
    assert_ne!(alone[0], alone[1]);
    let found_slices = slices(&found);
    assert_eq!(found_slices.len(), 23);
    for (slice, row) in found_slices.iter().enumerate() {
        for label in 0..LABEL_COUNT {
            let said = |member: usize| f64::from(alone[member][slice][label]);
            let [folds, series] = WEIGHTS.map(|(_, weights, _)| weights[label]);
            let expected = folds * (said(0) + said(1)) / 2.0 + series * said(2);
            let off = (f64::from(row[label]) - expected).abs();
            assert!(off < 1e-6, "slice {slice}, label {label}: {} {expected}", row[label]);
        }
    }
    let warnings = &found.studies[0].series[0].warnings;
    assert!(!warnings.iter().any(|it| it.contains("networks of series")), "{warnings:?}");
    assert_eq!((&*found.model.name, found.model.member_sha256.len()), ("together", 3));
    assert_eq!(found.engine, "tract");
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| run(&together, &collection)), found, "{threads} threads");
    }
    // A series that the networks of one member cannot read says so once.
    let short = folder.join("short");
    write_series(&short, "1.5.2", &even(2, 5.0));
    let result = run(&together, &read(&short));
    let warnings = &result.studies[0].series[0].warnings;
    let of_series = warnings.iter().filter(|it| it.contains("networks of series were not run"));
    assert_eq!(of_series.count(), 1, "{warnings:?}");
}

#[test]
fn calibration_and_thresholds_are_those_of_the_ensemble() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_series(&folder.join("in"), "1.5.1", &even(9, 5.0));
    let collection = read(&folder.join("in"));
    let members = members(folder);
    let plain = run(&write(folder, &ensemble_info(&WEIGHTS), &members), &collection);
    let own = calibration(0.5);
    let info = EnsembleInfo {
        calibration: Some(own.clone()),
        operating_points: vec![operating_point(0.2)],
        ..ensemble_info(&WEIGHTS)
    };
    let together = write(folder, &info, &members);
    let found = run(&together, &collection);
    for (found, plain) in slices(&found).iter().zip(slices(&plain)) {
        let expected = own.apply(plain);
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }
    let reaching = slices(&found).iter().filter(|row| f64::from(row[5]) >= 0.2).count();
    assert_eq!(found.studies[0].flags[0].flagged_slices, reaching);
    // The members and weights make the probabilities, not what is calibrated afterwards.
    assert_eq!(found.model.sha256, plain.model.sha256);
    let mut other = ensemble_info(&WEIGHTS);
    other.models[0].weights[5] = 0.5;
    other.models[1].weights[5] = 0.5;
    let other = write(folder, &other, &members);
    assert_ne!(other.model().model_ref().sha256, plain.model.sha256);
}

#[test]
fn trees_read_the_models_of_the_slices_above_and_below() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_series(&folder.join("in"), "1.5.1", &even(12, 5.0));
    let collection = read(&folder.join("in"));
    let members = members(folder);
    let plain = run(&write(folder, &ensemble_info(&WEIGHTS), &members), &collection);
    // `any` is high where the mean of the first model's folds was high in the slice below.
    let alone: Vec<_> =
        members.iter().map(|it| slices(&run(&loaded(&it.0), &collection))).collect();
    let of_folds: Vec<f32> = (0..12).map(|it| (alone[0][it][5] + alone[1][it][5]) / 2.0).collect();
    let mut sorted = of_folds.clone();
    sorted.sort_by(f32::total_cmp);
    let bound = f64::from((sorted[5] + sorted[6]) / 2.0);
    let feature = 1 + Label::Any.index();
    let tree =
        vec![StackNode::Split(feature, bound, 1, 2), StackNode::Leaf(-2.0), StackNode::Leaf(2.0)];
    let any = StackedLabel { label: Label::Any, base: 0.0, trees: vec![tree] };
    let stacking = Some(Stacking { models: 2, neighbours: 1, labels: vec![any] });
    let together = write(folder, &EnsembleInfo { stacking, ..ensemble_info(&WEIGHTS) }, &members);
    let found = run(&together, &collection);
    let (found, plain) = (slices(&found), slices(&plain));
    for slice in 0usize..12 {
        let below = f64::from(of_folds[slice.saturating_sub(1)]);
        let odds: f64 = if below < bound { -2.0 } else { 2.0 };
        let expected = 1.0 / (1.0 + (-odds).exp());
        assert!((f64::from(found[slice][5]) - expected).abs() < 1e-6, "slice {slice}");
        assert_eq!(found[slice][..5], plain[slice][..5], "labels without trees are means");
    }
    // Without positions nothing lies above or below.
    let lost = folder.join("lost");
    write_series(&lost, "1.5.3", &[None; 7]);
    let result = triage(&together, &read(&lost), SeriesPolicy::AllAxial, &|_, _| ());
    assert_eq!(result.studies.len(), 1);
    for series in result.studies.iter().flat_map(|study| &study.series) {
        assert!(series.warnings.iter().any(|it| it.contains("trees")), "{:?}", series.warnings);
    }
}

#[test]
fn key_slices_show_where_the_members_look() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_series(&folder.join("in"), "1.5.1", &even(9, 5.0));
    let collection = read(&folder.join("in"));
    let members = members(folder);
    let same = [members[0].clone(), members[0].clone()];
    let info = ensemble_info(&[("same", [1.0; LABEL_COUNT], 2)]);
    let keys = |model: &LoadedModel| {
        let result = run(model, &collection);
        key_slices(model, &collection, &result.studies[0], 3)
    };
    let (one, two) = (keys(&loaded(&members[0].0)), keys(&write(folder, &info, &same)));
    assert_eq!((one.len(), two.len()), (3, 3));
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one.sop_instance_uid, two.sop_instance_uid);
        let (one, two) = (one.any_map.as_ref().unwrap(), two.any_map.as_ref().unwrap());
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
        assert!(one.plane.values.iter().zip(&two.plane.values).all(near));
    }
    // Of members with maps of other sizes, the larger size.
    let mixed = keys(&write(folder, &ensemble_info(&WEIGHTS), &members));
    let map = mixed[0].any_map.as_ref().unwrap();
    assert_eq!((map.plane.rows, map.plane.columns), (SIZE, SIZE));
    assert_eq!(map.plane.values.iter().copied().fold(0.0, f32::max), 1.0);
}
