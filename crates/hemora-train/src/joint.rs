//! A network of slices and one of series that are trained together, end to end: what such a run needs
//! beside a run on slices. Its parts are written as those of two stages are: the network of slices as
//! the run's weights, and in the folder `series` what `hemora-train sequence` would have left.

use std::collections::HashMap;
use std::sync::Arc;

use hemora_ct::{LABEL_COUNT, Views};
use hemora_data::{Loader, LoaderSet, SliceTable, Stacks};
use hemora_nn::networks::{SequenceOptions, build_sequence, sequence_names};
use hemora_nn::{Graph, Weights, onnx};
use miette::{IntoDiagnostic, Result, bail, miette};
use tch::Tensor;

use crate::balance::Sampling;
use crate::config::RunConfig;
use crate::dataset::RunData;
use crate::folder::Folder;
use crate::loss::Loss;
use crate::model::SERIES;
use crate::parts::open_prepared;
use crate::predict::unscored;
use crate::progress::say as tell;
use crate::sequence::{SeriesNotes, reads_features, reads_places, write_model};
use crate::validation::{Predictions, Said, to_tensors, write_predictions};
use crate::{Mode, Model, Task};

/// Refuses settings with which no network of series can be trained with that of slices.
///
/// # Errors
/// A report that names the flag, its value and what was expected.
pub fn check(config: &RunConfig) -> Result<()> {
    let RunConfig { series, window, batch, series_hidden, series_layers, .. } = config;
    let names: Vec<&str> = sequence_names().filter(|name| reads_features(name)).collect();
    if !names.contains(&series.as_str()) {
        let names = names.join(" or ");
        bail!("--series {series}: expected {names}, which read features");
    }
    if !config.is_prepared() {
        bail!(
            help = "`hemora prepare` makes a set that knows the series of its slices",
            "--series {series}: expected --prepared"
        );
    }
    if *window < 2 || window > batch {
        bail!("--window {window}: expected 2 slices or more, and at most those of --batch {batch}");
    }
    for (flag, value) in [("--series-hidden", series_hidden), ("--series-layers", series_layers)] {
        if *value == 0 {
            bail!("{flag} 0: expected at least 1");
        }
    }
    let dropout = config.series_dropout;
    if !(0.0..1.0).contains(&dropout) {
        bail!("--series-dropout {dropout}: expected a number from 0 up to 1");
    }
    let unfit = [
        (config.task != Task::Labels, "--task labels, all six"),
        (config.split_by != "patient", "--split-by patient, which keeps series whole"),
        (config.sampling != Sampling::Shuffled, "--sampling shuffled: every series once"),
        (!config.extra.is_empty(), "no --extra images, which are in no series"),
    ];
    if let Some((_, expected)) = unfit.iter().find(|(unfit, _)| *unfit) {
        bail!("--series {series}: expected {expected}");
    }
    Ok(())
}

/// The series of the images of a prepared set.
///
/// # Errors
/// A report if the set does not know them.
pub fn stacks(config: &RunConfig, set: &LoaderSet) -> Result<Arc<Stacks>> {
    let known = open_prepared(&config.prepared)?.slices().into_diagnostic()?;
    let stacks = Stacks::new((0..set.len()).map(|index| set.id(index)), &known);
    let stacks = stacks.into_diagnostic()?;
    if stacks.lacking() > 0 {
        tell(&format!(
            "{} slices of the series are not in the set, and triage will show them: prepare the set \
             with all slices (--negatives all)",
            stacks.lacking()
        ));
    }
    Ok(Arc::new(stacks))
}

/// The network of series on slices of so many features.
fn graph(config: &RunConfig, features: usize) -> Result<Graph> {
    let options = SequenceOptions {
        columns: features + usize::from(reads_places(&config.series)),
        hidden: config.series_hidden,
        layers: config.series_layers,
        dropout: config.series_dropout,
    };
    build_sequence(&config.series, &options)
        .ok_or_else(|| miette!("unknown network `{}`", config.series))?
        .into_diagnostic()
}

/// Values of each slice that `graph`, a network of slices, gives to one of series.
pub(crate) fn features(graph: &Graph) -> usize {
    graph.shape(graph.pooled()).iter().product()
}

/// The network of slices with a fresh one of series.
///
/// # Errors
/// A report if the network's features are none that a bundle could give to the other.
pub fn with_series(config: &RunConfig, model: Model) -> Result<Model> {
    let exported = onnx::write(model.graph(), &model.weights()).into_diagnostic()?;
    let features = features(model.graph());
    if onnx::pooled_features(&exported).into_diagnostic()? != Some(features) {
        bail!(
            help = "any network but the ConvNeXts, simple-nn and deep-cnn has one",
            "--network {}: a network of series reads the mean over the last feature map, and it has \
             none before its last layer",
            config.network
        );
    }
    let graph = graph(config, features)?.prefixed(SERIES);
    let series = Model::fresh(graph, model.device(), config.seed.wrapping_add(1) as i64);
    Ok(model.with_series(series))
}

/// What a model with a network of series says of the images of `loader`, whole series from the
/// lowest slice. One series' features are held at a time.
pub fn say(model: &Model, stacks: &Stacks, loader: &Loader, loss: &Loss) -> Said {
    let mut said = Reading {
        images: Vec::new(),
        features: Vec::new(),
        targets: Vec::new(),
        series: Predictions::none(Task::Labels),
        alone: Predictions::none(Task::Labels),
    };
    for batch in loader.epoch(0).filter(|batch| !batch.is_empty()) {
        let (images, targets) = to_tensors(&batch, model);
        let (logits, features) =
            tch::no_grad(|| model.logits_and_features(&images, Mode::Evaluate));
        said.alone.add(&logits, &targets, batch.indices(), loss);
        let mut at = 0;
        let one = |a: &usize, b: &usize| stacks.series_of(*a) == stacks.series_of(*b);
        for images in batch.indices().chunk_by(one) {
            if said.images.last().is_some_and(|last| !one(last, &images[0])) {
                said.end_series(model, stacks, loss);
            }
            let count = images.len() as i64;
            said.images.extend_from_slice(images);
            said.features.push(features.narrow(0, at, count));
            said.targets.push(targets.narrow(0, at, count));
            at += count;
        }
    }
    said.end_series(model, stacks, loss);
    Said { predictions: said.series.with_mean_loss(), alone: Some(said.alone.with_mean_loss()) }
}

/// The series that is read, and what was said so far.
struct Reading {
    images: Vec<usize>,
    features: Vec<Tensor>,
    targets: Vec<Tensor>,
    series: Predictions,
    alone: Predictions,
}

impl Reading {
    /// Reads the series whose images are all there.
    fn end_series(&mut self, model: &Model, stacks: &Stacks, loss: &Loss) {
        if self.images.is_empty() {
            return;
        }
        let images = std::mem::take(&mut self.images);
        let [features, targets] = [&mut self.features, &mut self.targets]
            .map(|parts| Tensor::cat(&std::mem::take(parts), 0));
        let backward: Vec<usize> = images.iter().rev().copied().collect();
        let places = [&images, &backward].map(|images| stacks.places(images));
        let logits = tch::no_grad(|| model.read_both_ways(&features, [&places[0], &places[1]]));
        self.series.add(&logits, &targets, &images, loss);
    }
}

/// Takes the network of series out of `weights` and writes the folder `series`: a run of
/// `hemora-train sequence` of one fold, the images held out. `said` is what it says of them, and what
/// the network of slices says alone.
///
/// # Errors
/// A report if a file cannot be written.
pub fn write(
    config: &RunConfig,
    folder: &Folder,
    data: &RunData,
    weights: &mut Weights,
    (series, alone): (&Predictions, &Predictions),
) -> Result<()> {
    let mut own = Weights::default();
    for (name, tensor) in weights.iter() {
        if let Some(name) = name.strip_prefix(SERIES) {
            own.insert(name, tensor.clone());
        }
    }
    weights.retain(|name| !name.starts_with(SERIES));
    let run = folder.series();
    std::fs::create_dir_all(run.join("fold-1")).into_diagnostic()?;
    let slices = crate::start::graph(config, data.recipe.channels.len())?;
    let graph = graph(config, features(&slices))?;
    let of_fold = Some(config.fold).filter(|fold| *fold > 0);
    let (hidden, layers) = (config.series_hidden, config.series_layers);
    let notes = SeriesNotes { hidden, layers, of_fold, views: Some(Views::One) };
    write_model(&run.join("fold-1/model.safetensors"), &graph, &own, &notes)?;
    let path = run.join("validation.csv");
    write_predictions(&path, series, data).into_diagnostic()?;
    let known = open_prepared(&config.prepared)?.slices().into_diagnostic()?;
    let mut known: HashMap<String, _> =
        known.into_iter().map(|slice| (slice.id.clone(), slice)).collect();
    let said = series.probabilities.as_chunks::<LABEL_COUNT>().0;
    let rows = series.indices.iter().zip(said).map(|(&index, said)| {
        let slice = known.remove(data.set.id(index)).unwrap_or_default();
        let mut row = unscored(&data.set, &data.groups[index], index, slice, 0);
        row.probabilities = *said;
        row
    });
    let table = SliceTable { rows: rows.collect() };
    table.write(&run.join("slices.parquet")).into_diagnostic()?;
    println!(
        "{:<18} weighted loss {:.5}, of slices alone {:.5}",
        "of series", series.loss, alone.loss
    );
    println!("network of series: {}", run.display());
    Ok(())
}
