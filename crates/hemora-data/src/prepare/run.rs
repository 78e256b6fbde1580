//! Preparing a set: every slice of the plan to its file, on all cores, resumable.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hemora_base::WorkShard;
use hemora_ct::{Label, Plane};
use rayon::prelude::*;

use super::error::PrepareError;
use super::files::in_path;
use super::identity::{SHARES, claim};
use super::plan::{Plan, Planned};
use super::reading::{frequencies, read};
use super::recipe::{Output, PrepareRecipe};
use super::render::Renderer;
use super::selection::{Selection, SplitInto};
use super::shard::write_shard;
use super::shared_pictures::SharedPictures;
use super::target::{IMAGES_AT_WORK, SHARDS_AT_WORK, Sending, Target};
use crate::folder_lock::FolderLock;
use crate::groups::{PATIENT, SERIES, STUDY};
use crate::index::IndexReader;

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

/// Prepares the labelled slices of the index `index` in the folder, or the prefix of object storage, `out`:
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
/// In object storage each file is put when it is whole, images without a copy on this machine, and what was there
/// when the run began is not made again; memory then also holds the names of those objects and at most 32
/// images, and the folder of temporary files a shard a thread and two that are sent.
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
    let target = Target::open(out)?;
    let folder = target.folder();
    let Some(_lock) = in_path(folder, FolderLock::take(folder))? else {
        return Err(PrepareError::Busy(out.to_owned()));
    };
    let report = run(index, &target, recipe, selection, WorkShard::WHOLE, progress)?;
    let shares = folder.join(SHARES);
    if report.complete && shares.is_dir() {
        in_path(&shares, fs::remove_dir_all(&shares))?;
    }
    Ok(report)
}

/// Does a share of what [`prepare`] does, in the same folder as the others, which may be at work: the images of the
/// studies that the share [holds](WorkShard::holds) (of studies without a UID: of the series), or of a set in
/// shards those of the files `shards/N` whose number, `N` with five digits, it holds. Every share
/// plans the whole set, so selection and split are those of one run. When all are done, [`prepare`] writes the tables, and makes what a
/// share did not. In object storage no lock keeps two processes from one share; they write the same.
///
/// The report counts the slices of the share; what is left out, and shared pictures, those of the whole
/// index.
///
/// # Errors
/// As [`prepare`]; [`PrepareError::Busy`] too if another process is at work on this share.
pub fn prepare_share(
    index: &Path,
    out: &Path,
    recipe: &PrepareRecipe,
    selection: &Selection,
    share: WorkShard,
    progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
) -> Result<PrepareReport, PrepareError> {
    let target = Target::open(out)?;
    let folder = target.folder();
    let own = folder.join(SHARES).join(format!("{:05}-of-{:05}", share.number(), share.of()));
    let locked = in_path(folder, FolderLock::take_with_others(folder))?;
    let Some((_set, _own)) = locked.zip(in_path(&own, FolderLock::take(&own))?) else {
        return Err(PrepareError::Busy(out.to_owned()));
    };
    run(index, &target, recipe, selection, share, progress)
}

fn run(
    index: &Path,
    target: &Target,
    recipe: &PrepareRecipe,
    selection: &Selection,
    share: WorkShard,
    progress: &(dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
) -> Result<PrepareReport, PrepareError> {
    recipe.check()?;
    let rows = IndexReader::open(index)?;
    let stored = rows.split_rule().filter(|_| selection.split == SplitInto::Stored).copied();
    let plan = Plan::new(rows, recipe, selection)?;
    claim(target, &plan, recipe, selection, stored)?;
    let renderer = Renderer::new(recipe.clone(), || frequencies(&plan, recipe, selection.seed))?;
    let resolved = toml::to_string(renderer.recipe()).expect("recipes are valid TOML");
    settle(target, "recipe.toml", &resolved)?;
    let done = AtomicUsize::new(0);
    let mut run = Run { plan: &plan, renderer: &renderer, target, share, total: 0, done, progress };
    run.total = run.due().count();
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
    if share == WorkShard::WHOLE {
        if let (true, Some((_, reason))) = (failed.len() == plan.slices.len(), failed.first()) {
            return Err(PrepareError::AllFailed { count: failed.len(), reason: reason.clone() });
        }
        run.tables(&failed)?;
    }
    report.slices = run.total - failed.len();
    for slice in prepared(run.due(), &failed) {
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

/// Writes the settings of a set, or finds that they are there and the same: what is there of the set was made
/// with them.
fn settle(target: &Target, name: &str, settings: &str) -> Result<(), PrepareError> {
    match target.text(name)? {
        Some(there) if there == settings => Ok(()),
        Some(_) => Err(PrepareError::OtherFrequencies(target.shown(&target.path(name)))),
        None => target.write(name, |file| file.write_all(settings.as_bytes())),
    }
}

/// Those of the slices, which are numbered as in the plan, that were prepared.
fn prepared<'a>(
    slices: impl Iterator<Item = (usize, &'a Planned)>,
    failed: &Failed,
) -> impl Iterator<Item = &'a Planned> {
    let mut failed = failed.iter().map(|(index, _)| *index).peekable();
    slices.filter(move |(index, _)| failed.next_if_eq(index).is_none()).map(|(_, slice)| slice)
}

/// What failed, and whether all slices were looked at.
type Results = (Failed, bool);

struct Run<'a> {
    plan: &'a Plan,
    renderer: &'a Renderer,
    target: &'a Target,
    share: WorkShard,
    /// Slices that are due.
    total: usize,
    done: AtomicUsize,
    progress: &'a (dyn Fn(usize, usize) -> ControlFlow<()> + Sync),
}

impl<'a> Run<'a> {
    /// The slices of the share, with their number in the plan.
    fn due(&self) -> impl Iterator<Item = (usize, &'a Planned)> {
        self.plan.slices.iter().enumerate().filter(|(number, slice)| {
            match &self.renderer.recipe().output {
                Output::Jpeg { .. } => self.is_due(slice),
                Output::Hu { shard_slices } => self.is_file_due(number / shard_slices),
            }
        })
    }

    /// Whether a slice belongs to the share.
    fn is_due(&self, slice: &Planned) -> bool {
        let [_, study, series] = self.plan.groups(slice);
        let key = if study.is_empty() { series } else { study };
        self.share == WorkShard::WHOLE || self.share.holds(key)
    }

    /// Whether a file of many slices belongs to the share.
    fn is_file_due(&self, number: usize) -> bool {
        self.share == WorkShard::WHOLE || self.share.holds(&format!("{number:05}"))
    }

    fn step(&self, stopped: &AtomicBool) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if (self.progress)(done, self.total).is_break() {
            stopped.store(true, Ordering::Relaxed);
        }
    }

    fn images(&self) -> Result<Results, PrepareError> {
        let folder = self.target.path("images");
        in_path(&folder, fs::create_dir_all(&folder))?;
        let stopped = AtomicBool::new(false);
        let image = |sending: &Sending<'_, '_>, index: usize, slice: &Planned| {
            if stopped.load(Ordering::Relaxed) || sending.has_failed() || !self.is_due(slice) {
                return None;
            }
            let name = format!("images/{}.jpg", self.plan.id(slice));
            let is_there = self.target.has_image(&name);
            let result = if is_there { Ok(Ok(())) } else { self.image(slice, &name, sending) };
            self.step(&stopped);
            match result {
                Ok(Ok(())) => None,
                Ok(Err(reason)) => Some(Ok((index, reason))),
                Err(error) => Some(Err(error)),
            }
        };
        let failed = self.target.with_sending(IMAGES_AT_WORK, |sending| {
            let slices = self.plan.slices.par_iter().enumerate();
            slices.filter_map(|(index, slice)| image(sending, index, slice)).collect()
        });
        let failed: Result<Failed, PrepareError> = failed?;
        Ok((failed?, !stopped.into_inner()))
    }

    /// Writes an image, or says why it cannot be made.
    fn image(
        &self,
        slice: &Planned,
        name: &str,
        sending: &Sending<'_, '_>,
    ) -> Result<Result<(), String>, PrepareError> {
        match self.jpeg(slice) {
            Ok(bytes) => sending.image(name, bytes).map(Ok),
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
        let folder = self.target.path("shards");
        in_path(&folder, fs::create_dir_all(&folder))?;
        let stopped = AtomicBool::new(false);
        let shard = |sending: &Sending<'_, '_>, number: usize, slices: &[Planned]| {
            let image = |slice: &Planned| {
                if stopped.load(Ordering::Relaxed) || sending.has_failed() {
                    return None;
                }
                let image = read(self.plan, slice.slot);
                self.step(&stopped);
                Some(image.map(|image| self.renderer.hu(&image)))
            };
            let files = ["hu", "csv"].map(|end| format!("shards/{number:05}.{end}"));
            let [hu, table] = &files;
            self.target.bring(table)?;
            let ids = slices.iter().map(|slice| self.plan.id(slice));
            let failed = write_shard(&folder, number, ids, slices.iter().map(image))?;
            match self.target.path(hu).exists() {
                true => sending.shard(files),
                // In object storage, or the run was stopped.
                false => self.target.release(table)?,
            }
            let first = number * shard_slices;
            Ok(failed.into_iter().map(|(place, reason)| (first + place, reason)).collect())
        };
        let failed = self.target.with_sending(SHARDS_AT_WORK, |sending| {
            let shards = self.plan.slices.par_chunks(shard_slices).enumerate();
            let shards = shards.filter(|(number, _)| self.is_file_due(*number));
            shards.map(|(number, slices)| shard(sending, number, slices)).collect()
        });
        let failed: Result<Vec<Failed>, PrepareError> = failed?;
        Ok((failed?.into_iter().flatten().collect(), !stopped.into_inner()))
    }

    fn tables(&self, failed: &Failed) -> Result<(), PrepareError> {
        let rows = prepared(self.due(), failed).map(|slice| {
            let [patient, study, series] = self.plan.groups(slice);
            let known = [self.plan.id(slice), patient, study, series, self.plan.part(slice)];
            let along = self.plan.along(slice);
            let number = |mm: Option<f64>| mm.map(|mm| mm.to_string()).unwrap_or_default();
            let numbers = [along.place.to_string(), number(along.z_mm), number(along.spacing_mm)];
            known.map(str::to_owned).into_iter().chain(numbers).collect()
        });
        self.target.write_table("splits.csv", SPLIT_COLUMNS, rows)?;
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
        self.target.write_table("skipped.csv", ["ID", "reason"], rows)?;
        self.target.write("labels.csv", |file| {
            writeln!(file, "ID,Label")?;
            for slice in prepared(self.due(), failed) {
                for (label, positive) in Label::ALL.into_iter().zip(slice.labels()) {
                    writeln!(file, "{}_{label},{}", self.plan.id(slice), u8::from(positive))?;
                }
            }
            Ok(())
        })
    }
}
