//! A decoded data set in memory: planes of one working size, 8-bit windowed or in HU.

use std::path::PathBuf;

use hemora_ct::{InputRecipe, LABEL_COUNT, Window};

use crate::annotation::Annotation;
use crate::groups::{Groups, PATIENT, SERIES};
use crate::images::DataError;
use crate::labels::count_positives;
use crate::sampling::Image;
use crate::series_order::SeriesOrder;

/// An image that was not used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedImage {
    /// Its id.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Why it cannot be used.
    pub reason: String,
}

/// What is kept of an image beside its pixels.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) id: String,
    /// What is not known reads false.
    pub(crate) labels: [bool; LABEL_COUNT],
    pub(crate) known: [bool; LABEL_COUNT],
    /// Weight of the labels in the loss.
    pub(crate) weight: f32,
    /// At the working size.
    pub(crate) annotation: Option<Annotation>,
    pub(crate) patient: Option<String>,
    pub(crate) series: Option<String>,
}

impl Item {
    /// An image of which no more is known.
    pub(crate) fn new(id: String, labels: [bool; LABEL_COUNT], known: [bool; LABEL_COUNT]) -> Self {
        let (weight, annotation, patient, series) = (1.0, None, None, None);
        Self { id, labels, known, weight, annotation, patient, series }
    }
}

/// Planes of all images, one image after the other, `working_size²` values a plane.
#[derive(Debug, Clone)]
pub(crate) enum Pixels {
    /// Windowed by whoever made the files: one plane for all channels, or one a channel.
    Windowed { planes: usize, bytes: Vec<u8> },
    /// A plane for each of some windows.
    Windows { windows: Vec<Window>, bytes: Vec<u8> },
    /// Whole HU, one plane; windowed when a batch is made.
    Hu(Vec<i16>),
}

/// Decoded images: per image one plane of `working_size²` bytes a window or channel, values 0–1 ×
/// 255, or one plane of HU.
#[derive(Debug, Clone)]
pub struct InMemorySet {
    pub(crate) working_size: usize,
    pub(crate) pixels: Pixels,
    pub(crate) items: Vec<Item>,
    pub(crate) skipped: Vec<SkippedImage>,
    /// Neighbours in the series, where the set tells.
    pub(crate) order: Option<SeriesOrder>,
}

impl InMemorySet {
    /// A set of windowed images made elsewhere: `planes` are images one after the other, each
    /// `working_size²` bytes (0–1 × 255), with one id and one row of labels each.
    ///
    /// # Errors
    /// [`DataError`] if the sizes do not agree.
    pub fn from_windowed(
        working_size: usize,
        ids: Vec<String>,
        labels: Vec<[bool; LABEL_COUNT]>,
        planes: Vec<u8>,
    ) -> Result<Self, DataError> {
        let size = image_values(working_size, 1)?;
        if ids.len() != labels.len() || ids.len().checked_mul(size) != Some(planes.len()) {
            return Err(DataError::Parts(format!(
                "{} ids, {} rows of labels and {} bytes; expected as many of each and {size} bytes \
                 an image",
                ids.len(),
                labels.len(),
                planes.len()
            )));
        }
        let item = |(id, labels)| Item::new(id, labels, [true; LABEL_COUNT]);
        let items = ids.into_iter().zip(labels).map(item).collect();
        let pixels = Pixels::Windowed { planes: 1, bytes: planes };
        Ok(Self { working_size, pixels, items, skipped: Vec::new(), order: None })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Height and width of the planes, pixels.
    pub fn working_size(&self) -> usize {
        self.working_size
    }

    /// The id of an image.
    pub fn id(&self, index: usize) -> &str {
        &self.items[index].id
    }

    /// The labels of an image, in label order; one that is not known reads false.
    pub fn labels(&self, index: usize) -> [bool; LABEL_COUNT] {
        self.items[index].labels
    }

    /// Which labels of an image are known, in label order.
    pub fn known(&self, index: usize) -> [bool; LABEL_COUNT] {
        self.items[index].known
    }

    /// Sets the weight in the loss of each image's labels, which is 1, to what `weight` says of its
    /// id: a finite number from 0.
    pub fn set_label_weights(&mut self, weight: impl Fn(&str) -> f32) {
        for item in &mut self.items {
            item.weight = weight(&item.id);
        }
    }

    /// The weight in the loss of an image's labels.
    pub fn label_weight(&self, index: usize) -> f32 {
        self.items[index].weight
    }

    /// The labels of all images.
    pub fn all_labels(&self) -> Vec<[bool; LABEL_COUNT]> {
        self.items.iter().map(|item| item.labels).collect()
    }

    /// How many images are positive, per label.
    pub fn positives(&self) -> [usize; LABEL_COUNT] {
        count_positives(self.items.iter().map(|item| item.labels))
    }

    /// What could not be read.
    pub fn skipped(&self) -> &[SkippedImage] {
        &self.skipped
    }

    /// Adds the images of another set behind these. A set of one plane an image joins any other
    /// of one plane: from then on it counts as windowed. Sets in HU join each other.
    ///
    /// # Errors
    /// [`DataError::Parts`] if the sets have planes of different sizes, several each, or HU on one
    /// side alone.
    pub fn append(&mut self, other: InMemorySet) -> Result<(), DataError> {
        let refused = DataError::Parts(format!(
            "cannot join images of {} of {} pixels with images of {} of {}; expected one windowed \
             plane, or HU, of one size",
            self.pixels.describe(),
            self.working_size,
            other.pixels.describe(),
            other.working_size
        ));
        if self.working_size != other.working_size {
            return Err(refused);
        }
        match (&mut self.pixels, other.pixels) {
            (Pixels::Hu(own), Pixels::Hu(theirs)) => own.extend_from_slice(&theirs),
            (own, theirs) => match (own.single_plane(), theirs.into_single_plane()) {
                (Some(own_bytes), Some(their_bytes)) => {
                    let mut bytes = std::mem::take(own_bytes);
                    bytes.extend_from_slice(&their_bytes);
                    *own = Pixels::Windowed { planes: 1, bytes };
                }
                _ => return Err(refused),
            },
        }
        self.order = match (self.order.take(), other.order) {
            (Some(own), Some(theirs)) => Some(own.joined(theirs)),
            _ => None,
        };
        self.items.extend(other.items);
        self.skipped.extend(other.skipped);
        Ok(())
    }

    /// The group of every image for [`split`](crate::split()): what the tables in `known` say,
    /// joined with the patients and series of the DICOM headers.
    pub fn groups(&self, known: &Groups) -> Vec<String> {
        let mut groups = known.clone();
        for item in &self.items {
            groups.join(&item.id, PATIENT, item.patient.as_deref().unwrap_or_default());
            groups.join(&item.id, SERIES, item.series.as_deref().unwrap_or_default());
        }
        groups.assign(self.items.iter().map(|item| &item.id))
    }

    /// Which plane each channel of a recipe takes.
    ///
    /// # Errors
    /// [`DataError`] if the recipe is not usable, wants neighbouring slices, or has a window that
    /// was not loaded.
    pub fn planes_for(&self, recipe: &InputRecipe) -> Result<Vec<usize>, DataError> {
        let windows = match &self.pixels {
            Pixels::Windowed { planes, .. } => return windowed_planes(recipe, *planes),
            Pixels::Windows { windows, .. } => windows,
            Pixels::Hu(_) => {
                recipe.check()?;
                if self.order.is_none() {
                    refuse_neighbours(recipe)?;
                }
                // Any window can be had; channels of the same slice and window share a plane.
                let first = |channel| recipe.channels.iter().position(|other| other == channel);
                return Ok(recipe.channels.iter().filter_map(first).collect());
            }
        };
        recipe.check()?;
        refuse_neighbours(recipe)?;
        let plane = |(index, channel): (usize, &hemora_ct::Channel)| {
            windows.iter().position(|window| *window == channel.window).ok_or(DataError::Window {
                channel: index,
                level: channel.window.level,
                width: channel.window.width,
            })
        };
        recipe.channels.iter().enumerate().map(plane).collect()
    }

    /// The pixels of an image, all planes.
    pub(crate) fn image(&self, index: usize) -> Image<'_> {
        let area = self.working_size * self.working_size;
        let (bytes, planes) = match &self.pixels {
            Pixels::Windowed { planes, bytes } => (bytes, *planes),
            Pixels::Windows { windows, bytes } => (bytes, windows.len()),
            Pixels::Hu(_) => return Image::Hu { set: self, index },
        };
        Image::Planes(&bytes[index * planes * area..][..planes * area])
    }

    /// The HU of the image `offset` slices from `index` in its series, the end slice beyond the ends;
    /// empty if the set is kept windowed.
    pub(crate) fn neighbour_hu(&self, index: usize, offset: i32) -> &[i16] {
        let other = self.order.as_ref().map_or(index, |order| order.neighbour(index, offset));
        self.hu(other).unwrap_or_default()
    }

    /// How many images have a slice within `reach` in their series that the set lacks, so that
    /// another stands in; 0 where neighbours are not known.
    pub fn lacking_neighbours(&self, reach: usize) -> usize {
        self.order.as_ref().map_or(0, |order| order.lacking(reach))
    }

    /// Whether the images are kept in HU.
    pub fn is_hu(&self) -> bool {
        matches!(self.pixels, Pixels::Hu(_))
    }

    /// The plane in the brain window, where it is known that there is one: of HU any, of a single
    /// plane that one.
    pub(crate) fn brain_plane(&self) -> Option<usize> {
        match &self.pixels {
            Pixels::Hu(_) | Pixels::Windowed { planes: 1, .. } => Some(0),
            Pixels::Windowed { .. } => None,
            Pixels::Windows { windows, .. } => windows.iter().position(|it| *it == Window::BRAIN),
        }
    }

    /// Number of planes of an image; 1 of HU.
    pub(crate) fn planes(&self) -> usize {
        match &self.pixels {
            Pixels::Windowed { planes, .. } => *planes,
            Pixels::Windows { windows, .. } => windows.len(),
            Pixels::Hu(_) => 1,
        }
    }

    /// Whether every channel has a plane of its own that was made beforehand, as JPEG in colour have:
    /// what it shows is the recipe's of the prepared set, and no [`InputRecipe`] describes it.
    pub fn has_made_channels(&self) -> bool {
        matches!(self.pixels, Pixels::Windowed { planes, .. } if planes > 1)
    }

    /// One plane of a windowed image, `working_size²` bytes, row by row: value × 255. Empty if the
    /// images are kept in HU.
    pub fn plane(&self, index: usize, plane: usize) -> &[u8] {
        let area = self.working_size * self.working_size;
        match &self.pixels {
            Pixels::Windowed { planes, bytes } => &bytes[(index * planes + plane) * area..][..area],
            Pixels::Windows { windows, bytes } => {
                &bytes[(index * windows.len() + plane) * area..][..area]
            }
            Pixels::Hu(_) => &[],
        }
    }

    /// An image in HU, `working_size²` values, row by row; `None` if it is kept windowed.
    pub fn hu(&self, index: usize) -> Option<&[i16]> {
        let area = self.working_size * self.working_size;
        match &self.pixels {
            Pixels::Hu(hu) => Some(&hu[index * area..][..area]),
            _ => None,
        }
    }
}

impl Pixels {
    fn describe(&self) -> String {
        match self {
            Pixels::Windowed { planes, .. } => format!("{planes} planes"),
            Pixels::Windows { windows, .. } => format!("{} planes", windows.len()),
            Pixels::Hu(_) => "HU".to_owned(),
        }
    }

    fn single_plane(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Pixels::Windowed { planes: 1, bytes } => Some(bytes),
            Pixels::Windows { windows, bytes } if windows.len() == 1 => Some(bytes),
            _ => None,
        }
    }

    fn into_single_plane(mut self) -> Option<Vec<u8>> {
        self.single_plane().map(std::mem::take)
    }
}

/// Which plane each channel of a recipe takes of images with so many planes, windowed by whoever
/// made them: all the same one, or each its own.
pub(crate) fn windowed_planes(
    recipe: &InputRecipe,
    planes: usize,
) -> Result<Vec<usize>, DataError> {
    recipe.check()?;
    match recipe.channels.len() {
        channels if planes == 1 => {
            refuse_neighbours(recipe)?;
            Ok(vec![0; channels])
        }
        // Where a plane was made for each channel, its neighbours are in it.
        channels if planes == channels => Ok((0..planes).collect()),
        channels => Err(DataError::ChannelCount { planes, channels }),
    }
}

pub(crate) fn refuse_neighbours(recipe: &InputRecipe) -> Result<(), DataError> {
    match recipe.channels.iter().position(|channel| channel.offset != 0) {
        Some(channel) => {
            Err(DataError::Neighbours { channel, offset: recipe.channels[channel].offset })
        }
        None => Ok(()),
    }
}

/// Values of an image of so many planes.
pub(crate) fn image_values(working_size: usize, planes: usize) -> Result<usize, DataError> {
    if !(16..=2048).contains(&working_size) {
        return Err(DataError::WorkingSize(working_size));
    }
    Ok(working_size * working_size * planes)
}

pub(crate) fn defaults<T: Clone + Default>(size: usize, count: usize) -> Result<Vec<T>, DataError> {
    let bytes = size as u128 * count as u128 * size_of::<T>() as u128;
    let mut values = Vec::new();
    let fits = size.checked_mul(count).filter(|&total| values.try_reserve_exact(total).is_ok());
    let total = fits.ok_or(DataError::TooLarge(bytes))?;
    values.resize(total, T::default());
    Ok(values)
}
