//! How well scores rank positives above negatives: AUROC and average precision, exact with ties.

use crate::{MetricError, Ranked};

/// Area under the receiver operating characteristic: the probability that a random positive scores
/// higher than a random negative, ties counting half. `None` if there are no positives or no
/// negatives.
///
/// # Errors
/// [`MetricError`] if the lengths differ or a score is not a number.
pub fn auroc(scores: &[f64], labels: &[bool]) -> Result<Option<f64>, MetricError> {
    Ok(Ranked::new(scores, labels, None)?.auroc())
}

/// [`auroc`] with a weight (at least 0) for each item, as scikit-learn's `sample_weight`.
///
/// # Errors
/// [`MetricError`] if the lengths differ, a score is not a number, or a weight is negative or not
/// finite.
pub fn auroc_weighted(
    scores: &[f64],
    labels: &[bool],
    weights: &[f64],
) -> Result<Option<f64>, MetricError> {
    Ok(Ranked::new(scores, labels, Some(weights))?.auroc())
}

/// Average precision: the mean of the precision at each threshold, weighted by the recall it adds,
/// without interpolation. `None` if there are no positives.
///
/// # Errors
/// [`MetricError`] if the lengths differ or a score is not a number.
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Result<Option<f64>, MetricError> {
    Ok(Ranked::new(scores, labels, None)?.average_precision())
}

/// [`average_precision`] with a weight (at least 0) for each item.
///
/// # Errors
/// [`MetricError`] as of [`auroc_weighted`].
pub fn average_precision_weighted(
    scores: &[f64],
    labels: &[bool],
    weights: &[f64],
) -> Result<Option<f64>, MetricError> {
    Ok(Ranked::new(scores, labels, Some(weights))?.average_precision())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        // Pairs: .8 beats both negatives, .4 ties with one (half) and beats the other.
        let scores = [0.8, 0.4, 0.4, 0.1];
        let labels = [true, true, false, false];
        assert_eq!(auroc(&scores, &labels), Ok(Some(3.5 / 4.0)));
        // At .8 precision 1, at .4 precision 2/3; each adds half of the recall.
        assert_eq!(average_precision(&scores, &labels), Ok(Some((1.0 + 2.0 / 3.0) / 2.0)));
        let reversed: Vec<f64> = scores.iter().map(|score| -score).collect();
        assert_eq!(auroc(&reversed, &labels), Ok(Some(0.5 / 4.0)));
        assert_eq!(auroc(&[0.5; 4], &labels), Ok(Some(0.5)));
    }

    #[test]
    fn a_weight_of_two_is_the_item_twice() {
        let scores = [0.8, 0.4, 0.4, 0.1];
        let labels = [true, true, false, false];
        let weighted = auroc_weighted(&scores, &labels, &[1.0, 2.0, 1.0, 0.0]).unwrap();
        assert_eq!(weighted, auroc(&[0.8, 0.4, 0.4, 0.4], &[true, true, true, false]).unwrap());
        let weighted = average_precision_weighted(&scores, &labels, &[1.0, 1.0, 2.0, 1.0]);
        let twice =
            average_precision(&[0.8, 0.4, 0.4, 0.4, 0.1], &[true, true, false, false, false]);
        assert_eq!(weighted, twice);
    }

    #[test]
    fn undefined_is_none_and_not_a_number_is_an_error() {
        assert_eq!(auroc(&[], &[]), Ok(None));
        assert_eq!(auroc(&[0.1, 0.2], &[true, true]), Ok(None));
        assert_eq!(auroc(&[0.1, 0.2], &[false, false]), Ok(None));
        assert_eq!(average_precision(&[0.1], &[false]), Ok(None));
        assert_eq!(auroc_weighted(&[0.1, 0.2], &[true, false], &[0.0, 1.0]), Ok(None));
        let error = auroc(&[0.1, f64::NAN], &[true, false]).unwrap_err();
        assert_eq!(error, MetricError::NotANumber { index: 1 });
        assert!(matches!(auroc(&[0.1], &[]), Err(MetricError::Lengths { .. })));
        for weight in [-1.0, f64::NAN, f64::INFINITY] {
            let error = auroc_weighted(&[0.1, 0.2], &[true, false], &[1.0, weight]).unwrap_err();
            assert!(matches!(error, MetricError::Weight { index: 1, .. }), "{error}");
        }
    }

    #[test]
    fn zero_has_no_sign_and_infinity_is_a_score() {
        assert_eq!(auroc(&[0.0, -0.0], &[true, false]), Ok(Some(0.5)));
        let scores = [f64::INFINITY, f64::NEG_INFINITY];
        assert_eq!(auroc(&scores, &[true, false]), Ok(Some(1.0)));
    }
}
