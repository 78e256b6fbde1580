//! Studies on disk to results.

use std::fs;

use hemora_ct::{Channel, Label, Views, Window};
use hemora_infer::{
    Engine, LoadedModel, SeriesPolicy, TractEngine, key_slices, score_series, triage,
};
use hemora_io::{Collection, collect};
use hemora_metrics::{LearnedAggregation, LearnedLabel, Level, ProbabilityScores};
use hemora_model::{Bundle, ModelInfo, SeriesResult, StudyResult, TriageResult};

use crate::support::{
    AXIAL, CORONAL, NewFile, SIZE, brightness_bundle, calibration, first, loaded, operating_point,
    shared, slices,
};

/// Bright pixels of the slices of the four series, feet to head.
const QUIET: [usize; 3] = [100, 200, 0];
const BLEEDING: [usize; 5] = [0, 600, 3000, 2100, 1000];
const REPEAT: [usize; 2] = [400, 600];

pub struct Archive {
    pub folder: tempfile::TempDir,
    pub bundle: Bundle,
    engine: TractEngine,
}

/// Study 1.1: one quiet series. Study 1.2: a bleeding series, a repeat of two slices, a coronal
/// one. And a text file.
pub fn archive() -> Archive {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    fs::create_dir(&path).unwrap();
    let write = |study: &str, series: &str, orientation, bright: &[usize]| {
        let (series, study) = (format!("{study}.{series}"), study.to_owned());
        for (index, &bright) in bright.iter().enumerate() {
            let sop = format!("{series}.{index}");
            let position = match orientation == AXIAL {
                true => [0.0, 0.0, 5.0 * index as f64],
                false => [0.0, 5.0 * index as f64, 0.0],
            };
            let file = NewFile {
                sop: &sop,
                series: &series,
                study: &study,
                orientation,
                position,
                bright,
            };
            file.write(&path);
        }
    };
    write("1.1", "1", AXIAL, &QUIET);
    write("1.2", "1", AXIAL, &BLEEDING);
    write("1.2", "2", AXIAL, &REPEAT);
    write("1.2", "3", CORONAL, &[4096; 3]);
    fs::write(path.join("notes.txt"), "no image").unwrap();
    let bundle = brightness_bundle(folder.path());
    let engine = TractEngine::load(&slices(&bundle), 3, SIZE).unwrap();
    Archive { folder, bundle, engine }
}

impl Archive {
    fn input(&self) -> std::path::PathBuf {
        self.folder.path().join("in")
    }

    pub fn collect(&self) -> Collection {
        collect(&[self.input()], &|_, _| ())
    }

    pub fn triage(&self, collection: &Collection) -> TriageResult {
        triage(&loaded(&self.bundle), collection, SeriesPolicy::AllAxial, &|_, _| ())
    }
}

/// What the brightness network says about `any` on a slice.
pub fn expected_any(bright: usize) -> f64 {
    1.0 / (1.0 + (3.0 - 10.0 * bright as f64 / 4096.0).exp())
}

fn any(series: &SeriesResult) -> Vec<f64> {
    series.slices.iter().map(|slice| f64::from(slice.probabilities.any)).collect()
}

pub fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4, "{found}, expected {expected}");
}

#[test]
fn the_worst_study_comes_first_with_its_worst_series() {
    let archive = archive();
    let result = archive.triage(&archive.collect());
    let [bleeding, quiet] = result.studies.as_slice() else { panic!("{:?}", result.studies) };
    assert_eq!(bleeding.study_instance_uid, "1.2");
    assert_eq!(quiet.study_instance_uid, "1.1");
    let [worst, repeat] = bleeding.series.as_slice() else { panic!("{:?}", bleeding.series) };
    assert_eq!((&*worst.series_instance_uid, &*repeat.series_instance_uid), ("1.2.1", "1.2.2"));
    assert_eq!(bleeding.probabilities, worst.probabilities);
    // Each slice is what the network says of its brightness: pixels to result in one line.
    for (found, bright) in any(worst).into_iter().zip(BLEEDING) {
        assert_near(found, expected_any(bright));
    }
    let highest = [3000, 2100, 1000].map(expected_any).iter().sum::<f64>() / 3.0;
    assert_near(f64::from(worst.probabilities.any), highest);
    assert_near(f64::from(repeat.probabilities.any), (expected_any(400) + expected_any(600)) / 2.0);
    let z: Vec<_> = worst.slices.iter().map(|slice| slice.z_mm).collect();
    assert_eq!(z, [0.0, 5.0, 10.0, 15.0, 20.0].map(Some));
    assert_eq!(worst.acquisition.slice_spacing_mm, Some(5.0));
    assert_eq!(worst.acquisition.pixel_spacing_mm, Some([0.5, 0.5]));
    assert_eq!((worst.acquisition.rows, worst.acquisition.signed), (64, true));
    let warnings = bleeding.warnings.join("; ");
    assert!(warnings.contains("2 series were scored"), "{warnings}");
    assert!(warnings.contains("1.2.3") && warnings.contains("axial"), "{warnings}");
    assert!(quiet.warnings.is_empty());
    assert_eq!(bleeding.patient_id, "patient");
    assert_eq!((result.engine.as_str(), &*result.model.name), ("tract", "test"));
    // The text file and the coronal slices are named, and are no failures.
    assert_eq!(result.skipped.len(), 4);
    assert!(result.skipped.iter().all(|file| !file.failed), "{:?}", result.skipped);
}

#[test]
fn the_chosen_series_alone_is_scored_and_the_others_say_why_not() {
    let archive = archive();
    let collection = archive.collect();
    let policy = SeriesPolicy::Chosen;
    let result = triage(&loaded(&archive.bundle), &collection, policy, &|_, _| ());
    let bleeding = &result.studies[0];
    let [only] = bleeding.series.as_slice() else { panic!("{:?}", bleeding.series) };
    assert_eq!(only.series_instance_uid, "1.2.1");
    let warnings = bleeding.warnings.join("; ");
    assert!(warnings.contains("series 1.2.2, 2 slices, passed over: the series with more"));
    assert!(warnings.contains("series 1.2.3, 3 slices, left out: coronal"), "{warnings}");
    assert_eq!(result.skipped.len(), 1 + REPEAT.len() + 3);
    assert!(result.skipped.iter().all(|file| !file.failed), "{:?}", result.skipped);
}

#[test]
fn probabilities_are_calibrated_and_slices_flagged_as_the_bundle_says() {
    let archive = archive();
    let info = ModelInfo {
        calibration: Some(calibration(2.0)),
        operating_points: vec![operating_point(0.5)],
        ..archive.bundle.info().clone()
    };
    let path = archive.folder.path().join("calibrated.hemora");
    let bundle = Bundle::write(&path, &info, slices(&archive.bundle), "").unwrap();
    let policy = SeriesPolicy::Chosen;
    let result = triage(&loaded(&bundle), &archive.collect(), policy, &|_, _| ());
    let bleeding = &result.studies[0];
    // A temperature of 2 halves the log odds.
    let halved = |bright: usize| 1.0 / (1.0 + (1.5 - 5.0 * bright as f64 / 4096.0).exp());
    for (found, bright) in any(&bleeding.series[0]).into_iter().zip(BLEEDING) {
        assert_near(found, halved(bright));
    }
    let plain = archive.triage(&archive.collect());
    assert_eq!(
        bleeding.series[0].slices[2].probabilities.subdural,
        plain.studies[0].series[0].slices[2].probabilities.subdural,
        "a label without a calibrator stays as it is"
    );
    let [flag] = bleeding.flags.as_slice() else { panic!("{:?}", bleeding.flags) };
    let expected = BLEEDING.iter().filter(|&&bright| halved(bright) >= 0.5).count();
    assert_eq!((flag.flagged_slices, flag.label, flag.threshold), (expected, Label::Any, 0.5));
    assert!(expected > 0 && expected < BLEEDING.len());
}

#[test]
fn slices_make_a_series_by_the_rule_that_the_bundle_holds() {
    let archive = archive();
    let plain = archive.triage(&archive.collect());
    // A rule on the highest slice alone, which leaves it as it is.
    let scores =
        ProbabilityScores { log_loss: None, brier: None, expected_calibration_error: None };
    let rule = LearnedLabel {
        label: Label::Any,
        intercept: 0.0,
        highest: 1.0,
        top_three: 0.0,
        all: 0.0,
        items: 10,
        positives: 5,
        before: scores,
        held_out: None,
    };
    let learned = LearnedAggregation {
        level: Level::Series,
        labels: vec![rule],
        origin: calibration(1.0).origin,
    };
    let info = ModelInfo { aggregation: Some(learned), ..archive.bundle.info().clone() };
    let path = archive.folder.path().join("learned.hemora");
    let bundle = Bundle::write(&path, &info, slices(&archive.bundle), "").unwrap();
    let policy = SeriesPolicy::Chosen;
    let result = triage(&loaded(&bundle), &archive.collect(), policy, &|_, _| ());
    let (ours, default) = (&result.studies[0].series[0], &plain.studies[0].series[0]);
    let highest = any(ours).into_iter().fold(0.0, f64::max);
    assert_near(ours.probabilities.any.into(), highest);
    assert!(ours.probabilities.any > default.probabilities.any);
    // Without a rule, the mean of the three highest.
    assert_near(ours.probabilities.subdural.into(), default.probabilities.subdural.into());
}

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
fn a_slice_that_breaks_is_named_and_the_rest_goes_on() {
    let archive = archive();
    let collection = archive.collect();
    let broken = archive.input().join("1.2.1.2.dcm");
    let bytes = fs::read(&broken).unwrap();
    fs::write(&broken, &bytes[..bytes.len() - 1000]).unwrap();
    let gone = archive.input().join("1.1.1.0.dcm");
    fs::remove_file(&gone).unwrap();
    let result = archive.triage(&collection);
    let failed: Vec<&str> =
        result.skipped.iter().filter(|file| file.failed).map(|file| file.source.as_str()).collect();
    assert_eq!(failed, [gone.to_str().unwrap(), broken.to_str().unwrap()]);
    assert!(result.skipped.iter().all(|file| !file.reason.is_empty()));
    let worst = &result.studies[0].series[0];
    assert_eq!(worst.slices.len(), 4);
    for (found, bright) in any(worst).into_iter().zip([0, 600, 2100, 1000]) {
        assert_near(found, expected_any(bright));
    }
    assert!(worst.warnings.join("; ").contains("1 slices have no result"), "{:?}", worst.warnings);
}

#[test]
fn a_study_without_any_result_is_only_among_the_skipped() {
    let archive = archive();
    let collection = archive.collect();
    for index in 0..3 {
        fs::write(archive.input().join(format!("1.1.1.{index}.dcm")), "").unwrap();
    }
    let result = archive.triage(&collection);
    assert_eq!(result.studies.len(), 1);
    assert_eq!(result.skipped.iter().filter(|file| file.failed).count(), 3);
    let empty = archive.triage(&Collection::default());
    assert!(empty.studies.is_empty() && empty.skipped.is_empty());
}

#[test]
fn an_engine_that_fails_on_slices_does_not_end_the_run() {
    let archive = archive();
    // A network for another input size fails on every slice.
    let mut info = archive.bundle.info().clone();
    info.members[0].input = grey(64);
    let path = archive.folder.path().join("other.hemora");
    let bundle = Bundle::write(&path, &info, slices(&archive.bundle), "").unwrap();
    let engine = TractEngine::load(&slices(&bundle), 3, SIZE).unwrap();
    let model = LoadedModel::with_engine(bundle, Box::new(engine), None);
    let result = triage(&model, &archive.collect(), SeriesPolicy::AllAxial, &|_, _| ());
    assert!(result.studies.is_empty());
    let failed: Vec<_> = result.skipped.iter().filter(|file| file.failed).collect();
    assert_eq!(failed.len(), QUIET.len() + BLEEDING.len() + REPEAT.len());
    assert!(failed[0].reason.contains("12288"), "{}", failed[0].reason);
}

fn grey(size: usize) -> hemora_ct::InputRecipe {
    hemora_ct::InputRecipe::grey(size, Window::BRAIN)
}

#[test]
fn neighbours_reach_the_network() {
    let archive = archive();
    let mut input = grey(SIZE);
    for (channel, offset) in input.channels.iter_mut().zip([-1, 0, 1]) {
        *channel = Channel { offset, ..*channel };
    }
    let collection = archive.collect();
    let series = collection.studies[1].series.iter().find(|series| series.id() == "1.2.1").unwrap();
    let score = score_series(&archive.engine, &input, Views::One, series, &|_, _| ());
    // The network takes the mean of its three channels: the slice and its neighbours.
    let mean = (600 + 3000 + 2100) / 3;
    assert_near(f64::from(score.slices[2].probabilities.any), expected_any(mean));
    let alone = score_series(&archive.engine, &grey(SIZE), Views::One, series, &|_, _| ());
    assert_ne!(alone.slices[2].probabilities, score.slices[2].probabilities);
}

#[test]
fn the_views_that_a_bundle_asks_for_are_averaged() {
    let archive = archive();
    let collection = archive.collect();
    let mut info = archive.bundle.info().clone();
    info.members[0].views = Views::Ten;
    let path = archive.folder.path().join("views.hemora");
    Bundle::write(&path, &info, slices(&archive.bundle), "# views").unwrap();
    let bundle = Bundle::open(&path).unwrap();
    let (member, _) = first(&bundle);
    assert_eq!(member.views, Views::Ten);
    let any = |bundle: &Bundle| {
        let result = triage(&loaded(bundle), &collection, SeriesPolicy::Chosen, &|_, _| ());
        let series = result.studies.into_iter().flat_map(|study| study.series);
        series.flat_map(|it| it.slices).map(|it| it.probabilities.any).collect::<Vec<_>>()
    };
    let (one, ten) = (any(&archive.bundle), any(&bundle));
    assert_eq!(one.len(), ten.len());
    // The bright pixels lie in some corners and not in others.
    assert_ne!(one, ten);
    let series = collection.studies[1].series.iter().find(|series| series.id() == "1.2.1").unwrap();
    let (_, slice) = hemora_io::read_slice(&series.slices[2].source).unwrap();
    let input = member.input.input(|_| &slice);
    let views = Views::Ten.all();
    let of = |view: &hemora_ct::View| {
        f64::from(archive.engine.run(&view.of(&input, SIZE)).unwrap().probabilities[5])
    };
    let mean = views.iter().map(of).sum::<f64>() / views.len() as f64;
    let score = score_series(&archive.engine, &member.input, Views::Ten, series, &|_, _| ());
    assert_near(f64::from(score.slices[2].probabilities.any), mean);
}

#[test]
fn the_thread_count_changes_nothing_and_progress_counts_every_slice() {
    let archive = archive();
    let collection = archive.collect();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let counts = std::sync::Mutex::new(Vec::new());
        let result = pool.install(|| {
            let progress = |done, total| counts.lock().unwrap().push((done, total));
            triage(&loaded(&archive.bundle), &collection, SeriesPolicy::AllAxial, &progress)
        });
        let mut counts = counts.into_inner().unwrap();
        counts.sort_unstable();
        assert_eq!(counts, (1..=10).map(|done| (done, 10)).collect::<Vec<_>>());
        serde_json::to_string(&result).unwrap()
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn key_slices_are_the_worst_with_maps_of_where() {
    let archive = archive();
    let collection = archive.collect();
    let result = archive.triage(&collection);
    let study = &result.studies[0];
    let keys = key_slices(&loaded(&archive.bundle), &collection, study, 2);
    let indices: Vec<usize> = keys.iter().map(|key| key.index).collect();
    assert_eq!(indices, [2, 3]);
    let first = &keys[0];
    assert_eq!(first.sop_instance_uid, "1.2.1.2");
    assert_eq!((first.z_mm, first.leading_subtype), (Some(10.0), Label::Subdural));
    assert_eq!(first.slice.hu().iter().filter(|&&hu| hu == 90.0).count(), 3000);
    let map = first.any_map.as_ref().unwrap().upsampled(64, 64);
    assert!(map.values[0] > 0.99 && map.values[64 * 64 - 1] < 0.01, "bright above, dark below");
    assert_eq!(first.subtype_map.as_ref().unwrap().label, Label::Subdural);
    let at_least_one = key_slices(&loaded(&archive.bundle), &collection, study, 0);
    assert_eq!(at_least_one.len(), 1);
    let all = key_slices(&loaded(&archive.bundle), &collection, study, 100);
    assert_eq!(all.len(), BLEEDING.len());
    assert!(all[4].any_map.is_none(), "nothing speaks for hemorrhage in a black slice");
    fs::remove_file(archive.input().join("1.2.1.2.dcm")).unwrap();
    let left = key_slices(&loaded(&archive.bundle), &collection, study, 2);
    assert_eq!(left.len(), 1, "a slice that is gone is left out");
}

#[test]
fn real_studies_are_scored_whole() {
    let Some(folder) = shared("rsna-sample/dicom") else { return };
    let archive = archive();
    let collection = collect(&[folder], &|_, _| ());
    let result = archive.triage(&collection);
    assert_eq!(result.studies.len(), 6);
    assert!(result.skipped.iter().all(|file| !file.failed), "{:?}", result.skipped);
    let slices: usize = series(&result.studies).map(|series| series.slices.len()).sum();
    assert_eq!(slices, 205);
    for series in series(&result.studies) {
        assert!(!series.warnings.iter().any(|it| it.contains("head")), "{:?}", series.warnings);
        let z: Vec<f64> = series.slices.iter().filter_map(|slice| slice.z_mm).collect();
        assert_eq!(z.len(), series.slices.len());
        assert!(z.windows(2).all(|pair| pair[0] < pair[1]), "{z:?}");
        assert!(series.acquisition.slice_spacing_mm.is_some_and(|it| (2.0..8.0).contains(&it)));
    }
    assert_eq!(archive.engine.name(), result.engine);
}

fn series(studies: &[StudyResult]) -> impl Iterator<Item = &SeriesResult> {
    studies.iter().flat_map(|study| &study.series)
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
