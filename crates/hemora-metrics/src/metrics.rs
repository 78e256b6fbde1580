//! The figures of a set of items, as the metrics document holds them.

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Confusion, DeLong, DecisionPoint, Interval, OperatingPoint, Proportion, ReliabilityBin,
};

/// The figures of a set of items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMetrics {
    /// Items.
    pub items: u64,
    /// Groups (patients) that they come from, which are what is resampled.
    pub groups: u64,
    /// Mean AUROC of the labels that have one.
    pub mean_auroc: Interval,
    /// Mean average precision of the labels that have one.
    pub mean_average_precision: Interval,
    /// The competition's weighted log loss; absent unless all six labels are given.
    pub competition_log_loss: Option<Interval>,
    /// The labels.
    pub labels: Vec<LabelMetrics>,
}

/// The figures of one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelMetrics {
    /// The label.
    pub label: Label,
    /// Items that have it.
    pub positives: u64,
    /// Groups with such an item.
    pub positive_groups: u64,
    /// Area under the receiver operating characteristic.
    pub auroc: Interval,
    /// The same by DeLong's method, as Obuchowski extends it to clusters.
    pub auroc_delong: DeLong,
    /// Average precision.
    pub average_precision: Interval,
    /// Log loss, nats.
    pub log_loss: Interval,
    /// Brier score.
    pub brier: Interval,
    /// Expected calibration error over the bins of `reliability`; it is biased upwards, so it has
    /// no interval.
    pub expected_calibration_error: Option<f64>,
    /// At the operating points.
    pub decisions: Vec<Decisions>,
    /// Receiver operating characteristic, `[1 − specificity, sensitivity]`, thinned.
    pub roc: Vec<[f64; 2]>,
    /// Precision–recall curve, `[recall, precision]`, thinned.
    pub precision_recall: Vec<[f64; 2]>,
    /// Reliability curve.
    pub reliability: Vec<ReliabilityBin>,
    /// Decision curve.
    pub decision_curve: Vec<DecisionPoint>,
}

/// What an operating point comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decisions {
    /// The operating point.
    pub point: OperatingPoint,
    /// Counts.
    pub counts: Confusion,
    /// Share of the positives that are called positive. Of this and the next three shares the
    /// interval is Wilson's where all resamples agree, as they do at 0 and 1.
    pub sensitivity: Interval,
    /// Its Wilson interval, as if the items were independent.
    pub sensitivity_wilson: Proportion,
    /// Share of the negatives that are called negative.
    pub specificity: Interval,
    /// Its Wilson interval, as if the items were independent.
    pub specificity_wilson: Proportion,
    /// Positive predictive value at the prevalence of the data.
    pub positive_predictive_value: Interval,
    /// Negative predictive value at the prevalence of the data.
    pub negative_predictive_value: Interval,
    /// Accuracy.
    pub accuracy: Interval,
    /// F1.
    pub f1: Interval,
    /// Matthews correlation coefficient.
    pub matthews: Interval,
    /// Predictive values at stated prevalences.
    pub at_prevalence: Vec<AtPrevalence>,
}

/// Predictive values where another share of items is positive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtPrevalence {
    /// Share of positives.
    pub prevalence: f64,
    /// Positive predictive value.
    pub positive_predictive_value: Interval,
    /// Negative predictive value.
    pub negative_predictive_value: Interval,
}
