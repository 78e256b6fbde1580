//! How networks of series are trained.

use clap::{Args, ValueEnum};
use hemora_nn::Graph;
use hemora_nn::networks::{SequenceOptions, build_sequence, sequence_names};
use miette::{IntoDiagnostic, Result, bail, miette};
use serde::Serialize;

/// Which weights of a fold are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Those of the last epoch: what is out of fold then chose nothing.
    #[default]
    Last,
    /// Those of the epoch with the lowest loss on the fold, as the winner did; its out-of-fold
    /// figures are then somewhat too good.
    Best,
}

/// How networks of series are trained. The defaults are the winner's (facts §4).
#[derive(Debug, Clone, PartialEq, Args, Serialize)]
pub struct SequenceSettings {
    /// Network: sequence-features, sequence-transformer or sequence-probabilities.
    #[arg(long, default_value = "sequence-features")]
    pub network: String,

    /// Passes over the series, of each of which one window is seen.
    #[arg(long, default_value_t = 40)]
    pub epochs: u64,

    /// Series of a batch.
    #[arg(long, default_value_t = 128)]
    pub batch: usize,

    /// Slices of a window.
    #[arg(long, default_value_t = 24)]
    pub window: usize,

    /// Longest step from slice to slice of a window; half of the windows step by more than one.
    #[arg(long, default_value_t = 2)]
    pub stride: usize,

    /// Learning rate of Adam.
    #[arg(long, default_value_t = 3e-4)]
    pub learning_rate: f64,

    /// Epochs after which the learning rate is a tenth of what it was.
    #[arg(long, value_delimiter = ',', default_values_t = [20, 30])]
    pub decay_at: Vec<u64>,

    /// Weight of the label any beside the subtypes' 1.
    #[arg(long, default_value_t = 2.0)]
    pub any_weight: f64,

    /// Dropout of whole channels; a fifth of it within blocks of the transformer.
    #[arg(long, default_value_t = 0.5)]
    pub dropout: f64,

    /// Units of the recurrent layers in each direction; half the channels of the transformer.
    #[arg(long, default_value_t = 96)]
    pub hidden: usize,

    /// Recurrent layers, or blocks of the transformer.
    #[arg(long, default_value_t = 2)]
    pub layers: usize,

    /// Which weights of each fold are kept.
    #[arg(long, value_enum, default_value_t)]
    pub keep: Keep,

    /// Seed of weights, windows and dropout.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Threads; 0 for one a core.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
}

/// Whether a network of series reads features and not probabilities.
pub(crate) fn reads_features(network: &str) -> bool {
    network != "sequence-probabilities"
}

/// Whether a network of series reads the place of each slice behind its features.
pub(crate) fn reads_places(network: &str) -> bool {
    network == "sequence-transformer"
}

impl SequenceSettings {
    /// Checks that a network can be trained so.
    ///
    /// # Errors
    /// A report that names the setting.
    pub fn check(&self) -> Result<()> {
        if !sequence_names().any(|name| name == self.network) {
            let names = sequence_names().collect::<Vec<_>>().join(", ");
            bail!("unknown network `{}`; there are {names}", self.network);
        }
        for (name, value) in [
            ("epochs", self.epochs as usize),
            ("batch", self.batch),
            ("window", self.window),
            ("stride", self.stride),
            ("hidden", self.hidden),
            ("layers", self.layers),
        ] {
            if value == 0 {
                bail!("--{name} is 0; expected 1 or more");
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            bail!("--dropout is {}; expected 0 or more and less than 1", self.dropout);
        }
        if !(self.learning_rate > 0.0 && self.any_weight > 0.0) {
            bail!("--learning-rate and --any-weight must be above 0");
        }
        Ok(())
    }

    /// Whether the network reads features and not probabilities.
    pub fn reads_features(&self) -> bool {
        reads_features(&self.network)
    }

    /// Whether the network reads the place of each slice behind its features.
    pub fn reads_places(&self) -> bool {
        reads_places(&self.network)
    }

    /// The network for slices of `columns` values each.
    ///
    /// # Errors
    /// A report if it does not take them.
    pub fn graph(&self, columns: usize) -> Result<Graph> {
        let options = SequenceOptions {
            columns,
            hidden: self.hidden,
            layers: self.layers,
            dropout: self.dropout,
        };
        build_sequence(&self.network, &options)
            .ok_or_else(|| miette!("unknown network `{}`", self.network))?
            .into_diagnostic()
    }

    /// What the rate is multiplied with in an epoch, counted from 0.
    pub fn rate_factor(&self, epoch: u64) -> f64 {
        let falls = self.decay_at.iter().filter(|at| **at <= epoch).count();
        0.1f64.powi(i32::try_from(falls).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rate_falls_to_a_tenth_at_each_mark() {
        let config = super::super::config::tests::defaults().settings;
        let near = |epoch, expected: f64| {
            assert!((config.rate_factor(epoch) / expected - 1.0).abs() < 1e-9, "{epoch}");
        };
        near(0, 1.0);
        near(19, 1.0);
        near(20, 0.1);
        near(39, 0.01);
    }
}
