//! How good probabilities are: log loss, the competition's log loss, Brier score.

use crate::MetricError;
use crate::error::{check_probabilities, check_weights, lengths, same_length};

pub use hemora_ct::LABEL_COUNT;

/// Weights of the labels in the competition's log loss: `any` counts twice (docs/references.md#rsna-2019).
pub const LABEL_WEIGHTS: [f64; LABEL_COUNT] = [1.0, 1.0, 1.0, 1.0, 1.0, 2.0];

/// Distance that the competition keeps from 0 and 1, so that a sure mistake stays finite.
pub(crate) const COMPETITION_CLIP: f64 = 1e-15;

/// Mean negative log-likelihood of the labels (nats). Probabilities are kept one double-precision
/// epsilon away from 0 and 1, as scikit-learn does. `None` without items.
///
/// # Errors
/// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
pub fn log_loss(probabilities: &[f64], labels: &[bool]) -> Result<Option<f64>, MetricError> {
    check(probabilities, labels)?;
    Ok(mean(probabilities.iter().zip(labels).map(|(&p, &label)| item_log_loss(p, label))))
}

/// [`log_loss`] with a weight (at least 0) for each item; `None` also if all weights are 0.
///
/// # Errors
/// [`MetricError`] as of [`log_loss`], or if a weight is negative or not finite.
pub fn log_loss_weighted(
    probabilities: &[f64],
    labels: &[bool],
    weights: &[f64],
) -> Result<Option<f64>, MetricError> {
    check(probabilities, labels)?;
    weighted(probabilities.iter().zip(labels).map(|(&p, &label)| item_log_loss(p, label)), weights)
}

/// Log loss of one item, nats, as [`log_loss`] takes its mean of.
pub(crate) fn item_log_loss(probability: f64, label: bool) -> f64 {
    nats(probability, label, f64::EPSILON)
}

/// The competition's weighted log loss of one row.
pub(crate) fn row_competition_loss(row: &[f64; LABEL_COUNT], labels: &[bool; LABEL_COUNT]) -> f64 {
    let total: f64 = LABEL_WEIGHTS.iter().sum();
    let weighted =
        (0..LABEL_COUNT).map(|at| LABEL_WEIGHTS[at] * nats(row[at], labels[at], COMPETITION_CLIP));
    weighted.sum::<f64>() / total
}

/// Brier score of one item.
pub(crate) fn item_brier(probability: f64, label: bool) -> f64 {
    (probability - f64::from(u8::from(label))).powi(2)
}

/// The competition's metric: log loss with weight 2 for `any` and 1 for each subtype, divided by
/// their sum 7, averaged over the slices; probabilities are kept 1e-15 away from 0 and 1. `None`
/// without slices.
///
/// # Errors
/// [`MetricError`] if the lengths differ or a probability is not in 0 to 1; its index counts
/// through the rows.
pub fn competition_log_loss(
    probabilities: &[[f64; LABEL_COUNT]],
    labels: &[[bool; LABEL_COUNT]],
) -> Result<Option<f64>, MetricError> {
    lengths("probability rows", probabilities.len(), "label rows", labels.len())?;
    check_probabilities(probabilities.as_flattened())?;
    Ok(mean(
        probabilities.iter().zip(labels).map(|(row, labels)| row_competition_loss(row, labels)),
    ))
}

/// Brier score: the mean squared distance of the probabilities from the labels. `None` without
/// items.
///
/// # Errors
/// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
pub fn brier(probabilities: &[f64], labels: &[bool]) -> Result<Option<f64>, MetricError> {
    check(probabilities, labels)?;
    Ok(mean(probabilities.iter().zip(labels).map(|(&p, &label)| item_brier(p, label))))
}

/// [`brier`] with a weight (at least 0) for each item; `None` also if all weights are 0.
///
/// # Errors
/// [`MetricError`] as of [`brier`], or if a weight is negative or not finite.
pub fn brier_weighted(
    probabilities: &[f64],
    labels: &[bool],
    weights: &[f64],
) -> Result<Option<f64>, MetricError> {
    check(probabilities, labels)?;
    weighted(probabilities.iter().zip(labels).map(|(&p, &label)| item_brier(p, label)), weights)
}

fn check(probabilities: &[f64], labels: &[bool]) -> Result<(), MetricError> {
    same_length(probabilities, labels)?;
    check_probabilities(probabilities)
}

fn nats(probability: f64, label: bool, clip: f64) -> f64 {
    let probability = probability.clamp(clip, 1.0 - clip);
    // ln_1p keeps the digits of a small probability that 1 − p would lose.
    if label { -probability.ln() } else { -(-probability).ln_1p() }
}

fn weighted(
    values: impl ExactSizeIterator<Item = f64>,
    weights: &[f64],
) -> Result<Option<f64>, MetricError> {
    check_weights(weights, values.len())?;
    let total: f64 = weights.iter().sum();
    let sum: f64 = values.zip(weights).map(|(value, weight)| value * weight).sum();
    Ok((total > 0.0).then(|| sum / total))
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: Result<Option<f64>, MetricError>, expected: f64) {
        let value = value.unwrap().unwrap();
        assert!((value - expected).abs() < 1e-12 * expected.max(1.0), "{value} {expected}");
    }

    #[test]
    fn worked_by_hand() {
        close(log_loss(&[0.5, 0.5], &[true, false]), std::f64::consts::LN_2);
        close(log_loss(&[0.25, 0.9], &[true, false]), -(0.25f64.ln() + 0.1f64.ln()) / 2.0);
        close(brier(&[0.25, 0.9], &[true, false]), (0.75f64.powi(2) + 0.81) / 2.0);
        // One slice: any at .5, the types at .2; only any and subdural are positive.
        let loss = (2.0 * 2f64.ln() + 5f64.ln() - 4.0 * 0.8f64.ln()) / 7.0;
        let labels = [false, false, false, false, true, true];
        close(competition_log_loss(&[[0.2, 0.2, 0.2, 0.2, 0.2, 0.5]], &[labels]), loss);
    }

    #[test]
    fn a_sure_mistake_is_finite_and_the_competition_clips_at_its_own_distance() {
        close(log_loss(&[0.0], &[true]), -f64::EPSILON.ln());
        close(log_loss(&[1.0], &[true]), f64::EPSILON);
        let mistake = competition_log_loss(&[[0.0; 6]], &[[true; 6]]);
        close(mistake, -COMPETITION_CLIP.ln());
    }

    #[test]
    fn what_is_no_probability_is_an_error() {
        assert!(matches!(
            log_loss(&[1.5], &[true]),
            Err(MetricError::Probability { index: 0, .. })
        ));
        assert!(matches!(brier(&[f64::NAN], &[true]), Err(MetricError::NotANumber { index: 0 })));
        assert!(matches!(brier(&[0.5], &[]), Err(MetricError::Lengths { .. })));
        let mut rows = [[0.5; 6]; 2];
        rows[1][2] = -0.1;
        let error = competition_log_loss(&rows, &[[false; 6]; 2]).unwrap_err();
        assert_eq!(error, MetricError::Probability { index: 8, value: -0.1 });
        assert_eq!(log_loss(&[], &[]), Ok(None));
        assert_eq!(competition_log_loss(&[], &[]), Ok(None));
    }
}
