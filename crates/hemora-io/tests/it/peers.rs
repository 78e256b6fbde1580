//! HU as pydicom computes them.

use std::path::{Path, PathBuf};
use std::process::Command;

use hemora_ct::{ImagePlane, Slice};
use hemora_io::{PixelStorage, ReadError, Source, read_headers, read_slice, write_slice};

use crate::raw::{Encoding, Front, Raw, write_file};
use crate::round_trip::new_slice;
use crate::shared;

/// HU of pydicom's `apply_modality_lut`, or why it does not decode the file.
pub fn pydicom(python: &Path, files: &[PathBuf]) -> Vec<Result<Vec<f64>, String>> {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/hu.py");
    let run = Command::new(python).arg(script).arg(folder.path()).args(files).output().unwrap();
    let messages = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{messages}");
    let result = |index: usize| {
        let values = std::fs::read(folder.path().join(format!("{index}.f64")));
        let error = std::fs::read_to_string(folder.path().join(format!("{index}.error")));
        match values {
            Ok(bytes) => Ok(bytes
                .as_chunks::<8>()
                .0
                .iter()
                .map(|&value| f64::from_le_bytes(value))
                .collect()),
            Err(_) => Err(error.unwrap()),
        }
    };
    (0..files.len()).map(result).collect()
}

/// The largest difference from pydicom in HU, and the slope that makes it stored values.
pub fn largest_difference(path: &Path, truth: &[f64]) -> (f64, f64) {
    let (header, slice) = read_slice(&Source::File(path.to_owned()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(slice.hu().len(), truth.len(), "{}", path.display());
    let pairs = slice.hu().iter().zip(truth);
    // Equal in 32 bits, in which HU are kept.
    let differences = pairs.map(|(&hu, &truth)| f64::from((hu - truth as f32).abs()));
    (differences.fold(0.0, f64::max), header.rescale_slope.abs())
}

/// Endings of the names of real files in lossy encodings, of which two decoders may differ by the
/// rounding of two steps. pydicom has no decoder for the retired ones.
const LOSSY: [&str; 4] = ["4.50.dcm", "4.51.dcm", "4.81.dcm", "4.91.dcm"];
const RETIRED: [&str; 2] = ["4.53.dcm", "4.55.dcm"];

/// The ending of a real file with two frames in an enhanced CT object.
const TWO_FRAMES: &str = "bot_jpeg_baseline.51.dcm";

#[test]
fn real_files_equal_pydicom() {
    let Some(python) = shared::python() else { return };
    let (Some(sample), Some(edge)) =
        (shared::folder("rsna-sample/dicom"), shared::folder("dicom-edge"))
    else {
        return;
    };
    let ends_with =
        |file: &Path, ends: &[&str]| ends.iter().any(|end| file.to_string_lossy().ends_with(end));
    let mut files: Vec<PathBuf> = shared::dicom_files(&sample).into_iter().step_by(10).collect();
    assert!(files.len() >= 20);
    files.extend(shared::dicom_files(&edge));
    files.retain(|file| !ends_with(file, &RETIRED) && !ends_with(file, &[TWO_FRAMES]));
    let mut compared = 0;
    for (file, truth) in files.iter().zip(pydicom(&python, &files)) {
        match truth {
            Ok(truth) => {
                let (difference, slope) = largest_difference(file, &truth);
                let allowed = if ends_with(file, &LOSSY) { 2.0 * slope } else { 0.0 };
                // HU near 1000 are rounded to 1e-4 in 32 bits.
                let rounding = if allowed > 0.0 { 1e-3 } else { 0.0 };
                assert!(difference <= allowed + rounding, "{}: {difference} HU", file.display());
                compared += 1;
            }
            Err(reason) => {
                let plugin = reason.contains("plugin") || reason.contains("decompress");
                assert!(plugin, "{}: {reason}", file.display());
                eprintln!("skipped: {}: pydicom has no decoder: {reason}", file.display());
            }
        }
    }
    assert!(compared > 20);
}

/// The two retired processes encode the image of the extended one, each with its own rounding.
#[test]
fn real_files_in_retired_processes_equal_the_extended_one() {
    let Some(folder) = shared::folder("dicom-edge/transfer-syntaxes") else { return };
    let files = shared::dicom_files(&folder);
    let read = |end: &str| {
        let is_it = |file: &&PathBuf| {
            let name = file.to_string_lossy();
            name.contains("CTImage") && name.ends_with(end)
        };
        let file = files.iter().find(is_it).expect(end);
        read_slice(&Source::File(file.clone())).unwrap_or_else(|error| panic!("{end}: {error}"))
    };
    let (header, extended) = read("4.51.dcm");
    for end in RETIRED {
        let (_, slice) = read(end);
        let pairs = slice.hu().iter().zip(extended.hu());
        let largest = pairs.map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
        assert!(largest <= header.rescale_slope + 1e-3, "{end}: {largest} HU");
    }
}

/// pydicom decodes the retired processes not at all, dcmtk does.
#[test]
fn real_files_in_retired_processes_equal_dcmtk() {
    let Some(python) = shared::python() else { return };
    let Some(folder) = shared::folder("dicom-edge/transfer-syntaxes") else { return };
    let Some(dcmdjpeg) = hemora_testing::program("dcmdjpeg", "apt install dcmtk") else { return };
    let decoded = tempfile::tempdir().unwrap();
    let mut compared = 0;
    for file in shared::dicom_files(&folder) {
        let name = file.to_string_lossy().into_owned();
        let Some(end) = RETIRED.iter().find(|end| name.ends_with(**end)) else { continue };
        let native = decoded.path().join(end);
        let run = Command::new(&dcmdjpeg).arg(&file).arg(&native).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let truth = pydicom(&python, &[native]).remove(0).unwrap();
        let (difference, slope) = largest_difference(&file, &truth);
        assert!(difference <= slope + 1e-3, "{name}: {difference} HU");
        compared += 1;
    }
    assert_eq!(compared, RETIRED.len());
}

#[test]
fn a_real_object_of_two_fragmented_frames_equals_pydicom() {
    let Some(python) = shared::python() else { return };
    let Some(folder) = shared::folder("dicom-edge/transfer-syntaxes") else { return };
    let files = shared::dicom_files(&folder);
    let mut matching = files.iter().filter(|file| file.to_string_lossy().ends_with(TWO_FRAMES));
    let file = matching.next().expect(TWO_FRAMES);
    let object = Source::File(file.clone());
    assert!(matches!(read_slice(&object), Err(ReadError::MultiFrame(2))));
    let truth = pydicom(&python, std::slice::from_ref(file)).remove(0).unwrap();
    let mut hu = Vec::new();
    for header in read_headers(&object).unwrap() {
        hu.extend_from_slice(read_slice(&header.source).unwrap().1.hu());
    }
    assert_eq!(hu.len(), truth.len());
    let differences = hu.iter().zip(&truth).map(|(&hu, truth)| (f64::from(hu) - truth).abs());
    let largest = differences.fold(0.0, f64::max);
    assert!(largest <= 2.0, "{largest} HU");
}

#[test]
fn made_files_equal_pydicom() {
    let Some(python) = shared::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let table = Raw::default().words(0x0028_3002, &[3, 5, 16]).words(0x0028_3006, &[9, 20, 47]);
    let pixels: Vec<u16> = (0..12).map(|value: u16| value.wrapping_mul(5461)).collect();
    let twelve = |image: Raw| image.words(0x0028_0101, &[12]).words(0x0028_0102, &[11]);
    let fraction = Raw::image().text(0x0028_1053, b"DS", "0.1").text(0x0028_1052, b"DS", "-1023.7");
    let images = [
        Raw::image().pixels(&pixels),
        fraction.pixels(&pixels),
        // An intercept alone pydicom leaves out; GDCM and this reader take a slope of 1.
        Raw::image().without(0x0028_1053).without(0x0028_1052).pixels(&pixels),
        // Something stands above the stored bits.
        twelve(Raw::image()).pixels(&pixels),
        twelve(Raw::image()).words(0x0028_0103, &[0]).pixels(&pixels),
        // HighBit claims what the pixels do not show.
        twelve(Raw::image()).words(0x0028_0102, &[15]).pixels(&pixels),
        Raw::image().items(0x0028_3000, &[table]),
    ];
    let mut files = Vec::new();
    for encoding in [Encoding::ImplicitLittle, Encoding::ExplicitLittle, Encoding::ExplicitBig] {
        for (index, image) in images.iter().enumerate() {
            let name = format!("{encoding:?}-{index}.dcm");
            files.push(write_file(folder.path(), &name, &image.file_in(encoding, Front::Preamble)));
        }
    }
    for (file, truth) in files.iter().zip(pydicom(&python, &files)) {
        let truth = truth.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert_eq!(largest_difference(file, &truth).0, 0.0, "{}", file.display());
    }
}

#[test]
fn written_files_are_read_by_pydicom() {
    let Some(python) = shared::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let plane = ImagePlane::new([0.1, -2.0, 1.0 / 3.0], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0], None);
    let hu: Vec<f32> = (0..35).map(|value| value as f32 * 10.0 - 100.0).collect();
    let slice = Slice::new(5, 7, hu, plane.ok()).unwrap();
    let storages =
        [PixelStorage::Signed16 { intercept: 0 }, PixelStorage::Unsigned12 { intercept: -1024 }];
    for (index, storage) in storages.into_iter().enumerate() {
        let path = folder.path().join(format!("{index}.dcm"));
        write_slice(&path, &new_slice(&slice, storage)).unwrap();
        let truth = pydicom(&python, &[path]).remove(0).unwrap();
        let written: Vec<f64> = slice.hu().iter().map(|&hu| hu.into()).collect();
        assert_eq!(truth, written);
    }
}
