//! The images of kept views, read again for those who look at them.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use hemora_ct::Slice;
use hemora_io::{ReadError, Reader};
use tokio::sync::Semaphore;

use super::kept::{KeptImage, KeptView, inflated};

/// Images that are decoded at once: each takes the memory of a file and of its pixels.
const AT_ONCE: usize = 4;
/// Volumes that are written at once.
const VOLUMES_AT_ONCE: usize = 2;
/// Views that are held inflated: a reader who scrolls asks for one view slice by slice.
const VIEWS: usize = 8;

/// What reads images for readers.
pub(crate) struct Images {
    /// Keeps the objects of several frames that were read last.
    pub(crate) reader: Reader,
    pub(crate) decoding: Arc<Semaphore>,
    pub(crate) writing: Arc<Semaphore>,
    /// Views with the bytes that they were inflated of, the last used at the end.
    views: Mutex<VecDeque<(Vec<u8>, Arc<KeptView>)>>,
}

impl Default for Images {
    fn default() -> Self {
        Self {
            reader: Reader::default(),
            decoding: Arc::new(Semaphore::new(AT_ONCE)),
            writing: Arc::new(Semaphore::new(VOLUMES_AT_ONCE)),
            views: Mutex::default(),
        }
    }
}

impl Images {
    /// The view that an artifact holds.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn view(&self, artifact: Vec<u8>) -> io::Result<Arc<KeptView>> {
        let held = || self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let mut views = held();
        if let Some(at) = views.iter().position(|(bytes, _)| *bytes == artifact)
            && let Some(found) = views.remove(at)
        {
            let view = Arc::clone(&found.1);
            views.push_back(found);
            return Ok(view);
        }
        drop(views);
        let view: Arc<KeptView> = Arc::new(inflated(&artifact)?);
        let mut views = held();
        if views.len() >= VIEWS {
            views.pop_front();
        }
        views.push_back((artifact, Arc::clone(&view)));
        Ok(view)
    }
}

/// Why there is no image.
#[derive(Debug)]
pub(crate) enum NoImage {
    /// Its file is gone, or another image has its place.
    Gone,
    /// It cannot be read.
    Broken(ReadError),
}

impl NoImage {
    pub(crate) fn into_io(self) -> io::Error {
        match self {
            Self::Gone => io::Error::new(io::ErrorKind::NotFound, "an image is gone"),
            Self::Broken(error) => io::Error::other(error.to_string()),
        }
    }
}

/// Reads an image as it is stored, where its series says that it lies. `name` is its SOPInstanceUID in the
/// result.
///
/// # Errors
/// [`NoImage`] says why it cannot be.
pub(crate) fn read(
    reader: &Reader,
    folder: &Path,
    image: &KeptImage,
    name: &str,
) -> Result<Slice, NoImage> {
    match reader.read_slice(&image.source(folder)) {
        Ok((header, _)) if header.image_id() != name => Err(NoImage::Gone),
        Ok((_, mut slice)) => {
            slice.plane = image.plane;
            Ok(slice)
        }
        Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Err(NoImage::Gone),
        Err(ReadError::Missing) => Err(NoImage::Gone),
        Err(error) => Err(NoImage::Broken(error)),
    }
}
