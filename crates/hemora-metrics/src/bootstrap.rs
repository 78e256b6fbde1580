//! Bootstrap intervals that resample whole clusters (patients): percentile and BCa.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clusters::draws;
use crate::quantile::{bca_parts, quantile};
use crate::{Clusters, MetricError, Proportion};

/// Most repeats: beyond this an interval does not change any more.
const MAX_REPEATS: usize = 1_000_000;

/// Blocks of clusters that the jackknife behind BCa leaves out in turn. The acceleration depends
/// on the skewness and on the number of clusters alike for single clusters and for blocks of them,
/// so that more need not be tried.
const JACKKNIFE_BLOCKS: usize = 200;

/// How the limits come from the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BootstrapMethod {
    /// Quantiles of the resamples.
    #[default]
    Percentile,
    /// Quantiles corrected for bias and for a spread that changes with the metric (Efron, J Am
    /// Stat Assoc 1987;82:171), the acceleration from a jackknife over up to 200 blocks of
    /// clusters.
    Bca,
}

/// How an interval is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BootstrapOptions {
    /// Resamples, 1 to a million.
    pub repeats: usize,
    /// Part of the distribution between the limits, between 0 and 1.
    pub confidence: f64,
    /// Seed.
    pub seed: u64,
    /// How the limits come from the resamples.
    pub method: BootstrapMethod,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self { repeats: 2000, confidence: 0.95, seed: 0, method: BootstrapMethod::Percentile }
    }
}

impl BootstrapOptions {
    pub(crate) fn check(&self) -> Result<(), MetricError> {
        if !(1..=MAX_REPEATS).contains(&self.repeats) {
            let (option, value) = ("repeats", self.repeats.to_string());
            return Err(MetricError::Option { option, value, expected: "1 to 1000000" });
        }
        check_confidence(self.confidence)
    }
}

pub(crate) fn check_confidence(confidence: f64) -> Result<(), MetricError> {
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(());
    }
    let (option, value) = ("confidence", confidence.to_string());
    Err(MetricError::Option { option, value, expected: "a number between 0 and 1" })
}

/// A metric with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The metric of all items; `None` if it is undefined.
    pub value: Option<f64>,
    /// Lower limit; `None` if the metric is undefined in every resample, or for BCa if the bias
    /// cannot be estimated since all resamples lie on one side.
    pub low: Option<f64>,
    /// Upper limit, likewise.
    pub high: Option<f64>,
    /// Resamples.
    pub repeats: usize,
    /// Resamples in which the metric is undefined; the limits leave them out.
    pub undefined: usize,
}

impl Interval {
    /// A share of exactly 0 or 1 is the same in every resample, which would claim certainty: then
    /// the Wilson interval stands in.
    pub(crate) fn or_wilson(self, wilson: &Proportion) -> Self {
        if self.low.is_none() || self.low != self.high {
            return self;
        }
        Self { low: wilson.low, high: wilson.high, ..self }
    }
}

/// The percentile or BCa interval of `metric` when whole groups are drawn with replacement, as many
/// as there are. `groups[i]` is the group (patient) of item `i`; `metric` gets the items of a
/// resample and says `None` where it is undefined. The same seed gives the same interval for any
/// number of threads, and for any names of the groups.
///
/// Limits are interpolated linearly between the two nearest resamples, as NumPy's `quantile` does.
/// [`bootstrap_counts`] does the same with less work where a metric can be told how often each
/// group counts.
///
/// # Errors
/// [`MetricError`] of the options, of `metric`, or if a resample is not a number.
pub fn cluster_bootstrap<G: Ord>(
    groups: &[G],
    options: &BootstrapOptions,
    metric: impl Fn(&[usize]) -> Result<Option<f64>, MetricError> + Sync,
) -> Result<Interval, MetricError> {
    options.check()?;
    let clusters = Clusters::new(groups);
    let members = clusters.members();
    let all: Vec<usize> = (0..groups.len()).collect();
    let value = metric(&all)?;
    let samples = (0..options.repeats)
        .into_par_iter()
        .map_init(Vec::new, |items: &mut Vec<usize>, repeat| {
            items.clear();
            for cluster in draws(members.len(), options.seed, repeat) {
                items.extend_from_slice(&members[cluster]);
            }
            metric(items)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let jackknife = || {
        let blocks = blocks(clusters.len());
        let left = (0..blocks).into_par_iter().map(|block| {
            let stays = |item: &usize| clusters.of_items()[*item] as usize % blocks != block;
            metric(&all.iter().copied().filter(stays).collect::<Vec<_>>())
        });
        left.collect::<Result<Vec<_>, _>>()
    };
    let jackknife = match options.method {
        BootstrapMethod::Percentile => Vec::new(),
        BootstrapMethod::Bca => jackknife()?,
    };
    interval(value, samples, &jackknife, options)
}

/// Values of resampled metrics, `[repeat][metric]`; `None` where undefined.
pub type Resamples = Vec<Vec<Option<f64>>>;

/// The intervals of several metrics from the same resamples. `metrics` gets how often each cluster
/// was drawn and writes one value, `None` where undefined, into each of `count` values: with sums
/// per cluster and items sorted beforehand, a resample costs no sorting. Draws are those of
/// [`cluster_bootstrap`].
///
/// Also gives the resamples themselves for what else is asked of them.
///
/// # Errors
/// [`MetricError`] of the options, or if a resample is not a number.
pub fn bootstrap_counts(
    clusters: &Clusters,
    options: &BootstrapOptions,
    count: usize,
    metrics: impl Fn(&[u32], &mut [Option<f64>]) + Sync,
) -> Result<(Vec<Interval>, Resamples), MetricError> {
    options.check()?;
    let compute = |counts: &[u32]| {
        let mut values = vec![None; count];
        metrics(counts, &mut values);
        values
    };
    let whole = compute(&vec![1; clusters.len()]);
    let samples: Resamples = (0..options.repeats)
        .into_par_iter()
        .map_init(
            || vec![0u32; clusters.len()],
            |counts, repeat| {
                counts.fill(0);
                draws(clusters.len(), options.seed, repeat).for_each(|drawn| counts[drawn] += 1);
                compute(counts)
            },
        )
        .collect();
    let jackknife: Resamples = match options.method {
        BootstrapMethod::Percentile => Vec::new(),
        BootstrapMethod::Bca => {
            let blocks = blocks(clusters.len());
            let left = |block| {
                let counts = (0..clusters.len()).map(|at| u32::from(at % blocks != block));
                compute(&counts.collect::<Vec<_>>())
            };
            (0..blocks).into_par_iter().map(left).collect()
        }
    };
    let one = |metric: usize| {
        let column = |rows: &[Vec<Option<f64>>]| rows.iter().map(|row| row[metric]).collect();
        let jackknife: Vec<_> = column(&jackknife);
        interval(whole[metric], column(&samples), &jackknife, options)
    };
    let intervals = (0..count).map(one).collect::<Result<Vec<_>, _>>()?;
    Ok((intervals, samples))
}

fn blocks(clusters: usize) -> usize {
    clusters.min(JACKKNIFE_BLOCKS)
}

fn interval(
    value: Option<f64>,
    samples: Vec<Option<f64>>,
    jackknife: &[Option<f64>],
    options: &BootstrapOptions,
) -> Result<Interval, MetricError> {
    let repeats = samples.len();
    let mut values: Vec<f64> = samples.into_iter().flatten().collect();
    if let Some(index) = values.iter().position(|value| value.is_nan()) {
        return Err(MetricError::NotANumber { index });
    }
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - options.confidence) / 2.0;
    let parts = match options.method {
        BootstrapMethod::Percentile => Some([tail, 1.0 - tail]),
        BootstrapMethod::Bca => value.and_then(|value| bca_parts(value, &values, jackknife, tail)),
    };
    Ok(Interval {
        value,
        low: parts.and_then(|parts| quantile(&values, parts[0])),
        high: parts.and_then(|parts| quantile(&values, parts[1])),
        repeats,
        undefined: repeats - values.len(),
    })
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

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
    fn counting_groups_gives_the_interval_of_their_items() {
        let (values, groups) = clustered(20, 3, 5);
        let clusters = Clusters::new(&groups);
        let sums: Vec<f64> = (0..20).map(|group| values[3 * group..][..3].iter().sum()).collect();
        for method in [BootstrapMethod::Percentile, BootstrapMethod::Bca] {
            let options = BootstrapOptions { repeats: 400, method, ..BootstrapOptions::default() };
            let items = cluster_bootstrap(&groups, &options, mean_of(&values)).unwrap();
            let (counted, samples) = bootstrap_counts(&clusters, &options, 2, |counts, means| {
                let of = |(sum, &count): (&f64, &u32)| sum * f64::from(count);
                means[0] = Some(sums.iter().zip(counts).map(of).sum::<f64>() / 60.0);
            })
            .unwrap();
            for (one, other) in [
                (items.value, counted[0].value),
                (items.low, counted[0].low),
                (items.high, counted[0].high),
            ] {
                assert!((one.unwrap() - other.unwrap()).abs() < 1e-12, "{items:?} {counted:?}");
            }
            assert_eq!((counted[1].value, counted[1].undefined), (None, 400));
            assert_eq!(samples.len(), 400);
        }
    }

    #[test]
    fn bca_shifts_the_limits_of_a_skewed_metric_outwards() {
        // Efron and Tibshirani's textbook case in small: the mean of exponential draws is skewed to
        // the right, so both limits move up.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let values: Vec<f64> = (0..60).map(|_| -rng.random::<f64>().ln()).collect();
        let groups: Vec<usize> = (0..60).collect();
        let limits = |method| {
            let options = BootstrapOptions { method, ..BootstrapOptions::default() };
            let interval = cluster_bootstrap(&groups, &options, mean_of(&values)).unwrap();
            (interval.low.unwrap(), interval.high.unwrap())
        };
        let (plain, bca) = (limits(BootstrapMethod::Percentile), limits(BootstrapMethod::Bca));
        assert!(bca.0 > plain.0 && bca.1 > plain.1, "{plain:?} {bca:?}");
        assert!(bca.1 - plain.1 < 0.2, "{plain:?} {bca:?}");
    }

    #[test]
    fn bca_without_spread_or_with_all_on_one_side() {
        let options = BootstrapOptions {
            method: BootstrapMethod::Bca,
            repeats: 50,
            ..BootstrapOptions::default()
        };
        let constant = cluster_bootstrap(&[1, 2, 3], &options, |_| Ok(Some(1.0))).unwrap();
        assert_eq!((constant.low, constant.high), (Some(1.0), Some(1.0)));
        let apart = |items: &[usize]| Ok(Some(if items == [0, 1, 2] { 5.0 } else { 1.0 }));
        let apart = cluster_bootstrap(&[1, 2, 3], &options, apart).unwrap();
        assert!(apart.low.is_none() || apart.low < apart.value, "{apart:?}");
        let empty: [usize; 0] = [];
        let empty = cluster_bootstrap(&empty, &options, |_| Ok(None)).unwrap();
        assert_eq!(empty.low, None);
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
}
