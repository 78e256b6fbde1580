//! Volumes that are written, as nibabel and our own reader see them.

use std::path::PathBuf;
use std::process::Command;

use hemora_io::{NewVolume, Source, read_headers, read_slice, write_volume};
use hemora_testing::{python, run_python};

/// A sheared volume of 4 × 3 × 2 voxels, as a tilted gantry leaves it.
fn tilted() -> NewVolume {
    NewVolume {
        size: [4, 3, 2],
        voxels: (0..24).map(|at| at * 10).collect(),
        slope: 1.0 / 255.0,
        patient_from_voxel: [
            [1.5, 0.0, 0.0, -120.0],
            [0.0, 1.875, -0.5, -80.5],
            [0.0, -0.625, 5.0, 30.25],
        ],
    }
}

/// Python with nibabel, which set-up does not install.
fn nibabel() -> Option<PathBuf> {
    let python = python()?;
    let imported = Command::new(&python).args(["-c", "import nibabel"]).output();
    if imported.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!(
        "skipped: there is no nibabel; run `pip install nibabel==5.4.2` in a Python environment, and \
         name its interpreter in HEMORA_PEERS_PYTHON"
    );
    None
}

#[test]
fn nibabel_reads_the_values_and_the_place() {
    let Some(python) = nibabel() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.nii.gz");
    write_volume(&path, &tilted()).unwrap();
    let program = "import sys, nibabel, numpy\n\
        image = nibabel.load(sys.argv[1])\n\
        data = image.get_fdata()\n\
        print(*data.shape, image.get_data_dtype(), *image.header.get_zooms(), image.header.get_xyzt_units()[0])\n\
        print(*image.affine.flatten())\n\
        print(*data.flatten(order='F'))";
    let text = String::from_utf8(run_python(&python, program, &[&path], b"")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let first: Vec<&str> = lines[0].split(' ').collect();
    assert_eq!(first[..4], ["4", "3", "2", "uint8"]);
    assert_eq!(first[7], "mm");
    let numbers =
        |line: &str| -> Vec<f64> { line.split(' ').map(|value| value.parse().unwrap()).collect() };
    let near = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found}, expected {expected}");
        }
    };
    let zooms: Vec<f64> = first[4..7].iter().map(|value| value.parse().unwrap()).collect();
    near(&zooms, &[1.5, 1.875f64.hypot(0.625), 0.5f64.hypot(5.0)]);
    // To the right and to the front, where DICOM counts to the left and to the back.
    let affine = [
        -1.5, 0.0, 0.0, 120.0, 0.0, -1.875, 0.5, 80.5, 0.0, -0.625, 5.0, 30.25, 0.0, 0.0, 0.0, 1.0,
    ];
    near(&numbers(lines[1]), &affine);
    let values: Vec<f64> = (0..24).map(|at| f64::from(at) * 10.0 / 255.0).collect();
    near(&numbers(lines[2]), &values);
}

#[test]
fn our_reader_finds_each_voxel_where_it_was_put() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map.nii.gz");
    let volume = NewVolume { slope: 1.0, ..tilted() };
    write_volume(&path, &volume).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    write_volume(&path, &volume).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "the same volume has the same bytes");
    let headers = read_headers(&Source::File(path)).unwrap();
    assert_eq!(headers.len(), 2);
    for (index, header) in headers.iter().enumerate() {
        let (_, slice) = read_slice(&header.source).unwrap();
        assert_eq!((slice.rows(), slice.columns()), (3, 4));
        let expected: Vec<f32> = (0..12).map(|at| (index * 120 + at * 10) as f32).collect();
        assert_eq!(slice.hu(), expected);
        let place = slice.plane.unwrap().patient_from_voxel([2.0, 1.0]).unwrap();
        let expected =
            volume.patient_from_voxel.map(|[a, b, c, d]| a + 2.0 * b + c * index as f64 + d);
        for axis in 0..3 {
            assert!((place[axis] - expected[axis]).abs() < 1e-4, "{place:?} {expected:?}");
        }
    }
}
