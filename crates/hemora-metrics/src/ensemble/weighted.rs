//! A weighted mean of models for each label, measured by weights that were fitted on other folds.

use hemora_ct::{LABEL_COUNT, Label};

use super::data::OutOfFold;
use super::weights::fit_weights;
use crate::MetricError;

/// The weights of all labels and what they give out of fold.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedMean {
    /// In label order.
    pub labels: Vec<LabelWeights>,
    /// Probabilities of each slice by weights that were fitted on the other folds.
    pub out_of_fold: Vec<[f32; LABEL_COUNT]>,
}

/// The weights of one label.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelWeights {
    /// The label.
    pub label: Label,
    /// Slices of which it is known.
    pub items: u64,
    /// Positives among them.
    pub positives: u64,
    /// The weights of the models, fitted on all folds: at least 0, their sum 1.
    pub weights: Vec<f64>,
    /// Whether they were fitted; else they are equal, since there were too few positives or negatives.
    pub fitted: bool,
}

/// Fits the weights of every label on all folds, and on all but each fold for the probabilities out of
/// fold.
///
/// # Errors
/// None that [`OutOfFold::new`] does not find.
pub fn fit_weighted_mean(data: &OutOfFold) -> Result<WeightedMean, MetricError> {
    let mut out_of_fold = vec![[0f32; LABEL_COUNT]; data.slices()];
    let mut labels = Vec::with_capacity(LABEL_COUNT);
    let equal = || vec![1.0 / data.models() as f64; data.models()];
    for label in Label::ALL {
        let known = data.known(label, None);
        let positives = known.iter().filter(|&&it| data.truth(it, label) == Some(true)).count();
        for fold in data.folds() {
            let fitted = fit(data, label, &data.known(label, Some(fold)))?;
            let weights = fitted.unwrap_or_else(equal);
            for slice in (0..data.slices()).filter(|&slice| data.fold(slice) == fold) {
                out_of_fold[slice][label.index()] = weighted(data, label, slice, &weights);
            }
        }
        let fitted = fit(data, label, &known)?;
        labels.push(LabelWeights {
            label,
            items: known.len() as u64,
            positives: positives as u64,
            fitted: fitted.is_some(),
            weights: fitted.unwrap_or_else(equal),
        });
    }
    Ok(WeightedMean { labels, out_of_fold })
}

/// The mean of the models, slice by slice.
pub fn mean_of_models(data: &OutOfFold) -> Vec<[f32; LABEL_COUNT]> {
    let weights = vec![1.0 / data.models() as f64; data.models()];
    let mean = |slice: usize| Label::ALL.map(|label| weighted(data, label, slice, &weights));
    (0..data.slices()).map(mean).collect()
}

fn fit(data: &OutOfFold, label: Label, slices: &[usize]) -> Result<Option<Vec<f64>>, MetricError> {
    let model = |model: usize| -> Vec<f64> {
        slices.iter().map(|&slice| data.probability(model, slice, label)).collect()
    };
    let models: Vec<Vec<f64>> = (0..data.models()).map(model).collect();
    let truth: Vec<bool> = slices.iter().filter_map(|&slice| data.truth(slice, label)).collect();
    fit_weights(&models, &truth)
}

fn weighted(data: &OutOfFold, label: Label, slice: usize, weights: &[f64]) -> f32 {
    let of = |(model, weight): (usize, &f64)| weight * data.probability(model, slice, label);
    let sum: f64 = weights.iter().enumerate().map(of).sum();
    // Rounding may leave a mean of ones above 1.
    sum.clamp(0.0, 1.0) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two models: the first is right in two of four folds, the second in the others. The labels of
    /// the last fold may be others than the models think.
    fn data(last_is_as_they_think: bool) -> OutOfFold {
        let (mut models, mut labels, mut folds) = (vec![vec![], vec![]], vec![], vec![]);
        for slice in 0..160u32 {
            let fold = slice / 40;
            let bleeds = slice % 3 == 0;
            let right = if bleeds { 0.8 } else { 0.1 + 0.001 * slice as f32 };
            let guess = 0.4 - 0.001 * (slice % 7) as f32;
            let both = if fold < 2 { [right, guess] } else { [guess, right] };
            for (model, value) in models.iter_mut().zip(both) {
                model.push([0.5, 0.5, 0.5, 0.5, 0.5, value]);
            }
            let other = (slice % 2 == 0).then_some(false);
            let any = bleeds == (fold < 3 || last_is_as_they_think);
            labels.push([other, other, other, other, other, Some(any)]);
            folds.push(fold);
        }
        OutOfFold::new(models, labels, folds).unwrap()
    }

    #[test]
    fn what_is_out_of_fold_does_not_depend_on_the_labels_of_the_fold() {
        let (one, other) = (data(true), data(false));
        let (one, other) = (fit_weighted_mean(&one).unwrap(), fit_weighted_mean(&other).unwrap());
        assert_eq!(one.out_of_fold[120..], other.out_of_fold[120..]);
        for fold in 0..2 {
            let slices = 40 * fold..40 * (fold + 1);
            assert_ne!(one.out_of_fold[slices.clone()], other.out_of_fold[slices], "{fold}");
        }
        let (any, changed) = (&one.labels[5], &other.labels[5]);
        assert!(any.fitted && (0.2..0.8).contains(&any.weights[0]), "{any:?}");
        assert!(changed.weights[0] > any.weights[0] + 0.1, "{changed:?}");
        assert_eq!((any.items, any.positives), (160, 54));
        // The last fold's weights are those of the first three.
        let data = data(true);
        let weights = fit(&data, Label::Any, &data.known(Label::Any, Some(3))).unwrap().unwrap();
        let expected = weighted(&data, Label::Any, 130, &weights);
        assert_eq!(one.out_of_fold[130][5], expected);
    }

    #[test]
    fn a_label_of_one_class_gets_equal_weights_and_says_so() {
        let fitted = fit_weighted_mean(&data(true)).unwrap();
        let none = &fitted.labels[0];
        assert_eq!((none.items, none.positives, none.fitted), (80, 0, false));
        assert_eq!(none.weights, [0.5, 0.5]);
        assert!(fitted.out_of_fold.iter().all(|row| row[0] == 0.5));
    }

    #[test]
    fn means_are_those_of_the_models() {
        let data = data(true);
        let [one, other] = [0, 1].map(|model| data.probability(model, 9, Label::Any));
        assert!((f64::from(mean_of_models(&data)[9][5]) - (one + other) / 2.0).abs() < 1e-7);
    }
}
