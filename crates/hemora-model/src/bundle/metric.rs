//! Figures that a bundle claims.

use hemora_ct::Label;
use hemora_metrics::Level;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One measured figure with its 95 % confidence interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Name, for instance `AUROC`.
    pub name: String,
    /// The label, absent for a figure over all labels.
    pub label: Option<Label>,
    /// What it was computed over.
    pub level: Level,
    /// The figure.
    pub value: f64,
    /// Lower end of the interval, if there is one.
    pub low: Option<f64>,
    /// Upper end of the interval, if there is one.
    pub high: Option<f64>,
    /// Number of slices, series or studies.
    pub n: u64,
    /// How many of them were positive.
    pub positives: u64,
    /// On which data, and what else a reader should know.
    pub note: String,
}

impl Metric {
    /// What is wrong with it, if anything is.
    pub(super) fn problem(&self) -> Option<String> {
        let figures = [Some(self.value), self.low, self.high];
        let finite = figures.into_iter().flatten().all(f64::is_finite);
        (!finite || self.positives > self.n).then(|| {
            format!("`{}` has a figure that is not finite, or more positives than cases", self.name)
        })
    }
}
