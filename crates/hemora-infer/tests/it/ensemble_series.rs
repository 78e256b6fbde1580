//! Ensembles with networks of series of their own: what they say is computed here step by step from
//! what triage says with each member alone; what does not belong together is refused by name.

use std::fs;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Views};
use hemora_infer::{EngineKind, LoadedModel, SeriesPolicy, triage};
use hemora_io::Collection;
use hemora_metrics::Stacking;
use hemora_model::{Bundle, Ensemble, EnsembleInfo, EnsembleSeries, Model, ModelInfo, SeriesStage};

use crate::ensemble::ensemble_info;
use crate::series::{
    FEATURES, assert_near, by_hand, engines, even, network, probabilities, probability_rows, read,
    run, stage, write_series,
};
use crate::support::{calibration, info, onnxruntime, small_onnx};

const WEIGHTS: [[f64; LABEL_COUNT]; 2] =
    [[0.5, 0.25, 0.0, 1.0, 0.7, 0.6], [0.5, 0.75, 1.0, 0.0, 0.3, 0.4]];
const SLICE_WEIGHTS: [[f64; LABEL_COUNT]; 2] =
    [[0.1, 0.9, 0.5, 0.5, 0.2, 0.8], [0.9, 0.1, 0.5, 0.5, 0.8, 0.2]];

/// A bundle in views of its own, with networks of series on features in `folds`.
fn member(folder: &Path, name: &str, views: Views, folds: &[usize]) -> (Bundle, Vec<u8>) {
    let series = match folds {
        [] => Vec::new(),
        folds => vec![stage("sequence-features", FEATURES, folds.len())],
    };
    let networks: Vec<Vec<u8>> =
        folds.iter().map(|&fold| network("sequence-features", FEATURES, fold)).collect();
    let info = ModelInfo { views, series, ..info() };
    let path = folder.join(format!("{name}.hemora"));
    Bundle::write_with_series(&path, &info, &small_onnx(), &networks, "").unwrap();
    (Bundle::open(&path).unwrap(), fs::read(path).unwrap())
}

/// An ensemble of two models, with two networks of series of its own.
fn described() -> EnsembleInfo {
    let series = EnsembleSeries {
        stage: stage("sequence-probabilities", 36, 2),
        slice_weights: SLICE_WEIGHTS.map(Vec::from).to_vec(),
    };
    let models = [("a", WEIGHTS[0], 1), ("b", WEIGHTS[1], 1)];
    EnsembleInfo { series: Some(series), ..ensemble_info(&models) }
}

fn networks() -> Vec<Vec<u8>> {
    [1, 0].map(|fold| network("sequence-probabilities", 36, fold)).to_vec()
}

fn two(folder: &Path) -> [(Bundle, Vec<u8>); 2] {
    [member(folder, "a", Views::One, &[0]), member(folder, "b", Views::Flip, &[1, 2])]
}

fn alone(kind: EngineKind, bundle: &Bundle, collection: &Collection) -> Vec<[f32; LABEL_COUNT]> {
    probabilities(&run(kind, bundle, collection))
}

fn mean(
    said: &[Vec<[f32; LABEL_COUNT]>; 2],
    weights: &[[f64; LABEL_COUNT]; 2],
) -> Vec<[f32; LABEL_COUNT]> {
    let of = |slice: usize, label: usize| {
        let value = |model: usize| weights[model][label] * f64::from(said[model][slice][label]);
        (value(0) + value(1)) as f32
    };
    (0..said[0].len()).map(|slice| std::array::from_fn(|label| of(slice, label))).collect()
}

#[test]
fn the_last_networks_read_single_slices_and_series_of_all_models_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let members = two(folder);
    let bytes = members.each_ref().map(|(_, bytes)| bytes.clone());
    let path = folder.join("together.hemora");
    Ensemble::write_with_series(&path, &described(), &bytes, &networks(), "").unwrap();
    let model = Model::open(&path).unwrap();
    assert_eq!(model.model_ref().series_sha256.len(), 2);
    let plain = [Views::One, Views::Flip].map(|views| member(folder, "plain", views, &[]).0);
    for (slices, spacing) in [(23, 5.0), (60, 0.6)] {
        let input = folder.join(format!("{slices}"));
        write_series(&input, "1.5.1", &even(slices, spacing));
        let collection = read(&input);
        for kind in engines() {
            // Of the same engine: the last networks enlarge what the engines round differently.
            let alone = |bundle: &Bundle| alone(kind, bundle, &collection);
            let single = mean(&plain.each_ref().map(alone), &SLICE_WEIGHTS);
            let first = mean(&members.each_ref().map(|(bundle, _)| alone(bundle)), &WEIGHTS);
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

#[test]
fn what_the_last_networks_cannot_read_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let [a, b] = two(folder);
    let path = folder.join("together.hemora");
    let refused = |info: &EnsembleInfo, members: &[Vec<u8>], networks: &[Vec<u8>]| {
        let error = Ensemble::write_with_series(&path, info, members, networks, "").unwrap_err();
        assert!(!path.exists());
        error.to_string()
    };
    let members = [a.1.clone(), b.1.clone()];
    let with = |change: &dyn Fn(&mut EnsembleSeries)| {
        let mut info = described();
        change(info.series.as_mut().unwrap());
        info
    };
    let stage_of = |name: &str, columns| -> SeriesStage { stage(name, columns, 2) };
    let stacking = Some(Stacking { models: 2, neighbours: 1, labels: Vec::new() });
    let cases: [(EnsembleInfo, &str); 6] = [
        (with(&|it| it.stage = stage_of("sequence-features", 12)), "reads Features"),
        (with(&|it| it.stage = stage_of("sequence-probabilities", 30)), "expected 36"),
        (with(&|it| it.slice_weights.truncate(1)), "weights of 1 models; expected 2"),
        (with(&|it| it.slice_weights[1][0] = 0.5), "[0.1, 0.5] for epidural"),
        (with(&|it| it.slice_weights[1].truncate(2)), "b has 2 weights"),
        (EnsembleInfo { stacking, ..described() }, "cannot stand beside `stacking`"),
    ];
    for (info, expected) in cases {
        let error = refused(&info, &members, &networks());
        assert!(error.contains("`series`") && error.contains(expected), "{expected}: {error}");
    }
    let error = refused(&described(), &members, &networks()[..1]);
    assert!(error.contains("names 2 networks, and there are 1"), "{error}");
    let plain = member(folder, "plain", Views::One, &[]).1;
    let error = refused(&described(), &[a.1.clone(), plain], &networks());
    assert!(error.contains("members/1.hemora has no networks of series"), "{error}");
    let calibrated = folder.join("calibrated.hemora");
    let info = ModelInfo { calibration: Some(calibration(1.5)), ..a.0.info().clone() };
    Bundle::write_with_series(&calibrated, &info, a.0.onnx(), a.0.series(), "").unwrap();
    let calibrated = fs::read(calibrated).unwrap();
    let error = refused(&described(), &[calibrated, b.1], &networks());
    assert!(error.contains("members/0.hemora is calibrated"), "{error}");

    // A network that was exchanged, or a byte of it, is noticed.
    Ensemble::write_with_series(&path, &described(), &members, &networks(), "").unwrap();
    let bytes = fs::read(&path).unwrap();
    let network = &networks()[1];
    let at = bytes.windows(network.len()).position(|window| window == network).unwrap();
    let mut flipped = bytes.clone();
    flipped[at + network.len() / 2] ^= 1;
    assert!(Model::from_bytes(&flipped).is_err());
    assert!(Model::from_bytes(&bytes).is_ok());
}
