//! What is kept of a scored study for its readers, until its images go.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use hemora_ct::ImagePlane;
use hemora_io::{SliceHeader, Source};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::http::types::{LeftOut, SliceRef, ViewSeries};

/// Longest document that is inflated, bytes: those that are made are far shorter.
const LONGEST: u64 = 64 << 20;

/// What is shown of a result, and where its images are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct KeptView {
    pub(crate) series: Vec<KeptSeries>,
    pub(crate) key_slices: Vec<SliceRef>,
    pub(crate) left_out: Vec<LeftOut>,
}

/// A series, and where the images of its slices are, in the same order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptSeries {
    pub(crate) shown: ViewSeries,
    pub(crate) images: Vec<KeptImage>,
}

/// Where the image of a slice is, which nobody outside is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptImage {
    /// The file, below the data folder.
    file: String,
    /// Number of the frame of an object of several, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frame: Option<usize>,
    /// Where the stored image lies, as its series has it: what its file leaves out may be known from others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) plane: Option<ImagePlane>,
}

impl KeptImage {
    /// Where an image is whose file lies below `folder`; `None` of any other.
    pub(crate) fn new(header: &SliceHeader, folder: &Path) -> Option<Self> {
        let (file, frame) = match &header.source {
            Source::File(path) => (path, None),
            Source::Frame { object, number } => match &**object {
                Source::File(path) => (path, Some(*number)),
                _ => return None,
            },
            _ => return None,
        };
        let file = file.strip_prefix(folder).ok()?.to_str()?.to_owned();
        Some(Self { file, frame, plane: header.plane })
    }

    pub(crate) fn source(&self, folder: &Path) -> Source {
        let file = Source::File(self.path(folder));
        match self.frame {
            Some(number) => Source::Frame { object: Box::new(file), number },
            None => file,
        }
    }

    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join(&self.file)
    }
}

impl KeptView {
    /// A slice with where its image is.
    pub(crate) fn slice(&self, series: usize, slice: usize) -> Option<(&KeptSeries, &KeptImage)> {
        let series = self.series.get(series)?;
        Some((series, series.images.get(slice)?))
    }
}

/// A document as JSON in gzip.
pub(crate) fn gzip<T: Serialize>(document: &T) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut encoder, document)?;
    encoder.finish()
}

/// A document of [`gzip`].
pub(crate) fn inflated<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    let mut json = Vec::new();
    GzDecoder::new(bytes).take(LONGEST).read_to_end(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_io::FileFormat;

    #[test]
    fn images_are_found_again_below_the_data_folder_alone() {
        let folder = Path::new("/data");
        let header = |source| SliceHeader::new(source, FileFormat::Dicom, [2, 3]);
        let file = || Source::File("/data/studies/ab/c".into());
        let frame = Source::Frame { object: Box::new(file()), number: 7 };
        for source in [file(), frame] {
            let kept = KeptImage::new(&header(source.clone()), folder).unwrap();
            let again: KeptImage = inflated(&gzip(&kept).unwrap()).unwrap();
            assert_eq!(again.source(folder), source);
            assert!(!serde_json::to_string(&kept).unwrap().contains("/data"));
        }
        let elsewhere = Source::File("/etc/passwd".into());
        assert_eq!(KeptImage::new(&header(elsewhere), folder), None);
    }
}
