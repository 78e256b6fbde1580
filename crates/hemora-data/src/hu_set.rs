//! A prepared set in HU, from its shards to memory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_ct::{LABEL_COUNT, Plane};
use rayon::prelude::*;

use crate::decode::write_hu;
use crate::images::DataError;
use crate::labels::LabelTable;
use crate::memory::{InMemorySet, Item, Pixels, SkippedImage, defaults, image_values};
use crate::prepare::{read_shard_table, unpack};
use crate::prepared_set::{SetSlice, read_slices};
use crate::series_order::{SeriesOrder, SeriesPlace};

/// Largest shard, bytes: 65536 slices that compress to a sixth.
const MAX_SHARD: u64 = 8 << 30;

impl InMemorySet {
    /// Loads a set that was prepared in HU: the folder with `shards`, `labels.csv` and
    /// `splits.csv`, each image resampled to `working_size` × `working_size` pixels.
    /// `progress(done, total)` is called from any thread.
    ///
    /// # Errors
    /// [`DataError`] names the table or shard.
    pub fn open_hu(
        folder: &Path,
        working_size: usize,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Self, DataError> {
        let labels = LabelTable::read(&folder.join("labels.csv"))?;
        let slices = read_slices(&folder.join("splits.csv"))?;
        let known: HashMap<&str, &SetSlice> =
            slices.iter().map(|slice| (slice.id.as_str(), slice)).collect();
        let size = image_values(working_size, 1)?;
        let shards = shard_tables(&folder.join("shards"))?;
        let mut hu: Vec<i16> = defaults(size, labels.len())?;
        let done = AtomicUsize::new(0);
        let load = |path: &PathBuf| -> Result<Vec<(usize, Loaded)>, DataError> {
            let entries = read_shard_table(path)?;
            let shard = read_shard(&path.with_extension("hu"))?;
            let mut loaded = Vec::new();
            for entry in entries.iter().filter(|entry| entry.skipped.is_none()) {
                let Some(place) = labels.position(&entry.id) else { continue };
                let image = unpack(&shard, entry).map(|(values, [rows, columns])| {
                    let values = values.into_iter().map(f32::from).collect();
                    let mut target = vec![0; size];
                    write_hu(&Plane { rows, columns, values }, working_size, &mut target);
                    target
                });
                progress(done.fetch_add(1, Ordering::Relaxed) + 1, labels.len());
                loaded.push((place, image));
            }
            Ok(loaded)
        };
        let mut found: Vec<Option<Result<(), String>>> = vec![None; labels.len()];
        // A few shards at a time: their images are copied to their places in between.
        for paths in shards.chunks(rayon::current_num_threads().max(1)) {
            let loaded: Result<Vec<_>, DataError> = paths.par_iter().map(load).collect();
            for (place, image) in loaded?.into_iter().flatten() {
                found[place] = Some(image.map(|image| {
                    hu[place * size..][..size].copy_from_slice(&image);
                }));
            }
        }
        let (mut items, mut places, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for (place, ((id, labels), found)) in labels.iter().zip(found).enumerate() {
            match found.unwrap_or_else(|| Err("in no shard".to_owned())) {
                Ok(()) => {
                    hu.copy_within(place * size..(place + 1) * size, items.len() * size);
                    let known = known.get(id);
                    let named = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
                    let patient = known.and_then(|slice| named(&slice.patient));
                    let series = known.and_then(|slice| named(&slice.series));
                    places.push(known.and_then(|slice| {
                        Some(SeriesPlace { series: slice.series.clone(), place: slice.place? })
                    }));
                    let item = Item::new(id.to_owned(), labels, [true; LABEL_COUNT]);
                    items.push(Item { patient, series, ..item });
                }
                Err(reason) => {
                    let path = folder.join("shards");
                    skipped.push(SkippedImage { id: id.to_owned(), path, reason });
                }
            }
        }
        if let (true, Some(first)) = (items.is_empty(), skipped.first()) {
            let (count, path) = (skipped.len(), first.path.clone());
            return Err(DataError::AllSkipped { count, path, reason: first.reason.clone() });
        }
        hu.truncate(items.len() * size);
        let places: Option<Vec<SeriesPlace>> = places.into_iter().collect();
        let order = places.map(SeriesOrder::new);
        Ok(Self { working_size, pixels: Pixels::Hu(hu), items, skipped, order })
    }
}

/// The HU of an image at the working size, or why there are none.
type Loaded = Result<Vec<i16>, String>;

/// The tables of the shards, in order.
fn shard_tables(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let refused = |source| DataError::Folder { path: folder.to_owned(), source };
    let mut tables = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if path.extension().is_some_and(|end| end == "csv") {
            tables.push(path);
        }
    }
    tables.sort();
    Ok(tables)
}

fn read_shard(path: &Path) -> Result<Vec<u8>, DataError> {
    let refused = |reason: String| DataError::Shard { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(|error| refused(error.to_string()))?.len();
    if size > MAX_SHARD {
        return Err(refused(format!("has {size} bytes; expected at most {MAX_SHARD}")));
    }
    std::fs::read(path).map_err(|error| refused(error.to_string()))
}
