//! Bounds of single settings.

use super::{ConfigError, RunConfig};
use crate::data::MOST_FOLDS;

/// Most times an epoch that an image is shown.
const MOST_REPEATS: usize = 100;

/// Refuses a setting: `flag` with `value`, where `expected` was expected.
pub(super) fn refuse<T>(
    flag: &'static str,
    value: impl ToString,
    expected: impl Into<String>,
) -> Result<T, ConfigError> {
    Err(ConfigError::Value { flag, value: value.to_string(), expected: expected.into() })
}

/// Refuses a number of folds that cannot be, and a fold that is none of them.
pub(super) fn check_folds(folds: Option<usize>, fold: Option<usize>) -> Result<(), ConfigError> {
    match (folds, fold) {
        (None, Some(fold)) => {
            refuse("--fold", fold, "--folds too, or a prepared set that was split into folds")
        }
        (Some(folds), _) if !(2..=MOST_FOLDS).contains(&folds) => {
            refuse("--folds", folds, format!("2 to {MOST_FOLDS}"))
        }
        (Some(folds), Some(fold)) if fold > folds => {
            refuse("--fold", fold, format!("one of the {folds} folds, from 1"))
        }
        _ => Ok(()),
    }
}

impl RunConfig {
    /// Refuses numbers out of bounds.
    ///
    /// # Errors
    /// [`ConfigError`] names the flag, its value and what was expected.
    pub(super) fn check_numbers(&self) -> Result<(), ConfigError> {
        let optimizer = self.optimizer_options();
        for (flag, value) in [
            ("--learning-rate", optimizer.learning_rate),
            ("--any-weight", self.any_weight),
            ("--decay", self.decay),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return refuse(flag, value, "a number above 0");
            }
        }
        for (flag, value) in [
            ("--clip", self.clip),
            ("--focal", self.focal.unwrap_or(0.0)),
            ("--weight-decay", optimizer.weight_decay),
            ("--least-gain", self.least_gain),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(flag, value, "0 or a number above");
            }
        }
        for (flag, value) in [
            ("--rise", self.rise),
            ("--dropout", self.dropout),
            ("--ema", self.ema.unwrap_or(0.0)),
            ("--series-dropout", self.series_dropout),
        ] {
            if !(0.0..1.0).contains(&value) {
                return refuse(flag, value, "a number from 0 up to 1");
            }
        }
        for (flag, value) in [
            ("--epochs", self.epochs),
            ("--accumulate", self.accumulate as u64),
            ("--decay-every", self.decay_every),
            ("--plateau", self.plateau),
            ("--restart-growth", self.restart_growth),
            ("--series-hidden", self.series_hidden as u64),
            ("--series-layers", self.series_layers as u64),
        ] {
            if value == 0 {
                return refuse(flag, 0, "at least 1");
            }
        }
        if !(1..=MOST_REPEATS).contains(&self.repeat_masked) {
            let expected = format!("1 to {MOST_REPEATS}");
            return refuse("--repeat-masked", self.repeat_masked, expected);
        }
        Ok(())
    }
}
