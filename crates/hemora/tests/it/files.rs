//! Other files than DICOM by the binary: a NIfTI volume, and pictures in a declared window.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hemora_ct::{Label, Slice, Window};
use hemora_io::{PixelStorage, collect, read_slice};
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, StudyIds, write_study};
use serde_json::Value;

/// A phantom as DICOM, and its slices as they are read, from feet to head.
fn phantom(folder: &Path) -> (PathBuf, Vec<Slice>) {
    let options = PhantomOptions {
        bleeds: Bleeds::These(vec![Label::Intraparenchymal]),
        slice_spacing: 20.0,
        tilt_degrees: 10.0,
        ..PhantomOptions::default().with_size(96)
    };
    let study = HeadPhantom::new(8, options).unwrap().render();
    let ids = StudyIds::from_seed(8, study.slices.len());
    let folder = folder.join("dicom");
    write_study(&folder, &study, &ids, PixelStorage::Signed16 { intercept: 0 }).unwrap();
    let found = collect(std::slice::from_ref(&folder), &|_, _| ());
    let slices = &found.studies[0].series[0].slices;
    (folder, slices.iter().map(|header| read_slice(&header.source).unwrap().1).collect())
}

fn triage(folder: &Path, arguments: &[&str]) -> (Output, Value) {
    let out = folder.join("out");
    let _ = std::fs::remove_dir_all(&out);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    command.args(["triage", "--out", out.to_str().unwrap()]).args(arguments);
    let output = command.env("HEMORA_ONNXRUNTIME", "off").output();
    let result = std::fs::read(out.join("result.json"));
    let result = result.map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    (output.unwrap(), result)
}

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

/// NIfTI-1 of 16-bit voxels in the order of the slices' pixels, with an sform.
fn volume(slices: &[Slice]) -> Vec<u8> {
    let [first, second] = [0, 1].map(|index: usize| slices[index].plane.unwrap());
    let [rows, columns] = first.spacing.unwrap();
    let mut file = vec![0u8; 352];
    let mut put = |place: usize, bytes: &[u8]| {
        file[place..place + bytes.len()].copy_from_slice(bytes);
    };
    put(0, &348i32.to_le_bytes());
    let size = [3, slices[0].columns(), slices[0].rows(), slices.len()];
    for (index, size) in size.into_iter().enumerate() {
        put(40 + 2 * index, &(size as i16).to_le_bytes());
    }
    put(70, &4i16.to_le_bytes());
    put(72, &16i16.to_le_bytes());
    put(108, &352f32.to_le_bytes());
    put(254, &1i16.to_le_bytes());
    for (axis, sign) in [-1.0, -1.0, 1.0].into_iter().enumerate() {
        let row = [
            first.row_direction[axis] * columns,
            first.column_direction[axis] * rows,
            second.position[axis] - first.position[axis],
            first.position[axis],
        ];
        for (index, value) in row.into_iter().enumerate() {
            put(280 + 16 * axis + 4 * index, &((value * sign) as f32).to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    let hu = slices.iter().flat_map(Slice::hu);
    file.extend(hu.flat_map(|&hu| (hu as i16).to_le_bytes()));
    file
}

#[test]
fn a_volume_has_the_probabilities_of_its_dicom_files() {
    let folder = tempfile::tempdir().unwrap();
    let (dicom, slices) = phantom(folder.path());
    let path = folder.path().join("head.nii");
    std::fs::write(&path, volume(&slices)).unwrap();
    let series = |path: &Path| {
        let (output, result) = triage(folder.path(), &[path.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        result["studies"][0]["series"][0].clone()
    };
    let (of_dicom, of_volume) = (series(&dicom), series(&path));
    let probabilities = |series: &Value| -> Vec<Value> {
        let slices = series["slices"].as_array().unwrap();
        slices.iter().map(|slice| slice["probabilities"].clone()).collect()
    };
    assert_eq!(probabilities(&of_dicom), probabilities(&of_volume));
    assert!(of_volume["warnings"].to_string().contains("NIfTI"), "{}", of_volume["warnings"]);
    assert!(of_volume["warnings"].to_string().contains("tilted by 10.0"));
    assert!(of_volume["slices"][1]["source"].as_str().unwrap().ends_with("head.nii, frame 2"));
}

#[test]
fn pictures_are_scored_in_the_window_that_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let (_, slices) = phantom(folder.path());
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for (number, slice) in slices.iter().enumerate() {
        let file = std::fs::File::create(pictures.join(format!("slice-{number}.png"))).unwrap();
        let (rows, columns) = (slice.rows() as u32, slice.columns() as u32);
        let mut encoder = png::Encoder::new(file, columns, rows);
        encoder.set_color(png::ColorType::Grayscale);
        let grey = slice.grey(Window { level: 80.0, width: 200.0 });
        encoder.write_header().unwrap().write_image_data(&grey).unwrap();
    }
    let path = pictures.to_str().unwrap();
    let (output, result) = triage(folder.path(), &[path, "--window", "80/200"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let series = &result["studies"][0]["series"][0];
    assert_eq!(series["slices"].as_array().unwrap().len(), slices.len());
    assert_eq!(series["slices"][1]["sop_instance_uid"], "slice-1");
    let warnings = series["warnings"].to_string();
    assert!(warnings.contains("window 80/200") && warnings.contains("-20"), "{warnings}");
    // Nothing is said of air and bone, which no picture of this window can have.
    assert!(!warnings.contains("hardly"), "{warnings}");
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("window 80/200"));
    // Without a window, pictures are an error that says what to do.
    for path in [path, pictures.join("slice-0.png").to_str().unwrap()] {
        let (output, _) = triage(folder.path(), &[path]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(text(&output).contains("--window 40/80"), "{}", text(&output));
    }
    let (output, _) = triage(folder.path(), &[path, "--window", "brain"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("LEVEL/WIDTH"), "{}", text(&output));
}
