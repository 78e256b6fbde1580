//! A picture of a slice: its header and its HU.

use hemora_ct::{Plane, Slice};

use super::format::PNG;
use super::jpeg::decode_jpeg;
use super::png::decode_png;
use crate::source::{file_stem, folder_of};
use crate::uid::dotted_uid;
use crate::{FileFormat, PictureWindow, ReadError, SliceHeader, Source, StoredFormat};

/// Grey values of a JPEG differ so much between its colours by rounding alone.
const SAME_GREY: f32 = 2.5 / 255.0;

/// A picture that was decoded.
#[derive(Debug)]
pub(crate) struct Picture {
    source: Source,
    window: PictureWindow,
    grey: Plane,
}

impl Picture {
    /// Decodes a picture; `source` must say in which window it was made.
    pub(crate) fn open(source: &Source, bytes: &[u8]) -> Result<Self, ReadError> {
        let Source::Picture { window, .. } = source else {
            return Err(ReadError::UndeclaredWindow { named: true });
        };
        let grey = match bytes.starts_with(&PNG) {
            true => decode_png(bytes).map_err(|error| error.to_string()),
            false => decode_jpeg(bytes).map_err(|error| error.to_string()).and_then(only_grey),
        };
        let grey = grey.map_err(ReadError::Picture)?;
        Ok(Self { source: source.clone(), window: *window, grey })
    }

    /// What stands for a DICOM header. The image is called as its file is, for label tables know it
    /// by that; a folder of pictures is a series.
    pub(super) fn slice_header(&self) -> SliceHeader {
        let folder = folder_of(&self.source);
        let uid = |what: &str| dotted_uid(format!("{what} of the pictures in {folder}").as_bytes());
        let stem = file_stem(&self.source);
        SliceHeader {
            instance_number: last_number(&stem),
            sop_instance_uid: Some(stem),
            series_instance_uid: Some(uid("series")),
            study_instance_uid: Some(uid("study")),
            stored: StoredFormat { bits_allocated: 8, bits_stored: 8, signed: false },
            rescale_slope: f64::from(self.window.width()) / 255.0,
            rescale_intercept: self.window.lowest().into(),
            window: Some(self.window.into()),
            ..SliceHeader::new(
                self.source.clone(),
                FileFormat::Picture(self.window),
                [self.grey.rows, self.grey.columns],
            )
        }
    }

    /// The grey values, 0–1.
    pub(super) fn grey(&self) -> &[f32] {
        &self.grey.values
    }

    /// The HU that the grey values stand for; what the window cut off is at its ends.
    pub(super) fn hu(&self) -> Result<Slice, ReadError> {
        let (lowest, width) = (self.window.lowest(), self.window.width() as f32);
        let hu = self.grey.values.iter().map(|grey| lowest + grey * width).collect();
        Slice::new(self.grey.rows, self.grey.columns, hu, None)
            .map_err(|error| ReadError::Picture(error.to_string()))
    }
}

/// The one plane of a grey picture, or the first of three that are the same.
fn only_grey(planes: Vec<Plane>) -> Result<Plane, String> {
    let mut planes = planes.into_iter();
    let first = planes.next().ok_or("no pixels")?;
    let same = |plane: Plane| {
        let pairs = plane.values.iter().zip(&first.values);
        pairs.into_iter().all(|(a, b)| (a - b).abs() <= SAME_GREY)
    };
    match planes.all(same) {
        true => Ok(first),
        false => Err("colours; expected grey".to_owned()),
    }
}

/// The digits at the end of a file's name, by which pictures of a folder are ordered.
fn last_number(stem: &str) -> Option<i32> {
    let digits = stem.bytes().rev().take_while(u8::is_ascii_digit).count();
    stem[stem.len() - digits..].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_end_in_the_place_of_a_slice() {
        assert_eq!(last_number("slice-012"), Some(12));
        assert_eq!(last_number("7"), Some(7));
        assert_eq!(last_number("kopf"), None);
        assert_eq!(last_number("é99999999999"), None);
    }

    #[test]
    fn only_colours_that_are_grey_are_taken() {
        let plane = |value: f32| Plane { rows: 1, columns: 1, values: vec![value] };
        let near = only_grey(vec![plane(0.5), plane(0.505), plane(0.5)]).unwrap();
        assert_eq!(near.values, [0.5]);
        assert!(only_grey(vec![plane(0.5), plane(0.6), plane(0.5)]).unwrap_err().contains("grey"));
    }
}
