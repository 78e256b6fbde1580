//! Two models on the same items.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resample::{ClusterSums, ClusteredRanking};
use crate::{BootstrapOptions, Clusters, Interval, MetricError, PairedDeLong};
use crate::{bootstrap_counts, delong_paired};

/// The differences between two models for one label, first minus second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// AUROC, resampled: both models on the same draws.
    pub auroc: Interval,
    /// AUROC of the second on the same draws, for what the difference is a difference of. Documents of
    /// before it was kept have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_auroc: Option<Interval>,
    /// Two-sided probability from the resamples: twice the smaller share of them on one side of 0,
    /// each share counted with one resample more. `None` where undefined.
    pub auroc_p_value: Option<f64>,
    /// AUROC by the paired test of DeLong, as Obuchowski extends it to clusters.
    pub delong: PairedDeLong,
    /// Average precision.
    pub average_precision: Interval,
    /// Log loss, nats; below 0 the first is better.
    pub log_loss: Interval,
    /// Brier score; below 0 the first is better.
    pub brier: Interval,
}

/// Compares two models' probabilities of one label on the same items.
///
/// # Errors
/// [`MetricError`] if the lengths differ, a probability is not in 0 to 1, or an option is out of
/// bounds.
pub fn compare(
    first: &[f64],
    second: &[f64],
    labels: &[bool],
    clusters: &Clusters,
    options: &BootstrapOptions,
) -> Result<Difference, MetricError> {
    let both = [first, second];
    let rankings = both.map(|scores| ClusteredRanking::new(scores, labels, clusters));
    let [one, two] = rankings;
    let rankings = [one?, two?];
    let losses = both.map(|scores| ClusterSums::log_loss(scores, labels, clusters));
    let [one, two] = losses;
    let losses = [one?, two?];
    let squares = both.map(|scores| ClusterSums::brier(scores, labels, clusters));
    let [one, two] = squares;
    let squares = [one?, two?];
    let minus = |a: Option<f64>, b: Option<f64>| Some(a? - b?);
    let (intervals, samples) = bootstrap_counts(clusters, options, 5, |counts, values| {
        let [a, b] = rankings.each_ref().map(|ranking| ranking.auroc_and_precision(counts));
        values[0] = minus(a.0, b.0);
        values[1] = minus(a.1, b.1);
        values[2] = minus(losses[0].mean(counts), losses[1].mean(counts));
        values[3] = minus(squares[0].mean(counts), squares[1].mean(counts));
        values[4] = b.0;
    })?;
    let differences: Vec<f64> = samples.iter().filter_map(|values| values[0]).collect();
    Ok(Difference {
        auroc: intervals[0],
        second_auroc: Some(intervals[4]),
        auroc_p_value: p_value(&differences),
        delong: delong_paired(first, second, labels, Some(clusters), options.confidence)?,
        average_precision: intervals[1],
        log_loss: intervals[2],
        brier: intervals[3],
    })
}

fn p_value(differences: &[f64]) -> Option<f64> {
    if differences.is_empty() {
        return None;
    }
    let share = |count: usize| (count + 1) as f64 / (differences.len() + 1) as f64;
    let below = differences.iter().filter(|difference| **difference <= 0.0).count();
    let above = differences.iter().filter(|difference| **difference >= 0.0).count();
    Some((2.0 * share(below).min(share(above))).min(1.0))
}

/// Holm's correction (Scand J Stat 1979;6:65): p-values adjusted for how many questions were
/// asked, in their order. Undefined ones were not asked.
pub fn holm(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(f64, usize)> =
        p_values.iter().enumerate().filter_map(|(index, p)| Some(((*p)?, index))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut adjusted = vec![None; p_values.len()];
    let mut highest = 0.0f64;
    for (rank, &(p, index)) in order.iter().enumerate() {
        highest = highest.max((p * (order.len() - rank) as f64).min(1.0));
        adjusted[index] = Some(highest);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auroc;

    #[test]
    fn holm_worked_by_hand() {
        let adjusted = holm(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.005)]);
        let expected = [Some(0.03), Some(0.06), None, Some(0.06), Some(0.02)];
        for (value, expected) in adjusted.iter().zip(expected) {
            match (value, expected) {
                (Some(value), Some(expected)) => assert!((value - expected).abs() < 1e-15),
                (value, expected) => assert_eq!(*value, expected),
            }
        }
        assert_eq!(holm(&[Some(0.9), Some(0.8)]), [Some(1.0), Some(1.0)]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn a_better_model_is_better_and_a_model_is_not_better_than_itself() {
        let labels: Vec<bool> = (0..200).map(|item| item % 4 == 0).collect();
        let clusters = Clusters::new(&(0..200).map(|item| item / 4).collect::<Vec<_>>());
        let noise = |item: usize, factor: usize| ((item * factor) % 101) as f64 / 101.0;
        let model = |weight: f64, factor: usize| -> Vec<f64> {
            let score = |(item, label): (usize, &bool)| {
                let signal = f64::from(u8::from(*label));
                (weight * signal + noise(item, factor)) / (1.0 + weight)
            };
            labels.iter().enumerate().map(score).collect()
        };
        let (good, poor) = (model(1.0, 37), model(0.1, 59));
        let options = BootstrapOptions { repeats: 200, ..BootstrapOptions::default() };
        let result = compare(&good, &poor, &labels, &clusters, &options).unwrap();
        assert!(result.auroc.low.unwrap() > 0.0 && result.auroc_p_value.unwrap() < 0.02);
        assert!(result.delong.p_value.unwrap() < 0.01);
        assert!(result.brier.value.unwrap() < 0.0);
        let second = result.second_auroc.unwrap();
        let alone = auroc(&poor, &labels).unwrap();
        assert_eq!(second.value, alone);
        assert!(second.low < alone && alone < second.high);
        let same = compare(&good, &good, &labels, &clusters, &options).unwrap();
        assert_eq!((same.auroc.value, same.auroc_p_value), (Some(0.0), Some(1.0)));
    }
}
