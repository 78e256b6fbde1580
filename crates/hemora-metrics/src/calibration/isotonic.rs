//! Isotonic regression: the best map that never falls, by pooling adjacent violators.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::Ranked;
use crate::error::check_probabilities;

/// A map that never falls: straight between its points, level beyond them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Isotonic {
    /// Probabilities of the model, ascending.
    pub from: Vec<f64>,
    /// Calibrated probabilities at these, never falling; as many.
    pub to: Vec<f64>,
}

impl Isotonic {
    /// Least squares over all maps that never fall, as scikit-learn's `IsotonicRegression` with
    /// `out_of_bounds="clip"`. It may give 0 and 1, and ties. `None` without items.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
    pub fn fit(probabilities: &[f64], labels: &[bool]) -> Result<Option<Self>, MetricError> {
        check_probabilities(probabilities)?;
        let ranked = Ranked::new(probabilities, labels, None)?;
        // Blocks of neighbouring scores with one value: first and last score, positives, items.
        let mut blocks: Vec<(f64, f64, f64, f64)> = Vec::new();
        for step in ranked.steps().iter().rev() {
            let items = step.positives + step.negatives;
            let mut block = (step.score, step.score, step.positives, items);
            while let Some(&before) = blocks.last() {
                // Shares compared as products of whole numbers, which are exact.
                if before.2 * block.3 < block.2 * before.3 {
                    break;
                }
                block = (before.0, block.1, before.2 + block.2, before.3 + block.3);
                blocks.pop();
            }
            blocks.push(block);
        }
        let mut map = Self { from: Vec::new(), to: Vec::new() };
        for (first, last, positives, items) in blocks {
            map.from.push(first);
            map.to.push(positives / items);
            if last > first {
                map.from.push(last);
                map.to.push(positives / items);
            }
        }
        Ok((!map.from.is_empty()).then_some(map))
    }

    /// The calibrated probability.
    pub fn apply(&self, probability: f64) -> f64 {
        let above = self.from.partition_point(|from| *from < probability);
        let (Some(&first), Some(&last)) = (self.to.first(), self.to.last()) else {
            return probability;
        };
        if above == 0 {
            return first;
        }
        let Some(&right) = self.from.get(above) else { return last };
        let (left, low, high) = (self.from[above - 1], self.to[above - 1], self.to[above]);
        low + (high - low) * (probability - left) / (right - left)
    }

    /// Whether the points can be used: as many of each, at least one, ascending, within 0 to 1.
    pub(crate) fn is_sound(&self) -> bool {
        let within = |values: &[f64]| values.iter().all(|value| (0.0..=1.0).contains(value));
        !self.from.is_empty()
            && self.from.len() == self.to.len()
            && within(&self.from)
            && within(&self.to)
            && self.from.windows(2).all(|pair| pair[0] < pair[1])
            && self.to.windows(2).all(|pair| pair[0] <= pair[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violators_are_pooled() {
        let probabilities = [0.1, 0.2, 0.3, 0.4, 0.5];
        let labels = [false, true, false, true, true];
        let map = Isotonic::fit(&probabilities, &labels).unwrap().unwrap();
        assert_eq!(map.from, [0.1, 0.2, 0.3, 0.4, 0.5]);
        assert_eq!(map.to, [0.0, 0.5, 0.5, 1.0, 1.0]);
        assert_eq!((map.apply(0.0), map.apply(0.25), map.apply(0.9)), (0.0, 0.5, 1.0));
        assert!((map.apply(0.15) - 0.25).abs() < 1e-15);
        assert!(map.is_sound());
    }

    #[test]
    fn reversed_scores_are_one_level() {
        let map = Isotonic::fit(&[0.9, 0.1, 0.5], &[false, true, false]).unwrap().unwrap();
        assert_eq!(map.from, [0.1, 0.9]);
        assert!((map.apply(0.4) - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(Isotonic::fit(&[], &[]), Ok(None));
        assert!(!Isotonic { from: vec![0.2, 0.1], to: vec![0.1, 0.2] }.is_sound());
        assert!(!Isotonic { from: vec![0.2], to: vec![f64::NAN] }.is_sound());
    }
}
