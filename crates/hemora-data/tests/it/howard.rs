//! The `howard` recipe beside a reference written in Python from the facts.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{dicom_files, python, shared_sample};
use hemora_ct::{HuCounts, PixelBox, Plane, Window, brain_box, part_in_window, zoom};
use hemora_data::{Output, PrepareRecipe, Renderer};
use hemora_io::{Source, read_slice};
use hemora_synth::{PhantomOptions, write_dataset};

#[derive(serde::Deserialize)]
struct Truth {
    bins: Vec<f32>,
    slices: Vec<TrueSlice>,
}

#[derive(serde::Deserialize)]
struct TrueSlice {
    in_window: f64,
    #[serde(rename = "box")]
    bounds: [usize; 4],
}

fn reference(python: &Path, folder: &Path, files: &[PathBuf]) -> Truth {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/howard.py");
    let run = Command::new(python).arg(script).arg(folder).args(files).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&std::fs::read(folder.join("result.json")).unwrap()).unwrap()
}

fn read(file: &Path) -> Plane {
    read_slice(&Source::File(file.to_owned())).unwrap().1.into_plane()
}

/// Everything before the JPEG equals the reference.
fn compare(python: &Path, files: &[PathBuf]) {
    let folder = tempfile::tempdir().unwrap();
    let truth = reference(python, folder.path(), files);
    assert_eq!(truth.slices.len(), files.len());
    let mut counts = HuCounts::default();
    files.iter().for_each(|file| counts.add(&read(file).values));
    let renderer =
        Renderer::new(PrepareRecipe::built_in("howard").unwrap(), || Ok(counts)).unwrap();
    let Output::Jpeg { bins, .. } = &renderer.recipe().output else { unreachable!() };
    assert_eq!(*bins, truth.bins);
    let mut differing = 0usize;
    for (index, (file, truth)) in files.iter().zip(&truth.slices).enumerate() {
        let name = file.display();
        let slice = read(file);
        let in_window = part_in_window(&slice.values, Window::BRAIN);
        assert!((in_window - truth.in_window).abs() < 1e-9, "{name}: {in_window}");
        let [top, bottom, left, right] = truth.bounds;
        let expected = PixelBox { rows: [top, bottom], columns: [left, right] };
        let whole = PixelBox { rows: [0, 511], columns: [0, 511] };
        let found = brain_box(&zoom(&slice, 512, 512)).unwrap_or(whole);
        assert_eq!(found, expected, "{name}");
        let pixels = renderer.pixels(&slice, |_| unreachable!("howard has no neighbours"));
        let expected = std::fs::read(folder.path().join(format!("{index}.u8"))).unwrap();
        assert_eq!(pixels.len(), expected.len());
        let differences = pixels.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b));
        let largest = differences.clone().max().unwrap();
        assert!(largest <= 2, "{name}: {largest} grey levels");
        differing += differences.filter(|difference| *difference > 0).count();
    }
    eprintln!("{} slices, {differing} values differ, by at most 2", files.len());
}

#[test]
fn real_slices_equal_the_reference() {
    let (Some(python), Some(sample)) = (python(), shared_sample()) else { return };
    let files: Vec<PathBuf> =
        dicom_files(&sample.join("dicom")).into_iter().step_by(6).take(30).collect();
    assert_eq!(files.len(), 30);
    compare(&python, &files);
}

#[test]
fn phantoms_equal_the_reference_at_any_size() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (seed, size) in [(3, 512), (4, 256), (5, 300)] {
        let options = PhantomOptions::default().with_size(size);
        let dir = folder.path().join(size.to_string());
        write_dataset(&dir, seed, 1, &options, &|_, _| {}).unwrap();
        let files: Vec<PathBuf> =
            dicom_files(&dir.join("stage_2_train")).into_iter().step_by(4).collect();
        assert!(files.len() >= 5);
        compare(&python, &files);
    }
}
