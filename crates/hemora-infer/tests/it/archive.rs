//! An archive of small series, and what the brightness network says of them.

use std::fs;

use hemora_ct::{InputRecipe, Window};
use hemora_infer::{SeriesPolicy, TractEngine, triage};
use hemora_io::{Collection, collect};
use hemora_model::{Bundle, SeriesResult, StudyResult, TriageResult};

use crate::support::{AXIAL, CORONAL, NewFile, SIZE, brightness_bundle, loaded, slices};

/// Bright pixels of the slices of the four series, feet to head.
pub const QUIET: [usize; 3] = [100, 200, 0];
pub const BLEEDING: [usize; 5] = [0, 600, 3000, 2100, 1000];
pub const REPEAT: [usize; 2] = [400, 600];

pub struct Archive {
    pub folder: tempfile::TempDir,
    pub bundle: Bundle,
    pub engine: TractEngine,
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
    pub fn input(&self) -> std::path::PathBuf {
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

pub fn any(series: &SeriesResult) -> Vec<f64> {
    series.slices.iter().map(|slice| f64::from(slice.probabilities.any)).collect()
}

pub fn assert_near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4, "{found}, expected {expected}");
}

pub fn grey(size: usize) -> InputRecipe {
    InputRecipe::grey(size, Window::BRAIN)
}

pub fn series(studies: &[StudyResult]) -> impl Iterator<Item = &SeriesResult> {
    studies.iter().flat_map(|study| &study.series)
}
