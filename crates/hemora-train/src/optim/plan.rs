//! How a run's weights are moved.

use clap::ValueEnum;
use hemora_data::Augment;
use serde::{Deserialize, Serialize};

use super::{ClassWeights, OptimizerOptions, Sampling, ScheduleOptions, WatchOptions};

/// A validation score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Monitor {
    /// Mean of the labels' AUROCs that are defined.
    MeanAuroc,
    /// AUROC of any hemorrhage.
    AnyAuroc,
    /// The loss, where lower is better.
    Loss,
    /// None: the last epoch is kept, and the figures of validation are not the better for a choice.
    Last,
}

/// How long a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many passes over the training images.
    Epochs(u64),
    /// So many optimizer steps; the last epoch is cut short.
    Steps(u64),
}

impl Length {
    /// Steps of a run with `per_epoch` steps an epoch.
    pub fn steps(self, per_epoch: u64) -> u64 {
        match self {
            Self::Epochs(epochs) => epochs.saturating_mul(per_epoch),
            Self::Steps(steps) => steps,
        }
    }
}

/// What is minimised.
#[derive(Debug, Clone, PartialEq)]
pub struct LossPlan {
    /// Weight of the label `any` beside the subtypes' 1.
    pub any_weight: f64,
    /// Weights of positives.
    pub class_weights: ClassWeights,
    /// Exponent of the focal loss; `None` for binary cross-entropy.
    pub focal: Option<f64>,
}

/// How a run's weights are moved.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimPlan {
    /// How long.
    pub length: Length,
    /// Images of a batch.
    pub batch: usize,
    /// Batches of which the gradients are averaged for a step.
    pub accumulate: usize,
    /// By which rule.
    pub optimizer: OptimizerOptions,
    /// How fast, step by step.
    pub schedule: ScheduleOptions,
    /// What follows from the validation scores.
    pub watch: WatchOptions,
    /// Which score that is.
    pub monitor: Monitor,
    /// Decay of the moving average of the weights that is kept.
    pub ema: Option<f64>,
    /// Bound on the norm of the gradient.
    pub clip: Option<f64>,
    /// What is minimised.
    pub loss: LossPlan,
    /// Which images an epoch holds.
    pub sampling: Sampling,
    /// How training images are changed.
    pub augment: Option<Augment>,
}
