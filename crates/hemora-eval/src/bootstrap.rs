//! Percentile bootstrap intervals that resample whole groups (patients).

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::MetricError;

/// Most repeats: beyond this an interval does not change any more.
const MAX_REPEATS: usize = 1_000_000;

/// How an interval is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapOptions {
    /// Resamples, 1 to a million.
    pub repeats: usize,
    /// Part of the distribution between the limits, between 0 and 1.
    pub confidence: f64,
    /// Seed.
    pub seed: u64,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { repeats: 2000, confidence: 0.95, seed: 0 }
    }
}

/// A metric with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The metric of all items; `None` if it is undefined.
    pub value: Option<f64>,
    /// Lower limit; `None` if the metric is undefined in every resample.
    pub low: Option<f64>,
    /// Upper limit, likewise.
    pub high: Option<f64>,
    /// Resamples.
    pub repeats: usize,
    /// Resamples in which the metric is undefined; the limits leave them out.
    pub undefined: usize,
}

/// The percentile interval of `metric` when whole groups are drawn with replacement, as many as
/// there are. `groups[i]` is the group (patient) of item `i`; `metric` gets the items of a resample
/// and says `None` where it is undefined. The same seed gives the same interval for any number of
/// threads, and for any names of the groups.
///
/// Limits are interpolated linearly between the two nearest resamples, as NumPy's `quantile` does.
///
/// # Errors
/// [`MetricError`] of the options, of `metric`, or if a resample is not a number.
pub fn cluster_bootstrap<G: Ord>(
    groups: &[G],
    options: &BootstrapOptions,
    metric: impl Fn(&[usize]) -> Result<Option<f64>, MetricError> + Sync,
) -> Result<Interval, MetricError> {
    let BootstrapOptions { repeats, confidence, seed } = *options;
    let option = |option, value, expected| Err(MetricError::Option { option, value, expected });
    if !(1..=MAX_REPEATS).contains(&repeats) {
        return option("repeats", repeats.to_string(), "1 to 1000000");
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        return option("confidence", confidence.to_string(), "a number between 0 and 1");
    }
    let all: Vec<usize> = (0..groups.len()).collect();
    let value = metric(&all)?;
    let clusters = clusters(groups);
    let resampled = (0..repeats)
        .into_par_iter()
        .map_init(Vec::new, |items: &mut Vec<usize>, repeat| {
            // A stream of its own for each repeat: the thread that runs it does not matter.
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(repeat as u64);
            items.clear();
            for _ in 0..clusters.len() {
                items.extend_from_slice(&clusters[rng.random_range(0..clusters.len())]);
            }
            metric(items)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut values: Vec<f64> = resampled.into_iter().flatten().collect();
    if let Some(index) = values.iter().position(|value| value.is_nan()) {
        return Err(MetricError::NotANumber { index });
    }
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Ok(Interval {
        value,
        low: quantile(&values, tail),
        high: quantile(&values, 1.0 - tail),
        repeats,
        undefined: repeats - values.len(),
    })
}

/// Items of each group, the groups in the order of their first item.
fn clusters<G: Ord>(groups: &[G]) -> Vec<Vec<usize>> {
    let mut places: BTreeMap<&G, usize> = BTreeMap::new();
    let mut clusters: Vec<Vec<usize>> = Vec::new();
    for (item, group) in groups.iter().enumerate() {
        let place = *places.entry(group).or_insert(clusters.len());
        if place == clusters.len() {
            clusters.push(Vec::new());
        }
        clusters[place].push(item);
    }
    clusters
}

/// Quantile of ascending values, linear between neighbours; `None` without values.
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = part * last as f64;
    let (low, high) = (at.floor() as usize, (at.ceil() as usize).min(last));
    Some(sorted[low] + (sorted[high] - sorted[low]) * (at - low as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auroc;

    fn mean_of(values: &[f64]) -> impl Fn(&[usize]) -> Result<Option<f64>, MetricError> + Sync {
        move |items| {
            let sum: f64 = items.iter().map(|&item| values[item]).sum();
            Ok((!items.is_empty()).then(|| sum / items.len() as f64))
        }
    }

    /// Values with a shared part for each of `groups` groups of `size` items.
    fn clustered(groups: usize, size: usize, seed: u64) -> (Vec<f64>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        let mut values = Vec::new();
        let mut names = Vec::new();
        for group in 0..groups {
            let shared = normal();
            for _ in 0..size {
                values.push(shared + 0.3 * normal());
                names.push(group);
            }
        }
        (values, names)
    }

    #[test]
    fn the_interval_does_not_depend_on_the_threads_or_the_names() {
        let (values, groups) = clustered(30, 4, 1);
        let options = BootstrapOptions { repeats: 300, ..BootstrapOptions::default() };
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| cluster_bootstrap(&groups, &options, mean_of(&values)).unwrap())
        };
        let one = run(1);
        assert_eq!(one, run(4));
        let names: Vec<String> = groups.iter().map(|group| format!("p{}", 99 - group)).collect();
        assert_eq!(one, cluster_bootstrap(&names, &options, mean_of(&values)).unwrap());
        let other = BootstrapOptions { seed: 1, ..options.clone() };
        assert_ne!(one, cluster_bootstrap(&groups, &other, mean_of(&values)).unwrap());
    }

    #[test]
    fn intervals_cover_the_truth_only_when_they_resample_patients() {
        // The true mean is 0. Slices of a patient are alike, so intervals by slice are too narrow.
        let options = BootstrapOptions { repeats: 200, ..BootstrapOptions::default() };
        let (mut by_patient, mut by_slice) = (0, 0);
        for seed in 0..150 {
            let (values, groups) = clustered(25, 6, seed);
            let covers = |interval: Interval| {
                usize::from((interval.low.unwrap()..=interval.high.unwrap()).contains(&0.0))
            };
            by_patient += covers(cluster_bootstrap(&groups, &options, mean_of(&values)).unwrap());
            let slices: Vec<usize> = (0..values.len()).collect();
            by_slice += covers(cluster_bootstrap(&slices, &options, mean_of(&values)).unwrap());
        }
        // 95 % asked for; the percentile interval of 25 groups gives some 92 %.
        assert!(by_patient >= 128, "{by_patient} of 150");
        assert!(by_slice <= 105, "{by_slice} of 150");
    }

    #[test]
    fn undefined_resamples_are_counted_and_left_out() {
        // One positive patient of three: left out of a resample with probability (2/3)³ = .30, and
        // drawn alone with probability 1/27.
        let scores = [0.9, 0.2, 0.3];
        let labels = [true, false, false];
        let metric = |items: &[usize]| {
            let scores: Vec<f64> = items.iter().map(|&item| scores[item]).collect();
            let labels: Vec<bool> = items.iter().map(|&item| labels[item]).collect();
            auroc(&scores, &labels)
        };
        let options = BootstrapOptions { repeats: 1000, ..BootstrapOptions::default() };
        let interval = cluster_bootstrap(&["a", "b", "c"], &options, metric).unwrap();
        assert_eq!(
            (interval.value, interval.low, interval.high),
            (Some(1.0), Some(1.0), Some(1.0))
        );
        assert!((273..393).contains(&interval.undefined), "{}", interval.undefined);
        let none = cluster_bootstrap(&["a"], &options, |_: &[usize]| Ok(None)).unwrap();
        assert_eq!((none.value, none.low, none.undefined), (None, None, 1000));
    }

    #[test]
    fn nothing_and_impossible_options() {
        let empty: [usize; 0] = [];
        let metric = mean_of(&[]);
        let options = BootstrapOptions { repeats: 3, ..BootstrapOptions::default() };
        let interval = cluster_bootstrap(&empty, &options, &metric).unwrap();
        assert_eq!((interval.value, interval.high, interval.undefined), (None, None, 3));
        for broken in [
            BootstrapOptions { repeats: 0, ..options.clone() },
            BootstrapOptions { repeats: usize::MAX, ..options.clone() },
            BootstrapOptions { confidence: 1.0, ..options.clone() },
            BootstrapOptions { confidence: f64::NAN, ..options.clone() },
        ] {
            let error = cluster_bootstrap(&empty, &broken, &metric).unwrap_err();
            assert!(matches!(error, MetricError::Option { .. }), "{error}");
        }
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1])
        let values = [1.0, 2.0, 4.0, 8.0];
        for (part, expected) in [(0.0, 1.0), (0.1, 1.3), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((quantile(&values, part).unwrap() - expected).abs() < 1e-12);
        }
    }
}
