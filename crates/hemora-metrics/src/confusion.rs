//! Decisions at a threshold: counts, accuracy, sensitivity, specificity, F1, MCC.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::error::{check_scores, same_length};

/// How decisions at a threshold agree with the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
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
            counts.add(*score >= threshold, *label, 1);
        }
        Ok(counts)
    }

    /// Counts `times` items with this call and label.
    pub(crate) fn add(&mut self, call: bool, label: bool, times: u64) {
        *match (call, label) {
            (true, true) => &mut self.true_positives,
            (true, false) => &mut self.false_positives,
            (false, false) => &mut self.true_negatives,
            (false, true) => &mut self.false_negatives,
        } += times;
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

    /// The positive predictive value where a share `prevalence` (0 to 1) is positive, by Bayes'
    /// rule from sensitivity and specificity; `None` if one of them is undefined or nothing would
    /// be called positive.
    pub fn positive_predictive_value_at(&self, prevalence: f64) -> Option<f64> {
        let (sensitivity, specificity) = (self.sensitivity()?, self.specificity()?);
        share(sensitivity * prevalence, (1.0 - specificity) * (1.0 - prevalence))
    }

    /// The negative predictive value where a share `prevalence` (0 to 1) is positive; `None` if
    /// sensitivity or specificity is undefined or nothing would be called negative.
    pub fn negative_predictive_value_at(&self, prevalence: f64) -> Option<f64> {
        let (sensitivity, specificity) = (self.sensitivity()?, self.specificity()?);
        share(specificity * (1.0 - prevalence), (1.0 - sensitivity) * prevalence)
    }

    /// F1, the harmonic mean of sensitivity and positive predictive value; `None` if there are
    /// neither positives nor positive calls.
    pub fn f1(&self) -> Option<f64> {
        ratio(2 * self.true_positives, self.false_positives + self.false_negatives)
    }

    /// Matthews correlation coefficient; `None` if a row or column of the table is empty.
    pub fn matthews(&self) -> Option<f64> {
        let [tp, fp, tn, fn_] =
            [self.true_positives, self.false_positives, self.true_negatives, self.false_negatives]
                .map(|count| count as f64);
        let product = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        (product > 0.0).then(|| (tp * tn - fp * fn_) / product.sqrt())
    }
}

fn share(part: f64, rest: f64) -> Option<f64> {
    (part + rest > 0.0).then(|| part / (part + rest))
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
    fn predictive_values_at_a_prevalence_follow_bayes() {
        let counts = Confusion {
            true_positives: 90,
            false_negatives: 10,
            true_negatives: 80,
            false_positives: 20,
        };
        // At the table's own prevalence they are the plain ones.
        let own = counts.positive_predictive_value_at(0.5).unwrap();
        assert!((own - counts.positive_predictive_value().unwrap()).abs() < 1e-15);
        let own = counts.negative_predictive_value_at(0.5).unwrap();
        assert!((own - counts.negative_predictive_value().unwrap()).abs() < 1e-15);
        // Of 1000 with 100 positives: 90 hits, 180 false alarms.
        let rare = counts.positive_predictive_value_at(0.1).unwrap();
        assert!((rare - 90.0 / 270.0).abs() < 1e-15);
        assert_eq!(counts.positive_predictive_value_at(0.0), Some(0.0));
    }

    #[test]
    fn f1_and_matthews_worked_by_hand() {
        let counts = Confusion {
            true_positives: 6,
            false_negatives: 2,
            true_negatives: 3,
            false_positives: 1,
        };
        assert_eq!(counts.f1(), Some(12.0 / 15.0));
        let expected = (18.0 - 2.0) / (7.0f64 * 8.0 * 4.0 * 5.0).sqrt();
        assert!((counts.matthews().unwrap() - expected).abs() < 1e-15);
        let never = Confusion { false_negatives: 2, true_negatives: 2, ..Confusion::default() };
        assert_eq!((never.f1(), never.matthews()), (Some(0.0), None));
        let nothing = Confusion { true_negatives: 2, ..Confusion::default() };
        assert_eq!(nothing.f1(), None);
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
