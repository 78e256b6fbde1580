//! Studies on disk to results.

use std::fs;

use hemora_ct::Label;
use hemora_infer::{Engine, LoadedModel, SeriesPolicy, TractEngine, triage};
use hemora_io::{Collection, collect};
use hemora_metrics::{LearnedAggregation, LearnedLabel, Level, ProbabilityScores};
use hemora_model::{Bundle, ModelInfo};

use crate::archive::{
    BLEEDING, QUIET, REPEAT, any, archive, assert_near, expected_any, grey, series,
};
use crate::support::{SIZE, calibration, loaded, operating_point, shared, slices};

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
        certainty: vec![],
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
