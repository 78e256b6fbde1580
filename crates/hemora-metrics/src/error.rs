//! Why a metric cannot be computed, and the checks that all metrics share.

/// Why a metric cannot be computed. That a metric is not defined (AUROC of one class) is no error:
/// it is `None`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MetricError {
    /// Inputs of different lengths.
    #[error("{left} {what_left} and {right} {what_right}; expected one of each for every item")]
    Lengths {
        /// What the first input is.
        what_left: &'static str,
        /// Its length.
        left: usize,
        /// What the second input is.
        what_right: &'static str,
        /// Its length.
        right: usize,
    },
    /// A score that is not a number.
    #[error("score {index} is not a number; find out which input gave it before you evaluate")]
    NotANumber {
        /// Its index, from 0.
        index: usize,
    },
    /// A probability out of range.
    #[error("probability {index} is {value}; expected 0 to 1")]
    Probability {
        /// Its index, from 0.
        index: usize,
        /// What it is.
        value: f64,
    },
    /// A weight that is negative or not finite.
    #[error("weight {index} is {value}; expected a finite number of at least 0")]
    Weight {
        /// Its index, from 0.
        index: usize,
        /// What it is.
        value: f64,
    },
    /// A bootstrap option out of bounds.
    #[error("{option} is {value}; expected {expected}")]
    Option {
        /// The option.
        option: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
}

pub(crate) fn same_length<T>(scores: &[f64], labels: &[T]) -> Result<(), MetricError> {
    lengths("scores", scores.len(), "labels", labels.len())
}

pub(crate) fn lengths(
    what_left: &'static str,
    left: usize,
    what_right: &'static str,
    right: usize,
) -> Result<(), MetricError> {
    if left == right {
        return Ok(());
    }
    Err(MetricError::Lengths { what_left, left, what_right, right })
}

pub(crate) fn check_scores(scores: &[f64]) -> Result<(), MetricError> {
    match scores.iter().position(|score| score.is_nan()) {
        Some(index) => Err(MetricError::NotANumber { index }),
        None => Ok(()),
    }
}

pub(crate) fn check_probabilities(values: &[f64]) -> Result<(), MetricError> {
    check_scores(values)?;
    match values.iter().position(|value| !(0.0..=1.0).contains(value)) {
        Some(index) => Err(MetricError::Probability { index, value: values[index] }),
        None => Ok(()),
    }
}

pub(crate) fn check_weights(weights: &[f64], items: usize) -> Result<(), MetricError> {
    lengths("scores", items, "weights", weights.len())?;
    match weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
        Some(index) => Err(MetricError::Weight { index, value: weights[index] }),
        None => Ok(()),
    }
}
