//! NIfTI volumes, as nibabel writes and reads them (`tools/nifti_fixtures.py`).

use std::path::{Path, PathBuf};

use hemora_io::{
    FileFormat, ReadError, SeriesChoice, SeriesWarning, Source, choose_series, collect,
    read_headers, read_slice,
};

use crate::raw::write_file;

const SIZE: [usize; 3] = [7, 6, 3];
const VOLUMES: [&str; 3] = ["volume-qform.nii.gz", "volume-sform.nii", "volume-scaled.nii"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// nibabel's affine of a volume, and its voxels, the first axis fastest.
fn truth(name: &str) -> (Vec<Vec<f64>>, Vec<f64>) {
    let stem = name.split('.').next().unwrap();
    let text = std::fs::read_to_string(fixture(&format!("{stem}.txt"))).unwrap();
    let row = |line: &str| line.split(' ').map(|value| value.parse().unwrap()).collect();
    let bytes = std::fs::read(fixture(&format!("{stem}.f64"))).unwrap();
    let values = bytes.as_chunks::<8>().0.iter().map(|&value| f64::from_le_bytes(value));
    (text.lines().map(row).collect(), values.collect())
}

#[test]
fn every_voxel_has_nibabels_value_at_nibabels_place() {
    for name in VOLUMES {
        let (affine, values) = truth(name);
        let headers = read_headers(&Source::File(fixture(name))).unwrap();
        assert_eq!(headers.len(), SIZE[2], "{name}");
        for (k, header) in headers.iter().enumerate() {
            assert_eq!(header.format, FileFormat::Volume("NIfTI"));
            let (_, slice) = read_slice(&header.source).unwrap();
            let plane = slice.plane.unwrap();
            // As DICOM shows heads: rows run to the left, columns to the back.
            assert!(plane.row_direction[0] > 0.9 && plane.column_direction[1] > 0.9, "{name}");
            let [row_step, column_step] = plane.spacing.unwrap();
            for j in 0..SIZE[1] {
                for i in 0..SIZE[0] {
                    let voxel = [i as f64, j as f64, k as f64, 1.0];
                    let ras = |axis: usize| -> f64 {
                        affine[axis].iter().zip(voxel).map(|(a, b)| a * b).sum()
                    };
                    let place = [-ras(0), -ras(1), ras(2)];
                    let along = |direction: [f64; 3]| -> f64 {
                        (0..3).map(|a| (place[a] - plane.position[a]) * direction[a]).sum()
                    };
                    assert!(along(plane.normal()).abs() < 1e-4, "{name} {voxel:?}");
                    let column = along(plane.row_direction) / column_step;
                    let row = along(plane.column_direction) / row_step;
                    let index = row.round() as usize * slice.columns() + column.round() as usize;
                    assert!(
                        (row - row.round()).abs() < 1e-4 && (column - column.round()).abs() < 1e-4
                    );
                    let expected = values[(k * SIZE[1] + j) * SIZE[0] + i] as f32;
                    assert_eq!(slice.hu()[index], expected, "{name} {voxel:?}");
                }
            }
        }
    }
}

#[test]
fn a_volume_is_a_series_from_feet_to_head() {
    let found = collect(&VOLUMES.map(fixture), &|_, _| ());
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    assert_eq!(found.studies.len(), 3);
    for study in &found.studies {
        let series = &study.series[0];
        let z: Vec<f64> =
            series.slices.iter().map(|slice| slice.plane.unwrap().position[2]).collect();
        assert!(z.is_sorted() && z.len() == 3, "{z:?}");
        assert!(
            series.warnings.contains(&SeriesWarning::Volume { format: "NIfTI" }),
            "{:?}",
            series.warnings
        );
        assert!(study.id().starts_with("2.25.") && study.id().len() <= 64);
    }
    let tilts = found.studies.iter().flat_map(|study| &study.series[0].warnings);
    let is_tilt = |it: &&SeriesWarning| matches!(it, SeriesWarning::GantryTilt(angle) if (angle - 12.0).abs() < 0.01);
    assert_eq!(tilts.filter(is_tilt).count(), 1);
    // A copy is the same volume, slice by slice.
    let folder = tempfile::tempdir().unwrap();
    for copy in ["a.nii", "b.nii"] {
        std::fs::copy(fixture(VOLUMES[1]), folder.path().join(copy)).unwrap();
    }
    let found = collect(&[folder.path().to_owned()], &|_, _| ());
    assert_eq!((found.studies.len(), found.skipped.len()), (1, 3));
}

/// The bytes of a volume with some changed.
fn changed(changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = std::fs::read(fixture("volume-scaled.nii")).unwrap();
    for (place, value) in changes {
        bytes[*place..*place + value.len()].copy_from_slice(value);
    }
    bytes
}

fn refused(bytes: &[u8]) -> ReadError {
    let folder = tempfile::tempdir().unwrap();
    let source = Source::File(write_file(folder.path(), "volume.nii", bytes));
    read_headers(&source).expect_err("the volume should be refused")
}

#[test]
fn volumes_that_cannot_be_used_say_why() {
    let short = |value: i16| value.to_le_bytes();
    let float = |value: f32| value.to_le_bytes();
    let (nan, none) = (float(f32::NAN), [0; 4]);
    for (changes, expected) in [
        (vec![(344, &b"ni1\0"[..])], "two files"),
        (vec![(40, &short(4)), (48, &short(2))], "7 × 6 × 3 × 2"),
        (vec![(40, &short(1))], "1 axes"),
        (vec![(40, &short(-3))], "-3 axes"),
        (vec![(42, &short(0))], "0 × 6 × 3"),
        (vec![(42, &short(-7))], "-7 × 6 × 3"),
        (vec![(46, &short(0))], "7 × 6 × 0"),
        (vec![(42, &short(32767)), (44, &short(32767))], "8192"),
        (vec![(70, &short(128))], "type 128"),
        (vec![(72, &short(16))], "16 bits"),
        (vec![(108, &float(12.0))], "after the header"),
        (vec![(108, &nan)], "after the header"),
        (vec![(116, &float(f32::INFINITY))], "scl_inter"),
        (vec![(252, &none[..])], "qform_code"),
        (vec![(280, &nan)], "not finite"),
        (vec![(284, &float(-0.5))], "perpendicular"),
        (vec![(280, &none[..])], "spacing"),
    ] {
        let error = refused(&changed(&changes));
        let message = error.to_string();
        assert!(
            matches!(error, ReadError::Volume { .. }) && message.contains(expected),
            "{message}"
        );
    }
    // Sizes that the file does not have: refused before anything is reserved.
    let large = refused(&changed(&[(42, &short(8000)), (44, &short(8000)), (46, &short(16000))]));
    assert!(
        matches!(large, ReadError::PixelsCutOff { expected: 1_024_000_000_000, .. }),
        "{large}"
    );
    let good = changed(&[]);
    for end in 0..good.len() {
        let error = refused(&good[..end]).to_string();
        assert!(!error.is_empty(), "cut at {end}");
    }
}

#[test]
fn reals_that_are_no_numbers_become_air() {
    let mut bytes = std::fs::read(fixture("volume-sform.nii")).unwrap();
    let begin = bytes.len() - 7 * 6 * 3 * 4;
    bytes[begin..begin + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    bytes[begin + 4..begin + 8].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let folder = tempfile::tempdir().unwrap();
    let object = Source::File(write_file(folder.path(), "volume.nii", &bytes));
    let first = Source::Frame { object: Box::new(object), number: 1 };
    let (_, slice) = read_slice(&first).unwrap();
    assert_eq!(slice.hu().iter().filter(|&&hu| hu == -1000.0).count(), 2);
    assert!(slice.hu().iter().all(|hu| hu.is_finite()));
}

#[test]
fn other_orientations_are_refused_with_the_reason() {
    // Slices stacked from right to left: the rows of the affine moved on.
    let file = changed(&[]);
    let rows: Vec<&[u8]> = file[280..328].chunks(16).collect();
    let sagittal = [rows[2], rows[0], rows[1]].concat();
    let folder = tempfile::tempdir().unwrap();
    let path = write_file(folder.path(), "sagittal.nii", &changed(&[(280, &sagittal)]));
    let found = collect(&[path], &|_, _| ());
    let choices = choose_series(&found.studies[0].series);
    assert!(matches!(choices[0], SeriesChoice::NotAxial { view: "sagittal", .. }), "{choices:?}");
}

#[test]
fn what_is_in_a_folder_beside_volumes_is_left_out_quietly() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let mut table = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    table.write_all(b"patient,study\n1,2\n").unwrap();
    let table = table.finish().unwrap();
    write_file(folder.path(), "table.csv.gz", &table);
    write_file(folder.path(), "volume.nii.gz", &table);
    write_file(folder.path(), "cut.nii.gz", &std::fs::read(fixture(VOLUMES[0])).unwrap()[..200]);
    let found = collect(&[folder.path().to_owned()], &|_, _| ());
    let reasons: Vec<(bool, String)> = found
        .skipped
        .iter()
        .map(|skipped| (skipped.reason.is_failure(), skipped.reason.to_string()))
        .collect();
    assert_eq!(
        reasons.iter().map(|it| it.0).collect::<Vec<_>>(),
        [true, false, true],
        "{reasons:?}"
    );
    assert!(reasons[2].1.contains("NIfTI"), "{reasons:?}");
}
