//! The thresholds of a site.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Thresholds;

/// Thresholds that the site sets, or `null` for those of the configuration or the model.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewThresholds {
    /// The thresholds, with who answers for them and why. Where there is a login, who is logged in answers
    /// for them, whatever name is given.
    pub thresholds: Option<Thresholds>,
    /// Who takes those of the site back, where `thresholds` is `null`.
    #[serde(default)]
    pub who: String,
    /// Why.
    #[serde(default)]
    pub why: String,
}

/// The thresholds that hold now.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ThresholdsNow {
    /// Those of the site; `null` if those of the model hold, or where it has none the node's own.
    pub thresholds: Option<Thresholds>,
    /// Every value that they had, oldest first.
    pub history: Vec<ThresholdsThen>,
}

/// Thresholds that were set.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ThresholdsThen {
    /// When.
    pub at: DateTime<Utc>,
    /// Who set them.
    pub who: String,
    /// Why.
    pub why: String,
    /// What they became.
    pub thresholds: Option<Thresholds>,
}
