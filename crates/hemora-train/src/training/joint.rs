//! A network of slices and one of series that are trained together, end to end: what such a run needs
//! beside a run on slices. Its parts are written as those of two stages are: the network of slices as
//! the run's weights, and in the folder `series` what `hemora-train sequence` would have left.

use std::collections::HashMap;

use hemora_ct::{LABEL_COUNT, Views};
use hemora_data::{Loader, SliceTable, Stacks};
use hemora_nn::{Graph, Weights, onnx};
use tch::Tensor;

use super::TrainError;
use super::predict::unscored;
use super::tensors::{known, to_tensors};
use super::validation::{Predictions, Validation, write_predictions};
use crate::config::TrainPlan;
use crate::data::{RunData, Source};
use crate::model::{Mode, Model, SERIES, SeriesPlan, Task};
use crate::optim::Loss;
use crate::output::{Folder, Reporter, files, write_series_network};

/// Values of each slice that `graph`, a network of slices, gives to one of series.
pub(crate) fn features(graph: &Graph) -> usize {
    graph.shape(graph.pooled()).iter().product()
}

/// The network of slices with a fresh one of series.
///
/// # Errors
/// [`TrainError`] if the network's features are none that a bundle could give to the other.
pub fn with_series(
    plan: &SeriesPlan,
    network: &str,
    model: Model,
    seed: u64,
) -> Result<Model, TrainError> {
    let exported = onnx::write(model.graph(), &model.weights())?;
    let features = features(model.graph());
    if onnx::pooled_features(&exported)? != Some(features) {
        return Err(TrainError::NoFeatures(network.to_owned()));
    }
    let graph = plan.graph_on_features(features)?.prefixed(SERIES);
    let series = Model::fresh(graph, model.device(), seed.wrapping_add(1) as i64);
    Ok(model.with_series(series))
}

/// What a model with a network of series predicts of the images of `loader`, whole series from the
/// lowest slice. One series' features are held at a time.
pub fn validate(model: &Model, stacks: &Stacks, loader: &Loader, loss: &Loss) -> Validation {
    let mut reading = Reading {
        images: Vec::new(),
        features: Vec::new(),
        targets: Vec::new(),
        known: Vec::new(),
        series: Predictions::empty(Task::Labels),
        alone: Predictions::empty(Task::Labels),
    };
    for batch in loader.epoch(0).filter(|batch| !batch.is_empty()) {
        let (images, targets) = to_tensors(&batch, model);
        let (logits, features) =
            tch::no_grad(|| model.logits_and_features(&images, Mode::Evaluate));
        let known = known(&batch, Task::Labels, model).unwrap_or_else(|| targets.ones_like());
        reading.alone.add(&logits, (&targets, Some(&known)), batch.indices(), loss);
        let mut at = 0;
        let same_series = |a: &usize, b: &usize| stacks.series_of(*a) == stacks.series_of(*b);
        for images in batch.indices().chunk_by(same_series) {
            if reading.images.last().is_some_and(|last| !same_series(last, &images[0])) {
                reading.end_series(model, stacks, loss);
            }
            let count = images.len() as i64;
            reading.images.extend_from_slice(images);
            reading.features.push(features.narrow(0, at, count));
            reading.targets.push(targets.narrow(0, at, count));
            reading.known.push(known.narrow(0, at, count));
            at += count;
        }
    }
    reading.end_series(model, stacks, loss);
    let Reading { series, alone, .. } = reading;
    Validation { predictions: series.with_mean_loss(), alone: Some(alone.with_mean_loss()) }
}

/// The series that is read, and what was predicted so far.
struct Reading {
    images: Vec<usize>,
    features: Vec<Tensor>,
    targets: Vec<Tensor>,
    /// 1 for each target that is known.
    known: Vec<Tensor>,
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
        let [features, targets, known] = [&mut self.features, &mut self.targets, &mut self.known]
            .map(|parts| Tensor::cat(&std::mem::take(parts), 0));
        let backward: Vec<usize> = images.iter().rev().copied().collect();
        let positions = [&images, &backward].map(|images| stacks.places(images));
        let logits =
            tch::no_grad(|| model.read_both_ways(&features, [&positions[0], &positions[1]]));
        self.series.add(&logits, (&targets, Some(&known)), &images, loss);
    }
}

/// Takes the network of series out of `weights` and writes the folder `series`: a run of
/// `hemora-train sequence` of one fold, the images held out. `series` are its predictions of them, and
/// `alone` those of the network of slices.
///
/// # Errors
/// [`TrainError`] if a file cannot be written.
pub fn write(
    plan: &TrainPlan,
    folder: &Folder,
    data: &RunData,
    weights: &mut Weights,
    (series, alone): (&Predictions, &Predictions),
    reporter: Reporter,
) -> Result<(), TrainError> {
    let (Some(joint), Source::Prepared { set, .. }) = (&plan.model.joint, &plan.data.source) else {
        return Ok(());
    };
    let mut of_series = Weights::default();
    for (name, tensor) in weights.iter() {
        if let Some(name) = name.strip_prefix(SERIES) {
            of_series.insert(name, tensor.clone());
        }
    }
    weights.retain(|name| !name.starts_with(SERIES));
    let run = folder.series();
    files::create_folder(&run.join("fold-1"))?;
    let slices = plan.model.slices.graph(data.recipe.channels.len())?;
    let graph = joint.series.graph_on_features(features(&slices))?;
    let fold = plan.fold().map(|fold| fold.index + 1);
    let path = run.join("fold-1/model.safetensors");
    write_series_network(&path, &joint.series, &graph, &of_series, fold, Some(Views::One))?;
    write_predictions(&run.join("validation.csv"), series, data)?;
    let slices = set.slices()?;
    let mut by_id: HashMap<String, _> =
        slices.into_iter().map(|slice| (slice.id.clone(), slice)).collect();
    let probabilities = series.probabilities.as_chunks::<LABEL_COUNT>().0;
    let rows = series.indices.iter().zip(probabilities).map(|(&index, probabilities)| {
        let slice = by_id.remove(data.set.id(index)).unwrap_or_default();
        let mut row = unscored(&data.set, &data.groups[index], index, slice, 0);
        row.probabilities = *probabilities;
        row
    });
    let table = SliceTable { rows: rows.collect() };
    table.write(&run.join("slices.parquet"))?;
    let (loss, loss_alone) = (series.loss, alone.loss);
    reporter.result(&format!(
        "{:<18} weighted loss {loss:.5}, of slices alone {loss_alone:.5}",
        "of series"
    ));
    reporter.result(&format!("network of series: {}", run.display()));
    Ok(())
}
