//! What is said of a label of a study, where a bundle has thresholds with promised rates.

use hemora_ct::Label;
use hemora_metrics::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a label is there, for a whole study: absent below one threshold, present from another on, and
/// not sure between them. Both thresholds promise how often they are wrong for a new patient of the kind
/// that they were chosen on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certainty {
    /// The label.
    pub label: Label,
    /// What is said of it.
    pub verdict: Verdict,
    /// Absent below this probability.
    pub absent_below: f64,
    /// Most patients with the label that may be called absent, as a share.
    pub miss: f64,
    /// Present from this probability on.
    pub present_from: f64,
    /// Most patients without the label that may be called present, as a share.
    pub false_alarm: f64,
    /// Where nothing is said: what speaks against being sure, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}
