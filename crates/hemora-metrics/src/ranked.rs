//! Scores in their order, once: everything that depends on the ranking is read off from here.

use crate::MetricError;
use crate::curve::{PrecisionRecallPoint, RocPoint};
use crate::error::{check_weights, same_length};
use crate::order::Order;

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
        Ok(Self::in_order(&Order::descending(scores)?, labels, weights))
    }

    /// [`Ranked::new`] of checked items whose order is known.
    pub(crate) fn in_order(order: &Order, labels: &[bool], weights: Option<&[f64]>) -> Self {
        let mut steps: Vec<Step> = Vec::with_capacity(order.entries().len());
        for tied in order.entries().chunk_by(|one, other| one.ties(*other)) {
            let mut step = Step { score: tied[0].score(), positives: 0.0, negatives: 0.0 };
            for item in tied.iter().map(|entry| entry.item()) {
                let weight = weights.map_or(1.0, |weights| weights[item]);
                *(if labels[item] { &mut step.positives } else { &mut step.negatives }) += weight;
            }
            steps.push(step);
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

    /// The points of [`Ranked::roc`] as `[1 − specificity, sensitivity]`; none if it is undefined.
    pub(crate) fn roc_points(&self) -> impl Iterator<Item = [f64; 2]> + Clone {
        let steps =
            if self.positives > 0.0 && self.negatives > 0.0 { &self.steps[..] } else { &[] };
        let start = (!steps.is_empty()).then_some([0.0; 2]);
        let (mut hits, mut alarms) = (0.0, 0.0);
        start.into_iter().chain(steps.iter().map(move |step| {
            hits += step.positives;
            alarms += step.negatives;
            [alarms / self.negatives, hits / self.positives]
        }))
    }

    /// The points of [`Ranked::precision_recall`] as `[recall, precision]`; none if it is undefined.
    pub(crate) fn precision_points(&self) -> impl Iterator<Item = [f64; 2]> + Clone {
        let steps = if self.positives > 0.0 { &self.steps[..] } else { &[] };
        let (mut hits, mut all) = (0.0, 0.0);
        steps.iter().filter_map(move |step| {
            hits += step.positives;
            all += step.positives + step.negatives;
            (all > 0.0).then(|| [hits / self.positives, hits / all])
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_worked_by_hand() {
        let scores = [0.8, 0.4, 0.4, 0.1];
        let ranked = Ranked::new(&scores, &[true, true, false, false], None).unwrap();
        let roc: Vec<_> = ranked.roc().unwrap();
        let points: Vec<(f64, f64)> =
            roc.iter().map(|point| (point.false_positive_rate, point.sensitivity)).collect();
        assert_eq!(points, [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        assert!(ranked.roc_points().eq(points.into_iter().map(|(x, y)| [x, y])));
        let curve = ranked.precision_recall().unwrap();
        let points: Vec<(f64, f64)> =
            curve.iter().map(|point| (point.recall, point.precision)).collect();
        assert_eq!(points, [(0.5, 1.0), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
        assert!(ranked.precision_points().eq(points.into_iter().map(|(x, y)| [x, y])));
    }

    #[test]
    fn one_class_has_no_curve() {
        let ranked = Ranked::new(&[0.1, 0.2], &[false, false], None).unwrap();
        assert_eq!((ranked.roc(), ranked.precision_recall()), (None, None));
        assert_eq!(ranked.roc_points().count() + ranked.precision_points().count(), 0);
        let ranked = Ranked::new(&[0.1, 0.2], &[true, true], None).unwrap();
        assert_eq!(ranked.roc(), None);
        assert_eq!(ranked.precision_recall().unwrap().len(), 2);
    }
}
