//! What the models of a run say of the images that each did not see: out-of-fold probabilities and
//! pooled features, for models of whole series.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use hemora_ct::{LABEL_COUNT, Views};
use hemora_data::{
    Loader, LoaderOptions, PreparedSet, SetSlice, SliceFeatures, SliceScore, SliceTable,
};
use hemora_nn::Weights;
use miette::{IntoDiagnostic, Result, WrapErr, bail};
use tch::{Device, Kind, Tensor};

use crate::config::{self, RunConfig};
use crate::dataset::Images;
use crate::precision::Precision;
use crate::progress::{self, say};
use crate::validation::to_tensors;
use crate::{Model, Task, start, to_host, trainer};

/// What is predicted, and how.
#[derive(Debug, Clone, Args)]
pub struct PredictOptions {
    /// Folder of a run on a prepared set: its folds are all taken.
    #[arg(value_name = "RUN")]
    pub run: PathBuf,

    /// Folder for slices.parquet and features.safetensors, whose rows are in the same order.
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

/// Names of the files that are written.
pub const SLICES: &str = "slices.parquet";
/// See [`SLICES`].
pub const FEATURES: &str = "features.safetensors";

/// Predicts the images of every fold with the model that did not see them.
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
    let mut found = Found::default();
    for (place, (config, weights)) in folds.iter().enumerate() {
        let (split, test) = images.split(config)?;
        let held: Vec<usize> = split.validation.into_iter().chain(test).collect();
        say(&format!("fold {} of {}: {} images", place + 1, folds.len(), held.len()));
        let model = model(config, weights, images.recipe.channels.len(), device)?;
        let batch = if options.batch == 0 { config.batch } else { options.batch };
        let loader_options =
            LoaderOptions { batch, threads, shuffle: false, ..LoaderOptions::default() };
        let (set, recipe) = (images.set.clone(), images.recipe.clone());
        let loader =
            Loader::new(set, held, None, recipe, None, &loader_options).into_diagnostic()?;
        let run = &mut found;
        crate::memory::catching(batch, 1, || {
            run.add(&model, &loader, views, place as u32);
            Ok(())
        })?;
    }
    std::fs::create_dir_all(&options.out).into_diagnostic()?;
    let (table, features) = found.tables(&images, &known);
    features.write(&options.out.join(FEATURES)).into_diagnostic()?;
    // Last: where it is, both are there.
    table.write(&options.out.join(SLICES)).into_diagnostic()?;
    println!(
        "{}: {} slices, {} features each",
        options.out.join(SLICES).display(),
        features.rows(),
        features.columns()
    );
    Ok(())
}

/// The settings of a run's folds, or of the run alone, and their weights.
fn folds(run: &Path) -> Result<Vec<(RunConfig, PathBuf)>> {
    let one = |folder: PathBuf| -> Result<(RunConfig, PathBuf)> {
        let weights = folder.join("model.safetensors");
        if !weights.is_file() {
            bail!(
                help = "finish the run first: the same command goes on where it stopped",
                "{}: no model.safetensors",
                folder.display()
            );
        }
        Ok((config::read(&folder.join("config.toml")).into_diagnostic()?, weights))
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
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).into_diagnostic().wrap_err_with(name)?;
    let weights = Weights::from_safetensors(&bytes).into_diagnostic().wrap_err_with(name)?;
    let graph = start::graph(config, channels)?;
    let model = Model::with_weights(graph, &weights, device).into_diagnostic();
    Ok(model.wrap_err_with(name)?.laid_out(config.layout))
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
        let (logits, features) = model.logits_and_features(&view_of(*view, images, size));
        let found = (logits.sigmoid().to_kind(Kind::Float), features.to_kind(Kind::Float));
        sums = Some(match sums {
            None => found,
            Some((probabilities, features)) => (probabilities + found.0, features + found.1),
        });
    }
    let (probabilities, features) = sums.expect("there is a view");
    (probabilities / views.len() as f64, features / views.len() as f64)
}

/// What was predicted, image by image.
#[derive(Default)]
struct Found {
    /// Index of the image and its fold.
    images: Vec<(usize, u32)>,
    probabilities: Vec<f32>,
    features: Vec<f32>,
}

impl Found {
    fn add(&mut self, model: &Model, loader: &Loader, views: Views, fold: u32) {
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
            self.images.extend(batch.indices().iter().map(|&index| (index, fold)));
            self.probabilities.extend(to_host(&probabilities).values);
            self.features.extend(to_host(&features).values);
        }
        bar.finish_and_clear();
    }

    /// The tables, the slices of a series one after the other from the lowest.
    fn tables(&self, images: &Images, known: &[SetSlice]) -> (SliceTable, SliceFeatures) {
        let columns = self.features.len() / self.images.len().max(1);
        let by_id: HashMap<&str, &SetSlice> =
            known.iter().map(|slice| (slice.id.as_str(), slice)).collect();
        let row = |(at, &(index, fold)): (usize, &(usize, u32))| {
            let id = images.set.id(index);
            let slice = by_id.get(id).copied().cloned().unwrap_or_default();
            let group = &images.groups[index];
            let or_group = |text: String| if text.is_empty() { group.clone() } else { text };
            let labels = images.set.labels(index).map(|label| Some(f32::from(u8::from(label))));
            let probabilities = &self.probabilities[at * LABEL_COUNT..][..LABEL_COUNT];
            let score = SliceScore {
                series: or_group(slice.series),
                study: slice.study,
                patient: or_group(slice.patient),
                id: id.to_owned(),
                z_mm: slice.z_mm,
                spacing_mm: slice.spacing_mm,
                fold,
                labels,
                probabilities: std::array::from_fn(|label| probabilities[label].clamp(0.0, 1.0)),
            };
            (slice.place, at, score)
        };
        let mut rows: Vec<_> = self.images.iter().enumerate().map(row).collect();
        rows.sort_by(|(place, _, a), (other, _, b)| {
            let series = a.series.cmp(&b.series);
            series.then(place.cmp(other)).then_with(|| a.id.cmp(&b.id))
        });
        let mut features = SliceFeatures::zeros(rows.len(), columns.max(1));
        for (row, (_, at, _)) in rows.iter().enumerate() {
            features.set(row, &self.features[at * columns..][..columns]);
        }
        (SliceTable { rows: rows.into_iter().map(|(_, _, score)| score).collect() }, features)
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
        let (logits, features) = model.logits_and_features(&images);
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
