//! How good the node is at this site.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// How good the node is at this site, over the last weeks.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Quality {
    /// From when on.
    pub since: DateTime<Utc>,
    /// Week by week, oldest first.
    pub weeks: Vec<QualityWeek>,
    /// Label by label.
    pub labels: Vec<LabelAgreement>,
    /// How long it took.
    pub times: Vec<TimeTo>,
    /// How the probabilities differ from those expected; absent with too few studies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Studies that were not scored, by reason, the commonest first.
    pub not_scored: Vec<NotScored>,
    /// How readers' feedback is counted, in plain sentences.
    pub how: String,
}

/// A week.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct QualityWeek {
    /// Its Monday (UTC).
    pub monday: NaiveDate,
    /// Studies that were scored.
    pub scored: u64,
    /// Of these, positive ones.
    pub flagged: u64,
    /// Of these, ones of which nothing sure could be said.
    pub not_sure: u64,
    /// Positive ones with which a reader agreed (label any hemorrhage).
    pub confirmed: u64,
    /// Positive ones with which one disagreed.
    pub refuted: u64,
    /// Positive predictive value: confirmed of those with feedback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ppv: Option<Rate>,
}

/// A share with its 95 % interval (Wilson).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Rate {
    /// The share, 0 to 1.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How often readers agree with what is said of a label.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LabelAgreement {
    /// The label.
    pub label: String,
    /// Studies with whose verdict on it the newest feedback agrees.
    pub agreed: u64,
    /// Studies with whose verdict it disagrees.
    pub disagreed: u64,
    /// The share that agrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Rate>,
}

/// How long something took.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TimeTo {
    /// From what to what.
    pub what: String,
    /// Studies that it is known of.
    pub studies: u64,
    /// Median, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_s: Option<f64>,
    /// 95th percentile, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_s: Option<f64>,
}

/// How the probabilities of any hemorrhage are spread, beside how they are expected to be.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Drift {
    /// What they are compared with, in words.
    pub reference: String,
    /// Studies of the reference.
    pub reference_studies: u64,
    /// Studies that are compared.
    pub studies: u64,
    /// Population stability index: the sum of (observed - expected) ln(observed / expected).
    pub psi: f64,
    /// What that means, in words.
    pub meaning: String,
    /// The shares in ten bins of equal width from 0 to 1: expected, observed.
    pub bins: Vec<[f64; 2]>,
}

/// Studies that were not scored for one reason.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NotScored {
    /// Why.
    pub reason: String,
    /// How many.
    pub studies: u64,
}
