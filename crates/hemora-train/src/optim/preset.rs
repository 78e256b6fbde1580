//! The optimizers by name, with the defaults of the library that each is named for.

use serde::{Deserialize, Serialize};

use super::Rule;

/// Settings of an optimizer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OptimizerOptions {
    /// How a weight is moved.
    pub rule: Rule,
    /// Learning rate, the highest of a schedule.
    pub learning_rate: f64,
    /// Decay of weights, times the learning rate. Biases and batch norms do not decay.
    pub weight_decay: f64,
}

/// An optimizer by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// AdamW as in PyTorch.
    #[value(name = "adamw")]
    #[serde(rename = "adamw")]
    AdamW,
    /// AdamW as in Keras.
    #[value(name = "adamw-keras")]
    #[serde(rename = "adamw-keras")]
    AdamWKeras,
    /// Adam as in PyTorch.
    Adam,
    /// Adam as in Keras.
    AdamKeras,
    /// Adadelta as in PyTorch.
    Adadelta,
    /// Adadelta as in standalone Keras and in the paper (rate 1), which the seed study used.
    AdadeltaKeras,
    /// Adadelta as in tf.keras 2 (rate 0.001).
    #[value(name = "adadelta-tf-keras")]
    #[serde(rename = "adadelta-tf-keras")]
    AdadeltaTfKeras,
    /// Gradient descent as in PyTorch, without momentum.
    Sgd,
    /// Gradient descent as in Keras, without momentum.
    SgdKeras,
    /// Gradient descent with momentum 0.9.
    Momentum,
}

impl Preset {
    /// The settings (docs/references.md#seed-networks for Adadelta; PyTorch 2.11 and Keras 3.15 for the others).
    pub fn options(self) -> OptimizerOptions {
        let adam = |eps, eps_before_correction| Rule::Adam {
            beta1: 0.9,
            beta2: 0.999,
            eps,
            eps_before_correction,
        };
        let (rule, learning_rate, weight_decay) = match self {
            Preset::AdamW => (adam(1e-8, false), 1e-3, 0.01),
            Preset::AdamWKeras => (adam(1e-7, true), 1e-3, 0.004),
            Preset::Adam => (adam(1e-8, false), 1e-3, 0.0),
            Preset::AdamKeras => (adam(1e-7, true), 1e-3, 0.0),
            Preset::Adadelta => (Rule::Adadelta { rho: 0.9, eps: 1e-6 }, 1.0, 0.0),
            Preset::AdadeltaKeras => (Rule::Adadelta { rho: 0.95, eps: 1e-7 }, 1.0, 0.0),
            Preset::AdadeltaTfKeras => (Rule::Adadelta { rho: 0.95, eps: 1e-7 }, 1e-3, 0.0),
            Preset::Sgd => (Rule::Sgd { momentum: 0.0 }, 1e-3, 0.0),
            Preset::SgdKeras => (Rule::Sgd { momentum: 0.0 }, 1e-2, 0.0),
            Preset::Momentum => (Rule::Sgd { momentum: 0.9 }, 1e-2, 0.0),
        };
        OptimizerOptions { rule, learning_rate, weight_decay }
    }
}
