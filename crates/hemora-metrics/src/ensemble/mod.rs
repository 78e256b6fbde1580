//! Several models of the same slices as one, fitted on their out-of-fold predictions: a weighted mean,
//! or boosted trees that read the neighbours too.

mod boosting;
mod data;
mod features;
mod stacking;
mod weighted;
mod weights;

pub use boosting::{StackingFit, fit_stacking};
pub use data::{MOST_MODELS, OutOfFold};
pub use stacking::{MOST_NEIGHBOURS, StackNode, StackedLabel, Stacking};
pub use weighted::{LabelWeights, WeightedMean, fit_weighted_mean, mean_of_models};
pub use weights::fit_weights;

/// Largest distance of the sum of a label's weights from 1: what is written as text and read again
/// is off by less.
const WEIGHT_SUM_TOLERANCE: f64 = 1e-6;

/// Whether numbers are the weights of a mean: at least 0, their sum 1.
pub fn are_weights(weights: &[f64]) -> bool {
    let sum: f64 = weights.iter().sum();
    weights.iter().all(|weight| *weight >= 0.0) && (sum - 1.0).abs() <= WEIGHT_SUM_TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_at_least_0_and_sum_to_1() {
        assert!(are_weights(&[0.25, 0.0, 0.75]) && are_weights(&[0.1; 10]) && are_weights(&[1.0]));
        for wrong in [&[][..], &[0.5, 0.49], &[1.5, -0.5], &[f64::NAN, 1.0], &[f64::INFINITY]] {
            assert!(!are_weights(wrong), "{wrong:?}");
        }
    }
}
