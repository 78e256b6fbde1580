//! The weights of a mean with the least log loss: a convex problem over a simplex, which pairwise
//! Frank–Wolfe steps with exact line searches solve (Lacoste-Julien and Jaggi 2015).

use crate::MetricError;
use crate::error::{check_probabilities, same_length};

/// Fewer positives or negatives than these are not fitted on.
const FEW: usize = 5;

/// Furthest that the loss may be above the least, nats per slice.
const GAP: f64 = 1e-9;

/// Steps; a few dozen are usual.
const STEPS: usize = 2000;

/// Halvings of a line search: the step is exact to the last digits.
const HALVINGS: usize = 60;

/// The weights, at least 0 and with a sum of 1, of the mean of several models' probabilities with the
/// least log loss on `truth`. Models with equal predictions get the same weight. `None` if there are fewer
/// than five positives or negatives, which determine nothing.
///
/// Each of `models` has one probability for each item. The same input always gives the same weights.
///
/// # Errors
/// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
pub fn fit_weights(models: &[Vec<f64>], truth: &[bool]) -> Result<Option<Vec<f64>>, MetricError> {
    for model in models {
        same_length(model, truth)?;
        check_probabilities(model)?;
    }
    let positives = truth.iter().filter(|label| **label).count();
    if models.is_empty() || positives < FEW || truth.len() - positives < FEW {
        return Ok(None);
    }
    // Of models with equal predictions only the first takes part, and shares its weight afterwards.
    let first: Vec<usize> = (0..models.len())
        .map(|at| (0..at).find(|&other| models[other] == models[at]).unwrap_or(at))
        .collect();
    let distinct: Vec<usize> = (0..models.len()).filter(|&at| first[at] == at).collect();
    let likelihoods: Vec<Vec<f64>> =
        distinct.iter().map(|&at| likelihoods(&models[at], truth)).collect();
    let fitted = least_loss(&likelihoods);
    let share = |at: usize| {
        let position = distinct.iter().position(|&it| it == first[at]).unwrap_or_default();
        let sharing = first.iter().filter(|&&it| it == first[at]).count();
        fitted[position] / sharing as f64
    };
    Ok(Some((0..models.len()).map(share).collect()))
}

/// Probability that a model gives to the label that each item has, kept away from 0 as in the log loss.
fn likelihoods(probabilities: &[f64], truth: &[bool]) -> Vec<f64> {
    let of = |(&p, &label): (&f64, &bool)| if label { p } else { 1.0 - p };
    probabilities.iter().zip(truth).map(|both| of(both).max(f64::EPSILON)).collect()
}

/// Weights of the mixture of `likelihoods` with the greatest mean logarithm.
fn least_loss(likelihoods: &[Vec<f64>]) -> Vec<f64> {
    let models = likelihoods.len();
    let items = likelihoods[0].len() as f64;
    let mut weights = vec![1.0 / models as f64; models];
    for _ in 0..STEPS {
        let mixed = mixture(likelihoods, &weights);
        let slope = |model: usize| {
            let ratios = likelihoods[model].iter().zip(&mixed).map(|(one, all)| one / all);
            ratios.sum::<f64>() / items
        };
        let slopes: Vec<f64> = (0..models).map(slope).collect();
        let by_slope = |&a: &usize, &b: &usize| slopes[a].total_cmp(&slopes[b]);
        // The first of equals, so that the result does not depend on anything else.
        let best = (0..models).rev().max_by(by_slope).unwrap_or_default();
        let worst = (0..models).filter(|&it| weights[it] > 0.0).min_by(by_slope).unwrap_or(best);
        // The logarithm is concave: nowhere is the mean more than this above the present one.
        if slopes[best] - 1.0 <= GAP || best == worst {
            break;
        }
        let step = step(&mixed, &likelihoods[best], &likelihoods[worst], weights[worst]);
        weights[best] += step;
        // All of it, without what rounding would leave.
        weights[worst] = if step == weights[worst] { 0.0 } else { weights[worst] - step };
    }
    // Steps keep the sum but for rounding.
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

fn mixture(likelihoods: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let mut mixed = vec![0.0; likelihoods[0].len()];
    for (likelihoods, weight) in likelihoods.iter().zip(weights) {
        for (sum, likelihood) in mixed.iter_mut().zip(likelihoods) {
            *sum += weight * likelihood;
        }
    }
    mixed
}

/// How much weight, up to `most`, should go from one model to the other.
fn step(mixed: &[f64], to: &[f64], from: &[f64], most: f64) -> f64 {
    let slope = |step: f64| {
        let of = |((mixed, to), from): ((&f64, &f64), &f64)| {
            (to - from) / (mixed + step * (to - from)).max(f64::MIN_POSITIVE)
        };
        mixed.iter().zip(to).zip(from).map(of).sum::<f64>()
    };
    if slope(most) >= 0.0 {
        return most;
    }
    let (mut low, mut high) = (0.0, most);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{log_loss, sigmoid};

    /// Models of one truth with noise of their own in the log-odds.
    fn models(noise: &[f64], items: usize) -> (Vec<Vec<f64>>, Vec<bool>) {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let truth: Vec<bool> = (0..items).map(|item| item % 4 == 0).collect();
        let mut model = |noise: f64| -> Vec<f64> {
            let of = |&label: &bool| {
                let odds = if label { 1.5 } else { -2.0 };
                sigmoid(odds + noise * (2.0 * rng.random::<f64>() - 1.0))
            };
            truth.iter().map(of).collect()
        };
        (noise.iter().map(|&noise| model(noise)).collect(), truth)
    }

    fn loss(models: &[Vec<f64>], truth: &[bool], weights: &[f64]) -> f64 {
        let mean = |item: usize| models.iter().zip(weights).map(|(it, w)| w * it[item]).sum();
        let mean: Vec<f64> = (0..truth.len()).map(mean).collect();
        log_loss(&mean, truth).unwrap().unwrap()
    }

    #[test]
    fn no_other_weights_have_less_loss() {
        let (models, truth) = models(&[2.0, 5.0, 3.0], 600);
        let fitted = fit_weights(&models, &truth).unwrap().unwrap();
        assert!((fitted.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{fitted:?}");
        assert!(fitted.iter().all(|weight| *weight >= 0.0));
        let least = loss(&models, &truth, &fitted);
        for a in 0..=50 {
            for b in 0..=50 - a {
                let (a, b) = (f64::from(a) / 50.0, f64::from(b) / 50.0);
                let other = loss(&models, &truth, &[a, b, (1.0 - a - b).max(0.0)]);
                assert!(other >= least - 1e-9, "{a} {b}: {other} < {least}");
            }
        }
        assert!(least < loss(&models, &truth, &[1.0 / 3.0; 3]) - 1e-4);
        assert_eq!(fit_weights(&models, &truth).unwrap().unwrap(), fitted);
    }

    #[test]
    fn a_model_of_the_truth_gets_all_weight_and_one_of_nonsense_none() {
        let (mut models, truth) = models(&[1.0], 400);
        models.push(truth.iter().map(|&label| if label { 0.02 } else { 0.98 }).collect());
        let weights = fit_weights(&models, &truth).unwrap().unwrap();
        assert_eq!(weights, [1.0, 0.0]);
        models.push(truth.iter().map(|&label| f64::from(u8::from(label))).collect());
        assert_eq!(fit_weights(&models, &truth).unwrap().unwrap(), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn equals_share_and_the_order_does_not_matter() {
        let (models, truth) = models(&[2.0, 3.0], 400);
        let plain = fit_weights(&models, &truth).unwrap().unwrap();
        let doubled = [models[1].clone(), models[0].clone(), models[1].clone()];
        let weights = fit_weights(&doubled, &truth).unwrap().unwrap();
        assert_eq!(weights[0], weights[2]);
        assert!((weights[1] - plain[0]).abs() < 1e-6, "{weights:?} {plain:?}");
        let same = vec![models[0].clone(); 3];
        assert_eq!(fit_weights(&same, &truth).unwrap().unwrap(), [1.0 / 3.0; 3]);
    }

    #[test]
    fn sure_mistakes_of_every_model_are_finite() {
        let truth: Vec<bool> = (0..20).map(|item| item % 2 == 0).collect();
        let sure = |mistakes: usize| -> Vec<f64> {
            let of =
                |(item, &label): (usize, &bool)| f64::from(u8::from(label != (item < mistakes)));
            truth.iter().enumerate().map(of).collect()
        };
        let weights = fit_weights(&[sure(2), sure(3)], &truth).unwrap().unwrap();
        assert!(weights.iter().all(|weight| weight.is_finite()), "{weights:?}");
        assert!(weights[0] > weights[1], "{weights:?}");
    }

    #[test]
    fn one_class_or_few_of_one_determine_nothing() {
        let half = vec![vec![0.5; 40]; 2];
        for positives in [0, 1, 4, 36, 40] {
            let truth: Vec<bool> = (0..40).map(|item| item < positives).collect();
            assert_eq!(fit_weights(&half, &truth).unwrap(), None, "{positives}");
        }
        assert_eq!(fit_weights(&[], &[]).unwrap(), None);
        let truth = [true, false];
        assert!(fit_weights(&[vec![0.5, f64::NAN]], &truth).is_err());
        assert!(fit_weights(&[vec![0.5]], &truth).is_err());
    }
}
