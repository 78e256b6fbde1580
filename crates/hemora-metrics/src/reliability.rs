//! Whether probabilities mean what they say: the reliability curve and the calibration error.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::MetricError;
use crate::error::{check_probabilities, check_weights, same_length};

/// Most bins of a reliability curve.
const MAX_BINS: usize = 1000;

/// The items whose probabilities lie in one bin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    /// Lower edge; the bin holds what lies above it, the first also 0.
    pub low: f64,
    /// Upper edge, which belongs to the bin.
    pub high: f64,
    /// Weight (number) of the items.
    pub weight: f64,
    /// Weight (number) of the positives among them.
    pub positives: f64,
    /// Mean probability.
    pub mean_probability: f64,
    /// Share of positives.
    pub share_positive: f64,
}

/// The reliability curve over `bins` (1 to 1000) bins of equal width, as scikit-learn's
/// `calibration_curve` with `strategy="uniform"`; bins without items are left out. `weights`
/// (at least 0) are all 1 if absent.
///
/// # Errors
/// [`MetricError`] if the lengths differ, a probability is not in 0 to 1, a weight is negative or
/// not finite, or `bins` is out of bounds.
pub fn reliability(
    probabilities: &[f64],
    labels: &[bool],
    weights: Option<&[f64]>,
    bins: usize,
) -> Result<Vec<ReliabilityBin>, MetricError> {
    same_length(probabilities, labels)?;
    check_probabilities(probabilities)?;
    if let Some(weights) = weights {
        check_weights(weights, probabilities.len())?;
    }
    if !(1..=MAX_BINS).contains(&bins) {
        let (option, expected) = ("number of bins", "1 to 1000");
        return Err(MetricError::Option { option, value: bins.to_string(), expected });
    }
    let edges = edges(bins);
    let mut sums = vec![[0.0; 3]; bins];
    for (index, (&probability, &label)) in probabilities.iter().zip(labels).enumerate() {
        let weight = weights.map_or(1.0, |weights| weights[index]);
        let sum = &mut sums[bin_of(probability, &edges)];
        sum[0] += weight;
        sum[1] += weight * probability;
        sum[2] += if label { weight } else { 0.0 };
    }
    let bin = |(index, [weight, probability, positives]): (usize, [f64; 3])| ReliabilityBin {
        low: edges[index],
        high: edges[index + 1],
        weight,
        positives,
        mean_probability: probability / weight,
        share_positive: positives / weight,
    };
    Ok(sums.into_iter().enumerate().filter(|(_, sum)| sum[0] > 0.0).map(bin).collect())
}

/// Expected calibration error of a reliability curve: the mean distance between mean probability
/// and share of positives, weighted by the items of the bins (Naeini et al., AAAI 2015). `None`
/// without items. It depends on the bins and is never below 0, so a small set looks worse than it
/// is.
pub fn expected_calibration_error(bins: &[ReliabilityBin]) -> Option<f64> {
    let total: f64 = bins.iter().map(|bin| bin.weight).sum();
    let distance =
        |bin: &ReliabilityBin| bin.weight * (bin.mean_probability - bin.share_positive).abs();
    (total > 0.0).then(|| bins.iter().map(distance).sum::<f64>() / total)
}

/// Edges of `bins` equal bins, as `numpy.linspace` computes them.
fn edges(bins: usize) -> Vec<f64> {
    let step = 1.0 / bins as f64;
    (0..bins).map(|index| index as f64 * step).chain([1.0]).collect()
}

/// The bin whose upper edge is the first not below `probability`.
fn bin_of(probability: f64, edges: &[f64]) -> usize {
    let last = edges.len() - 2;
    // Near the right one by multiplication; the edges decide.
    let mut bin = ((probability * (last + 1) as f64) as usize).min(last);
    while bin < last && edges[bin + 1] < probability {
        bin += 1;
    }
    while bin > 0 && probability <= edges[bin] {
        bin -= 1;
    }
    bin
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        let probabilities = [0.0, 0.1, 0.5, 0.5, 0.9, 1.0];
        let labels = [false, true, true, false, true, true];
        let bins = reliability(&probabilities, &labels, None, 2).unwrap();
        // The edge 0.5 belongs to the lower bin.
        assert_eq!((bins[0].weight, bins[0].positives), (4.0, 2.0));
        assert!((bins[0].mean_probability - 0.275).abs() < 1e-15);
        assert_eq!((bins[1].weight, bins[1].share_positive), (2.0, 1.0));
        let expected = (4.0 * (0.5 - 0.275) + 2.0 * (1.0 - 0.95)) / 6.0;
        assert!((expected_calibration_error(&bins).unwrap() - expected).abs() < 1e-15);
    }

    #[test]
    fn bins_are_those_of_their_edges() {
        for bins in [1, 2, 7, 10, 1000] {
            let edges = edges(bins);
            let near = |edge: f64| [edge.next_down(), edge, edge.next_up()];
            for probability in edges.iter().flat_map(|&edge| near(edge)) {
                let probability = probability.clamp(0.0, 1.0);
                let searched =
                    edges[1..edges.len() - 1].partition_point(|&edge| edge < probability);
                assert_eq!(bin_of(probability, &edges), searched, "{probability} of {bins}");
            }
        }
    }

    #[test]
    fn empty_bins_are_left_out_and_nothing_has_no_error() {
        let bins = reliability(&[0.05, 0.95], &[false, true], None, 10).unwrap();
        assert_eq!(bins.iter().map(|bin| bin.low).collect::<Vec<_>>(), [0.0, 0.9]);
        let none = reliability(&[], &[], None, 10).unwrap();
        assert_eq!(expected_calibration_error(&none), None);
        assert!(reliability(&[1.1], &[true], None, 10).is_err());
        assert!(reliability(&[0.1], &[true], None, 0).is_err());
        assert!(reliability(&[0.1], &[true], Some(&[-1.0]), 10).is_err());
    }
}
