//! Preparing a set: every slice of the plan to its file, on all cores, resumable.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::{fs, iter};

use hemora_ct::{HuCounts, Label, Plane};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::error::PrepareError;
use super::files::{in_path, is_whole_jpeg, write_image, write_table, write_whole};
use super::identity::claim;
use super::plan::{Plan, Planned, Purpose, generator};
use super::recipe::{Output, PrepareRecipe};
use super::render::Renderer;
use super::selection::{Selection, SplitInto};
use super::shard::write_shard;
use super::shared_pictures::SharedPictures;
use crate::folder_lock::FolderLock;
use crate::groups::{PATIENT, SERIES, STUDY};
use crate::index::{FileStamp, IndexReader};

/// Columns of `splits.csv`.
pub(crate) const SPLIT_COLUMNS: [&str; 8] =
    ["ID", PATIENT, STUDY, SERIES, "split", "place", "z_mm", "spacing_mm"];

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
    /// Slices whose id an earlier image has, so that labels cannot tell them apart; left out and
    /// named in `skipped.csv`.
    pub repeated_ids: usize,
    /// Slices of a split by patient that are the same picture as one of another patient; none of a
    /// stored split, which told of them when it was made.
    pub pictures: SharedPictures,
    /// Id and reason of slices that could not be prepared; they are in `skipped.csv`.
    pub skipped: Vec<(String, String)>,
    /// Whether the set is complete; `false` when `progress` stopped the run.
    pub complete: bool,
}

/// Prepares the labelled slices of the index `index` in the folder `out`:
///
/// - `set.toml` (selection and input) and `recipe.toml` (with its frequency bins), first;
/// - `images/ID.jpg`, or `shards/N.hu` with their tables `shards/N.csv`;
/// - `splits.csv` (ID, patient, study, series, part, number in the series from its lowest slice,
///   place and distance to the next slice along the normal, mm), `skipped.csv`, and last `labels.csv` in the
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
    let rows = IndexReader::open(index)?;
    let stored = rows.split_rule().filter(|_| selection.split == SplitInto::Stored).copied();
    let Some(_lock) = in_path(out, FolderLock::take(out))? else {
        return Err(PrepareError::Busy(out.to_owned()));
    };
    let plan = Plan::new(rows, recipe, selection)?;
    claim(out, &plan, recipe, selection, stored)?;
    let renderer = Renderer::new(recipe.clone(), || frequencies(&plan, recipe, selection.seed))?;
    let resolved = toml::to_string(renderer.recipe()).expect("recipes are valid TOML");
    write_whole(&out.join("recipe.toml"), |file| file.write_all(resolved.as_bytes()))?;
    let run = Run { plan: &plan, renderer: &renderer, out, done: AtomicUsize::new(0), progress };
    let (failed, complete) = match &recipe.output {
        Output::Jpeg { .. } => run.images()?,
        Output::Hu { shard_slices } => run.shards(*shard_slices)?,
    };
    let mut report = PrepareReport {
        too_little_brain: plan.too_little_brain,
        unlabelled: plan.unlabelled,
        repeated_ids: plan.repeated.len(),
        pictures: plan.pictures,
        complete,
        ..PrepareReport::default()
    };
    if !complete {
        return Ok(report);
    }
    if let (true, Some((_, reason))) = (failed.len() == plan.slices.len(), failed.first()) {
        return Err(PrepareError::AllFailed { count: failed.len(), reason: reason.clone() });
    }
    run.tables(&failed)?;
    report.slices = plan.slices.len() - failed.len();
    for slice in prepared(&plan, &failed) {
        for (count, label) in report.positives.iter_mut().zip(slice.labels()) {
            *count += usize::from(label);
        }
        let part = plan.part(slice);
        match report.parts.iter_mut().find(|(name, _)| name == part) {
            Some((_, count)) => *count += 1,
            None => report.parts.push((part.to_owned(), 1)),
        }
    }
    report.parts.sort();
    let with_id =
        |(index, reason): (usize, String)| (plan.id(&plan.slices[index]).to_owned(), reason);
    report.skipped = failed.into_iter().map(with_id).collect();
    Ok(report)
}

/// Which slices of a plan could not be prepared, in its order, and why.
type Failed = Vec<(usize, String)>;

/// The slices of a plan that were prepared.
fn prepared<'a>(plan: &'a Plan, failed: &'a Failed) -> impl Iterator<Item = &'a Planned> {
    let mut failed = failed.iter().map(|(index, _)| *index).peekable();
    let slices = plan.slices.iter().enumerate();
    slices.filter(move |(index, _)| failed.next_if_eq(index).is_none()).map(|(_, slice)| slice)
}

/// Frequencies of HU in a sample of the plan's slices.
///
/// # Errors
/// [`PrepareError::NoneSampled`] if none of the sample can be read.
fn frequencies(plan: &Plan, recipe: &PrepareRecipe, seed: u64) -> Result<HuCounts, PrepareError> {
    let Output::Jpeg { bin_images, .. } = recipe.output else { return Ok(HuCounts::default()) };
    let mut slices: Vec<&Planned> = plan.slices.iter().collect();
    slices.shuffle(&mut generator(seed, Purpose::Bins));
    slices.truncate(bin_images);
    let add = |mut sampled: Sampled, (number, slice): (usize, &&Planned)| {
        match read(plan, slice.slot) {
            Ok(image) => {
                sampled.counts.add(&image.values);
                sampled.read += 1;
            }
            // One that cannot be read is reported when its turn comes.
            Err(reason) => sampled.fail((number, reason)),
        }
        sampled
    };
    let numbered = slices.par_iter().enumerate();
    let sampled = numbered.fold(Sampled::default, add).reduce(Sampled::default, Sampled::merge);
    match sampled.first_failed {
        Some((_, reason)) if sampled.read == 0 => {
            Err(PrepareError::NoneSampled { count: slices.len(), reason })
        }
        _ => Ok(sampled.counts),
    }
}

/// What reading a sample gave.
#[derive(Default)]
struct Sampled {
    counts: HuCounts,
    read: usize,
    /// Number of the first slice that could not be read, and why.
    first_failed: Option<(usize, String)>,
}

impl Sampled {
    fn fail(&mut self, failed: (usize, String)) {
        if self.first_failed.as_ref().is_none_or(|(number, _)| failed.0 < *number) {
            self.first_failed = Some(failed);
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.counts.merge(&other.counts);
        self.read += other.read;
        other.first_failed.into_iter().for_each(|failed| self.fail(failed));
        self
    }
}

/// What failed, and whether all slices were looked at.
type Results = (Failed, bool);

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
        let image = |(index, slice): (usize, &Planned)| {
            if stopped.load(Ordering::Relaxed) {
                return None;
            }
            let path = folder.join(format!("{}.jpg", self.plan.id(slice)));
            let result = if is_whole_jpeg(&path) { Ok(Ok(())) } else { self.image(slice, &path) };
            self.step(&stopped);
            match result {
                Ok(Ok(())) => None,
                Ok(Err(reason)) => Some(Ok((index, reason))),
                Err(error) => Some(Err(error)),
            }
        };
        let slices = self.plan.slices.par_iter().enumerate();
        let failed: Result<Failed, PrepareError> = slices.filter_map(image).collect();
        Ok((failed?, !stopped.into_inner()))
    }

    /// Writes an image, or says why it cannot be made.
    fn image(&self, slice: &Planned, path: &Path) -> Result<Result<(), String>, PrepareError> {
        match self.jpeg(slice) {
            Ok(bytes) => write_image(path, &bytes).map(Ok),
            Err(reason) => Ok(Err(reason)),
        }
    }

    fn jpeg(&self, slice: &Planned) -> Result<Vec<u8>, String> {
        let Output::Jpeg { channels, .. } = &self.renderer.recipe().output else {
            return Err("the recipe makes no JPEG".to_owned());
        };
        let own = read(self.plan, slice.slot)?;
        let mut others: Vec<(i32, Plane)> = Vec::new();
        for offset in channels.iter().map(|channel| channel.offset) {
            let neighbour = self.plan.neighbour(slice.slot, offset);
            if neighbour != slice.slot && others.iter().all(|(known, _)| *known != offset) {
                // A neighbour that cannot be read is stood in for by the slice itself.
                if let Ok(image) = read(self.plan, neighbour) {
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
                let image = read(self.plan, slice.slot);
                self.step(&stopped);
                Some(image.map(|image| self.renderer.hu(&image)))
            };
            let ids = slices.iter().map(|slice| self.plan.id(slice));
            let failed = write_shard(&folder, number, ids, slices.iter().map(image))?;
            let first = number * shard_slices;
            Ok(failed.into_iter().map(|(place, reason)| (first + place, reason)).collect())
        };
        let shards = self.plan.slices.par_chunks(shard_slices).enumerate();
        let failed: Result<Vec<Failed>, PrepareError> = shards.map(shard).collect();
        Ok((failed?.into_iter().flatten().collect(), !stopped.into_inner()))
    }

    fn tables(&self, failed: &Failed) -> Result<(), PrepareError> {
        let header = SPLIT_COLUMNS.map(str::to_owned).to_vec();
        let rows = prepared(self.plan, failed).map(|slice| {
            let [patient, study, series] = self.plan.groups(slice);
            let known = [self.plan.id(slice), patient, study, series, self.plan.part(slice)];
            let along = self.plan.along(slice);
            let number = |mm: Option<f64>| mm.map(|mm| mm.to_string()).unwrap_or_default();
            let numbers = [along.place.to_string(), number(along.z_mm), number(along.spacing_mm)];
            known.map(str::to_owned).into_iter().chain(numbers).collect()
        });
        write_table(&self.out.join("splits.csv"), iter::once(header).chain(rows))?;
        let repeated = self.plan.repeated.iter().map(|(id, source)| {
            let reason = format!("{source}: another image has this id, and labels are by id");
            vec![id.clone(), reason]
        });
        let rows = failed
            .iter()
            .map(|(index, reason)| {
                vec![self.plan.id(&self.plan.slices[*index]).to_owned(), reason.clone()]
            })
            .chain(repeated);
        let header = ["ID", "reason"].map(str::to_owned).to_vec();
        write_table(&self.out.join("skipped.csv"), iter::once(header).chain(rows))?;
        write_whole(&self.out.join("labels.csv"), |file| {
            writeln!(file, "ID,Label")?;
            for slice in prepared(self.plan, failed) {
                for (label, positive) in Label::ALL.into_iter().zip(slice.labels()) {
                    writeln!(file, "{}_{label},{}", self.plan.id(slice), u8::from(positive))?;
                }
            }
            Ok(())
        })
    }
}

/// Reads a slice, upright, unless its file changed since the index was made.
fn read(plan: &Plan, slot: u32) -> Result<Plane, String> {
    let (source, indexed) = plan.source(slot);
    let path = source.file();
    let size = FileStamp::of(path).map_err(|error| format!("{}: {error}", path.display()))?.size;
    if size != indexed {
        return Err(format!(
            "{}: has {size} bytes, had {indexed} when it was indexed; run `hemora index` again",
            path.display(),
        ));
    }
    let (_, slice) =
        plan.reader.read_slice(&source).map_err(|error| format!("{source}: {error}"))?;
    Ok(slice.into_upright().into_plane())
}
