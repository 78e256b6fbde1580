//! A prepared set of JPEG files, decoded when a batch is made: for sets that do not fit into memory.

use std::sync::Arc;

use hemora_ct::{InputRecipe, LABEL_COUNT, Window};

use crate::annotation::Annotation;
use crate::images::{DataError, ImageEntry, ImageKind, ImageSet};
use crate::memory::{InMemorySet, windowed_planes};
use crate::options::LoaderError;
use crate::sampling::Image;
use hemora_io::{JpegPixels, read_jpeg_pixels};

/// Prepared JPEG files of one size with their labels.
#[derive(Debug, Clone)]
pub struct JpegSet {
    images: Vec<ImageEntry>,
    side: usize,
    channels: usize,
}

impl JpegSet {
    /// The images of a prepared set; the first that can be read says which size and how many
    /// channels all have.
    ///
    /// # Errors
    /// [`DataError`] if the files are no JPEGs of a prepared set or none can be read.
    pub fn new(set: &ImageSet) -> Result<Self, DataError> {
        if set.kind() != ImageKind::PreparedJpeg {
            return Err(DataError::NotPrepared);
        }
        let mut reason = None;
        for image in set.images() {
            match read_jpeg_pixels(&image.path) {
                Ok(JpegPixels { rows, columns, channels, .. }) if rows == columns => {
                    return Ok(Self { images: set.images().to_vec(), side: rows, channels });
                }
                Ok(JpegPixels { rows, columns, .. }) => {
                    reason.get_or_insert(format!("{rows} × {columns} pixels; expected a square"));
                }
                Err(error) => {
                    reason.get_or_insert_with(|| error.to_string());
                }
            }
        }
        let path = set.images()[0].path.clone();
        let reason = reason.unwrap_or_default();
        Err(DataError::AllSkipped { count: set.images().len(), path, reason })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Height and width of the images, pixels.
    pub fn side(&self) -> usize {
        self.side
    }

    /// The id of an image.
    pub fn id(&self, index: usize) -> &str {
        &self.images[index].id
    }

    /// The labels of an image, in label order; one that is not known reads false.
    pub fn labels(&self, index: usize) -> [bool; LABEL_COUNT] {
        self.images[index].labels
    }

    /// Which labels of an image are known, in label order.
    pub fn known(&self, index: usize) -> [bool; LABEL_COUNT] {
        self.images[index].known
    }

    /// The bytes of an image, all channels of a pixel and then those of the next.
    fn read(&self, index: usize) -> Result<Vec<u8>, String> {
        let JpegPixels { rows, columns, channels, bytes } =
            read_jpeg_pixels(&self.images[index].path).map_err(|error| error.to_string())?;
        if (rows, columns, channels) != (self.side, self.side, self.channels) {
            return Err(format!(
                "{rows} × {columns} pixels of {channels} channels; the first image has {} × {} of {}",
                self.side, self.side, self.channels
            ));
        }
        Ok(bytes)
    }
}

/// Where a loader takes its images.
#[derive(Debug, Clone)]
pub enum LoaderSet {
    /// Decoded once, then kept in memory.
    Memory(Arc<InMemorySet>),
    /// Decoded from their files whenever they are used.
    Files(Arc<JpegSet>),
}

impl From<Arc<InMemorySet>> for LoaderSet {
    fn from(set: Arc<InMemorySet>) -> Self {
        Self::Memory(set)
    }
}

impl From<Arc<JpegSet>> for LoaderSet {
    fn from(set: Arc<JpegSet>) -> Self {
        Self::Files(set)
    }
}

impl LoaderSet {
    /// Number of images.
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(set) => set.len(),
            Self::Files(set) => set.len(),
        }
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of an image.
    pub fn id(&self, index: usize) -> &str {
        match self {
            Self::Memory(set) => set.id(index),
            Self::Files(set) => set.id(index),
        }
    }

    /// The labels of all images.
    pub fn all_labels(&self) -> Vec<[bool; LABEL_COUNT]> {
        (0..self.len()).map(|index| self.labels(index)).collect()
    }

    pub(crate) fn side(&self) -> usize {
        match self {
            Self::Memory(set) => set.working_size(),
            Self::Files(set) => set.side,
        }
    }

    pub(crate) fn is_hu(&self) -> bool {
        matches!(self, Self::Memory(set) if set.is_hu())
    }

    /// The labels of an image, in label order; one that is not known reads false.
    pub fn labels(&self, index: usize) -> [bool; LABEL_COUNT] {
        match self {
            Self::Memory(set) => set.labels(index),
            Self::Files(set) => set.labels(index),
        }
    }

    /// Which labels of an image are known, in label order.
    pub fn known(&self, index: usize) -> [bool; LABEL_COUNT] {
        match self {
            Self::Memory(set) => set.known(index),
            Self::Files(set) => set.known(index),
        }
    }

    /// The weight in the loss of an image's labels; 1 of files.
    pub fn label_weight(&self, index: usize) -> f32 {
        match self {
            Self::Memory(set) => set.label_weight(index),
            Self::Files(_) => 1.0,
        }
    }

    /// The annotation of an image at the size of its planes, if it has one.
    pub(crate) fn annotation(&self, index: usize) -> Option<&Annotation> {
        match self {
            Self::Memory(set) => set.items[index].annotation.as_ref(),
            Self::Files(_) => None,
        }
    }

    /// Which plane each channel of a recipe takes.
    pub(crate) fn planes_for(&self, recipe: &InputRecipe) -> Result<Vec<usize>, DataError> {
        match self {
            Self::Memory(set) => set.planes_for(recipe),
            Self::Files(set) => windowed_planes(recipe, set.channels),
        }
    }

    /// Whether [`LoaderSet::brain`] gives anything.
    pub(crate) fn has_brain(&self) -> bool {
        match self {
            Self::Memory(set) => set.brain_plane().is_some(),
            Self::Files(set) => set.channels == 1,
        }
    }

    /// Refuses a set into whose images no bleed can be drawn: which has another picture than one in
    /// the brain window.
    pub(crate) fn check_drawing(&self) -> Result<(), LoaderError> {
        let planes = match self {
            Self::Memory(set) if set.is_hu() => return Err(LoaderError::DrawnHu),
            Self::Memory(set) => set.planes(),
            Self::Files(set) => set.channels,
        };
        if planes != 1 || !self.has_brain() {
            return Err(LoaderError::NoBrainPicture);
        }
        Ok(())
    }

    /// An image in the brain window, 8-bit grey: of HU, of a plane in that window, or of a single
    /// plane, which is taken for one. `None` if there is none, or the image cannot be read.
    pub(crate) fn brain(&self, index: usize) -> Option<Vec<u8>> {
        match self {
            Self::Memory(set) => {
                let plane = set.brain_plane()?;
                Some(match set.hu(index) {
                    Some(hu) => hu.iter().map(|&hu| Window::BRAIN.to_grey(hu.into())).collect(),
                    None => set.plane(index, plane).to_vec(),
                })
            }
            Self::Files(set) if set.channels == 1 => set.read(index).ok(),
            Self::Files(_) => None,
        }
    }

    /// Hands the pixels of an image to `render`.
    ///
    /// # Errors
    /// Why the image cannot be read.
    pub(crate) fn with_image(
        &self,
        index: usize,
        render: impl FnOnce(Image<'_>),
    ) -> Result<(), String> {
        match self {
            Self::Memory(set) => render(set.image(index)),
            Self::Files(set) => {
                let bytes = set.read(index)?;
                render(Image::Pixels { bytes: &bytes, planes: set.channels });
            }
        }
        Ok(())
    }
}
