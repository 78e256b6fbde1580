//! Scores in their order, once: everything that depends on the ranking is read off from here.

use rayon::slice::ParallelSliceMut;

use crate::MetricError;
use crate::curve::{PrecisionRecallPoint, RocPoint};
use crate::error::{check_scores, check_weights, same_length};

/// The weight of positives and negatives at each distinct score, highest score first. One sort
/// gives AUROC, average precision, both curves and every threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    steps: Vec<Step>,
    positives: f64,
    negatives: f64,
}

/// All items of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The score.
    pub score: f64,
    /// Weight of the positives that have it.
    pub positives: f64,
    /// Weight of the negatives that have it.
    pub negatives: f64,
}

impl Ranked {
    /// Sorts items by `scores`; `weights` (at least 0; all 1 if absent) count like
    /// scikit-learn's `sample_weight`.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ, a score is not a number, or a weight is negative or
    /// not finite.
    pub fn new(
        scores: &[f64],
        labels: &[bool],
        weights: Option<&[f64]>,
    ) -> Result<Self, MetricError> {
        same_length(scores, labels)?;
        if let Some(weights) = weights {
            check_weights(weights, scores.len())?;
        }
        Ok(Self::in_order(&descending(scores)?, scores, labels, weights))
    }

    /// [`Ranked::new`] of checked items whose [`descending`] order is known.
    pub(crate) fn in_order(
        order: &[usize],
        scores: &[f64],
        labels: &[bool],
        weights: Option<&[f64]>,
    ) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for &index in order {
            let score = scores[index];
            // Compared by value: 0 and −0 are one score.
            if steps.last().is_none_or(|step| step.score != score) {
                steps.push(Step { score, positives: 0.0, negatives: 0.0 });
            }
            let weight = weights.map_or(1.0, |weights| weights[index]);
            if let Some(step) = steps.last_mut() {
                *(if labels[index] { &mut step.positives } else { &mut step.negatives }) += weight;
            }
        }
        let positives = steps.iter().map(|step| step.positives).sum();
        let negatives = steps.iter().map(|step| step.negatives).sum();
        Self { steps, positives, negatives }
    }

    /// The distinct scores, highest first.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Weight of all positives.
    pub fn positives(&self) -> f64 {
        self.positives
    }

    /// Weight of all negatives.
    pub fn negatives(&self) -> f64 {
        self.negatives
    }

    /// Area under the receiver operating characteristic: the probability that a random positive
    /// scores higher than a random negative, ties counting half. `None` if there are no positives
    /// or no negatives.
    pub fn auroc(&self) -> Option<f64> {
        if self.positives <= 0.0 || self.negatives <= 0.0 {
            return None;
        }
        let mut above = 0.0;
        let mut area = 0.0;
        for step in &self.steps {
            area += step.negatives * (above + step.positives / 2.0);
            above += step.positives;
        }
        Some(area / self.positives / self.negatives)
    }

    /// Average precision: the mean of the precision at each threshold, weighted by the recall it
    /// adds, without interpolation. `None` if there are no positives.
    pub fn average_precision(&self) -> Option<f64> {
        if self.positives <= 0.0 {
            return None;
        }
        let (mut hits, mut all, mut sum) = (0.0, 0.0, 0.0);
        for step in &self.steps {
            hits += step.positives;
            all += step.positives + step.negatives;
            if all > 0.0 {
                sum += step.positives * hits / all;
            }
        }
        Some(sum / self.positives)
    }

    /// The receiver operating characteristic, a point for each distinct score after the one where
    /// nothing is called positive (threshold infinity). `None` if there are no positives or no
    /// negatives.
    pub fn roc(&self) -> Option<Vec<RocPoint>> {
        if self.positives <= 0.0 || self.negatives <= 0.0 {
            return None;
        }
        let mut points = Vec::with_capacity(self.steps.len() + 1);
        let (mut hits, mut alarms) = (0.0, 0.0);
        points.push(RocPoint {
            threshold: f64::INFINITY,
            false_positive_rate: 0.0,
            sensitivity: 0.0,
        });
        for step in &self.steps {
            hits += step.positives;
            alarms += step.negatives;
            points.push(RocPoint {
                threshold: step.score,
                false_positive_rate: alarms / self.negatives,
                sensitivity: hits / self.positives,
            });
        }
        Some(points)
    }

    /// The precision–recall curve, a point for each distinct score with some weight above it.
    /// `None` if there are no positives.
    pub fn precision_recall(&self) -> Option<Vec<PrecisionRecallPoint>> {
        if self.positives <= 0.0 {
            return None;
        }
        let mut points = Vec::with_capacity(self.steps.len());
        let (mut hits, mut all) = (0.0, 0.0);
        for step in &self.steps {
            hits += step.positives;
            all += step.positives + step.negatives;
            if all > 0.0 {
                let (precision, recall) = (hits / all, hits / self.positives);
                points.push(PrecisionRecallPoint { threshold: step.score, precision, recall });
            }
        }
        Some(points)
    }
}

/// Indices of the scores, the highest first; equal scores in the order of the items.
///
/// # Errors
/// [`MetricError::NotANumber`] if a score is not a number.
pub(crate) fn descending(scores: &[f64]) -> Result<Vec<usize>, MetricError> {
    check_scores(scores)?;
    let mut keyed: Vec<(u64, usize)> =
        scores.iter().enumerate().map(|(index, &score)| (descending_key(score), index)).collect();
    keyed.par_sort_unstable();
    Ok(keyed.into_iter().map(|(_, index)| index).collect())
}

/// An integer that falls while the score grows; sorting integers is faster than comparing floats.
fn descending_key(score: f64) -> u64 {
    // −0 + 0 is 0.
    let bits = (score + 0.0).to_bits();
    let ascending = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    !ascending
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_numbers() {
        let scores = [0.5, f64::INFINITY, -1.0, 0.0, -0.0, f64::NEG_INFINITY, 1e-300, 0.5];
        assert_eq!(descending(&scores), Ok(vec![1, 0, 7, 6, 3, 4, 2, 5]));
        assert_eq!(descending(&[0.0, f64::NAN]), Err(MetricError::NotANumber { index: 1 }));
    }

    #[test]
    fn curves_worked_by_hand() {
        let scores = [0.8, 0.4, 0.4, 0.1];
        let ranked = Ranked::new(&scores, &[true, true, false, false], None).unwrap();
        let roc: Vec<_> = ranked.roc().unwrap();
        let points: Vec<(f64, f64)> =
            roc.iter().map(|point| (point.false_positive_rate, point.sensitivity)).collect();
        assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        let curve = ranked.precision_recall().unwrap();
        let points: Vec<(f64, f64)> =
            curve.iter().map(|point| (point.recall, point.precision)).collect();
        assert_eq!(points, [(0.5, 1.0), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
    }

    #[test]
    fn one_class_has_no_curve() {
        let ranked = Ranked::new(&[0.1, 0.2], &[false, false], None).unwrap();
        assert_eq!((ranked.roc(), ranked.precision_recall()), (None, None));
        let ranked = Ranked::new(&[0.1, 0.2], &[true, true], None).unwrap();
        assert_eq!(ranked.roc(), None);
        assert_eq!(ranked.precision_recall().unwrap().len(), 2);
    }
}
