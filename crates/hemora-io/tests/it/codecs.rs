//! Frames that other codecs compressed; `tools/codec_fixtures.py` says which, and made them.

use std::path::{Path, PathBuf};

use hemora_io::ReadError;

use crate::raw::{COLUMNS, ROWS, Raw, hu};

const SIZE: [usize; 2] = [21, 37];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// A fixture with its transfer syntax, whether its pixels are signed, and by how much a decoder may
/// differ from the reference's result; `None` if the coding is lossless.
pub struct Coded {
    pub name: &'static str,
    syntax: &'static str,
    signed: bool,
    rounding: Option<f32>,
}

const fn coded(
    name: &'static str,
    syntax: &'static str,
    signed: bool,
    rounding: Option<f32>,
) -> Coded {
    Coded { name, syntax, signed, rounding }
}

pub const CODED: &[Coded] = &[
    coded("jpeg-extended", "1.2.840.10008.1.2.4.51", false, Some(1.0)),
    coded("jpeg-spectral-selection", "1.2.840.10008.1.2.4.53", false, Some(1.0)),
    coded("jpeg-full-progression", "1.2.840.10008.1.2.4.55", false, Some(1.0)),
    coded("jpeg-ls", "1.2.840.10008.1.2.4.80", false, None),
    coded("jpeg-ls-near", "1.2.840.10008.1.2.4.81", false, Some(0.0)),
    coded("jpeg-2000", "1.2.840.10008.1.2.4.90", true, None),
    coded("jpeg-2000-lossy", "1.2.840.10008.1.2.4.91", true, Some(1.0)),
    coded("htj2k", "1.2.840.10008.1.2.4.201", true, None),
    coded("htj2k", "1.2.840.10008.1.2.4.202", true, None),
    coded("htj2k-lossy", "1.2.840.10008.1.2.4.203", false, Some(1.0)),
    #[cfg(feature = "jpeg-xl")]
    coded("jpeg-xl", "1.2.840.10008.1.2.4.110", false, None),
    #[cfg(feature = "jpeg-xl")]
    coded("jpeg-xl-lossy", "1.2.840.10008.1.2.4.112", false, Some(1.0)),
];

impl Coded {
    pub fn frame(&self) -> Vec<u8> {
        std::fs::read(fixture(&format!("{}.frame", self.name))).unwrap()
    }

    /// A file that holds a frame of this coding.
    pub fn file(&self, frame: &[u8]) -> Vec<u8> {
        let [rows, columns] = SIZE.map(|size| size as u16);
        let image = Raw::image().words(ROWS, &[rows]).words(COLUMNS, &[columns]);
        let image = match self.signed {
            true => image,
            false => {
                let image = image.words(0x0028_0103, &[0]);
                image.words(0x0028_0101, &[12]).words(0x0028_0102, &[11])
            }
        };
        let mut frame = frame.to_vec();
        if frame.len() % 2 == 1 {
            frame.push(0);
        }
        image.text(0x0028_1052, b"DS", "-1024").fragments(&[&frame]).syntax(self.syntax).file()
    }

    /// HU of the reference.
    fn expected(&self) -> Vec<f32> {
        if self.rounding.is_none() {
            return lossless(if self.signed { 0 } else { 1024 });
        }
        let bytes = std::fs::read(fixture(&format!("{}.i16", self.name))).unwrap();
        let values = bytes.as_chunks::<2>().0.iter().map(|&value| i16::from_le_bytes(value));
        values.map(|value| f32::from(value) - 1024.0).collect()
    }
}

/// `image(middle)` of the script, as HU.
fn lossless(middle: i32) -> Vec<f32> {
    let [rows, columns] = SIZE.map(|size| size as i32);
    let value = |index: i32| {
        let (row, column) = (index / columns, index % columns);
        match index {
            0 => middle - 1024,
            _ if index == rows * columns - 1 => middle + 2047,
            _ => middle + 20 * column - 15 * row + (7 * row * row + 13 * column) % 11 * 9,
        }
    };
    (0..rows * columns).map(|index| value(index) as f32 - 1024.0).collect()
}

#[test]
fn every_codec_equals_its_reference() {
    for coded in CODED {
        let name = coded.name;
        let hu = hu(&coded.file(&coded.frame())).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = coded.expected();
        assert_eq!(hu.len(), expected.len(), "{name}");
        let differences = hu.iter().zip(&expected).map(|(a, b)| (a - b).abs());
        let largest = differences.fold(0.0, f32::max);
        assert!(largest <= coded.rounding.unwrap_or(0.0), "{name}: {largest} HU");
    }
}

#[test]
fn a_frame_of_another_size_is_refused_before_it_is_decoded() {
    for coded in CODED {
        let file = Raw::image().fragments(&[&coded.frame()]).syntax(coded.syntax).file();
        match hu(&file) {
            Err(ReadError::Decode { reason, .. }) => {
                assert!(reason.contains("21 × 37"), "{}: {reason}", coded.name);
            }
            other => panic!("{}: {other:?}", coded.name),
        }
    }
}

#[test]
fn fill_bytes_before_markers_and_bytes_behind_the_end_do_not_matter() {
    for coded in CODED.iter().filter(|coded| coded.name.starts_with("jpeg-ls")) {
        let frame = coded.frame();
        let end = frame.windows(2).rposition(|pair| pair == [0xFF, 0xD9]).unwrap();
        let expected = hu(&coded.file(&frame)).unwrap();
        for fill in [1, 2, 3] {
            let fill = &[0xFF; 3][..fill];
            // Before the first segment and before the end, as DCMTK writes them.
            let filled = [&frame[..2], fill, &frame[2..end], fill, &[0xFF, 0xD9, 0, 1, 2]].concat();
            assert_eq!(hu(&coded.file(&filled)).unwrap(), expected, "{}", coded.name);
        }
    }
}

#[test]
fn a_frame_cut_off_anywhere_is_refused() {
    for coded in CODED {
        let frame = coded.frame();
        // The last bytes are end markers, padding, and bits that no pixel needs.
        for end in (0..frame.len() - 12).step_by(7) {
            let result = hu(&coded.file(&frame[..end]));
            assert!(result.is_err(), "{} cut at {end} of {}", coded.name, frame.len());
        }
    }
}
