//! NIfTI as a format: the slices of a volume.

use hemora_ct::Slice;

use super::header::{is_nifti, volume};
use super::volume::Volume;
use crate::formats::{ImageFile, ImageFormat};
use crate::{ReadError, SliceHeader, Source};

/// The format.
pub(crate) struct Nifti;

impl ImageFormat for Nifti {
    fn sniff(&self, head: &[u8]) -> bool {
        is_nifti(head)
    }

    fn claimed_by(&self, name: &str) -> Option<ReadError> {
        if name.ends_with(".nii") {
            return Some(volume("it does not begin as one"));
        }
        name.ends_with(".nii.gz").then(|| volume("what is compressed does not begin as one"))
    }

    fn open(&self, source: &Source, bytes: Vec<u8>) -> Result<Box<dyn ImageFile>, ReadError> {
        Ok(Box::new(Volume::open(source, bytes)?))
    }
}

impl ImageFile for Volume {
    fn count(&self) -> usize {
        self.len()
    }

    fn header(&self, index: usize) -> SliceHeader {
        self.slice_header(index)
    }

    fn slice(&self, index: usize) -> Result<Slice, ReadError> {
        self.decode_slice(index)
    }

    fn size(&self) -> u64 {
        self.byte_count()
    }
}
