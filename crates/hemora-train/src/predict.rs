//! What the models of a run say of its images, for models of whole series: out-of-fold probabilities,
//! and of every fold's model the pooled features of all images.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use clap::Args;
use hemora_ct::{LABEL_COUNT, Views};
use hemora_data::{
    Loader, LoaderOptions, LoaderSet, PreparedSet, SetSlice, SliceFeatures, SliceScore, SliceTable,
};
use miette::{IntoDiagnostic, Result, WrapErr, bail};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::config::RunConfig;
use crate::dataset::Images;
use crate::files::write_whole;
use crate::folder::Folder;
use crate::precision::Precision;
use crate::progress::{self, say};
use crate::validation::to_tensors;
use crate::{Mode, Model, Task, start, to_host, trainer};

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

    /// Images per batch; 0 for the run's.
    #[arg(long, default_value_t = 0)]
    pub batch: usize,

    /// Threads; 0 for one per core.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
}

/// Name of the table that is written.
pub const SLICES: &str = "slices.parquet";
/// Name of the file beside it that says how it was made.
const HOW: &str = "predict.toml";

/// How images were predicted.
#[derive(Debug, Serialize, Deserialize)]
struct How {
    views: Views,
}

/// The views that were averaged in what [`predict_run`] wrote to a folder; `None` if it wrote nothing
/// there, or before it said so.
///
/// # Errors
/// A report if what it says cannot be read.
pub(crate) fn views_of(folder: &Path) -> Result<Option<Views>> {
    let path = folder.join(HOW);
    let name = || path.display().to_string();
    match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        text => {
            let text = text.into_diagnostic().wrap_err_with(name)?;
            let how: How = toml::from_str(&text).into_diagnostic().wrap_err_with(name)?;
            Ok(Some(how.views))
        }
    }
}

/// Predicts the images of every fold with the model that did not see them, and writes the features
/// that each fold's model makes of all of them: those of two models have nothing to do with each
/// other, so what is trained for a fold reads those of one model, also of slices that it saw.
///
/// # Errors
/// A report that names the fold or file that is not there.
pub fn predict_run(options: &PredictOptions) -> Result<()> {
    let folds = folds(&options.run)?;
    let first = &folds[0].0;
    if !first.is_prepared() {
        bail!(
            help =
                "train with --prepared: a prepared set knows the series and places of its slices",
            "{}: a run on a folder of images",
            options.run.display()
        );
    }
    let views = Views::named(&options.views).unwrap_or_default();
    let threads = trainer::set_threads(options.threads, None);
    let device = trainer::device(threads, Precision::F32, false, None)?;
    let images = Images::load(first)?;
    let known = PreparedSet::open(&first.prepared).into_diagnostic()?.slices().into_diagnostic()?;
    let mut held = Vec::with_capacity(folds.len());
    for (config, _) in &folds {
        let (split, test) = images.split(config)?;
        held.push(split.validation.into_iter().chain(test).collect::<Vec<usize>>());
    }
    std::fs::create_dir_all(&options.out).into_diagnostic()?;
    let mut table = Rows::new(&images, &known, &held);
    for (place, (config, weights)) in folds.iter().enumerate() {
        let number = place + 1;
        say(&format!("fold {number} of {}: {} images", folds.len(), table.images.len()));
        let model = model(config, weights, images.recipe.channels.len(), device)?;
        let batch = if options.batch == 0 { config.batch } else { options.batch };
        let loader_options =
            LoaderOptions { batch, threads, shuffle: false, ..LoaderOptions::default() };
        let (set, recipe, of) = (images.set.clone(), images.recipe.clone(), table.images.clone());
        let loader = Loader::new(set, of, None, recipe, None, &loader_options).into_diagnostic()?;
        let (features, lost) = crate::memory::catching(batch, 1, || {
            Ok(table.predict(&model, &loader, views, place as u32))
        })?;
        if place > 0 && !lost.is_empty() {
            let (count, fold) = (lost.len(), number);
            bail!("{count} images can no longer be read with fold {fold}; start over");
        }
        let features = table.without(&lost, features);
        features.write(&features_of_fold(&options.out, number)).into_diagnostic()?;
    }
    let how = toml::to_string(&How { views }).into_diagnostic()?;
    write_whole(&options.out.join(HOW), how.as_bytes()).into_diagnostic()?;
    // Last: where it is, all are there.
    table.scores.write(&options.out.join(SLICES)).into_diagnostic()?;
    println!("{}: {} slices", options.out.join(SLICES).display(), table.scores.rows.len());
    Ok(())
}

/// The features of all slices by the model of a fold, from 1, in a folder that [`predict_run`] wrote.
pub fn features_of_fold(folder: &Path, fold: usize) -> PathBuf {
    folder.join(format!("features-{fold}.safetensors"))
}

/// The settings of a run's folds, or of the run alone, and their weights.
fn folds(run: &Path) -> Result<Vec<(RunConfig, PathBuf)>> {
    let one = |path: PathBuf| -> Result<(RunConfig, PathBuf)> {
        let (folder, config) = Folder::finished(path)?;
        Ok((config, folder.model()))
    };
    if !run.join("fold-1").is_dir() {
        return Ok(vec![one(run.to_owned())?]);
    }
    let first = one(run.join("fold-1"))?;
    let count = first.0.folds;
    let mut folds = vec![first];
    for fold in 2..=count {
        folds.push(one(run.join(format!("fold-{fold}")))?);
    }
    Ok(folds)
}

fn model(config: &RunConfig, path: &Path, channels: usize, device: Device) -> Result<Model> {
    if config.task != Task::Labels {
        bail!("{}: of the task {}; expected labels, all six", path.display(), config.task);
    }
    start::trained(config, path, channels, device)
}

/// A view of images `[N, C, size, size]`.
fn view_of(view: hemora_ct::View, images: &Tensor, size: usize) -> Tensor {
    let [top, left, side] = view.square(size).map(|pixels| pixels as i64);
    let mut shown = images.narrow(2, top, side).narrow(3, left, side);
    if side != size as i64 {
        let size = [size as i64, size as i64];
        shown = shown.upsample_bilinear2d(size, false, None::<f64>, None::<f64>);
    }
    if view.flip { shown.flip([3]) } else { shown }
}

/// The mean probabilities `[N, 6]` and features `[N, features]` over views.
pub fn probabilities_and_features(
    model: &Model,
    images: &Tensor,
    views: Views,
) -> (Tensor, Tensor) {
    let size = model.graph().input_shape()[1];
    let views = views.all();
    let mut sums: Option<(Tensor, Tensor)> = None;
    for view in &views {
        let (logits, features) =
            model.logits_and_features(&view_of(*view, images, size), Mode::Evaluate);
        let found = (logits.sigmoid().to_kind(Kind::Float), features.to_kind(Kind::Float));
        sums = Some(match sums {
            None => found,
            Some((probabilities, features)) => (probabilities + found.0, features + found.1),
        });
    }
    let (probabilities, features) = sums.expect("there is a view");
    (probabilities / views.len() as f64, features / views.len() as f64)
}

/// The row of an image without probabilities: what the prepared set knows of it, and for what it does
/// not know its group.
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
        labels: set.labels(index).map(|label| Some(f32::from(u8::from(label)))),
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
    fn new(images: &Images, known: &[SetSlice], held: &[Vec<usize>]) -> Self {
        let by_id: HashMap<&str, &SetSlice> =
            known.iter().map(|slice| (slice.id.as_str(), slice)).collect();
        let row = |index: usize, fold: u32| {
            let slice = by_id.get(images.set.id(index)).copied().cloned().unwrap_or_default();
            let place = slice.place;
            (place, index, unscored(&images.set, &images.groups[index], index, slice, fold))
        };
        let folds = (0..).zip(held);
        let mut rows: Vec<_> =
            folds.flat_map(|(fold, of)| of.iter().map(move |&index| row(index, fold))).collect();
        rows.sort_by(|(place, _, a), (other, _, b)| {
            let series = a.series.cmp(&b.series);
            series.then(place.cmp(other)).then_with(|| a.id.cmp(&b.id))
        });
        let (images, rows) = rows.into_iter().map(|(_, index, score)| (index, score)).unzip();
        Self { images, scores: SliceTable { rows } }
    }

    /// Enters what a fold's model says of the rows that it did not see, and gives its features of all
    /// and the rows whose images cannot be read. `loader` has the images of the rows.
    fn predict(
        &mut self,
        model: &Model,
        loader: &Loader,
        views: Views,
        fold: u32,
    ) -> (SliceFeatures, BTreeSet<usize>) {
        let row_of: HashMap<usize, usize> =
            self.images.iter().enumerate().map(|(row, &image)| (image, row)).collect();
        let mut lost: BTreeSet<usize> = (0..self.images.len()).collect();
        let mut all: Option<SliceFeatures> = None;
        let bar = progress::bar(loader.images() as u64, "images predicted");
        for batch in loader.epoch(0) {
            for (_, reason) in batch.skipped() {
                say(&format!("left out: {reason}"));
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
                    let said = &probabilities.values[at * LABEL_COUNT..][..LABEL_COUNT];
                    score.probabilities = std::array::from_fn(|label| said[label].clamp(0.0, 1.0));
                }
            }
        }
        bar.finish_and_clear();
        (all.unwrap_or_else(|| SliceFeatures::zeros(self.images.len(), 1)), lost)
    }

    /// Takes rows out, here and of features in the same order.
    fn without(&mut self, lost: &BTreeSet<usize>, features: SliceFeatures) -> SliceFeatures {
        if lost.is_empty() {
            return features;
        }
        let kept: Vec<usize> = (0..self.images.len()).filter(|row| !lost.contains(row)).collect();
        let mut of_kept = SliceFeatures::zeros(kept.len(), features.columns());
        for (place, &row) in kept.iter().enumerate() {
            of_kept.set(place, &features.row(row).collect::<Vec<f32>>());
        }
        self.images = kept.iter().map(|&row| self.images[row]).collect();
        self.scores.rows =
            kept.iter().map(|&row| std::mem::take(&mut self.scores.rows[row])).collect();
        of_kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_of_tensors_are_those_of_the_recipe() {
        let size = 24;
        let values: Vec<f32> = (0..2 * 3 * size * size).map(|at| (at % 97) as f32 / 97.0).collect();
        let images = Tensor::from_slice(&values).reshape([2, 3, size as i64, size as i64]);
        for view in Views::Ten.all() {
            let found = to_host(&view_of(view, &images, size)).values;
            let image = 3 * size * size;
            for (place, input) in values.chunks_exact(image).enumerate() {
                for (found, expected) in found[place * image..].iter().zip(view.of(input, size)) {
                    assert!((found - expected).abs() < 1e-5, "{view:?}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn features_are_what_the_last_layer_reads() {
        let graph = Task::Labels.graph("efficientnet-lite0", [3, 32], 0.5).unwrap().unwrap();
        let model = Model::fresh(graph, Device::Cpu, 3);
        let images = Tensor::rand([2, 3, 32, 32], (Kind::Float, Device::Cpu));
        let (logits, features) = model.logits_and_features(&images, Mode::Evaluate);
        assert_eq!(features.size(), [2, 1280]);
        let head = &model.graph().node(model.graph().logits()).name;
        let parameter = |suffix: &str| model.tensor(&format!("{head}.{suffix}"));
        let again = features.linear(parameter("weight"), Some(parameter("bias")));
        assert!((logits - again).abs().max().double_value(&[]) < 1e-5);
        // Two views of a symmetric image are one.
        let (one, _) = probabilities_and_features(&model, &images, Views::One);
        let symmetric = (&images + images.flip([3])) / 2.0;
        let (flip, _) = probabilities_and_features(&model, &symmetric, Views::Flip);
        let (plain, _) = probabilities_and_features(&model, &symmetric, Views::One);
        assert!((flip - plain).abs().max().double_value(&[]) < 1e-5);
        assert_eq!(one.size(), [2, 6]);
    }
}
