//! The figures of a set of items, as the metrics document holds them.

use hemora_ct::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DeLong, DecisionPoint, Decisions, Interval, ReliabilityBin};

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
