//! Measures a set of items: every figure, with intervals from the same resamples.

use hemora_ct::LABEL_COUNT;
use rayon::prelude::*;

use crate::decisions::{AtPrevalence, DECISION_METRICS, Decisions};
use crate::delong::delong_in_order;
use crate::error::{check_probabilities, same_length};
use crate::metrics::{LabelMetrics, SetMetrics};
use crate::order::Order;
use crate::probability::{COMPETITION_CLIP, item_log_loss, row_competition_loss};
use crate::resample::{ClusterDecisions, ClusterSums, ClusteredRanking};
use crate::{
    BootstrapOptions, Clusters, DeLong, Interval, LABEL_WEIGHTS, LabelColumn, MetricError,
    OperatingPoint, Ranked, bootstrap_counts, decision_curve, expected_calibration_error,
    reliability, thin,
};

/// Points of a curve that is kept for drawing.
const CURVE_POINTS: usize = 200;

/// Thresholds of the decision curve: 1 % to 99 %.
const DECISION_THRESHOLDS: usize = 99;

/// Resampled figures of a label beside its decisions: AUROC, average precision, log loss, Brier.
const PLAIN: usize = 4;

/// What is measured beside the plain figures.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasureOptions {
    /// How intervals are made; none if absent.
    pub bootstrap: Option<BootstrapOptions>,
    /// Bins of the reliability curve.
    pub bins: usize,
    /// Prevalences for which predictive values are given.
    pub prevalences: Vec<f64>,
}

impl Default for MeasureOptions {
    fn default() -> Self {
        Self { bootstrap: Some(BootstrapOptions::default()), bins: 10, prevalences: Vec::new() }
    }
}

impl MeasureOptions {
    /// Resampled figures of an operating point: its metrics, and two at each prevalence.
    fn width_of_point(&self) -> usize {
        DECISION_METRICS.len() + 2 * self.prevalences.len()
    }
}

/// Measures a set of items: `columns` hold the probabilities and truth of each label, all of the
/// same items, `clusters` the group (patient) of each item, and each of `points` is applied to the
/// column of its label. All intervals come from the same resamples.
///
/// # Errors
/// [`MetricError`] if lengths differ, a probability is not in 0 to 1, or an option is out of
/// bounds.
pub fn measure(
    columns: &[LabelColumn],
    clusters: &Clusters,
    points: &[OperatingPoint],
    options: &MeasureOptions,
) -> Result<SetMetrics, MetricError> {
    for prevalence in &options.prevalences {
        if !(0.0..=1.0).contains(prevalence) {
            let (option, value) = ("prevalence", prevalence.to_string());
            return Err(MetricError::Option { option, value, expected: "0 to 1" });
        }
    }
    let confidence = options.bootstrap.as_ref().map_or(0.95, |bootstrap| bootstrap.confidence);
    let prepared = columns
        .par_iter()
        .map(|column| Prepared::new(column, clusters, points, confidence))
        .collect::<Result<Vec<_>, _>>()?;
    let competition = competition_sums(&prepared, clusters)?;
    let starts: Vec<usize> = prepared
        .iter()
        .scan(3, |next, label| {
            let start = *next;
            *next += label.width(options);
            Some(start)
        })
        .collect();
    let width = 3 + prepared.iter().map(|label| label.width(options)).sum::<usize>();
    let compute = |counts: &[u32], values: &mut [Option<f64>]| {
        for (label, &start) in prepared.iter().zip(&starts) {
            label.compute(counts, &mut values[start..], options);
        }
        values[0] = mean_of(&prepared, &starts, values, 0);
        values[1] = mean_of(&prepared, &starts, values, 1);
        values[2] = competition.as_ref().and_then(|sums| sums.mean(counts));
    };
    let intervals = match &options.bootstrap {
        Some(bootstrap) => bootstrap_counts(clusters, bootstrap, width, compute)?.0,
        None => {
            let mut values = vec![None; width];
            compute(&vec![1; clusters.len()], &mut values);
            let plain = |value| Interval { value, low: None, high: None, repeats: 0, undefined: 0 };
            values.into_iter().map(plain).collect()
        }
    };
    let labels = prepared
        .into_par_iter()
        .zip(&starts)
        .map(|(label, &start)| label.finish(&intervals[start..], clusters, options, confidence))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(SetMetrics {
        items: clusters.of_items().len() as u64,
        groups: clusters.len() as u64,
        mean_auroc: intervals[0],
        mean_average_precision: intervals[1],
        competition_log_loss: competition.map(|_| intervals[2]),
        labels,
    })
}

/// The mean of one figure over the labels that have it in the whole set; `None` where one of these
/// is undefined.
fn mean_of(
    prepared: &[Prepared],
    starts: &[usize],
    values: &[Option<f64>],
    figure: usize,
) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for (label, start) in prepared.iter().zip(starts) {
        if label.defined[figure] {
            sum += values[start + figure]?;
            count += 1.0;
        }
    }
    (count > 0.0).then(|| sum / count)
}

fn competition_sums(
    prepared: &[Prepared],
    clusters: &Clusters,
) -> Result<Option<ClusterSums>, MetricError> {
    let mut six = [None; LABEL_COUNT];
    for label in prepared {
        six[label.column.label.index()] = Some(label);
    }
    if six.iter().any(Option::is_none) {
        return Ok(None);
    }
    let six = six.map(|label: Option<&Prepared>| label.expect("checked above"));
    // Within the competition's clip the log losses at hand are its own.
    let inside = COMPETITION_CLIP..=1.0 - COMPETITION_CLIP;
    let total: f64 = LABEL_WEIGHTS.iter().sum();
    let row = |item: usize| {
        let probabilities = six.map(|label| label.column.probabilities[item]);
        if probabilities.iter().all(|probability| inside.contains(probability)) {
            let weighted = (0..LABEL_COUNT).map(|at| LABEL_WEIGHTS[at] * six[at].losses[item]);
            return weighted.sum::<f64>() / total;
        }
        row_competition_loss(&probabilities, &six.map(|label| label.column.truth[item]))
    };
    ClusterSums::new((0..clusters.of_items().len()).map(row), clusters).map(Some)
}

/// One label, ready to be resampled.
struct Prepared<'a> {
    column: &'a LabelColumn,
    ranked: Ranked,
    ranking: ClusteredRanking,
    delong: DeLong,
    /// Log loss of each item.
    losses: Vec<f64>,
    log_loss: ClusterSums,
    brier: ClusterSums,
    points: Vec<(&'a OperatingPoint, ClusterDecisions)>,
    /// Whether AUROC and average precision are defined for the whole set.
    defined: [bool; 2],
}

impl<'a> Prepared<'a> {
    fn new(
        column: &'a LabelColumn,
        clusters: &Clusters,
        points: &'a [OperatingPoint],
        confidence: f64,
    ) -> Result<Self, MetricError> {
        let (scores, truth) = (column.probabilities.as_slice(), column.truth.as_slice());
        same_length(scores, truth)?;
        check_probabilities(scores)?;
        // Sorting is most of the work, so all that needs the order shares one.
        let order = Order::descending(scores)?;
        let ranked = Ranked::in_order(&order, truth, None);
        let items = scores.iter().zip(truth);
        let losses: Vec<f64> = items.map(|(&p, &label)| item_log_loss(p, label)).collect();
        let decisions = |point: &'a OperatingPoint| {
            Ok((point, ClusterDecisions::new(scores, truth, point.threshold, clusters)?))
        };
        Ok(Self {
            column,
            ranking: ClusteredRanking::in_order(&order, truth, clusters)?,
            delong: delong_in_order(&order, truth, Some(clusters), confidence)?,
            log_loss: ClusterSums::new(losses.iter().copied(), clusters)?,
            losses,
            brier: ClusterSums::brier(scores, truth, clusters)?,
            points: points
                .iter()
                .filter(|point| point.label == column.label)
                .map(decisions)
                .collect::<Result<_, MetricError>>()?,
            defined: [ranked.auroc().is_some(), ranked.average_precision().is_some()],
            ranked,
        })
    }

    fn width(&self, options: &MeasureOptions) -> usize {
        PLAIN + self.points.len() * options.width_of_point()
    }

    fn compute(&self, counts: &[u32], values: &mut [Option<f64>], options: &MeasureOptions) {
        (values[0], values[1]) = self.ranking.auroc_and_precision(counts);
        values[2] = self.log_loss.mean(counts);
        values[3] = self.brier.mean(counts);
        let mut next = values[PLAIN..].iter_mut();
        for (_, decisions) in &self.points {
            let counts = decisions.at(counts);
            let metrics = DECISION_METRICS.iter().map(|metric| (metric.value)(&counts));
            let at = options.prevalences.iter().flat_map(|&prevalence| {
                [
                    counts.positive_predictive_value_at(prevalence),
                    counts.negative_predictive_value_at(prevalence),
                ]
            });
            for (figure, value) in metrics.chain(at).zip(&mut next) {
                *value = figure;
            }
        }
    }

    fn finish(
        self,
        intervals: &[Interval],
        clusters: &Clusters,
        options: &MeasureOptions,
        confidence: f64,
    ) -> Result<LabelMetrics, MetricError> {
        let (scores, truth) = (&self.column.probabilities, &self.column.truth);
        let bins = reliability(scores, truth, None, options.bins)?;
        let step = |index: usize| index as f64 / (DECISION_THRESHOLDS + 1) as f64;
        let thresholds: Vec<f64> = (1..=DECISION_THRESHOLDS).map(step).collect();
        let mut positive = vec![false; clusters.len()];
        for (&label, &cluster) in truth.iter().zip(clusters.of_items()) {
            positive[cluster as usize] |= label;
        }
        let decisions = self
            .points
            .iter()
            .zip(intervals[PLAIN..].chunks(options.width_of_point()))
            .map(|((point, counted), intervals)| {
                let counts = counted.at(&vec![1; clusters.len()]);
                let (metrics, at) = intervals.split_at(DECISION_METRICS.len());
                let at_prevalence = options
                    .prevalences
                    .iter()
                    .zip(at.chunks(2))
                    .map(|(&prevalence, pair)| AtPrevalence {
                        prevalence,
                        positive_predictive_value: pair[0],
                        negative_predictive_value: pair[1],
                    })
                    .collect();
                let point = (*point).clone();
                Decisions::from_intervals(point, counts, metrics, at_prevalence, confidence)
            })
            .collect::<Result<_, MetricError>>()?;
        Ok(LabelMetrics {
            label: self.column.label,
            positives: truth.iter().filter(|label| **label).count() as u64,
            positive_groups: positive.iter().filter(|label| **label).count() as u64,
            auroc: intervals[0],
            auroc_delong: self.delong,
            average_precision: intervals[1],
            log_loss: intervals[2],
            brier: intervals[3],
            expected_calibration_error: expected_calibration_error(&bins),
            decisions,
            roc: thin(self.ranked.roc_points(), CURVE_POINTS),
            precision_recall: thin(self.ranked.precision_points(), CURVE_POINTS),
            reliability: bins,
            decision_curve: decision_curve(&self.ranked, &thresholds)?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use hemora_ct::Label;

    use super::*;
    use crate::{auroc, competition_log_loss};

    /// 120 slices of 30 patients, six labels; nothing is epidural.
    fn columns() -> (Vec<LabelColumn>, Clusters) {
        let column = |label: Label| {
            let at = label.index();
            let truth = move |item: usize| at > 0 && (item * 7 + at).is_multiple_of(5);
            let probability = move |item: usize| {
                let noise = ((item * 31 + at * 17) % 97) as f64 / 97.0;
                0.3 * noise + if truth(item) { 0.4 } else { 0.25 }
            };
            LabelColumn {
                label,
                probabilities: (0..120).map(probability).collect(),
                truth: (0..120).map(truth).collect(),
            }
        };
        let patients = (0..120).map(|item| item / 4).collect::<Vec<_>>();
        (Label::ALL.map(column).to_vec(), Clusters::new(&patients))
    }

    #[test]
    fn every_figure_is_in_its_field() {
        let (columns, patients) = columns();
        let points = [OperatingPoint::half(Label::Any), OperatingPoint::half(Label::Subdural)];
        let bootstrap = BootstrapOptions { repeats: 100, ..BootstrapOptions::default() };
        let options = MeasureOptions {
            bootstrap: Some(bootstrap),
            prevalences: vec![0.05],
            ..MeasureOptions::default()
        };
        let set = measure(&columns, &patients, &points, &options).unwrap();
        assert_eq!((set.items, set.groups, set.labels.len()), (120, 30, 6));
        let any = &set.labels[Label::Any.index()];
        let column = &columns[Label::Any.index()];
        assert_eq!(any.auroc.value, auroc(&column.probabilities, &column.truth).unwrap());
        assert!((any.auroc.value.unwrap() - any.auroc_delong.auroc.unwrap()).abs() < 1e-14);
        assert!(any.auroc.low < any.auroc.value && any.auroc.value < any.auroc.high);
        let decisions = &any.decisions[0];
        assert_eq!(decisions.sensitivity.value, decisions.counts.sensitivity());
        assert_eq!(decisions.matthews.value, decisions.counts.matthews());
        let rare = decisions.at_prevalence[0].positive_predictive_value;
        assert_eq!(rare.value, decisions.counts.positive_predictive_value_at(0.05));
        assert!(rare.low < rare.value);
        let subdural = &set.labels[Label::Subdural.index()];
        assert_eq!(subdural.decisions[0].f1.value, subdural.decisions[0].counts.f1());
        let rows: Vec<[f64; 6]> = (0..120)
            .map(|item| std::array::from_fn(|label| columns[label].probabilities[item]))
            .collect();
        let truth: Vec<[bool; 6]> =
            (0..120).map(|item| std::array::from_fn(|label| columns[label].truth[item])).collect();
        let loss = competition_log_loss(&rows, &truth).unwrap().unwrap();
        assert!((set.competition_log_loss.unwrap().value.unwrap() - loss).abs() < 1e-14);
        let epidural = &set.labels[0];
        assert_eq!((epidural.auroc.value, epidural.auroc.undefined), (None, 100));
        assert!(epidural.roc.is_empty() && epidural.log_loss.value.is_some());
        let defined: f64 =
            set.labels[1..].iter().map(|label| label.auroc.value.unwrap()).sum::<f64>() / 5.0;
        assert!((set.mean_auroc.value.unwrap() - defined).abs() < 1e-14);
        assert_eq!(any.decision_curve.len(), 99);
    }

    #[test]
    fn without_a_bootstrap_there_are_values_only() {
        let (columns, patients) = columns();
        let options = MeasureOptions { bootstrap: None, ..MeasureOptions::default() };
        let set = measure(&columns[4..], &patients, &[], &options).unwrap();
        assert!(set.competition_log_loss.is_none());
        assert!(set.labels[0].auroc.value.is_some() && set.labels[0].auroc.low.is_none());
        let options = MeasureOptions { prevalences: vec![1.5], ..options };
        assert!(measure(&columns, &patients, &[], &options).is_err());
    }
}
