//! Which studies of an index a share holds, and the chunks of whole studies that it is worked through in.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use hemora_base::WorkShard;
use hemora_data::{IndexReader, SliceRow};

use crate::ArchiveError;
use crate::images::Image;

/// Most studies of a chunk.
const CHUNK_STUDIES: usize = 16;
/// A chunk with so many images takes no further study.
const CHUNK_IMAGES: u64 = 512;
/// A pass over the index gathers the images of as many chunks as have at most so many; they take a few
/// hundred bytes each. The slices of a study may stand anywhere in an index.
const PASS_IMAGES: u64 = 1 << 17;

/// The studies of a share by the order of their keys, each with its number of images, and its chunks.
#[derive(Debug)]
pub(crate) struct Plan {
    index: PathBuf,
    studies: Vec<(Box<str>, u64)>,
    chunks: Vec<Range<usize>>,
}

/// What a share is dealt by: the StudyInstanceUID or, where there is none, the patient or, where there is none
/// either, the series, folder or volume.
fn key(row: &SliceRow) -> String {
    match (&row.study_instance_uid, row.patient_id.as_str()) {
        (Some(uid), _) => uid.clone(),
        (None, "") => format!("{SERIES}{}", row.series_name()),
        (None, patient) => format!("{PATIENT}{patient}"),
    }
}

const PATIENT: &str = "no study, patient ";
const SERIES: &str = "no study, series ";

/// Whether images without StudyInstanceUID have this key.
pub(crate) fn is_unnamed(key: &str) -> bool {
    key.starts_with(PATIENT) || key.starts_with(SERIES)
}

impl Plan {
    /// Reads the index once.
    pub(crate) fn new(index: &Path, shard: WorkShard) -> Result<Self, ArchiveError> {
        let mut counts: HashMap<Box<str>, u64> = HashMap::new();
        for row in IndexReader::open(index)? {
            let key = key(&row?);
            match counts.get_mut(key.as_str()) {
                Some(count) => *count += 1,
                None if shard.holds(&key) => {
                    counts.insert(key.into(), 1);
                }
                None => {}
            }
        }
        let mut studies: Vec<_> = counts.into_iter().collect();
        studies.sort_unstable();
        let chunks = chunks(&studies);
        Ok(Self { index: index.to_owned(), studies, chunks })
    }

    /// Number of chunks.
    pub(crate) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Number of images of all chunks, or of those of a range.
    pub(crate) fn images(&self, chunks: Range<usize>) -> u64 {
        let studies = self.chunks[chunks].iter().flat_map(Range::clone);
        studies.map(|study| self.studies[study].1).sum()
    }

    /// The chunks from `first` on that one pass over the index gathers: one at least.
    pub(crate) fn pass(&self, first: usize) -> Range<usize> {
        let mut images = 0;
        let fits = |chunk: &usize| {
            images += self.images(*chunk..*chunk + 1);
            images <= PASS_IMAGES
        };
        let count = (first..self.chunks.len()).take_while(fits).count().max(1);
        first..first + count
    }

    /// The images of each of these chunks; reads the index once.
    ///
    /// Within a chunk they are in the order of the studies' keys, and then in that of the index.
    pub(crate) fn gather(
        &self,
        chunks: Range<usize>,
    ) -> Result<Vec<Vec<(String, Image)>>, ArchiveError> {
        let mut gathered: Vec<Vec<(String, Image)>> = chunks.clone().map(|_| Vec::new()).collect();
        for row in IndexReader::open(&self.index)? {
            let row = row?;
            let key = key(&row);
            let found = self.studies.binary_search_by(|(known, _)| (**known).cmp(&key));
            let Ok(study) = found else { continue };
            let chunk = self.chunks.partition_point(|chunk| chunk.end <= study);
            if let Some(images) =
                chunk.checked_sub(chunks.start).and_then(|it| gathered.get_mut(it))
            {
                images.push((key, Image::new(&row)));
            }
        }
        for images in &mut gathered {
            images.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        Ok(gathered)
    }
}

/// Deals studies to chunks.
fn chunks(studies: &[(Box<str>, u64)]) -> Vec<Range<usize>> {
    let mut chunks: Vec<Range<usize>> = Vec::new();
    let mut images = 0;
    for (study, (_, count)) in studies.iter().enumerate() {
        match chunks.last_mut() {
            Some(last) if last.len() < CHUNK_STUDIES && images < CHUNK_IMAGES => last.end += 1,
            _ => {
                chunks.push(study..study + 1);
                images = 0;
            }
        }
        images += count;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_of_whole_studies_and_none_is_left_out() {
        let studies = |counts: &[u64]| -> Vec<(Box<str>, u64)> {
            counts.iter().map(|count| ("study".into(), *count)).collect()
        };
        assert_eq!(chunks(&studies(&[])), []);
        assert_eq!(chunks(&studies(&[30; 20])), [0..16, 16..20]);
        assert_eq!(chunks(&studies(&[500, 500, 9000, 1, 1])), [0..2, 2..3, 3..5]);
    }

    #[test]
    fn images_without_a_study_are_dealt_by_patient_or_series() {
        let row = SliceRow { path: "a/1.nii".into(), frame: Some(1), ..SliceRow::default() };
        let other = SliceRow { path: "a/2.nii".into(), ..row.clone() };
        assert_ne!(key(&row), key(&other));
        assert!(is_unnamed(&key(&row)));
        let of = |row: &SliceRow| SliceRow { patient_id: "A".into(), ..row.clone() };
        assert_eq!(key(&of(&row)), key(&of(&other)));
        let named = SliceRow { study_instance_uid: Some("1.2".into()), ..of(&row) };
        assert_eq!((key(&named).as_str(), is_unnamed(&key(&named))), ("1.2", false));
    }
}
