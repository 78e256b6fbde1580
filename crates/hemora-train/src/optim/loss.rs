//! Losses on logits.

use hemora_ct::LABEL_COUNT;
use tch::{Device, Kind, Tensor};

use crate::model::Task;

/// What a loss is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossOptions {
    /// Weight of the label `any` beside the subtypes' 1; 2 in the competition (docs/references.md#rsna-2019).
    pub any_weight: f64,
    /// Weight of a positive beside a negative's 1, by label.
    pub positive_weights: [f64; LABEL_COUNT],
    /// Exponent of the focal loss; `None` for binary cross-entropy.
    pub focal: Option<f64>,
}

impl Default for LossOptions {
    /// Plain binary cross-entropy.
    fn default() -> Self {
        Self { any_weight: 1.0, positive_weights: [1.0; LABEL_COUNT], focal: None }
    }
}

/// Binary cross-entropy of the labels of a task, weighted and perhaps focal.
#[derive(Debug)]
pub struct Loss {
    /// `[labels]`, with the sum 1.
    labels: Tensor,
    /// `[labels]`; `None` where all are 1.
    positives: Option<Tensor>,
    focal: Option<f64>,
}

impl Loss {
    /// The loss of a task.
    pub fn new(task: Task, options: &LossOptions, device: Device) -> Self {
        let weights = task.weights(options.any_weight, device);
        let positives: Vec<f32> = task
            .labels()
            .iter()
            .map(|label| options.positive_weights[label.index()] as f32)
            .collect();
        let weighted = positives.iter().any(|weight| *weight != 1.0);
        Self {
            labels: &weights / weights.sum(Kind::Float),
            positives: weighted.then(|| Tensor::from_slice(&positives).to(device)),
            focal: options.focal,
        }
    }

    /// The weighted mean over labels, averaged over the batch, of log odds and targets
    /// `[N, labels]`.
    pub fn mean(&self, scores: &Tensor, targets: &Tensor) -> Tensor {
        self.mean_weighted(scores, targets, None)
    }

    /// The same with a weight for each image and label, `[N, labels]`: 0 where a label is not known,
    /// and none where there are none.
    pub fn mean_weighted(
        &self,
        scores: &Tensor,
        targets: &Tensor,
        weights: Option<&Tensor>,
    ) -> Tensor {
        let kind = if scores.kind() == Kind::Double { Kind::Double } else { Kind::Float };
        let scores = &scores.to_kind(kind);
        // With p = sigmoid(x): −log(1 − p) = max(x, 0) + log(1 + exp(−|x|)) = x − log p, finite for
        // any x.
        let negative = scores.clamp_min(0.0) + (-scores.abs()).exp().log1p();
        let mut loss = match &self.positives {
            None => negative - scores * targets,
            Some(weights) => {
                let positive = &negative - scores;
                &negative + targets * (positive * weights - &negative)
            }
        };
        if let Some(focal) = self.focal {
            // (1 − p of the truth)^γ (Lin et al. 2017) by its logarithm, which has a gradient
            // everywhere.
            let wrong: Tensor = scores * (1.0 - targets * 2.0);
            let wrong = wrong.log_sigmoid();
            loss *= (wrong * focal).exp();
        }
        if let Some(weights) = weights {
            loss *= weights;
        }
        let per_image = (loss * &self.labels).sum_dim_intlist([1i64].as_slice(), false, kind);
        per_image.mean(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(options: &LossOptions, scores: &[f32], targets: &[f32]) -> f64 {
        let row = |values: &[f32]| Tensor::from_slice(values).reshape([1, -1]);
        let loss = Loss::new(Task::Labels, options, Device::Cpu);
        loss.mean(&row(scores), &row(targets)).double_value(&[])
    }

    const TARGETS: [f32; 6] = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    const SCORES: [f32; 6] = [0.0, 2.0, 0.0, 0.0, 0.0, -1.0];

    /// −log of the probability of the truth.
    fn entropy(score: f64, target: f64) -> f64 {
        (1.0 + (score * (1.0 - 2.0 * target)).exp()).ln()
    }

    #[test]
    fn hand_worked_weights() {
        let mut options = LossOptions { any_weight: 2.0, ..LossOptions::default() };
        let expected = (4.0 * 2f64.ln() + entropy(2.0, 0.0) + 2.0 * entropy(-1.0, 1.0)) / 7.0;
        let found = loss(&options, &SCORES, &TARGETS);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        // Positives alone weigh more: the first label and the last.
        options.positive_weights = [3.0; 6];
        let expected =
            ((3.0 + 3.0) * 2f64.ln() + entropy(2.0, 0.0) + 3.0 * 2.0 * entropy(-1.0, 1.0)) / 7.0;
        let found = loss(&options, &SCORES, &TARGETS);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        let found = loss(&LossOptions::default(), &[300.0, -300.0, 0.0, 0.0, 0.0, 0.0], &[0.0; 6]);
        assert!((found - (300.0 + 4.0 * 2f64.ln()) / 6.0).abs() < 1e-3, "{found}");
    }

    #[test]
    fn what_is_not_known_has_no_part_in_the_loss() {
        let row = |values: &[f32]| Tensor::from_slice(values).reshape([1, -1]);
        let weights = row(&[0.5, 0.0, 1.0, 1.0, 1.0, 0.0]);
        let loss = Loss::new(Task::Labels, &LossOptions::default(), Device::Cpu);
        let mean = loss.mean_weighted(&row(&SCORES), &row(&TARGETS), Some(&weights));
        let found = mean.double_value(&[]);
        assert!((found - 3.5 * 2f64.ln() / 6.0).abs() < 1e-6, "{found}");
    }

    #[test]
    fn the_focal_loss_takes_weight_from_what_is_known() {
        let options = LossOptions { focal: Some(2.0), ..LossOptions::default() };
        let focal = |score: f64, target: f64| {
            let entropy = entropy(score, target);
            (1.0 - (-entropy).exp()).powi(2) * entropy
        };
        let expected: f64 = SCORES
            .iter()
            .zip(TARGETS)
            .map(|(score, target)| focal(f64::from(*score), f64::from(target)) / 6.0)
            .sum();
        let found = loss(&options, &SCORES, &TARGETS);
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        // What is certain has a loss and a gradient that are numbers.
        let scores = Tensor::from_slice(&[200f32, -200.0]).reshape([2, 1]).set_requires_grad(true);
        let targets = Tensor::from_slice(&[1f32, 1.0]).reshape([2, 1]);
        let loss = Loss::new(Task::Any, &options, Device::Cpu).mean(&scores, &targets);
        let gradient = &Tensor::run_backward(&[&loss], &[&scores], false, false)[0];
        assert!((loss.double_value(&[]) - 100.0).abs() < 1e-3);
        assert!((gradient.double_value(&[1, 0]) + 0.5).abs() < 1e-6);
        assert_eq!(gradient.double_value(&[0, 0]), 0.0);
    }
}
