//! What is repaired as pixels become HU, and what is only flagged.

use hemora_ct::{HuProblem, hu_problems};
use hemora_io::{Source, read_header, read_slice};

use crate::raw::{COLUMNS, ROWS, Raw, hu, write_file};
use crate::shared;

const INTERCEPT: u32 = 0x0028_1052;
const SLOPE: u32 = 0x0028_1053;

/// 12 bits unsigned, the storage of the files with a wrong intercept.
fn twelve_bits(intercept: &str) -> Raw {
    let image = Raw::image().words(0x0028_0101, &[12]).words(0x0028_0102, &[11]);
    image.words(0x0028_0103, &[0]).text(INTERCEPT, b"DS", intercept)
}

fn wrapped(hu: f32) -> u16 {
    (hu as i32).rem_euclid(4096) as u16
}

#[test]
fn wrapped_pixels_of_a_wrong_intercept_become_hounsfield_units() {
    let expected: Vec<f32> =
        [-1000, -999, -100, -1, 0, 1, 40, 80, 1000, 3000, 3094, 3095].map(|hu| hu as f32).into();
    let pixels: Vec<u16> = expected.iter().map(|&hu| wrapped(hu)).collect();
    for intercept in ["0", "1", "-99"] {
        let file = twelve_bits(intercept).pixels(&pixels).file();
        assert_eq!(hu(&file).unwrap(), expected, "{intercept}");
        let folder = tempfile::tempdir().unwrap();
        let header = read_header(&Source::File(write_file(folder.path(), "a", &file))).unwrap();
        assert!(header.intercept_repaired);
        assert_eq!(header.rescale_intercept, intercept.parse::<f64>().unwrap());
    }
    // What stands above the stored bits has no part in it.
    let dirty: Vec<u16> = pixels.iter().map(|pixel| pixel | 0xF000).collect();
    assert_eq!(hu(&twelve_bits("0").pixels(&dirty).file()).unwrap(), expected);
}

#[test]
fn other_files_are_not_repaired() {
    let signed = twelve_bits("0").words(0x0028_0103, &[1]);
    let sixteen = twelve_bits("0").words(0x0028_0101, &[16]).words(0x0028_0102, &[15]);
    let images = [
        ("air has a value", twelve_bits("-100")),
        ("the usual intercept", twelve_bits("-1024")),
        ("signed", signed),
        ("16 bits", sixteen),
        ("another slope", twelve_bits("0").text(SLOPE, b"DS", "2")),
        ("an unspecified unit", twelve_bits("0").text(0x0028_1054, b"LO", "US")),
        ("no rescale", twelve_bits("0").without(INTERCEPT)),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, image) in images {
        let source = Source::File(write_file(folder.path(), "a", &image.file()));
        let (header, slice) = read_slice(&source).unwrap();
        assert!(!header.intercept_repaired, "{name}");
        // The pixels are 0 to 11: the line alone was applied.
        let line =
            |pixel: f32| pixel * header.rescale_slope as f32 + header.rescale_intercept as f32;
        assert_eq!(slice.hu()[11], line(11.0), "{name}");
    }
}

#[test]
fn a_real_slice_stored_with_a_wrong_intercept_comes_back() {
    let Some(folder) = shared::folder("dicom-edge/rsna-intercept-1000") else { return };
    let file = &shared::dicom_files(&folder)[0];
    let (header, slice) = read_slice(&Source::File(file.clone())).unwrap();
    assert!(!header.intercept_repaired);
    let pixels: Vec<u16> = slice.hu().iter().map(|&hu| wrapped(hu)).collect();
    let size = |count: usize| [u16::try_from(count).unwrap()];
    let image = twelve_bits("0").words(ROWS, &size(slice.rows()));
    let image = image.words(COLUMNS, &size(slice.columns())).pixels(&pixels);
    assert_eq!(hu(&image.file()).unwrap(), slice.hu());
}

#[test]
fn padding_at_the_edge_becomes_air_even_outside_of_the_stored_bits() {
    const PADDING: u32 = 0x0028_0120;
    const LIMIT: u32 = 0x0028_0121;
    // 63536 is −2000 in 16 bits; its lowest 12 bits are 2096, as dense as bone.
    let (p, t) = (63536, 1064);
    let pixels = [p, p, t, t, p, t, t, t, t, t, p, t];
    let image = twelve_bits("-1024").pixels(&pixels);
    let padded = hu(&image.clone().words(PADDING, &[p]).file()).unwrap();
    assert_eq!(padded[..6], [-1000.0, -1000.0, 40.0, 40.0, -1000.0, 40.0]);
    assert_eq!(padded[10], -1000.0, "an edge pixel of its own");
    assert_eq!(hu(&image.file()).unwrap()[0], 1072.0, "nothing was declared");
    // A range, of which PixelPaddingValue may be either end.
    let image = twelve_bits("-1024").pixels(&[4095, 4090, t, t, t, t, t, t, t, t, t, 4089]);
    let ranged = hu(&image.words(PADDING, &[4095]).words(LIMIT, &[4090]).file()).unwrap();
    assert_eq!([ranged[0], ranged[1], ranged[11]], [-1000.0, -1000.0, 3065.0]);
    // Darker than air already, signed.
    let image = Raw::image().pixels(&[(-2000i16) as u16; 12]).words(PADDING, &[(-2000i16) as u16]);
    assert_eq!(hu(&image.file()).unwrap(), [-3024.0; 12]);
}

#[test]
fn real_head_slices_are_neither_repaired_nor_flagged() {
    let folders = ["rsna-sample/dicom", "dicom-edge/rsna-intercept-1000", "dicom-edge/cq500"];
    let mut checked = 0;
    for name in folders.into_iter().chain(["dicom-edge/ge-gantry-tilt"]) {
        let Some(folder) = shared::folder(name) else { return };
        for file in shared::dicom_files(&folder) {
            let (header, slice) = read_slice(&Source::File(file.clone())).unwrap();
            assert!(!header.intercept_repaired, "{}", file.display());
            assert_eq!(hu_problems(&slice), [], "{}", file.display());
            checked += 1;
        }
    }
    assert!(checked >= 200, "{checked}");
}

#[test]
fn a_real_slice_without_its_rescale_is_flagged() {
    let Some(folder) = shared::folder("dicom-edge/rsna-intercept-1000") else { return };
    let (_, slice) = read_slice(&Source::File(shared::dicom_files(&folder)[0].clone())).unwrap();
    let shifted: Vec<f32> = slice.hu().iter().map(|hu| hu + 1000.0).collect();
    let shifted = hemora_ct::Slice::new(slice.rows(), slice.columns(), shifted, None).unwrap();
    assert!(hu_problems(&shifted).iter().any(|problem| matches!(problem, HuProblem::NoAir(_))));
}
