//! Thin series of a model that was trained on thick slices.

use std::fs;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_infer::{
    Engine, EngineError, EngineKind, LoadedModel, Output, SeriesPolicy, key_slices, triage,
};
use hemora_io::{Collection, PixelStorage, collect};
use hemora_model::{Bundle, Member, ModelInfo, StudyResult};
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, PhantomStudy, StudyIds, write_study};

use crate::support::{info, member};

/// Twice the mean brightness of the input in the brain window is the probability of everything.
struct Brightness;

impl Engine for Brightness {
    fn name(&self) -> &'static str {
        "brightness"
    }

    fn run(&self, input: &[f32]) -> Result<Output, EngineError> {
        let mean = input.iter().map(|value| (value + 1.0) / 2.0).sum::<f32>() / input.len() as f32;
        Ok(Output {
            probabilities: [(2.0 * mean).min(1.0); LABEL_COUNT],
            features: None,
            maps: None,
        })
    }
}

fn model(folder: &Path, slab_mm: Option<f64>) -> LoadedModel {
    let info = ModelInfo { members: vec![Member { slab_mm, ..member() }], ..info() };
    let path = folder.join("brightness.hemora");
    let bundle = Bundle::write(&path, &info, b"no network".to_vec(), "# Card\n").unwrap();
    assert_eq!(Bundle::open(&path).unwrap().info().slab_mm(), slab_mm);
    LoadedModel::with_engine(bundle, Box::new(Brightness), None)
}

/// One head with a bleed, in slices that are as thick as they are apart.
pub(crate) fn phantom(folder: &Path, spacing: f64) -> Collection {
    written(&folder.join(format!("{spacing}")), &imaged(spacing, 64))
}

fn imaged(spacing: f64, size: usize) -> PhantomStudy {
    let options = PhantomOptions {
        bleeds: Bleeds::These(vec![Label::Intraparenchymal]),
        slice_spacing: spacing,
        slice_thickness: spacing,
        ..PhantomOptions::default().with_size(size)
    };
    HeadPhantom::new(11, options).unwrap().render()
}

fn written(folder: &Path, study: &PhantomStudy) -> Collection {
    let ids = StudyIds::from_seed(11, study.slices.len());
    fs::create_dir(folder).unwrap();
    write_study(folder, study, &ids, PixelStorage::Unsigned12 { intercept: -1024 }).unwrap();
    collect(&[folder.to_owned()], &|_, _| ())
}

fn study(model: &LoadedModel, collection: &Collection) -> StudyResult {
    let mut result = triage(model, collection, SeriesPolicy::Chosen, &|_, _| ());
    assert!(result.skipped.is_empty(), "{:?}", result.skipped);
    result.studies.remove(0)
}

fn notes(study: &StudyResult) -> Vec<&String> {
    let about = |warning: &&String| warning.contains("averaged") || warning.contains("trained on");
    study.series[0].warnings.iter().filter(about).collect()
}

#[test]
fn a_thin_series_is_scored_as_the_thick_one_that_it_would_make() {
    let folder = tempfile::tempdir().unwrap();
    let (thick, thin) = (phantom(folder.path(), 5.0), phantom(folder.path(), 0.625));
    let model = model(folder.path(), Some(5.0));
    let (of_thick, of_thin) = (study(&model, &thick), study(&model, &thin));
    assert!(notes(&of_thick).is_empty(), "{:?}", notes(&of_thick));
    let (coarse, fine) = (&of_thick.series[0].slices, &of_thin.series[0].slices);
    assert!(fine.len() > 7 * coarse.len(), "{} {}", fine.len(), coarse.len());
    let [note] = notes(&of_thin)[..] else { panic!("{:?}", of_thin.series[0].warnings) };
    assert!(note.starts_with(&format!("averaged {} slices of 0.62 mm to ", fine.len())), "{note}");
    // Slabs begin elsewhere than the thick slices, so that they are not the same to the last digit.
    let difference = of_thick.probabilities.any - of_thin.probabilities.any;
    assert!(difference.abs() < 0.05, "{:?} {:?}", of_thick.probabilities, of_thin.probabilities);
    // The mean of the three highest slabs, not of three slices of one slab.
    let mut of_slabs: Vec<f32> = fine
        .chunk_by(|a, b| a.probabilities == b.probabilities)
        .map(|slab| slab[0].probabilities.any)
        .collect();
    of_slabs.sort_by(|a, b| b.total_cmp(a));
    let mean = of_slabs[..3].iter().sum::<f32>() / 3.0;
    assert!(of_slabs[0] > of_slabs[2] + 1e-4, "they differ");
    assert!((of_thin.probabilities.any - mean).abs() < 1e-6, "{mean}");

    // In order, each slice with the probabilities of its slab.
    let z: Vec<f64> = fine.iter().map(|slice| slice.z_mm.unwrap()).collect();
    assert!(z.is_sorted());
    let runs: Vec<usize> =
        fine.chunk_by(|a, b| a.probabilities == b.probabilities).map(<[_]>::len).collect();
    // Above the head the last slabs are nothing but air, and look like one.
    let (last, whole) = runs.split_last().unwrap();
    assert!(whole.iter().all(|run| *run == 8) && (4..40).contains(last), "{runs:?}");
    // The ends aside, a thick slice lies between two slabs.
    for slice in &coarse[1..coarse.len() - 1] {
        let near =
            |it: &&hemora_model::SliceResult| (it.z_mm.unwrap() - slice.z_mm.unwrap()).abs() < 5.0;
        let around = fine.iter().filter(near).map(|it| it.probabilities.any);
        let (low, high) = around.fold((1f32, 0f32), |(low, high), it| (low.min(it), high.max(it)));
        let any = slice.probabilities.any;
        assert!(any > low - 0.06 && any < high + 0.06, "{any}: {low} to {high}");
    }

    // Key slices are of different slabs, and from their middle.
    let keys = key_slices(&model, &thin, &of_thin, 3);
    assert_eq!(keys.len(), 3);
    for key in &keys {
        assert_eq!(key.index % 8, 4, "{}", key.index);
        assert_eq!(key.probabilities, fine[key.index].probabilities);
    }
    assert!(keys[0].index != keys[1].index && keys[1].index != keys[2].index);
}

#[test]
fn the_default_model_sees_thin_and_thick_slices_of_one_exposure_alike() {
    let folder = tempfile::tempdir().unwrap();
    let imaged = imaged(0.625, 128);
    let thin = written(&folder.path().join("thin"), &imaged);
    let thick = written(&folder.path().join("thick"), &imaged.thick(8, 0));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/default.hemora");
    let model = LoadedModel::load(EngineKind::Tract, Bundle::open(&path).unwrap(), None).unwrap();
    let (of_thin, of_thick) = (study(&model, &thin), study(&model, &thick));
    assert_eq!(notes(&of_thin).len(), 1, "{:?}", of_thin.series[0].warnings);
    assert!(notes(&of_thick).is_empty(), "{:?}", of_thick.series[0].warnings);
    for label in Label::ALL {
        let [thin, thick] = [&of_thin, &of_thick].map(|it| it.probabilities.get(label));
        assert!((thin - thick).abs() <= 0.05, "{label}: {thin} and {thick}");
    }
}

#[test]
fn progress_counts_slices_and_a_broken_one_leaves_its_slab() {
    let folder = tempfile::tempdir().unwrap();
    let thin = phantom(folder.path(), 0.625);
    let model = model(folder.path(), Some(5.0));
    let whole = study(&model, &thin);
    let count = whole.series[0].slices.len();
    // The thirteenth slice, of the second slab.
    let broken = whole.series[0].slices[12].clone();
    fs::write(&broken.source, b"gone").unwrap();
    let most = std::sync::atomic::AtomicUsize::new(0);
    let result = triage(&model, &thin, SeriesPolicy::Chosen, &|done, total| {
        assert_eq!(total, count);
        most.fetch_max(done, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(most.into_inner(), count);
    let slices = &result.studies[0].series[0].slices;
    assert_eq!(slices.len(), count - 1);
    assert_eq!(result.skipped.len(), 1);
    assert_eq!(result.skipped[0].source, broken.source);
    let second: Vec<f32> = slices[8..15].iter().map(|slice| slice.probabilities.any).collect();
    assert!(
        second.iter().all(|any| *any == second[0] && (any - broken.probabilities.any).abs() < 0.02)
    );
    assert_ne!(slices[15].probabilities, slices[14].probabilities);
}

#[test]
fn a_series_with_a_gap_is_scored_slice_by_slice_with_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let thin = phantom(folder.path(), 0.625);
    let model = model(folder.path(), Some(5.0));
    let whole = study(&model, &thin);
    for slice in &whole.series[0].slices[20..24] {
        fs::remove_file(&slice.source).unwrap();
    }
    let gap = collect(&[folder.path().join("0.625")], &|_, _| ());
    let with_gap = study(&model, &gap);
    let [note] = notes(&with_gap)[..] else { panic!("{:?}", with_gap.series[0].warnings) };
    assert!(note.contains("could not be averaged"), "{note}");
    let slices = &with_gap.series[0].slices;
    let runs = slices.chunk_by(|a, b| a.probabilities == b.probabilities).count();
    assert!(runs > slices.len() / 2, "{runs}");

    // A model that does not say on what it was trained averages nothing and warns of nothing.
    let other = tempfile::tempdir().unwrap();
    let plain = study(&self::model(other.path(), None), &gap);
    assert!(notes(&plain).is_empty());
    assert_eq!(plain.series[0].slices, *slices);
}
