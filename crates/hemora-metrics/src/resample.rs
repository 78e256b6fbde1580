//! One label prepared for a bootstrap: what a resample costs is one pass without sorting.

use crate::error::{check_probabilities, lengths, same_length};
use crate::order::{Entry, Order};
use crate::probability::{item_brier, item_log_loss};
use crate::{Clusters, Confusion, MetricError};

/// Most clusters: the number shares 32 bits with two marks.
const MAX_CLUSTERS: usize = 1 << 30;
const POSITIVE: u32 = 1;
const LAST_OF_TIE: u32 = 2;

/// Scores in their order, each as its cluster, its label and whether a new score follows.
#[derive(Debug, Clone)]
pub struct ClusteredRanking {
    entries: Vec<u32>,
}

impl ClusteredRanking {
    /// Sorts items by `scores`; `clusters` tells the cluster of each.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ, a score is not a number, or there are more than 2³⁰
    /// clusters.
    pub fn new(scores: &[f64], labels: &[bool], clusters: &Clusters) -> Result<Self, MetricError> {
        same_length(scores, labels)?;
        Self::in_order(&Order::descending(scores)?, labels, clusters)
    }

    /// [`ClusteredRanking::new`] of checked items whose order is known.
    pub(crate) fn in_order(
        order: &Order,
        labels: &[bool],
        clusters: &Clusters,
    ) -> Result<Self, MetricError> {
        let entries = order.entries();
        lengths("scores", entries.len(), "clusters of items", clusters.of_items().len())?;
        if clusters.len() > MAX_CLUSTERS {
            let (option, value) = ("number of clusters", clusters.len().to_string());
            return Err(MetricError::Option { option, value, expected: "at most 1073741824" });
        }
        let entry = |(index, entry): (usize, &Entry)| {
            let follows = entries.get(index + 1).is_some_and(|next| next.ties(*entry));
            let tie = if follows { 0 } else { LAST_OF_TIE };
            let label = if labels[entry.item()] { POSITIVE } else { 0 };
            clusters.of_items()[entry.item()] << 2 | tie | label
        };
        Ok(Self { entries: entries.iter().enumerate().map(entry).collect() })
    }

    /// AUROC and average precision when every item of cluster `c` counts `counts[c]` times; each
    /// `None` where undefined.
    ///
    /// # Panics
    /// If `counts` is shorter than the number of clusters.
    pub fn auroc_and_precision(&self, counts: &[u32]) -> (Option<f64>, Option<f64>) {
        // Integers, so that the order of summation does not matter and doubling a pair's worth
        // keeps halves whole.
        let (mut hits, mut alarms) = (0u64, 0u64);
        let (mut tied_hits, mut tied_alarms) = (0u64, 0u64);
        let (mut twice_area, mut precision) = (0u128, 0.0);
        for &entry in &self.entries {
            let count = u64::from(counts[(entry >> 2) as usize]);
            let positive = count * u64::from(entry & POSITIVE);
            tied_hits += positive;
            tied_alarms += count - positive;
            if entry & LAST_OF_TIE != 0 {
                twice_area += u128::from(tied_alarms) * u128::from(2 * hits + tied_hits);
                hits += tied_hits;
                alarms += tied_alarms;
                if tied_hits > 0 {
                    precision += tied_hits as f64 * hits as f64 / (hits + alarms) as f64;
                }
                (tied_hits, tied_alarms) = (0, 0);
            }
        }
        let pairs = hits as f64 * alarms as f64;
        (
            (pairs > 0.0).then(|| twice_area as f64 / 2.0 / pairs),
            (hits > 0).then(|| precision / hits as f64),
        )
    }
}

/// Sums per cluster: a mean over a resample costs one step a cluster.
#[derive(Debug, Clone)]
pub struct ClusterSums {
    sums: Vec<(f64, f64)>,
}

impl ClusterSums {
    /// Sums of `values`, one an item.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ.
    pub fn new(
        values: impl ExactSizeIterator<Item = f64>,
        clusters: &Clusters,
    ) -> Result<Self, MetricError> {
        lengths("values", values.len(), "clusters of items", clusters.of_items().len())?;
        let mut sums = vec![(0.0, 0.0); clusters.len()];
        for (value, &cluster) in values.zip(clusters.of_items()) {
            let sum = &mut sums[cluster as usize];
            sum.0 += value;
            sum.1 += 1.0;
        }
        Ok(Self { sums })
    }

    /// Log losses of items.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
    pub fn log_loss(
        probabilities: &[f64],
        labels: &[bool],
        clusters: &Clusters,
    ) -> Result<Self, MetricError> {
        Self::scored(probabilities, labels, clusters, item_log_loss)
    }

    /// Brier scores of items.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
    pub fn brier(
        probabilities: &[f64],
        labels: &[bool],
        clusters: &Clusters,
    ) -> Result<Self, MetricError> {
        Self::scored(probabilities, labels, clusters, item_brier)
    }

    /// What `score` makes of each item's probability and label.
    fn scored(
        probabilities: &[f64],
        labels: &[bool],
        clusters: &Clusters,
        score: fn(f64, bool) -> f64,
    ) -> Result<Self, MetricError> {
        same_length(probabilities, labels)?;
        check_probabilities(probabilities)?;
        Self::new(probabilities.iter().zip(labels).map(|(&p, &label)| score(p, label)), clusters)
    }

    /// Mean when every item of cluster `c` counts `counts[c]` times; `None` without items.
    pub fn mean(&self, counts: &[u32]) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for ((value, items), &count) in self.sums.iter().zip(counts) {
            sum += value * f64::from(count);
            weight += items * f64::from(count);
        }
        (weight > 0.0).then(|| sum / weight)
    }
}

/// Decisions at one threshold, counted per cluster.
#[derive(Debug, Clone)]
pub struct ClusterDecisions {
    counts: Vec<Confusion>,
}

impl ClusterDecisions {
    /// Counts with every score of at least `threshold` called positive.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ, or a score or the threshold is not a number.
    pub fn new(
        scores: &[f64],
        labels: &[bool],
        threshold: f64,
        clusters: &Clusters,
    ) -> Result<Self, MetricError> {
        // For its checks; the counts below add up to these.
        Confusion::at(scores, labels, threshold)?;
        lengths("scores", scores.len(), "clusters of items", clusters.of_items().len())?;
        let mut counts = vec![Confusion::default(); clusters.len()];
        for ((&score, &label), &cluster) in scores.iter().zip(labels).zip(clusters.of_items()) {
            counts[cluster as usize].add(score >= threshold, label, 1);
        }
        Ok(Self { counts })
    }

    /// Counts when every item of cluster `c` counts `counts[c]` times.
    pub fn at(&self, counts: &[u32]) -> Confusion {
        let mut all = Confusion::default();
        for (one, &count) in self.counts.iter().zip(counts) {
            let count = u64::from(count);
            all.true_positives += one.true_positives * count;
            all.false_positives += one.false_positives * count;
            all.true_negatives += one.true_negatives * count;
            all.false_negatives += one.false_negatives * count;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auroc, average_precision, brier, log_loss};

    #[test]
    fn counting_clusters_is_repeating_their_items() {
        let scores = [0.9, 0.9, 0.4, 0.4, 0.4, 0.2, 0.7, 0.1];
        let labels = [true, false, true, false, false, true, false, false];
        let groups = ["a", "b", "a", "c", "b", "c", "d", "d"];
        let clusters = Clusters::new(&groups);
        let counts = [2, 0, 3, 1];
        let mut items = Vec::new();
        for (item, &cluster) in clusters.of_items().iter().enumerate() {
            items.extend(std::iter::repeat_n(item, counts[cluster as usize] as usize));
        }
        let scored: Vec<f64> = items.iter().map(|&item| scores[item]).collect();
        let truth: Vec<bool> = items.iter().map(|&item| labels[item]).collect();
        let close = |ours: Option<f64>, plain: Option<f64>| {
            assert!((ours.unwrap() - plain.unwrap()).abs() < 1e-14, "{ours:?} {plain:?}");
        };
        let ranking = ClusteredRanking::new(&scores, &labels, &clusters).unwrap();
        let (area, precision) = ranking.auroc_and_precision(&counts);
        close(area, auroc(&scored, &truth).unwrap());
        close(precision, average_precision(&scored, &truth).unwrap());
        let loss = ClusterSums::log_loss(&scores, &labels, &clusters).unwrap();
        close(loss.mean(&counts), log_loss(&scored, &truth).unwrap());
        let squares = ClusterSums::brier(&scores, &labels, &clusters).unwrap();
        close(squares.mean(&counts), brier(&scored, &truth).unwrap());
        let decisions = ClusterDecisions::new(&scores, &labels, 0.4, &clusters).unwrap();
        assert_eq!(decisions.at(&counts), Confusion::at(&scored, &truth, 0.4).unwrap());
        let nothing = [0; 4];
        assert_eq!(ranking.auroc_and_precision(&nothing), (None, None));
        assert_eq!(loss.mean(&nothing), None);
    }
}
