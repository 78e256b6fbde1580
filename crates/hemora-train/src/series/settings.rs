//! How networks of series are trained.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::SeriesError;
use crate::model::{SeriesPlan, series_input};
use crate::training::TrainError;
use crate::training::memory::Demand;

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

/// How networks of series are trained. The defaults are the winner's (docs/references.md#winner).
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

    /// Threads, at most one per core; without it, or with 0, one per core.
    #[arg(long)]
    pub threads: Option<usize>,
}

impl SequenceSettings {
    /// Checks that a network can be trained so.
    ///
    /// # Errors
    /// [`TrainError`] names the setting.
    pub fn check(&self) -> Result<(), TrainError> {
        series_input(&self.network)?;
        let refuse = |flag, value: String, expected| {
            Err(SeriesError::Value { flag, value, expected }.into())
        };
        for (flag, value) in [
            ("--epochs", self.epochs as usize),
            ("--batch", self.batch),
            ("--window", self.window),
            ("--stride", self.stride),
            ("--hidden", self.hidden),
            ("--layers", self.layers),
        ] {
            if value == 0 {
                return refuse(flag, value.to_string(), "1 or more");
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return refuse("--dropout", self.dropout.to_string(), "0 or more and less than 1");
        }
        for (flag, value) in
            [("--learning-rate", self.learning_rate), ("--any-weight", self.any_weight)]
        {
            if !(value > 0.0 && value.is_finite()) {
                return refuse(flag, value.to_string(), "a number above 0");
            }
        }
        Ok(())
    }

    /// The network.
    ///
    /// # Errors
    /// [`TrainError`] if there is none of that name.
    pub fn plan(&self) -> Result<SeriesPlan, TrainError> {
        Ok(SeriesPlan {
            network: self.network.clone(),
            input: series_input(&self.network)?,
            hidden: self.hidden,
            layers: self.layers,
            dropout: self.dropout,
        })
    }

    /// What takes the memory of a training.
    pub(super) fn demand(&self) -> Demand {
        Demand::Series { batch: self.batch }
    }

    /// Whether the network reads features and not probabilities.
    pub fn reads_features(&self) -> bool {
        series_input(&self.network).is_ok_and(|input| input.is_features())
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
