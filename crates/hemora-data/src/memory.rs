//! A decoded data set in memory: 8-bit windowed planes of one working size.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_ct::{InputRecipe, LABEL_COUNT, Plane, Window, resize};
use hemora_dicom::{Source, read_slice};
use rayon::prelude::*;

use crate::groups::{Groups, PATIENT, SERIES};
use crate::images::{DataError, ImageEntry, ImageKind, ImageSet};
use crate::labels::count_positives;
use crate::png_image::read_png;

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
#[derive(Debug, Clone, Default)]
struct Item {
    id: String,
    labels: [bool; LABEL_COUNT],
    patient: Option<String>,
    series: Option<String>,
}

/// Decoded images: per image one plane of `working_size²` bytes a window, values 0–1 × 255.
#[derive(Debug, Clone)]
pub struct InMemorySet {
    working_size: usize,
    /// The windows of the planes; `None` where the files were windowed already, one plane each.
    windows: Option<Vec<Window>>,
    pixels: Vec<u8>,
    items: Vec<Item>,
    skipped: Vec<SkippedImage>,
}

impl ImageSet {
    /// Decodes all images on all cores to planes of `working_size` × `working_size` pixels, one for
    /// each different window of `recipe` (PNG files are windowed already and give one). What cannot
    /// be read is skipped with its reason. `progress(done, total)` is called from any thread.
    ///
    /// # Errors
    /// [`DataError`] if the recipe is not usable or wants neighbouring slices, the working size is
    /// out of bounds, the planes do not fit into memory, or no image can be read.
    pub fn load(
        &self,
        recipe: &InputRecipe,
        working_size: usize,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<InMemorySet, DataError> {
        recipe.check()?;
        refuse_neighbours(recipe)?;
        let windows = match self.kind() {
            ImageKind::WindowedPng => None,
            ImageKind::Dicom => Some(different_windows(recipe)),
        };
        let size = image_bytes(working_size, windows.as_deref())?;
        let total = self.images().len();
        let mut pixels = zeros(size, total)?;
        let done = AtomicUsize::new(0);
        let decoded: Vec<Result<Item, String>> = pixels
            .par_chunks_exact_mut(size)
            .zip(self.images())
            .map(|(target, image)| {
                let item = decode(image, windows.as_deref(), working_size, target);
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                item
            })
            .collect();
        let mut items = Vec::with_capacity(total);
        let mut skipped = Vec::new();
        for (index, (result, image)) in decoded.into_iter().zip(self.images()).enumerate() {
            match result {
                Ok(item) => {
                    // Close the gaps that skipped images left.
                    let from = index * size;
                    pixels.copy_within(from..from + size, items.len() * size);
                    items.push(item);
                }
                Err(reason) => skipped.push(SkippedImage {
                    id: image.id.clone(),
                    path: image.path.clone(),
                    reason,
                }),
            }
        }
        if let (true, Some(first)) = (items.is_empty(), skipped.first()) {
            let (path, reason) = (first.path.clone(), first.reason.clone());
            return Err(DataError::AllSkipped { count: total, path, reason });
        }
        pixels.truncate(items.len() * size);
        Ok(InMemorySet { working_size, windows, pixels, items, skipped })
    }
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
        let size = image_bytes(working_size, None)?;
        if ids.len() != labels.len() || ids.len().checked_mul(size) != Some(planes.len()) {
            return Err(DataError::Parts(format!(
                "{} ids, {} rows of labels and {} bytes; expected as many of each and {size} bytes \
                 an image",
                ids.len(),
                labels.len(),
                planes.len()
            )));
        }
        let item = |(id, labels)| Item { id, labels, ..Item::default() };
        let items = ids.into_iter().zip(labels).map(item).collect();
        Ok(Self { working_size, windows: None, pixels: planes, items, skipped: Vec::new() })
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

    /// The labels of an image, in label order.
    pub fn labels(&self, index: usize) -> [bool; LABEL_COUNT] {
        self.items[index].labels
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
    /// of one plane: from then on it counts as windowed.
    ///
    /// # Errors
    /// [`DataError::Parts`] if the sets have planes of different sizes or several each.
    pub fn append(&mut self, other: InMemorySet) -> Result<(), DataError> {
        let planes = |set: &InMemorySet| set.windows.as_ref().map_or(1, Vec::len);
        if self.working_size != other.working_size || planes(self) != 1 || planes(&other) != 1 {
            return Err(DataError::Parts(format!(
                "cannot join images of {} planes of {} pixels with images of {} planes of {}; \
                 expected one plane of one size",
                planes(self),
                self.working_size,
                planes(&other),
                other.working_size
            )));
        }
        self.windows = None;
        self.pixels.extend_from_slice(&other.pixels);
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
        recipe.check()?;
        refuse_neighbours(recipe)?;
        let Some(windows) = &self.windows else {
            return Ok(vec![0; recipe.channels.len()]);
        };
        let plane = |(index, channel): (usize, &hemora_ct::Channel)| {
            windows.iter().position(|window| *window == channel.window).ok_or(DataError::Window {
                channel: index,
                level: channel.window.level,
                width: channel.window.width,
            })
        };
        recipe.channels.iter().enumerate().map(plane).collect()
    }

    /// One plane of an image, `working_size²` bytes, row by row: value × 255.
    pub fn plane(&self, index: usize, plane: usize) -> &[u8] {
        let planes = self.windows.as_ref().map_or(1, Vec::len);
        let area = self.working_size * self.working_size;
        &self.pixels[(index * planes + plane) * area..][..area]
    }
}

fn refuse_neighbours(recipe: &InputRecipe) -> Result<(), DataError> {
    match recipe.channels.iter().position(|channel| channel.offset != 0) {
        Some(channel) => {
            Err(DataError::Neighbours { channel, offset: recipe.channels[channel].offset })
        }
        None => Ok(()),
    }
}

fn different_windows(recipe: &InputRecipe) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::new();
    for channel in &recipe.channels {
        if !windows.contains(&channel.window) {
            windows.push(channel.window);
        }
    }
    windows
}

fn image_bytes(working_size: usize, windows: Option<&[Window]>) -> Result<usize, DataError> {
    if !(16..=2048).contains(&working_size) {
        return Err(DataError::WorkingSize(working_size));
    }
    Ok(working_size * working_size * windows.map_or(1, <[Window]>::len))
}

fn zeros(size: usize, count: usize) -> Result<Vec<u8>, DataError> {
    let too_large = DataError::TooLarge(size as u128 * count as u128);
    let mut bytes = Vec::new();
    let fits = size.checked_mul(count).filter(|&total| bytes.try_reserve_exact(total).is_ok());
    let total = fits.ok_or(too_large)?;
    bytes.resize(total, 0);
    Ok(bytes)
}

fn decode(
    image: &ImageEntry,
    windows: Option<&[Window]>,
    size: usize,
    target: &mut [u8],
) -> Result<Item, String> {
    let mut item = Item { id: image.id.clone(), labels: image.labels, ..Item::default() };
    let Some(windows) = windows else {
        let plane = read_png(&image.path).map_err(|error| error.to_string())?;
        write_grey(&plane, size, target);
        return Ok(item);
    };
    let source = Source::File(image.path.clone());
    let (header, slice) = read_slice(&source).map_err(|error| error.to_string())?;
    for (window, target) in windows.iter().zip(target.chunks_exact_mut(size * size)) {
        write_grey(&slice.windowed(*window), size, target);
    }
    item.patient = Some(header.patient_id).filter(|id| !id.is_empty());
    item.series = Some(header.series_instance_uid).filter(|uid| !uid.is_empty());
    Ok(item)
}

fn write_grey(plane: &Plane, size: usize, target: &mut [u8]) {
    let resized = resize(plane, size, size);
    for (byte, value) in target.iter_mut().zip(&resized.values) {
        // A cast saturates, so values a rounding error outside 0–1 stay in range.
        *byte = (value * 255.0).round() as u8;
    }
}
