//! Several members at work: what triage predicts is the weighted mean of what it predicts with each member
//! alone, whatever the members are and however many threads there are.

use std::path::Path;

use hemora_ct::{Channel, InputRecipe, LABEL_COUNT, Label, Views, Window};
use hemora_infer::{EngineKind, LoadedModel, SeriesPolicy, key_slices, triage};
use hemora_io::Collection;
use hemora_metrics::{StackNode, StackedLabel, Stacking};
use hemora_model::{Bundle, BundleNetworks, Member, ModelInfo, TriageResult};

use crate::series::{FEATURES, even, read, write_series};
use crate::support::{
    SIZE, brightness_bundle, calibration, info, loaded, member, operating_point, slices as network,
    small_onnx,
};

/// Bundles of one as members of one bundle, in models with their weights and numbers of members. What
/// calibrates a bundle calibrates the member.
pub fn together(
    models: &[(&str, [f64; LABEL_COUNT], usize)],
    bundles: &[Bundle],
) -> (ModelInfo, BundleNetworks) {
    let mut bundles = bundles.iter();
    let mut info = ModelInfo { name: "together".to_owned(), members: Vec::new(), ..info() };
    let mut networks = BundleNetworks::default();
    for &(model, weights, count) in models {
        for bundle in bundles.by_ref().take(count) {
            let (member, own) = bundle.members().next().unwrap();
            info.members.push(Member {
                model: model.to_owned(),
                weights: weights.map(|weight| weight / count as f64),
                calibration: bundle.info().calibration.clone(),
                ..member.clone()
            });
            networks.members.push(own.clone());
        }
    }
    (info, networks)
}

/// Three bundles: one that sees brightness, calibrated; one that reads neighbours in two views; one with
/// networks of series.
fn members(folder: &Path) -> Vec<Bundle> {
    let bright = network(&brightness_bundle(folder));
    let calibrated = ModelInfo { calibration: Some(calibration(1.7)), ..info() };
    let bright = Bundle::write(&folder.join("calibrated.hemora"), &calibrated, bright, "").unwrap();
    let channel = |offset| Channel { window: Window { level: 80.0, width: 200.0 }, offset };
    let input = InputRecipe::of(SIZE, vec![channel(-2), channel(0), channel(1)]);
    let neighbours = Member { input, views: Views::Flip, ..member() };
    let neighbours = ModelInfo { members: vec![neighbours], ..info() };
    let path = folder.join("neighbours.hemora");
    let neighbours = Bundle::write(&path, &neighbours, small_onnx(), "").unwrap();
    let stages = [("sequence-features", FEATURES, 2), ("sequence-probabilities", 36, 2)];
    vec![bright, neighbours, crate::series::bundle(folder, &stages, None)]
}

/// Loads bundles as one, whose description goes through `edit`.
fn write(
    folder: &Path,
    models: &[(&str, [f64; LABEL_COUNT], usize)],
    bundles: &[Bundle],
    edit: impl FnOnce(&mut ModelInfo),
) -> LoadedModel {
    let path = folder.join("together.hemora");
    let (mut info, networks) = together(models, bundles);
    edit(&mut info);
    Bundle::write(&path, &info, networks, "# Together\n").unwrap();
    LoadedModel::load(EngineKind::Tract, Bundle::open(&path).unwrap(), None).unwrap()
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
fn triage_predicts_the_weighted_mean_of_its_members_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_series(&folder.join("in"), "1.5.1", &even(23, 5.0));
    let collection = read(&folder.join("in"));
    let members = members(folder);
    let together = write(folder, &WEIGHTS, &members, |_| ());
    let found = run(&together, &collection);
    let alone: Vec<_> = members.iter().map(|it| slices(&run(&loaded(it), &collection))).collect();
    assert_ne!(alone[0], alone[1]);
    let found_slices = slices(&found);
    assert_eq!(found_slices.len(), 23);
    for (slice, row) in found_slices.iter().enumerate() {
        for label in 0..LABEL_COUNT {
            let predicted = |member: usize| f64::from(alone[member][slice][label]);
            let [folds, series] = WEIGHTS.map(|(_, weights, _)| weights[label]);
            let expected = folds * (predicted(0) + predicted(1)) / 2.0 + series * predicted(2);
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
fn calibration_and_thresholds_are_those_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_series(&folder.join("in"), "1.5.1", &even(9, 5.0));
    let collection = read(&folder.join("in"));
    let members = members(folder);
    let plain = run(&write(folder, &WEIGHTS, &members, |_| ()), &collection);
    let own = calibration(0.5);
    let together = write(folder, &WEIGHTS, &members, |info| {
        info.calibration = Some(own.clone());
        info.operating_points = vec![operating_point(0.2)];
    });
    let found = run(&together, &collection);
    for (found, plain) in slices(&found).iter().zip(slices(&plain)) {
        let expected = own.apply(plain);
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }
    let reaching = slices(&found).iter().filter(|row| f64::from(row[5]) >= 0.2).count();
    assert_eq!(found.studies[0].flags[0].flagged_slices, reaching);
    // The members and weights make the probabilities, not what is calibrated afterwards.
    assert_eq!(found.model.sha256, plain.model.sha256);
    let mut weights = WEIGHTS;
    weights.iter_mut().for_each(|(_, weights, _)| weights[5] = 0.5);
    let other = write(folder, &weights, &members, |_| ());
    assert_ne!(other.model().model_ref().sha256, plain.model.sha256);
}

#[test]
fn trees_read_the_models_of_the_slices_above_and_below() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_series(&folder.join("in"), "1.5.1", &even(12, 5.0));
    let collection = read(&folder.join("in"));
    let members = members(folder);
    let plain = run(&write(folder, &WEIGHTS, &members, |_| ()), &collection);
    // `any` is high where the mean of the first model's folds was high in the slice below.
    let alone: Vec<_> = members.iter().map(|it| slices(&run(&loaded(it), &collection))).collect();
    let of_folds: Vec<f32> = (0..12).map(|it| (alone[0][it][5] + alone[1][it][5]) / 2.0).collect();
    let mut sorted = of_folds.clone();
    sorted.sort_by(f32::total_cmp);
    let bound = f64::from((sorted[5] + sorted[6]) / 2.0);
    let feature = 1 + Label::Any.index();
    let tree =
        vec![StackNode::Split(feature, bound, 1, 2), StackNode::Leaf(-2.0), StackNode::Leaf(2.0)];
    let any = StackedLabel { label: Label::Any, base: 0.0, trees: vec![tree] };
    let stacking = Some(Stacking { models: 2, neighbours: 1, labels: vec![any] });
    let together = write(folder, &WEIGHTS, &members, |info| info.stacking = stacking);
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
    let models = [("same", [1.0; LABEL_COUNT], 2)];
    let keys = |model: &LoadedModel| {
        let result = run(model, &collection);
        key_slices(model, &collection, &result.studies[0], 3)
    };
    let one = keys(&loaded(&members[0]));
    let two = keys(&write(folder, &models, &same, |_| ()));
    assert_eq!((one.len(), two.len()), (3, 3));
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one.sop_instance_uid, two.sop_instance_uid);
        let (one, two) = (one.any_map.as_ref().unwrap(), two.any_map.as_ref().unwrap());
        let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
        assert!(one.plane.values.iter().zip(&two.plane.values).all(near));
    }
    // Of members with maps of other sizes, the larger size.
    let mixed = keys(&write(folder, &WEIGHTS, &members, |_| ()));
    let map = mixed[0].any_map.as_ref().unwrap();
    assert_eq!((map.plane.rows, map.plane.columns), (SIZE, SIZE));
    assert_eq!(map.plane.values.iter().copied().fold(0.0, f32::max), 1.0);
}
