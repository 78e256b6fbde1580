//! Bundles with networks of series: what triage makes of them is what is computed here step by step,
//! in both engines; what does not belong together is refused by name.

use std::fs;
use std::path::Path;

use hemora_ct::{ImagePlane, LABEL_COUNT, Slice};
use hemora_infer::{
    Engine, EngineKind, LoadedModel, SeriesPolicy, TractEngine, load_sequence_engine, triage,
};
use hemora_io::{Collection, NewSlice, PixelStorage, collect, read_slice, write_slice};
use hemora_model::{Bundle, Member, MemberNetworks, ModelInfo, SeriesResult, SeriesStage};
use hemora_nn::networks::{self, SequenceOptions, build_sequence};
use hemora_nn::{Tensor, Weights, onnx};

use crate::formula::formula_weights;
use crate::support::{
    AXIAL, SIZE, calibration, first, info, member, onnxruntime, slices, small_onnx,
};

/// Features of the small network.
pub const FEATURES: usize = 12;

/// A small network of series; every `fold` has weights of its own.
pub fn network(name: &str, columns: usize, fold: usize) -> Vec<u8> {
    let options = SequenceOptions { columns, hidden: 4, layers: 1, dropout: 0.0 };
    let graph = build_sequence(name, &options).unwrap().unwrap();
    let mut weights = Weights::default();
    for (name, tensor) in formula_weights(&graph).iter() {
        let factor = 1.0 + 0.25 * fold as f32;
        let values = tensor.values.iter().map(|value| value * factor).collect();
        weights.insert(name, Tensor { shape: tensor.shape.clone(), values });
    }
    onnx::write(&graph, &weights).unwrap()
}

pub fn stage(network: &str, columns: usize, folds: usize) -> SeriesStage {
    SeriesStage {
        network: network.to_owned(),
        reads: networks::sequence_input(network).unwrap(),
        columns,
        trainable_parameters: 1,
        sha256: vec![String::new(); folds],
    }
}

/// Stages with their numbers of columns and folds, as a bundle beside `folder`.
pub fn bundle(folder: &Path, stages: &[(&str, usize, usize)], temperature: Option<f64>) -> Bundle {
    let series: Vec<SeriesStage> =
        stages.iter().map(|&(name, columns, folds)| stage(name, columns, folds)).collect();
    let networks = stages.iter().flat_map(|&(name, columns, folds)| {
        (0..folds).map(move |fold| network(name, columns, fold))
    });
    let info = ModelInfo {
        members: vec![Member { series, ..member() }],
        calibration: temperature.map(calibration),
        ..info()
    };
    let networks = MemberNetworks { slices: small_onnx(), series: networks.collect() };
    let path = folder.join("series.hemora");
    Bundle::write(&path, &info, networks, "# Card\n").unwrap();
    Bundle::open(&path).unwrap()
}

/// The networks of series of a bundle of one.
pub fn series(bundle: &Bundle) -> &[Vec<u8>] {
    &first(bundle).1.series
}

/// Writes a series of axial slices, bright as far as a formula says, whose files are not in the order
/// of their places.
pub fn write_series(folder: &Path, series: &str, places: &[Option<f64>]) {
    fs::create_dir_all(folder).unwrap();
    for (index, place) in places.iter().enumerate() {
        let bright = 40 * (index * 37 % 101);
        let hu = (0..64 * 64).map(|pixel| if pixel < bright { 75.0 } else { -5.0 }).collect();
        let plane = place.map(|z| ImagePlane::new([0.0, 0.0, z], AXIAL, Some([0.5, 0.5])).unwrap());
        let sop = format!("{series}.{}", index * 7 % 61 + 1);
        let new = NewSlice {
            sop_instance_uid: &sop,
            series_instance_uid: series,
            study_instance_uid: "1.5",
            patient_id: "patient",
            series_description: "head",
            instance_number: 1,
            storage: PixelStorage::Signed16 { intercept: 0 },
            slice: &Slice::new(64, 64, hu, plane).unwrap(),
        };
        write_slice(&folder.join(format!("{sop}.dcm")), &new).unwrap();
    }
}

pub fn even(slices: usize, spacing: f64) -> Vec<Option<f64>> {
    (0..slices).map(|slice| Some(slice as f64 * spacing - 30.0)).collect()
}

pub fn read(folder: &Path) -> Collection {
    collect(&[folder.to_owned()], &|_, _| ())
}

pub fn run(kind: EngineKind, bundle: &Bundle, collection: &Collection) -> SeriesResult {
    let library = (kind == EngineKind::OnnxRuntime).then(|| onnxruntime().unwrap());
    let library = library.as_deref();
    let model = LoadedModel::load(kind, bundle.clone(), library).unwrap();
    let result = triage(&model, collection, SeriesPolicy::AllAxial, &|_, _| ());
    let [study] = result.studies.as_slice() else { panic!("{:?}", result.skipped) };
    assert_eq!(result.model.series_sha256.len(), series(bundle).len());
    study.series[0].clone()
}

pub fn probabilities(result: &SeriesResult) -> Vec<[f32; LABEL_COUNT]> {
    result.slices.iter().map(|slice| slice.probabilities.to_array()).collect()
}

pub fn assert_near(found: &[[f32; LABEL_COUNT]], expected: &[[f32; LABEL_COUNT]], what: &str) {
    assert_eq!(found.len(), expected.len());
    for (slice, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (found, expected) in found.iter().zip(expected) {
            let off = (found - expected).abs();
            assert!(off < 1e-4, "{what}, slice {slice}: {found}, expected {expected}");
        }
    }
}

/// Probabilities and pooled features of the slices in the order of their places.
pub fn alone(bundle: &Bundle, collection: &Collection) -> Vec<([f32; LABEL_COUNT], Vec<f32>)> {
    let engine = TractEngine::load(&slices(bundle), 3, SIZE).unwrap();
    let of = |source| {
        let (_, slice) = read_slice(source).unwrap();
        let output = engine.run(&first(bundle).0.input.input(|_| &slice)).unwrap();
        let map = output.features.unwrap();
        let area = map.rows * map.columns;
        let mean = |channel: &[f32]| channel.iter().sum::<f32>() / area as f32;
        (output.probabilities, map.values.chunks(area).map(mean).collect())
    };
    let series = &collection.studies[0].series[0];
    series.slices.iter().map(|header| of(&header.source)).collect()
}

/// The mean over networks of the mean log odds of both ways; `rows` gives what is read of the slices
/// in an order.
pub fn by_hand(
    networks: &[Vec<u8>],
    slices: usize,
    rows: &dyn Fn(&[usize]) -> Vec<Vec<f32>>,
) -> Vec<[f32; LABEL_COUNT]> {
    let up: Vec<usize> = (0..slices).collect();
    let down: Vec<usize> = (0..slices).rev().collect();
    let mut means = vec![[0.0; LABEL_COUNT]; slices];
    for network in networks {
        let columns = rows(&up)[0].len();
        let engine = load_sequence_engine(EngineKind::Tract, network, columns, None).unwrap();
        let [up, down] = [&up, &down].map(|order| engine.run(&rows(order).concat()).unwrap());
        for slice in 0..slices {
            for label in 0..LABEL_COUNT {
                let odds = |p: f32| (p / (1.0 - p)).ln();
                let mean = (odds(up[slice][label]) + odds(down[slices - 1 - slice][label])) / 2.0;
                means[slice][label] += 1.0 / (1.0 + (-mean).exp()) / networks.len() as f32;
            }
        }
    }
    means
}

/// The columns of the second stage, written out; the first stage's last if there is one.
pub fn probability_rows(
    own: &[[f32; LABEL_COUNT]],
    first: Option<&[[f32; LABEL_COUNT]]>,
    spacing: f64,
    order: &[usize],
) -> Vec<Vec<f32>> {
    let row = |(at, &slice): (usize, &usize)| {
        let before = own[order[at.saturating_sub(1)]];
        let after = own[order[(at + 1).min(order.len() - 1)]];
        let mut row = own[slice].to_vec();
        row.extend((0..LABEL_COUNT).map(|label| own[slice][label] - before[label]));
        row.extend((0..LABEL_COUNT).map(|label| own[slice][label] - after[label]));
        row.extend([slice as f32 / (order.len() - 1) as f32; LABEL_COUNT]);
        row.extend([(spacing / 10.0) as f32; LABEL_COUNT]);
        row.extend(first.map(|first| first[slice]).into_iter().flatten());
        row
    };
    order.iter().enumerate().map(row).collect()
}

/// Engines to test, ONNX Runtime where it is installed.
pub fn engines() -> Vec<EngineKind> {
    match onnxruntime() {
        Some(_) => vec![EngineKind::Tract, EngineKind::OnnxRuntime],
        None => vec![EngineKind::Tract],
    }
}

#[test]
fn triage_gives_what_the_networks_of_series_say_of_thick_and_of_thin_slices() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let stages = [("sequence-features", FEATURES, 2), ("sequence-probabilities", 36, 2)];
    let both = bundle(folder, &stages, None);
    for (count, spacing) in [(20, 7.0), (60, 0.6)] {
        let input = folder.join(format!("{count}"));
        write_series(&input, &format!("1.5.{count}"), &even(count, spacing));
        let collection = read(&input);
        let alone = alone(&both, &collection);
        let own: Vec<_> = alone.iter().map(|(own, _)| *own).collect();
        let features =
            |order: &[usize]| order.iter().map(|&slice| alone[slice].1.clone()).collect();
        let first = by_hand(&series(&both)[..2], count, &features);
        let rows = |order: &[usize]| probability_rows(&own, Some(&first), spacing, order);
        let expected = by_hand(&series(&both)[2..], count, &rows);
        for kind in engines() {
            let result = run(kind, &both, &collection);
            let found = probabilities(&result);
            assert_near(&found, &expected, &format!("{kind}, {count} slices"));
            assert!(!result.warnings.iter().any(|it| it.contains("series")), "{result:?}");
            let changed = found.iter().zip(&own).filter(|(a, b)| (a[5] - b[5]).abs() > 0.01);
            assert!(changed.count() > count / 2, "the networks of series change nothing");
        }
        // Without them slices are as the network of single slices has them.
        let plain = folder.join("plain.hemora");
        let plain = Bundle::write(&plain, &info(), slices(&both), "").unwrap();
        assert_near(&probabilities(&run(EngineKind::Tract, &plain, &collection)), &own, "plain");
    }
}

#[test]
fn each_kind_of_network_is_shown_what_it_was_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, input, slices) = (folder.path(), folder.path().join("in"), 9);
    write_series(&input, "1.5.1", &even(slices, 5.0));
    let collection = read(&input);
    let one = |name, columns| bundle(folder, &[(name, columns, 1)], None);
    let transformer = one("sequence-transformer", FEATURES + 1);
    let alone = alone(&transformer, &collection);
    let with_places = |order: &[usize]| {
        let place = |slice: usize| (slice as f32 - order[0] as f32) * 0.5;
        order.iter().map(|&it| [&alone[it].1[..], &[place(it)]].concat()).collect()
    };
    let own: Vec<_> = alone.iter().map(|(own, _)| *own).collect();
    let probabilities_alone = |order: &[usize]| probability_rows(&own, None, 5.0, order);
    let alike = one("sequence-probabilities", 30);
    type Rows<'a> = &'a dyn Fn(&[usize]) -> Vec<Vec<f32>>;
    let cases: [(&Bundle, Rows); 2] =
        [(&transformer, &with_places), (&alike, &probabilities_alone)];
    for (bundle, rows) in cases {
        let expected = by_hand(series(bundle), slices, rows);
        for kind in engines() {
            let what = format!("{kind} {}", first(bundle).0.series[0].network);
            assert_near(&probabilities(&run(kind, bundle, &collection)), &expected, &what);
        }
    }
}

#[test]
fn calibration_comes_after_the_networks_of_series() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("in");
    write_series(&input, "1.5.1", &even(5, 5.0));
    let collection = read(&input);
    let stages = [("sequence-features", FEATURES, 1)];
    let any = |temperature: Option<f64>| {
        let bundle = bundle(folder.path(), &stages, temperature);
        let result = run(EngineKind::Tract, &bundle, &collection);
        probabilities(&result).into_iter().map(|it| it[5]).collect::<Vec<_>>()
    };
    for (raw, calibrated) in any(None).into_iter().zip(any(Some(2.0))) {
        let expected = 1.0 / (1.0 + (-(raw / (1.0 - raw)).ln() / 2.0).exp());
        assert!((calibrated - expected).abs() < 1e-5, "{raw} {calibrated}");
    }
}

#[test]
fn one_slice_without_a_position_keeps_its_own_probabilities_and_the_warnings_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), &[("sequence-features", FEATURES, 1)], None);
    let mut places = even(6, 5.0);
    places[2] = None;
    let input = folder.path().join("in");
    write_series(&input, "1.5.1", &places);
    let collection = read(&input);
    let result = run(EngineKind::Tract, &bundle, &collection);
    let own: Vec<_> = alone(&bundle, &collection).into_iter().map(|(own, _)| own).collect();
    for (index, (slice, own)) in result.slices.iter().zip(&own).enumerate() {
        let same =
            slice.probabilities.to_array().iter().zip(own).all(|(a, b)| (a - b).abs() < 1e-6);
        assert_eq!(same, slice.z_mm.is_none(), "slice {index}");
    }
    assert_eq!(result.slices.iter().filter(|slice| slice.z_mm.is_none()).count(), 1);
    let warning = result.warnings.iter().find(|it| it.contains("1 of 6 slices have no position"));
    assert!(warning.is_some_and(|it| it.contains("single slices")), "{:?}", result.warnings);
}

#[test]
fn series_that_cannot_be_read_keep_the_probabilities_of_single_slices_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let bundle = bundle(folder, &[("sequence-features", FEATURES, 1)], None);
    let mut unplaced = even(4, 5.0);
    (unplaced[1], unplaced[2]) = (None, None);
    for (name, places, expected) in [
        ("one", even(1, 5.0), "it has 1 slice, and they read 3 to 1024"),
        ("two", even(2, 5.0), "it has 2 slices"),
        ("unplaced", unplaced, "2 of its 4 slices have no position"),
        ("one-place", even(4, 0.0), "all lie at one position"),
    ] {
        let input = folder.join(name);
        write_series(&input, "1.5.1", &places);
        let collection = read(&input);
        let result = run(EngineKind::Tract, &bundle, &collection);
        let own: Vec<_> = alone(&bundle, &collection).into_iter().map(|(own, _)| own).collect();
        assert_near(&probabilities(&result), &own, name);
        let warning = result.warnings.iter().find(|it| it.contains("networks of series"));
        assert!(warning.is_some_and(|it| it.contains(expected)), "{name}: {:?}", result.warnings);
    }
    // Nor does a caller who forgets them go unnoticed.
    let engine = TractEngine::load(&slices(&bundle), 3, SIZE).unwrap();
    let collection = read(&folder.join("two"));
    let model = LoadedModel::with_engine(bundle, Box::new(engine), None);
    let result = triage(&model, &collection, SeriesPolicy::Chosen, &|_, _| ());
    let warnings = result.studies[0].series[0].warnings.join("; ");
    assert!(warnings.contains("not loaded"), "{warnings}");
}
