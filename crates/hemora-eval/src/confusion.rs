//! Decisions at a threshold: counts, accuracy, sensitivity, specificity.

use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::error::{check_scores, same_length};

/// How decisions at a threshold agree with the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    /// Positives called positive.
    pub true_positives: u64,
    /// Negatives called positive.
    pub false_positives: u64,
    /// Negatives called negative.
    pub true_negatives: u64,
    /// Positives called negative.
    pub false_negatives: u64,
}

impl Confusion {
    /// Counts with every score of at least `threshold` called positive.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ, or a score or the threshold is not a number.
    pub fn at(scores: &[f64], labels: &[bool], threshold: f64) -> Result<Self, MetricError> {
        same_length(scores, labels)?;
        check_scores(scores)?;
        if threshold.is_nan() {
            let (option, value) = ("threshold", threshold.to_string());
            return Err(MetricError::Option { option, value, expected: "a number" });
        }
        let mut counts = Self::default();
        for (score, label) in scores.iter().zip(labels) {
            *match (*score >= threshold, label) {
                (true, true) => &mut counts.true_positives,
                (true, false) => &mut counts.false_positives,
                (false, false) => &mut counts.true_negatives,
                (false, true) => &mut counts.false_negatives,
            } += 1;
        }
        Ok(counts)
    }

    /// Part of the decisions that are right; `None` without items.
    pub fn accuracy(&self) -> Option<f64> {
        let right = self.true_positives + self.true_negatives;
        ratio(right, self.false_positives + self.false_negatives)
    }

    /// Part of the positives that are called positive (recall); `None` without positives.
    pub fn sensitivity(&self) -> Option<f64> {
        ratio(self.true_positives, self.false_negatives)
    }

    /// Part of the negatives that are called negative; `None` without negatives.
    pub fn specificity(&self) -> Option<f64> {
        ratio(self.true_negatives, self.false_positives)
    }

    /// Part of the positive calls that are right (precision); `None` without positive calls.
    pub fn positive_predictive_value(&self) -> Option<f64> {
        ratio(self.true_positives, self.false_positives)
    }

    /// Part of the negative calls that are right; `None` without negative calls.
    pub fn negative_predictive_value(&self) -> Option<f64> {
        ratio(self.true_negatives, self.false_negatives)
    }
}

fn ratio(part: u64, rest: u64) -> Option<f64> {
    let whole = part + rest;
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_itself_is_positive() {
        let scores = [0.9, 0.5, 0.4, 0.5, 0.1, 0.2];
        let labels = [true, true, true, false, false, false];
        let counts = Confusion::at(&scores, &labels, 0.5).unwrap();
        let expected = Confusion {
            true_positives: 2,
            false_positives: 1,
            true_negatives: 2,
            false_negatives: 1,
        };
        assert_eq!(counts, expected);
        assert_eq!(counts.accuracy(), Some(4.0 / 6.0));
        assert_eq!(counts.sensitivity(), Some(2.0 / 3.0));
        assert_eq!(counts.specificity(), Some(2.0 / 3.0));
        let all = Confusion::at(&scores, &labels, 0.0).unwrap();
        assert_eq!((all.sensitivity(), all.specificity()), (Some(1.0), Some(0.0)));
        assert_eq!(
            (all.positive_predictive_value(), all.negative_predictive_value()),
            (Some(0.5), None)
        );
    }

    #[test]
    fn one_class_leaves_ratios_undefined() {
        let counts = Confusion::at(&[0.1], &[false], 0.5).unwrap();
        assert_eq!((counts.sensitivity(), counts.specificity()), (None, Some(1.0)));
        assert_eq!(Confusion::default().accuracy(), None);
        assert!(Confusion::at(&[f64::NAN], &[true], 0.5).is_err());
        assert!(Confusion::at(&[0.5], &[true], f64::NAN).is_err());
        assert!(Confusion::at(&[0.5], &[], 0.5).is_err());
    }
}
