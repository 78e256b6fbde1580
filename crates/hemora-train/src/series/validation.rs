//! What a network predicts of whole series, read both ways.

use std::collections::BTreeMap;

use hemora_ct::{LABEL_COUNT, Label};
use hemora_metrics::{auroc, competition_log_loss};
use tch::Tensor;

use super::set::SequenceSet;
use crate::model::{Mode, Model, to_host};
use crate::training::TrainError;

/// The probabilities of a series' slices in the order of its rows: the mean logits of reading them
/// forward and backward.
pub fn predict(model: &Model, set: &SequenceSet, series: usize) -> Vec<[f32; LABEL_COUNT]> {
    let rows = &set.series()[series];
    let logits = |rows: &[usize]| {
        let shape = [1, rows.len() as i64, set.columns() as i64];
        let input = Tensor::from_slice(&set.values(rows)).reshape(shape).to(model.device());
        tch::no_grad(|| model.logits(&input, Mode::Evaluate))
    };
    let backward: Vec<usize> = rows.iter().rev().copied().collect();
    let mean = (logits(rows) + logits(&backward).flip([1])) / 2.0;
    to_host(&mean.sigmoid()).values.as_chunks::<LABEL_COUNT>().0.to_vec()
}

/// Figures of slices with labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// The competition's weighted log loss (docs/references.md#rsna-2019).
    pub loss: f64,
    /// AUROC of each label; `None` where there is one class only.
    pub auroc: BTreeMap<String, Option<f64>>,
    /// Slices with labels.
    pub slices: usize,
}

impl Figures {
    /// Figures of the rows' probabilities; rows without labels are left out.
    ///
    /// # Errors
    /// [`TrainError`] if a probability is not a number.
    pub fn from_rows(
        set: &SequenceSet,
        rows: impl Iterator<Item = (usize, [f32; LABEL_COUNT])>,
    ) -> Result<Self, TrainError> {
        let (mut probabilities, mut truths) = (Vec::new(), Vec::new());
        for (row, probability) in rows {
            if let Some(labels) = set.labels(row) {
                probabilities.push(probability.map(f64::from));
                truths.push(labels.map(|label| label >= 0.5));
            }
        }
        let loss = competition_log_loss(&probabilities, &truths)?;
        let mut aurocs = BTreeMap::new();
        for label in Label::ALL {
            let column: Vec<f64> = probabilities.iter().map(|row| row[label.index()]).collect();
            let truth: Vec<bool> = truths.iter().map(|row| row[label.index()]).collect();
            aurocs.insert(label.name().to_owned(), auroc(&column, &truth)?);
        }
        Ok(Self { loss: loss.unwrap_or(f64::NAN), auroc: aurocs, slices: truths.len() })
    }
}
