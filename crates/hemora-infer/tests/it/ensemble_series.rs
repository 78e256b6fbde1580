//! Networks of series that read several members as one: what they predict is computed here step by step
//! from what triage predicts with each member alone.

use std::path::Path;

use hemora_ct::{LABEL_COUNT, Views};
use hemora_infer::{EngineKind, LoadedModel, SeriesPolicy, triage};
use hemora_io::Collection;
use hemora_model::{Bundle, BundleSeries, Member, MemberNetworks, ModelInfo};

use crate::ensemble::together;
use crate::series::{
    FEATURES, assert_near, by_hand, engines, even, network, probabilities, probability_rows, read,
    run, stage, write_series,
};
use crate::support::{info, onnxruntime, small_onnx};

const WEIGHTS: [[f64; LABEL_COUNT]; 2] =
    [[0.5, 0.25, 0.0, 1.0, 0.7, 0.6], [0.5, 0.75, 1.0, 0.0, 0.3, 0.4]];
const SLICE_WEIGHTS: [[f64; LABEL_COUNT]; 2] =
    [[0.1, 0.9, 0.5, 0.5, 0.2, 0.8], [0.9, 0.1, 0.5, 0.5, 0.8, 0.2]];

/// A bundle in views of its own, with networks of series on features in `folds`.
fn member(folder: &Path, name: &str, views: Views, folds: &[usize]) -> Bundle {
    let stage = stage("sequence-features", FEATURES, folds.len());
    let series = if folds.is_empty() { Vec::new() } else { vec![stage] };
    let networks = folds.iter().map(|&fold| network("sequence-features", FEATURES, fold));
    let networks = MemberNetworks { slices: small_onnx(), series: networks.collect() };
    let member = Member { views, series, ..crate::support::member() };
    let info = ModelInfo { members: vec![member], ..info() };
    let path = folder.join(format!("{name}.hemora"));
    Bundle::write(&path, &info, networks, "").unwrap();
    Bundle::open(&path).unwrap()
}

fn networks() -> Vec<Vec<u8>> {
    [1, 0].map(|fold| network("sequence-probabilities", 36, fold)).to_vec()
}

/// Two members with networks of series, and two networks that read both as one.
fn write(path: &Path, members: &[Bundle; 2]) -> Bundle {
    let models = [("a", WEIGHTS[0], 1), ("b", WEIGHTS[1], 1)];
    let (mut info, mut all) = together(&models, members);
    info.series = Some(BundleSeries {
        stage: stage("sequence-probabilities", 36, 2),
        slice_weights: SLICE_WEIGHTS.to_vec(),
    });
    all.series = networks();
    Bundle::write(path, &info, all, "").unwrap();
    Bundle::open(path).unwrap()
}

fn alone(kind: EngineKind, bundle: &Bundle, collection: &Collection) -> Vec<[f32; LABEL_COUNT]> {
    probabilities(&run(kind, bundle, collection))
}

fn mean(
    predicted: &[Vec<[f32; LABEL_COUNT]>; 2],
    weights: &[[f64; LABEL_COUNT]; 2],
) -> Vec<[f32; LABEL_COUNT]> {
    let of = |slice: usize, label: usize| {
        let value =
            |model: usize| weights[model][label] * f64::from(predicted[model][slice][label]);
        (value(0) + value(1)) as f32
    };
    (0..predicted[0].len()).map(|slice| std::array::from_fn(|label| of(slice, label))).collect()
}

#[test]
fn the_last_networks_read_single_slices_and_series_of_all_models_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let members =
        [member(folder, "a", Views::One, &[0]), member(folder, "b", Views::Flip, &[1, 2])];
    let model = write(&folder.join("together.hemora"), &members);
    assert_eq!(model.model_ref().series_sha256.len(), 2);
    let plain = [Views::One, Views::Flip].map(|views| member(folder, "plain", views, &[]));
    for (slices, spacing) in [(23, 5.0), (60, 0.6)] {
        let input = folder.join(format!("{slices}"));
        write_series(&input, "1.5.1", &even(slices, spacing));
        let collection = read(&input);
        for kind in engines() {
            // Of the same engine: the last networks enlarge what the engines round differently.
            let alone = |bundle: &Bundle| alone(kind, bundle, &collection);
            let single = mean(&plain.each_ref().map(alone), &SLICE_WEIGHTS);
            let first = mean(&members.each_ref().map(alone), &WEIGHTS);
            let rows = |order: &[usize]| probability_rows(&single, Some(&first), spacing, order);
            let expected = by_hand(&networks(), slices, &rows);
            let loaded = LoadedModel::load(kind, model.clone(), onnxruntime().as_deref()).unwrap();
            let result = triage(&loaded, &collection, SeriesPolicy::AllAxial, &|_, _| ());
            let series = &result.studies[0].series[0];
            assert_near(&probabilities(series), &expected, &format!("{kind}, {slices} slices"));
            let warned = series.warnings.iter().any(|it| it.contains("networks of series"));
            assert!(!warned, "{:?}", series.warnings);
            let changed = expected.iter().zip(&first).filter(|(a, b)| (a[5] - b[5]).abs() > 0.01);
            assert!(changed.count() > slices / 2, "the last networks change nothing");
        }
    }
    // What they cannot read keeps the weighted mean, and says so once.
    let input = folder.join("short");
    write_series(&input, "1.5.2", &even(2, 5.0));
    let collection = read(&input);
    let loaded = LoadedModel::load(engines()[0], model, None).unwrap();
    let result = triage(&loaded, &collection, SeriesPolicy::AllAxial, &|_, _| ());
    let series = &result.studies[0].series[0];
    let expected = mean(&plain.each_ref().map(|it| alone(engines()[0], it, &collection)), &WEIGHTS);
    assert_near(&probabilities(series), &expected, "two slices");
    let warnings = series.warnings.iter().filter(|it| it.contains("networks of series"));
    assert_eq!(warnings.count(), 1, "{:?}", series.warnings);
}
