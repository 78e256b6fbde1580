//! Preparing a set: every slice of the plan to its file, on all cores, resumable.

use std::fs;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hemora_ct::{HuCounts, Label, Plane};
use hemora_dicom::read_slice;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use serde::Serialize;

use super::error::PrepareError;
use super::plan::{Plan, Planned, Purpose, Selection, Slot, generator};
use super::recipe::{Output, PrepareRecipe};
use super::render::Renderer;
use super::shard::write_shard;
use crate::index::IndexReader;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrepareReport {
    /// Slices of the set.
    pub slices: usize,
    /// Positive slices, in label order.
    pub positives: [usize; hemora_ct::LABEL_COUNT],
    /// Slices in each part of the split.
    pub parts: Vec<(String, usize)>,
    /// Slices with too small a part between 0 and 80 HU; left out.
    pub too_little_brain: usize,
    /// Slices without labels; left out.
    pub unlabelled: usize,
    /// Id and reason of slices that could not be prepared; they are in `skipped.csv`.
    pub skipped: Vec<(String, String)>,
    /// Whether the set is complete; `false` when `progress` stopped the run.
    pub complete: bool,
}

/// Prepares the labelled slices of the index `index` in the folder `out`:
///
/// - `set.toml` (selection and input) and `recipe.toml` (with its frequency bins), first;
/// - `images/ID.jpg`, or `shards/N.hu` with their tables `shards/N.csv`;
/// - `splits.csv` (ID, patient, study, series, part), `skipped.csv`, and last `labels.csv` in the
///   competition's form: where it is, everything is there.
///
/// The same index content, recipe and selection give the same bytes whatever the number of
/// threads; a run that was stopped or killed is taken up where it was. Memory holds the plan and a
/// few slices a thread. `progress(done, total)` is called from any thread and may stop the run.
///
/// # Errors
/// [`PrepareError`] names the option, the file or the folder. A slice that cannot be read is left
/// out and reported.
pub fn prepare(
    index: &Path,
    out: &Path,
    recipe: &PrepareRecipe,
    selection: &Selection,
    progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
) -> Result<PrepareReport, PrepareError> {
    recipe.check()?;
    let plan = Plan::new(IndexReader::open(index)?, recipe, selection)?;
    claim(out, &plan, recipe, selection)?;
    let renderer = Renderer::new(recipe.clone(), || frequencies(&plan, recipe, selection.seed))?;
    let resolved = toml::to_string(renderer.recipe()).expect("recipes are valid TOML");
    write_whole(&out.join("recipe.toml"), resolved.as_bytes())?;
    let run = Run { plan: &plan, renderer: &renderer, out, done: AtomicUsize::new(0), progress };
    let (results, complete) = match &recipe.output {
        Output::Jpeg { .. } => run.images()?,
        Output::Hu { shard_slices } => run.shards(*shard_slices)?,
    };
    let mut report = PrepareReport {
        too_little_brain: plan.too_little_brain,
        unlabelled: plan.unlabelled,
        complete,
        ..PrepareReport::default()
    };
    if !complete {
        return Ok(report);
    }
    let mut prepared = Vec::with_capacity(plan.slices.len());
    for (slice, result) in plan.slices.iter().zip(results) {
        match result {
            None => prepared.push(slice),
            Some(reason) => report.skipped.push((slice.id.clone(), reason)),
        }
    }
    if let (true, Some((_, reason))) = (prepared.is_empty(), report.skipped.first()) {
        let (count, reason) = (plan.slices.len(), reason.clone());
        return Err(PrepareError::AllFailed { count, reason });
    }
    run.tables(&prepared, &report.skipped)?;
    report.slices = prepared.len();
    for slice in prepared {
        for (count, label) in report.positives.iter_mut().zip(slice.labels) {
            *count += usize::from(label);
        }
        match report.parts.iter_mut().find(|(name, _)| *name == slice.split) {
            Some((_, count)) => *count += 1,
            None => report.parts.push((slice.split.clone(), 1)),
        }
    }
    report.parts.sort();
    Ok(report)
}

/// What decides a set, beside its recipe.
#[derive(Serialize)]
struct Identity<'a> {
    version: u32,
    slices: usize,
    input_sha256: &'a str,
    recipe_as_given: &'a str,
    selection: &'a Selection,
}

/// Makes the folder this set's own, or finds that it already is.
fn claim(
    out: &Path,
    plan: &Plan,
    recipe: &PrepareRecipe,
    selection: &Selection,
) -> Result<(), PrepareError> {
    let recipe = toml::to_string(recipe).expect("recipes are valid TOML");
    let identity = Identity {
        version: 1,
        slices: plan.slices.len(),
        input_sha256: &plan.input_sha256,
        recipe_as_given: &recipe,
        selection,
    };
    let identity = toml::to_string(&identity).expect("an identity is valid TOML");
    let path = out.join("set.toml");
    match fs::read_to_string(&path) {
        Ok(there) if there == identity => return Ok(()),
        Ok(_) => return Err(PrepareError::OtherSet(out.to_owned())),
        Err(_) => {}
    }
    in_path(out, fs::create_dir_all(out))?;
    let name = |entry: std::io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name());
    let names = fs::read_dir(out).and_then(|entries| entries.map(name).collect());
    let names: Vec<std::ffi::OsString> = in_path(out, names)?;
    // A run that was killed before it had written its first file leaves a part of it.
    if names.iter().any(|name| name != "set.toml.partial") {
        return Err(PrepareError::OtherSet(out.to_owned()));
    }
    write_whole(&path, identity.as_bytes())
}

/// Frequencies of HU in a sample of the plan's slices.
fn frequencies(plan: &Plan, recipe: &PrepareRecipe, seed: u64) -> HuCounts {
    let Output::Jpeg { bin_images, .. } = recipe.output else { return HuCounts::default() };
    let mut slices: Vec<&Planned> = plan.slices.iter().collect();
    slices.shuffle(&mut generator(seed, Purpose::Bins));
    slices.truncate(bin_images);
    let add = |mut counts: HuCounts, slice: &&Planned| {
        // One that cannot be read is reported when its turn comes.
        if let Ok(image) = read(&plan.slots[slice.slot]) {
            counts.add(&image.values);
        }
        counts
    };
    let merge = |mut counts: HuCounts, other: HuCounts| {
        counts.merge(&other);
        counts
    };
    slices.par_iter().fold(HuCounts::default, add).reduce(HuCounts::default, merge)
}

/// Why each slice of the plan was skipped, `None` for those that were not; and whether all were
/// looked at.
type Results = (Vec<Option<String>>, bool);

struct Run<'a> {
    plan: &'a Plan,
    renderer: &'a Renderer,
    out: &'a Path,
    done: AtomicUsize,
    progress: &'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
}

impl Run<'_> {
    fn step(&self, stopped: &AtomicBool) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if (self.progress)(done, self.plan.slices.len()).is_break() {
            stopped.store(true, Ordering::Relaxed);
        }
    }

    fn images(&self) -> Result<Results, PrepareError> {
        let folder = self.out.join("images");
        in_path(&folder, fs::create_dir_all(&folder))?;
        let stopped = AtomicBool::new(false);
        let image = |slice: &Planned| {
            if stopped.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let path = folder.join(format!("{}.jpg", slice.id));
            let result = if is_whole_jpeg(&path) { Ok(None) } else { self.image(slice, &path) };
            self.step(&stopped);
            result
        };
        let results: Result<Vec<_>, PrepareError> =
            self.plan.slices.par_iter().map(image).collect();
        Ok((results?, !stopped.into_inner()))
    }

    fn image(&self, slice: &Planned, path: &Path) -> Result<Option<String>, PrepareError> {
        match self.jpeg(slice) {
            Ok(bytes) => write_beside(path, &bytes, false).map(|()| None),
            Err(reason) => Ok(Some(reason)),
        }
    }

    fn jpeg(&self, slice: &Planned) -> Result<Vec<u8>, String> {
        let Output::Jpeg { channels, .. } = &self.renderer.recipe().output else {
            return Err("the recipe makes no JPEG".to_owned());
        };
        let own = read(&self.plan.slots[slice.slot])?;
        let mut others: Vec<(i32, Plane)> = Vec::new();
        for offset in channels.iter().map(|channel| channel.offset) {
            let neighbour = self.plan.neighbour(slice.slot, offset);
            if neighbour != slice.slot && others.iter().all(|(known, _)| *known != offset) {
                // A neighbour that cannot be read is stood in for by the slice itself.
                if let Ok(image) = read(&self.plan.slots[neighbour]) {
                    others.push((offset, image));
                }
            }
        }
        self.renderer.jpeg(&own, |offset| {
            others.iter().find(|(known, _)| *known == offset).map_or(&own, |(_, image)| image)
        })
    }

    fn shards(&self, shard_slices: usize) -> Result<Results, PrepareError> {
        let folder = self.out.join("shards");
        in_path(&folder, fs::create_dir_all(&folder))?;
        let stopped = AtomicBool::new(false);
        let shard = |(number, slices): (usize, &[Planned])| {
            let image = |slice: &Planned| {
                if stopped.load(Ordering::Relaxed) {
                    return None;
                }
                let image = read(&self.plan.slots[slice.slot]);
                self.step(&stopped);
                Some(image.map(|image| self.renderer.hu(&image)))
            };
            let ids = slices.iter().map(|slice| slice.id.as_str());
            write_shard(&folder, number, ids, slices.iter().map(image))
        };
        let shards = self.plan.slices.par_chunks(shard_slices).enumerate();
        let results: Result<Vec<_>, PrepareError> = shards.map(shard).collect();
        Ok((results?.into_iter().flatten().collect(), !stopped.into_inner()))
    }

    fn tables(
        &self,
        prepared: &[&Planned],
        skipped: &[(String, String)],
    ) -> Result<(), PrepareError> {
        let mut splits = csv::Writer::from_writer(Vec::new());
        let mut rows = vec![["ID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "split"]];
        rows.extend(prepared.iter().map(|slice| {
            let Slot { patient, study, series, .. } = &self.plan.slots[slice.slot];
            [&slice.id, patient, study, series, &slice.split].map(String::as_str)
        }));
        rows.iter().try_for_each(|row| splits.write_record(row)).expect("memory takes all");
        write_table(&self.out.join("splits.csv"), splits)?;
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["ID", "reason"]).expect("memory takes all");
        for (id, reason) in skipped {
            table.write_record([id, reason]).expect("memory takes all");
        }
        write_table(&self.out.join("skipped.csv"), table)?;
        let mut labels = Vec::from("ID,Label\n");
        for slice in prepared {
            for label in Label::ALL {
                let value = u8::from(slice.labels[label.index()]);
                writeln!(labels, "{}_{label},{value}", slice.id).expect("memory takes all");
            }
        }
        write_whole(&self.out.join("labels.csv"), &labels)
    }
}

/// Reads a slice, unless its file changed since the index was made.
fn read(slot: &Slot) -> Result<Plane, String> {
    let path = slot.source.file();
    let size = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?.len();
    if size != slot.file_size {
        return Err(format!(
            "{}: has {size} bytes, had {} when it was indexed; run `hemora index` again",
            path.display(),
            slot.file_size
        ));
    }
    let (_, slice) =
        read_slice(&slot.source).map_err(|error| format!("{}: {error}", slot.source))?;
    Ok(slice.into_plane())
}

/// Whether an image of an earlier run is there from its first to its last bytes: images are
/// renamed into their place, but not synced one by one.
fn is_whole_jpeg(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\xff\xd8") && bytes.ends_with(b"\xff\xd9"))
}

pub(super) fn in_path<T>(path: &Path, result: std::io::Result<T>) -> Result<T, PrepareError> {
    result.map_err(|source| PrepareError::Io { path: path.to_owned(), source })
}

fn write_table(path: &Path, table: csv::Writer<Vec<u8>>) -> Result<(), PrepareError> {
    write_whole(path, &table.into_inner().expect("memory takes all"))
}

pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), PrepareError> {
    write_beside(path, bytes, true)
}

/// Writes beside `path`, syncs if asked, and renames.
fn write_beside(path: &Path, bytes: &[u8], sync: bool) -> Result<(), PrepareError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let write = || {
        let mut file = fs::File::create(&partial)?;
        file.write_all(bytes)?;
        if sync {
            file.sync_all()?;
        }
        fs::rename(&partial, path)
    };
    in_path(path, write())
}
