//! Validation: probabilities of held-out images, their loss, AUROCs and intervals.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_data::{Loader, LoaderSet};
use hemora_metrics::{BootstrapOptions, Interval, MetricError, auroc, cluster_bootstrap};
use serde::Serialize;
use tch::Tensor;

use super::joint;
use super::ranks::Ranks;
use super::tensors::{known, to_tensors};
use crate::data::RunData;
use crate::model::{Mode, Model, Task, to_host};
use crate::optim::Loss;
use crate::output::{self, FileError, PredictedRow};

/// Probabilities of the images of a loader, in the loader's order.
pub struct Predictions {
    /// Index of each image in the set.
    pub indices: Vec<usize>,
    /// What was predicted.
    pub task: Task,
    /// Probabilities `[images, labels of the task]`.
    pub probabilities: Vec<f32>,
    /// Mean loss.
    pub loss: f64,
}

impl Predictions {
    /// Predictions of no images yet; the loss is a sum until [`Predictions::with_mean_loss`].
    pub fn empty(task: Task) -> Self {
        Self { indices: Vec::new(), task, probabilities: Vec::new(), loss: 0.0 }
    }

    /// Adds those of the images `indices`, from the task's log odds and targets of them, and 1 for each
    /// target that is known and 0 for the others, where some are not.
    pub fn add(
        &mut self,
        scores: &Tensor,
        (targets, known): (&Tensor, Option<&Tensor>),
        indices: &[usize],
        loss: &Loss,
    ) {
        let mean = tch::no_grad(|| loss.mean_weighted(scores, targets, known)).double_value(&[]);
        self.loss += mean * indices.len() as f64;
        self.indices.extend_from_slice(indices);
        self.probabilities.extend(to_host(&scores.sigmoid()).values);
    }

    /// The same with the mean loss in place of the sum.
    pub fn with_mean_loss(self) -> Self {
        let loss = self.loss / self.indices.len().max(1) as f64;
        Self { loss, ..self }
    }

    /// Takes in those of all processes, in the order of `positions`, those of the images in the loader's
    /// order; `loss` is a sum here.
    fn gather(&mut self, positions: &[i64], ranks: &Ranks) {
        let order = ranks.gather(&Tensor::from_slice(positions)).argsort(0, false);
        let indices: Vec<i64> = self.indices.iter().map(|index| *index as i64).collect();
        let indices = ranks.gather(&Tensor::from_slice(&indices)).index_select(0, &order);
        let width = self.task.labels().len() as i64;
        let rows = ranks.gather(&Tensor::from_slice(&self.probabilities)).reshape([-1, width]);
        let rows = rows.index_select(0, &order).reshape([-1]);
        let loss = Tensor::from_slice(&[self.loss]);
        ranks.sum(std::slice::from_ref(&loss));
        self.loss = loss.double_value(&[0]);
        self.indices = indices.iter::<i64>().expect("of this kind").map(|at| at as usize).collect();
        self.probabilities = Vec::try_from(rows).expect("of this kind");
    }

    /// Probabilities of a label, the column `column` of the task's, of the images at `items`.
    pub fn column(&self, column: usize, items: &[usize]) -> Vec<f64> {
        let width = self.task.labels().len();
        items.iter().map(|item| f64::from(self.probabilities[item * width + column])).collect()
    }
}

/// What a model predicts of the held-out images.
pub struct Validation {
    /// What counts: the predictions of a network of series where there is one.
    pub predictions: Predictions,
    /// Those of the network of slices alone, where there is one of series.
    pub alone: Option<Predictions>,
}

/// Runs the model over all images of `loader`, which gives each once: where series are known, of a series
/// after the other, from the lowest slice.
pub fn validate(
    model: &Model,
    task: Task,
    data: &RunData,
    loader: &Loader,
    loss: &Loss,
    ranks: &Ranks,
) -> Validation {
    match &data.stacks {
        Some(stacks) => joint::validate(model, stacks, loader, loss),
        None => {
            let predictions = predict(model, task, loader, loss, ranks);
            Validation { predictions, alone: None }
        }
    }
}

/// Runs the model over all images of `loader`, which must not shuffle and has this process' share of
/// the batches; every one of `ranks` gets all predictions.
pub fn predict(
    model: &Model,
    task: Task,
    loader: &Loader,
    loss: &Loss,
    ranks: &Ranks,
) -> Predictions {
    let mut predictions = Predictions::empty(task);
    let mut positions: Vec<i64> = Vec::new();
    for batch in loader.epoch(0).filter(|batch| !batch.is_empty()) {
        let (images, targets) = to_tensors(&batch, model);
        let scores = tch::no_grad(|| task.scores(model.logits(&images, Mode::Evaluate)));
        let (targets, known) = (task.targets(&targets), known(&batch, task, model));
        predictions.add(&scores, (&targets, known.as_ref()), batch.indices(), loss);
        positions.extend((batch.place() as i64..).take(batch.len()));
    }
    if ranks.world() > 1 {
        predictions.gather(&positions, ranks);
    }
    predictions.with_mean_loss()
}

/// The labels of an image, in label order; `None` where one is not known.
pub(crate) fn known_labels(set: &LoaderSet, index: usize) -> [Option<bool>; LABEL_COUNT] {
    let (labels, known) = (set.labels(index), set.known(index));
    std::array::from_fn(|label| known[label].then_some(labels[label]))
}

/// AUROC per label, of the images of which it is known; `None` where there is one class only.
///
/// # Errors
/// [`MetricError`] if a probability is not a number.
pub fn aurocs(
    predictions: &Predictions,
    data: &RunData,
) -> Result<BTreeMap<String, Option<f64>>, MetricError> {
    let labels = predictions.task.labels().iter().enumerate();
    labels
        .map(|(column, label)| {
            let items = known_items(predictions, data, *label);
            Ok((label.name().to_owned(), label_auroc(predictions, data, column, &items)?))
        })
        .collect()
}

/// The predicted images of which a label is known, among the predictions.
fn known_items(predictions: &Predictions, data: &RunData, label: Label) -> Vec<usize> {
    let indices = &predictions.indices;
    let is_known = |item: &usize| data.set.known(indices[*item])[label.index()];
    (0..indices.len()).filter(is_known).collect()
}

fn label_auroc(
    predictions: &Predictions,
    data: &RunData,
    column: usize,
    items: &[usize],
) -> Result<Option<f64>, MetricError> {
    let label = predictions.task.labels()[column].index();
    let truth: Vec<bool> =
        items.iter().map(|&item| data.set.labels(predictions.indices[item])[label]).collect();
    auroc(&predictions.column(column, items), &truth)
}

/// One label's validation AUROC with its interval.
#[derive(Debug, Clone, Serialize)]
pub struct LabelInterval {
    /// The label.
    pub label: Label,
    /// Images validated on of which the label is known.
    pub images: usize,
    /// Patients (or best known groups) among them.
    pub groups: usize,
    /// Positive images.
    pub positives: usize,
    /// AUROC and the 95 % percentile interval of a bootstrap over groups.
    pub auroc: Interval,
}

/// AUROCs with patient-clustered intervals.
///
/// # Errors
/// [`MetricError`] if a probability is not a number.
pub fn intervals(
    predictions: &Predictions,
    data: &RunData,
    seed: u64,
) -> Result<Vec<LabelInterval>, MetricError> {
    let options = BootstrapOptions { seed, ..BootstrapOptions::default() };
    let labels = predictions.task.labels().iter().copied().enumerate();
    labels
        .map(|(column, label)| {
            let known = known_items(predictions, data, label);
            let images = || known.iter().map(|&item| predictions.indices[item]);
            let groups: Vec<&str> = images().map(|index| data.groups[index].as_str()).collect();
            let different: BTreeSet<&str> = groups.iter().copied().collect();
            let is_positive = |&index: &usize| data.set.labels(index)[label.index()];
            Ok(LabelInterval {
                label,
                images: groups.len(),
                groups: different.len(),
                positives: images().filter(is_positive).count(),
                auroc: cluster_bootstrap(&groups, &options, |items| {
                    let items: Vec<usize> = items.iter().map(|item| known[*item]).collect();
                    label_auroc(predictions, data, column, &items)
                })?,
            })
        })
        .collect()
}

/// Writes a row an image: id, group, the labels of the task, empty where they are not known, and their
/// probabilities.
///
/// # Errors
/// [`FileError`] if the file cannot be written.
pub fn write_predictions(
    path: &Path,
    predictions: &Predictions,
    data: &RunData,
) -> Result<(), FileError> {
    let labels = predictions.task.labels();
    let rows = predictions.indices.iter().zip(predictions.probabilities.chunks_exact(labels.len()));
    let row = |(&index, probabilities)| {
        let truth = known_labels(&data.set, index);
        PredictedRow { id: data.set.id(index), group: &data.groups[index], truth, probabilities }
    };
    output::write_predictions(path, labels, rows.map(row))
}
