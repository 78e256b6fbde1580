//! The variance of AUROCs without resampling: DeLong's, and Obuchowski's for clustered items.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bootstrap::check_confidence;
use crate::error::{lengths, same_length};
use crate::order::Order;
use crate::{Clusters, MetricError, normal};

/// An AUROC with its standard error and limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeLong {
    /// The AUROC; `None` of one class.
    pub auroc: Option<f64>,
    /// Its standard error; `None` with fewer than two positives or negatives (of clusters with
    /// either, where items are clustered).
    pub standard_error: Option<f64>,
    /// Lower limit on the logit scale; `None` without a standard error or where it is 0.
    pub low: Option<f64>,
    /// Upper limit, likewise.
    pub high: Option<f64>,
}

/// Two AUROCs of the same items.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairedDeLong {
    /// AUROC of the first scores minus that of the second; `None` of one class.
    pub difference: Option<f64>,
    /// Standard error of the difference.
    pub standard_error: Option<f64>,
    /// Lower limit, on the plain scale.
    pub low: Option<f64>,
    /// Upper limit, likewise.
    pub high: Option<f64>,
    /// Two-sided probability of a difference at least as large if there were none. `None` where
    /// the standard error is undefined or 0.
    pub p_value: Option<f64>,
}

/// AUROC, standard error and logit interval of DeLong et al. (Biometrics 1988;44:837), with the
/// fast ranking of Sun and Xu (IEEE Signal Process Lett 2014;21:1389). With `clusters` the
/// standard error is that of Obuchowski (Biometrics 1997;53:567), which allows for the items of a
/// cluster (patient) being alike. The limits lie within 0 to 1 since they are computed for
/// ln(A/(1 − A)).
///
/// # Errors
/// [`MetricError`] if the lengths differ, a score is not a number, or `confidence` is not between
/// 0 and 1.
pub fn delong(
    scores: &[f64],
    labels: &[bool],
    clusters: Option<&Clusters>,
    confidence: f64,
) -> Result<DeLong, MetricError> {
    check_confidence(confidence)?;
    same_length(scores, labels)?;
    delong_in_order(&Order::descending(scores)?, labels, clusters, confidence)
}

/// [`delong`] of checked items whose order is known.
pub(crate) fn delong_in_order(
    order: &Order,
    labels: &[bool],
    clusters: Option<&Clusters>,
    confidence: f64,
) -> Result<DeLong, MetricError> {
    let placements = Placements::in_order(order, labels);
    let Some(auroc) = placements.auroc() else {
        return Ok(DeLong { auroc: None, standard_error: None, low: None, high: None });
    };
    let variance = covariance(&placements, &placements, labels, clusters)?;
    let standard_error = variance.map(|variance| variance.max(0.0).sqrt());
    let z = normal::quantile(0.5 + confidence / 2.0);
    let limit = |sign: f64| {
        let error = standard_error.filter(|error| *error > 0.0)?;
        let logit = (auroc / (1.0 - auroc)).ln();
        let half = z * error / (auroc * (1.0 - auroc));
        let limit = 1.0 / (1.0 + (-(logit + sign * half)).exp());
        half.is_finite().then_some(limit)
    };
    Ok(DeLong { auroc: Some(auroc), standard_error, low: limit(-1.0), high: limit(1.0) })
}

/// The difference between the AUROCs of two models on the same items, with the test of DeLong et
/// al., or Obuchowski's with `clusters`.
///
/// # Errors
/// [`MetricError`] as of [`delong`].
pub fn delong_paired(
    first: &[f64],
    second: &[f64],
    labels: &[bool],
    clusters: Option<&Clusters>,
    confidence: f64,
) -> Result<PairedDeLong, MetricError> {
    check_confidence(confidence)?;
    let one = Placements::new(first, labels)?;
    let two = Placements::new(second, labels)?;
    let mut paired = PairedDeLong {
        difference: None,
        standard_error: None,
        low: None,
        high: None,
        p_value: None,
    };
    let (Some(a), Some(b)) = (one.auroc(), two.auroc()) else { return Ok(paired) };
    let difference = a - b;
    paired.difference = Some(difference);
    // The placements are linear, so those of the difference are the differences.
    let apart = one.minus(&two);
    let Some(variance) = covariance(&apart, &apart, labels, clusters)? else { return Ok(paired) };
    let error = variance.max(0.0).sqrt();
    paired.standard_error = Some(error);
    if error > 0.0 {
        let z = normal::quantile(0.5 + confidence / 2.0);
        paired.low = Some(difference - z * error);
        paired.high = Some(difference + z * error);
        paired.p_value = Some(normal::two_sided(difference / error));
    }
    Ok(paired)
}

/// Of each positive the share of negatives that it beats, of each negative the share of positives
/// that beat it, ties counting half.
struct Placements {
    values: Vec<f64>,
    /// Mean over the positives, which is that over the negatives: the AUROC.
    mean: f64,
    positives: usize,
    negatives: usize,
}

impl Placements {
    fn new(scores: &[f64], labels: &[bool]) -> Result<Self, MetricError> {
        same_length(scores, labels)?;
        Ok(Self::in_order(&Order::descending(scores)?, labels))
    }

    fn in_order(order: &Order, labels: &[bool]) -> Self {
        let positives = labels.iter().filter(|label| **label).count();
        let negatives = labels.len() - positives;
        let (m, n) = (positives as f64, negatives as f64);
        let mut values = vec![0.0; labels.len()];
        // Positives and negatives above the current score.
        let (mut hits, mut alarms, mut sum) = (0usize, 0usize, 0.0);
        for tied in order.entries().chunk_by(|one, other| one.ties(*other)) {
            let same = tied.iter().filter(|entry| labels[entry.item()]).count();
            let other = tied.len() - same;
            let beaten = (negatives - alarms) as f64 - other as f64 / 2.0;
            let beating = hits as f64 + same as f64 / 2.0;
            for item in tied.iter().map(|entry| entry.item()) {
                values[item] = if labels[item] { beaten / n } else { beating / m };
            }
            sum += same as f64 * beaten;
            hits += same;
            alarms += other;
        }
        Self { values, mean: sum / (m * n), positives, negatives }
    }

    fn auroc(&self) -> Option<f64> {
        (self.positives > 0 && self.negatives > 0).then_some(self.mean)
    }

    fn minus(&self, other: &Self) -> Self {
        let values = self.values.iter().zip(&other.values).map(|(a, b)| a - b).collect();
        Self {
            values,
            mean: self.mean - other.mean,
            positives: self.positives,
            negatives: self.negatives,
        }
    }
}

/// Covariance of two AUROCs of the same items; `None` with too few positives or negatives.
fn covariance(
    one: &Placements,
    two: &Placements,
    labels: &[bool],
    clusters: Option<&Clusters>,
) -> Result<Option<f64>, MetricError> {
    let (m, n) = (one.positives as f64, one.negatives as f64);
    let Some(clusters) = clusters else {
        if one.positives < 2 || one.negatives < 2 {
            return Ok(None);
        }
        let mut sums = [0.0; 2];
        for (item, &label) in labels.iter().enumerate() {
            let product = (one.values[item] - one.mean) * (two.values[item] - two.mean);
            sums[usize::from(label)] += product;
        }
        return Ok(Some(sums[1] / (m - 1.0) / m + sums[0] / (n - 1.0) / n));
    };
    lengths("items", labels.len(), "clusters of items", clusters.of_items().len())?;
    // Per cluster: what its positives and its negatives add beyond their mean, for one and two.
    let mut parts = vec![[0.0; 4]; clusters.len()];
    let mut present = vec![[false; 2]; clusters.len()];
    for ((item, &label), &cluster) in labels.iter().enumerate().zip(clusters.of_items()) {
        let part = &mut parts[cluster as usize];
        let class = usize::from(label);
        part[class] += one.values[item] - one.mean;
        part[2 + class] += two.values[item] - two.mean;
        present[cluster as usize][class] = true;
    }
    let with = |class: usize| present.iter().filter(|present| present[class]).count() as f64;
    let (with_negatives, with_positives, all) = (with(0), with(1), clusters.len() as f64);
    if with_positives < 2.0 || with_negatives < 2.0 {
        return Ok(None);
    }
    let sum = |a: usize, b: usize| parts.iter().map(|part| part[a] * part[b]).sum::<f64>();
    let positive = with_positives / (with_positives - 1.0) * sum(1, 3);
    let negative = with_negatives / (with_negatives - 1.0) * sum(0, 2);
    let crossed = all / (all - 1.0) * (sum(1, 2) + sum(0, 3));
    Ok(Some(positive / (m * m) + negative / (n * n) + crossed / (m * n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        // Positives .9 .6 .4, negatives .5 .2: placements of positives 1, 1, .5; of negatives
        // 2/3 and 1. AUROC 5/6; variances 1/12 / 3 and 1/18 / 2.
        let scores = [0.9, 0.6, 0.4, 0.5, 0.2];
        let labels = [true, true, true, false, false];
        let result = delong(&scores, &labels, None, 0.95).unwrap();
        assert!((result.auroc.unwrap() - 5.0 / 6.0).abs() < 1e-15);
        let variance = 1.0 / 36.0 + 1.0 / 36.0;
        assert!((result.standard_error.unwrap() - f64::sqrt(variance)).abs() < 1e-15);
        let half = 1.959963984540054 * f64::sqrt(variance) / (5.0 / 36.0);
        let low = 1.0 / (1.0 + (-(5f64.ln() - half)).exp());
        assert!((result.low.unwrap() - low).abs() < 1e-12);
    }

    #[test]
    fn clusters_of_one_item_are_no_clusters() {
        let scores = [0.9, 0.6, 0.4, 0.5, 0.2, 0.5];
        let labels = [true, true, true, false, false, true];
        let plain = delong(&scores, &labels, None, 0.9).unwrap();
        let alone = Clusters::new(&[0, 1, 2, 3, 4, 5]);
        let clustered = delong(&scores, &labels, Some(&alone), 0.9).unwrap();
        let errors = (plain.standard_error.unwrap(), clustered.standard_error.unwrap());
        assert!((errors.0 - errors.1).abs() < 1e-15, "{errors:?}");
        // Every item twice, in one cluster: nothing was learnt, so nothing changes but the factors
        // of the cluster counts, which are those of the single items.
        let twice = |values: &[f64]| [values, values].concat();
        let pairs = Clusters::new(&[0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
        let labels_twice = [labels, labels].concat();
        let doubled = delong(&twice(&scores), &labels_twice, Some(&pairs), 0.9).unwrap();
        assert!((doubled.standard_error.unwrap() - errors.0).abs() < 1e-15);
    }

    #[test]
    fn undefined_is_none() {
        let one_class = delong(&[0.1, 0.2], &[true, true], None, 0.95).unwrap();
        assert_eq!((one_class.auroc, one_class.standard_error), (None, None));
        let one_positive = delong(&[0.9, 0.2, 0.1], &[true, false, false], None, 0.95).unwrap();
        assert_eq!((one_positive.auroc, one_positive.standard_error), (Some(1.0), None));
        let perfect = delong(&[0.9, 0.8, 0.1, 0.2], &[true, true, false, false], None, 0.95);
        let perfect = perfect.unwrap();
        assert_eq!((perfect.standard_error, perfect.low), (Some(0.0), None));
        let same = [0.9, 0.8, 0.7, 0.2];
        let paired = delong_paired(&same, &same, &[true, false, true, false], None, 0.95).unwrap();
        assert_eq!((paired.difference, paired.p_value), (Some(0.0), None));
        assert!(delong(&[0.1], &[], None, 0.95).is_err());
        let few = Clusters::new(&[1]);
        assert!(delong(&[0.1, 0.2], &[true, false], Some(&few), 0.95).is_err());
    }
}
