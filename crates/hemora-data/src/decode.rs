//! The images of a data set, decoded on all cores into memory.

use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_ct::{InputRecipe, Plane, Slice, Window, resize, whole_hu};
use hemora_io::{Source, jpeg_channels, read_jpeg, read_png, read_slice};
use rayon::prelude::*;

use crate::images::{DataError, ImageEntry, ImageKind, ImageSet};
use crate::memory::{
    InMemorySet, Item, Pixels, SkippedImage, defaults, image_values, refuse_neighbours,
};

/// Reads an image into its place, or says why it cannot be used.
type Read<'a, T> = dyn Fn(&ImageEntry, &mut [T]) -> Result<Item, String> + Sync + 'a;

/// Planes one after the other, what is known of their images, and what was skipped.
type Decoded<T> = (Vec<T>, Vec<Item>, Vec<SkippedImage>);

impl ImageSet {
    /// Decodes all images on all cores to planes of `working_size` × `working_size` pixels: of
    /// DICOM one for each different window of `recipe`, of prepared JPEG one a channel, of PNG one.
    /// What cannot be read is skipped with its reason. `progress(done, total)` is called from any
    /// thread.
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
        if self.kind() != ImageKind::PreparedJpeg {
            refuse_neighbours(recipe)?;
        }
        let windows = match self.kind() {
            ImageKind::Dicom => different_windows(recipe),
            ImageKind::WindowedPng | ImageKind::PreparedJpeg => Vec::new(),
        };
        let planes = match self.kind() {
            ImageKind::WindowedPng => 1,
            ImageKind::PreparedJpeg => self.jpeg_planes(),
            ImageKind::Dicom => windows.len(),
        };
        let read = |image: &ImageEntry, target: &mut [u8]| match self.kind() {
            ImageKind::Dicom => read_windows(image, &windows, working_size, target),
            ImageKind::WindowedPng => {
                let plane = read_png(&image.path).map_err(|error| error.to_string())?;
                write_bytes(&resize(&plane, working_size, working_size), target);
                Ok(item(image))
            }
            ImageKind::PreparedJpeg => read_channels(image, planes, working_size, target),
        };
        let (bytes, items, skipped) = self.decode(working_size, planes, &read, progress)?;
        let pixels = match self.kind() {
            ImageKind::Dicom => Pixels::Windows { windows, bytes },
            _ => Pixels::Windowed { planes, bytes },
        };
        Ok(InMemorySet { working_size, pixels, items, skipped, order: None })
    }

    /// Decodes all images of a DICOM set to HU, each at `working_size` × `working_size` pixels, for
    /// windows that vary from batch to batch ([`Augment::window_level`](crate::Augment)).
    ///
    /// # Errors
    /// As [`ImageSet::load`]; and if the images are not DICOM.
    pub fn load_hu(
        &self,
        working_size: usize,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<InMemorySet, DataError> {
        if self.kind() != ImageKind::Dicom {
            return Err(DataError::NoHu);
        }
        let read = |image: &ImageEntry, target: &mut [i16]| {
            let (item, slice) = read_dicom(image)?;
            write_hu(&slice.into_plane(), working_size, target);
            Ok(item)
        };
        let (hu, items, skipped) = self.decode(working_size, 1, &read, progress)?;
        Ok(InMemorySet { working_size, pixels: Pixels::Hu(hu), items, skipped, order: None })
    }

    /// Channels of the first JPEG that can be read.
    fn jpeg_planes(&self) -> usize {
        self.images().iter().find_map(|image| jpeg_channels(&image.path).ok()).unwrap_or(1)
    }

    /// Reads every image into its place and closes the gaps of those that were skipped.
    fn decode<T: Copy + Default + Send>(
        &self,
        working_size: usize,
        planes: usize,
        read: &Read<'_, T>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Decoded<T>, DataError> {
        let size = image_values(working_size, planes)?;
        let total = self.images().len();
        let mut pixels: Vec<T> = defaults(size, total)?;
        let done = AtomicUsize::new(0);
        let decoded: Vec<Result<Item, String>> = pixels
            .par_chunks_exact_mut(size)
            .zip(self.images())
            .map(|(target, image)| {
                let item = read(image, target);
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
                item
            })
            .collect();
        let mut items = Vec::with_capacity(total);
        let mut skipped = Vec::new();
        for (index, (result, image)) in decoded.into_iter().zip(self.images()).enumerate() {
            match result {
                Ok(item) => {
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
        Ok((pixels, items, skipped))
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

fn item(image: &ImageEntry) -> Item {
    Item::new(image.id.clone(), image.labels, image.known)
}

fn read_dicom(image: &ImageEntry) -> Result<(Item, Slice), String> {
    let source = Source::File(image.path.clone());
    let (header, slice) = read_slice(&source).map_err(|error| error.to_string())?;
    let mut item = item(image);
    item.patient = Some(header.patient_id).filter(|id| !id.is_empty());
    item.series = header.series_instance_uid;
    Ok((item, slice.into_upright()))
}

fn read_windows(
    image: &ImageEntry,
    windows: &[Window],
    size: usize,
    target: &mut [u8],
) -> Result<Item, String> {
    let (item, slice) = read_dicom(image)?;
    for (window, target) in windows.iter().zip(target.chunks_exact_mut(size * size)) {
        write_bytes(&slice.windowed_at(*window, size, size), target);
    }
    Ok(item)
}

fn read_channels(
    image: &ImageEntry,
    planes: usize,
    size: usize,
    target: &mut [u8],
) -> Result<Item, String> {
    let channels = read_jpeg(&image.path).map_err(|error| error.to_string())?;
    if channels.len() != planes {
        return Err(format!("{} channels; the first image has {planes}", channels.len()));
    }
    for (plane, target) in channels.iter().zip(target.chunks_exact_mut(size * size)) {
        write_bytes(&resize(plane, size, size), target);
    }
    Ok(item(image))
}

/// The values 0–1 of a plane as bytes.
fn write_bytes(plane: &Plane, target: &mut [u8]) {
    for (byte, value) in target.iter_mut().zip(&plane.values) {
        // A cast saturates, so values a rounding error outside 0–1 stay in range.
        *byte = (value * 255.0).round() as u8;
    }
}

pub(crate) fn write_hu(plane: &Plane, size: usize, target: &mut [i16]) {
    let resized = resize(plane, size, size);
    for (whole, hu) in target.iter_mut().zip(&resized.values) {
        *whole = whole_hu(*hu);
    }
}
