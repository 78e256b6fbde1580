//! What the models of a run predict of its images, for models of whole series: out-of-fold
//! probabilities, and of every fold's model the pooled features of all images.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use clap::Args;
use hemora_base::Event;
use hemora_ct::{LABEL_COUNT, Views};
use hemora_data::{
    Loader, LoaderOptions, LoaderSet, SetSlice, SliceFeatures, SliceScore, SliceTable,
};
use serde::{Deserialize, Serialize};

use super::TrainError;
use super::device::Compute;
use super::memory::{self, Demand};
use super::tensors::to_tensors;
use super::validation::known_labels;
use super::views::probabilities_and_features;
use crate::config::{ComputePlan, RunConfig, unless_zero};
use crate::data::{Images, Source, SplitPlan};
use crate::model::{Layout, Model, Precision, Task, to_host, trained_model};
use crate::output::{Folder, Reporter, Show, files};

/// What is predicted, and how.
#[derive(Debug, Clone, Args)]
pub struct PredictOptions {
    /// Folder of a run on a prepared set: its folds are all taken.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// Folder for slices.parquet and features-1.safetensors and so on, one a fold, whose rows are in
    /// the same order.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// Views of each image that are averaged: one, flip (left to right too), or ten (both, whole and
    /// cut to each corner).
    #[arg(long, default_value = "flip", value_parser = Views::NAMES)]
    pub views: String,

    /// Images per batch; without it, or with 0, the run's.
    #[arg(long)]
    pub batch: Option<usize>,

    /// Threads, at most one per core; without it, or with 0, one per core.
    #[arg(long)]
    pub threads: Option<usize>,

    /// How progress is shown.
    #[arg(long, value_enum, default_value_t = Show::Auto)]
    pub progress: Show,
}

/// Why a run cannot predict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The run is not on a prepared set.
    #[error(
        "{}: a run on a folder of images; train with --prepared: a prepared set knows the series and \
         positions of its slices",
        .0.display()
    )]
    NotPrepared(PathBuf),
    /// The run learned something else.
    #[error("{}: of the task {found}; expected labels, all six", model.display())]
    Task {
        /// The weights.
        model: PathBuf,
        /// The task.
        found: Task,
    },
    /// Images went away while folds were predicted.
    #[error("{images} images can no longer be read with fold {fold}; start over")]
    Lost {
        /// How many.
        images: usize,
        /// The fold, from 1.
        fold: usize,
    },
    /// What was written beside the table cannot be read.
    #[error("{}: {source}", path.display())]
    Notes {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
}

/// Name of the table that is written.
pub const SLICES: &str = "slices.parquet";
/// Name of the file beside it with how it was made.
const NOTES: &str = "predict.toml";

/// How images were predicted.
#[derive(Debug, Serialize, Deserialize)]
struct Notes {
    views: Views,
}

/// The views that were averaged in what [`predict_run`] wrote to a folder; `None` if it wrote nothing
/// there.
///
/// # Errors
/// [`TrainError`] if the notes in it cannot be read.
pub(crate) fn predicted_views(folder: &Path) -> Result<Option<Views>, TrainError> {
    let path = folder.join(NOTES);
    if !path.exists() {
        return Ok(None);
    }
    let text = files::read_text(&path)?;
    match toml::from_str::<Notes>(&text) {
        Ok(notes) => Ok(Some(notes.views)),
        Err(source) => Err(PredictError::Notes { path, source: Box::new(source) }.into()),
    }
}

/// Predicts the images of every fold with the model that did not see them, and writes the features
/// that each fold's model makes of all of them: those of two models have nothing to do with each
/// other, so what is trained for a fold reads those of one model, also of slices that it saw.
///
/// # Errors
/// [`TrainError`] names the fold or file that is not there.
pub fn predict_run(options: &PredictOptions) -> Result<(), TrainError> {
    let reporter = Reporter::new(options.progress);
    let runs = finished_folds(&options.run)?;
    let first = &runs[0].0;
    let Source::Prepared { folder, set } = first.source()? else {
        return Err(PredictError::NotPrepared(options.run.clone()).into());
    };
    let slices = set.slices()?;
    let source = Source::Prepared { folder, set };
    let views = Views::named(&options.views).unwrap_or_default();
    let threads = unless_zero(options.threads);
    let (precision, layout) = (Precision::F32, first.layout);
    let plan = ComputePlan { threads, precision, layout, deterministic: false };
    let compute = Compute::start(&plan, None, reporter)?;
    let splits = held_out_splits(&runs, &source)?;
    let images = Images::load(&first.data_plan(source)?, &splits[0].hold_out, reporter)?;
    let mut held_out = Vec::with_capacity(runs.len());
    for split in &splits {
        let (split, test) = images.split(split, reporter)?;
        held_out.push(split.validation.into_iter().chain(test).collect::<Vec<usize>>());
    }
    files::create_folder(&options.out)?;
    let mut table = Rows::new(&images, &slices, &held_out);
    for (fold, (config, weights)) in runs.iter().enumerate() {
        let number = fold + 1;
        let count = table.images.len();
        reporter.log(&format!("fold {number} of {}: {count} images", runs.len()));
        let model = model(config, weights, images.recipe.channels.len(), compute, layout)?;
        let batch = unless_zero(options.batch).unwrap_or(config.batch);
        let threads = compute.threads;
        let loader_options =
            LoaderOptions { batch, threads, shuffle: false, ..LoaderOptions::default() };
        let (set, recipe, rows) = (images.set.clone(), images.recipe.clone(), table.images.clone());
        let loader = Loader::new(set, rows, None, recipe, None, &loader_options)?;
        let (features, lost) = memory::catching(Demand::Predicting { batch }, || {
            Ok::<_, TrainError>(table.predict(&model, &loader, views, fold as u32, reporter))
        })?;
        if fold > 0 && !lost.is_empty() {
            return Err(PredictError::Lost { images: lost.len(), fold: number }.into());
        }
        let features = table.without(&lost, features);
        features.write(&fold_features(&options.out, number))?;
    }
    let notes = toml::to_string(&Notes { views }).expect("a name");
    files::write(&options.out.join(NOTES), notes.as_bytes())?;
    // Last: where it is, all are there.
    let path = options.out.join(SLICES);
    table.scores.write(&path)?;
    reporter.result(&format!("{}: {} slices", path.display(), table.scores.rows.len()));
    reporter.event(&Event::Finished);
    Ok(())
}

/// The features of all slices by the model of a fold, from 1, in a folder that [`predict_run`] wrote.
pub fn fold_features(folder: &Path, fold: usize) -> PathBuf {
    folder.join(format!("features-{fold}.safetensors"))
}

/// The settings of a run's folds, or of the run alone, and their weights.
pub(super) fn finished_folds(run: &Path) -> Result<Vec<(RunConfig, PathBuf)>, TrainError> {
    let finished = |path: &Path| -> Result<(RunConfig, PathBuf), TrainError> {
        let (folder, config) = Folder::finished(path)?;
        Ok((config, folder.model()))
    };
    if !run.join("fold-1").is_dir() {
        return Ok(vec![finished(run)?]);
    }
    let first = finished(&run.join("fold-1"))?;
    let count = first.0.folds.unwrap_or(1);
    let mut folds = vec![first];
    for fold in 2..=count {
        folds.push(finished(&run.join(format!("fold-{fold}")))?);
    }
    Ok(folds)
}

/// What each of the runs of [`finished_folds`] held out of the images of `source`.
///
/// # Errors
/// [`TrainError`] if the folds cannot be, or a table cannot be read.
pub(super) fn held_out_splits(
    runs: &[(RunConfig, PathBuf)],
    source: &Source,
) -> Result<Vec<SplitPlan>, TrainError> {
    // The table of a set's folds is read once, not once a fold.
    let folds = RunConfig { fold: None, ..runs[0].0.clone() }.hold_outs(source)?;
    let split = |(config, _): &(RunConfig, PathBuf)| {
        // A run of one fold holds out that fold, and one of another split its validation part.
        let hold_out = match folds.get(config.held_out_fold().unwrap_or(0)) {
            Some(hold_out) => hold_out.clone(),
            None => config.hold_outs(source)?.swap_remove(0),
        };
        Ok(SplitPlan { hold_out, by: config.split_by, seed: config.seed })
    };
    runs.iter().map(split).collect()
}

fn model(
    config: &RunConfig,
    path: &Path,
    channels: usize,
    compute: Compute,
    layout: Layout,
) -> Result<Model, TrainError> {
    if config.task != Task::Labels {
        let (model, found) = (path.to_owned(), config.task);
        return Err(PredictError::Task { model, found }.into());
    }
    let model = trained_model(&config.slice_plan(), path, channels, compute.device)?;
    Ok(model.laid_out(layout))
}

/// The row of an image without probabilities: what the prepared set knows of it; its group stands for
/// a series or patient that the set does not know.
pub(crate) fn unscored(
    set: &LoaderSet,
    group: &str,
    index: usize,
    slice: SetSlice,
    fold: u32,
) -> SliceScore {
    let or_group = |text: String| if text.is_empty() { group.to_owned() } else { text };
    SliceScore {
        series: or_group(slice.series),
        study: slice.study,
        patient: or_group(slice.patient),
        id: set.id(index).to_owned(),
        z_mm: slice.z_mm,
        spacing_mm: slice.spacing_mm,
        fold,
        labels: known_labels(set, index).map(|label| Some(f32::from(u8::from(label?)))),
        probabilities: [0.0; LABEL_COUNT],
    }
}

/// The rows that are written, the slices of a series one after the other from the lowest.
struct Rows {
    /// Index of each row's image.
    images: Vec<usize>,
    scores: SliceTable,
}

impl Rows {
    /// Rows of the images that a fold holds out, without probabilities.
    fn new(images: &Images, slices: &[SetSlice], held_out: &[Vec<usize>]) -> Self {
        let by_id: HashMap<&str, &SetSlice> =
            slices.iter().map(|slice| (slice.id.as_str(), slice)).collect();
        let row = |index: usize, fold: u32| {
            let slice = by_id.get(images.set.id(index)).copied().cloned().unwrap_or_default();
            let z_index = slice.place;
            (z_index, index, unscored(&images.set, &images.groups[index], index, slice, fold))
        };
        let folds = (0..).zip(held_out);
        let mut rows: Vec<_> = folds
            .flat_map(|(fold, images)| images.iter().map(move |&index| row(index, fold)))
            .collect();
        rows.sort_by(|(a_index, _, a), (b_index, _, b)| {
            let series = a.series.cmp(&b.series);
            series.then(a_index.cmp(b_index)).then_with(|| a.id.cmp(&b.id))
        });
        let (images, rows) = rows.into_iter().map(|(_, index, score)| (index, score)).unzip();
        Self { images, scores: SliceTable { rows } }
    }

    /// Enters what a fold's model predicts of the rows that it did not see, and gives its features of all
    /// and the rows whose images cannot be read. `loader` has the images of the rows.
    fn predict(
        &mut self,
        model: &Model,
        loader: &Loader,
        views: Views,
        fold: u32,
        reporter: Reporter,
    ) -> (SliceFeatures, BTreeSet<usize>) {
        let row_of: HashMap<usize, usize> =
            self.images.iter().enumerate().map(|(row, &image)| (image, row)).collect();
        let mut lost: BTreeSet<usize> = (0..self.images.len()).collect();
        let mut all: Option<SliceFeatures> = None;
        let bar = reporter.counter(loader.images() as u64, "images predicted");
        for batch in loader.epoch(0) {
            for (_, reason) in batch.skipped() {
                reporter.warn(&format!("left out: {reason}"));
            }
            bar.inc(batch.len() as u64);
            if batch.is_empty() {
                continue;
            }
            let (images, _) = to_tensors(&batch, model);
            let (probabilities, features) =
                tch::no_grad(|| probabilities_and_features(model, &images, views));
            let (probabilities, features) = (to_host(&probabilities), to_host(&features));
            let columns = features.shape[1];
            let all = all.get_or_insert_with(|| SliceFeatures::zeros(self.images.len(), columns));
            for (at, index) in batch.indices().iter().enumerate() {
                let row = row_of[index];
                lost.remove(&row);
                all.set(row, &features.values[at * columns..][..columns]);
                let score = &mut self.scores.rows[row];
                if score.fold == fold {
                    let of_row = &probabilities.values[at * LABEL_COUNT..][..LABEL_COUNT];
                    score.probabilities =
                        std::array::from_fn(|label| of_row[label].clamp(0.0, 1.0));
                }
            }
        }
        bar.finish();
        (all.unwrap_or_else(|| SliceFeatures::zeros(self.images.len(), 1)), lost)
    }

    /// Takes rows out, here and of features in the same order.
    fn without(&mut self, lost: &BTreeSet<usize>, features: SliceFeatures) -> SliceFeatures {
        if lost.is_empty() {
            return features;
        }
        let kept: Vec<usize> = (0..self.images.len()).filter(|row| !lost.contains(row)).collect();
        let mut of_kept = SliceFeatures::zeros(kept.len(), features.columns());
        for (to, &row) in kept.iter().enumerate() {
            of_kept.set(to, &features.row(row).collect::<Vec<f32>>());
        }
        self.images = kept.iter().map(|&row| self.images[row]).collect();
        self.scores.rows =
            kept.iter().map(|&row| std::mem::take(&mut self.scores.rows[row])).collect();
        of_kept
    }
}
