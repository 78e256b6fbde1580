//! `model.json`: what a model is made of, how good it is and what it may be used for.

use std::ops::Range;

use hemora_ct::Label;
use hemora_metrics::{
    Aggregation, Calibration, CertaintyFit, LearnedAggregation, OperatingPoint, Stacking, whole,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::member::{check_members, models};
use super::series::check_bundle_series;
use super::{BundleError, BundleSeries, Member, Metric};

/// Newest version of the bundle format; raised when a reader of the old one could misuse the new.
pub const FORMAT_VERSION: u32 = 1;

/// The description of a model: one member, or several whose probabilities are combined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Version of this document's format, 1.
    pub format_version: u32,
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// When it was made, for instance `2026-03-14`.
    pub created: String,
    /// Licence of the weights.
    pub licence: String,
    /// What it is meant for, and what not.
    pub intended_use: String,
    /// States that the model is for research use and not for diagnosis.
    pub notice: String,
    /// The six labels in the order of every network's output and of all weights.
    pub labels: Vec<Label>,
    /// What it was trained on.
    pub training_data: String,
    /// How good it is, and on what.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Thresholds with what they achieve and where they were chosen.
    #[serde(default)]
    pub operating_points: Vec<OperatingPoint>,
    /// How often what the thresholds say was wrong, and how often they say nothing, on patients that
    /// they were not chosen on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certainty: Vec<CertaintyFit>,
    /// How the probabilities of slices are calibrated after those of all members were combined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How the slices of a series make its probability, where that was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<LearnedAggregation>,
    /// How they do elsewhere and for labels without a fitted rule. Bundles without it were made for the mean of the three
    /// highest slices.
    #[serde(default = "three_highest")]
    pub plain_aggregation: Aggregation,
    /// The members, one at least. Their networks are `members/0/model.onnx`, `members/1/model.onnx`
    /// and so on; of the weighted mean of their probabilities everything else is made.
    pub members: Vec<Member>,
    /// Trees that read the models' probabilities of a slice and its neighbours and replace the
    /// weighted mean, where they were fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacking: Option<Stacking>,
    /// Networks of series that read what all members predict together and replace the weighted mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<BundleSeries>,
}

/// The rule of bundles that name none.
fn three_highest() -> Aggregation {
    Aggregation::TopMean(3)
}

impl ModelInfo {
    /// Reads and checks a description.
    ///
    /// # Errors
    /// [`BundleError`] names the version, field or value that cannot be used.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BundleError> {
        let value: serde_json::Value = serde_json::from_slice(bytes)?;
        // The version before anything else: a newer format may have fields that this one does not know.
        check_version(&value)?;
        let info: Self = serde_json::from_value(value)?;
        info.check()?;
        Ok(info)
    }

    /// What the slices' `parts`, in the order of the slices, make for a label: by the fitted rule, else by the
    /// plain one. `None` without parts.
    pub fn whole(&self, label: Label, parts: &mut [f64]) -> Option<f64> {
        whole(self.aggregation.as_ref(), self.plain_aggregation, label, parts)
    }

    /// Checks texts, numbers and members.
    ///
    /// # Errors
    /// [`BundleError`] names what cannot be used.
    pub fn check(&self) -> Result<(), BundleError> {
        if self.format_version != FORMAT_VERSION {
            return Err(BundleError::Version { found: self.format_version.to_string() });
        }
        self.check_claims()?;
        check_members(&self.members)?;
        if let Some(series) = &self.series {
            if self.stacking.is_some() {
                let problem = "cannot be used beside `stacking`: each would have to read the other";
                return Err(BundleError::value("series", problem));
            }
            check_bundle_series(series, &self.members)?;
        }
        let Some(stacking) = &self.stacking else { return Ok(()) };
        let count = self.models().len();
        if stacking.models != count {
            let problem = format!("reads {} models of {count}", stacking.models);
            return Err(BundleError::value("stacking", problem));
        }
        stacking.check().map_err(|error| BundleError::value("stacking", error.to_string()))
    }

    /// Checks what the model claims of itself: labels, texts and figures.
    fn check_claims(&self) -> Result<(), BundleError> {
        if self.labels != Label::ALL {
            return Err(BundleError::Labels(self.labels.clone()));
        }
        let texts = [("name", &self.name), ("version", &self.version), ("notice", &self.notice)];
        for (field, text) in texts {
            if text.trim().is_empty() {
                return Err(BundleError::value(field, "is empty"));
            }
        }
        if let Some(problem) = self.metrics.iter().find_map(Metric::problem) {
            return Err(BundleError::value("metrics", problem));
        }
        for point in &self.operating_points {
            let shares = [Some(point.threshold), point.sensitivity, point.specificity];
            if shares.into_iter().flatten().any(|share| !(0.0..=1.0).contains(&share)) {
                let problem = format!("`{}` has a value that is not between 0 and 1", point.name);
                return Err(BundleError::value("operating_points", problem));
            }
        }
        if let Some(Err(error)) = self.calibration.as_ref().map(Calibration::check) {
            return Err(BundleError::value("calibration", error.to_string()));
        }
        if let Some(Err(error)) = self.aggregation.as_ref().map(LearnedAggregation::check) {
            return Err(BundleError::value("aggregation", error.to_string()));
        }
        Ok(())
    }

    /// Each model with the range of its members: members that follow each other with one name are one
    /// model, the mean of its members.
    pub fn models(&self) -> Vec<(&str, Range<usize>)> {
        models(&self.members)
    }

    /// Thickness of the slices that the members were trained on, mm, where it is stored.
    pub fn slab_mm(&self) -> Option<f64> {
        self.members.first().and_then(|member| member.slab_mm)
    }

    /// Whether it is one network of slices with at most its own networks of series: nothing else makes
    /// its probabilities but calibration.
    pub fn is_single(&self) -> bool {
        let alone = self.stacking.is_none() && self.series.is_none();
        alone && matches!(self.members.as_slice(), [member] if member.calibration.is_none())
    }

    /// Hashes of the bundle's own networks of series, in the order of their files.
    pub(super) fn series_sha256(&self) -> impl Iterator<Item = &String> {
        self.series.iter().flat_map(|series| &series.stage.sha256)
    }
}

/// Checks that a description is of the version that this program reads.
fn check_version(value: &serde_json::Value) -> Result<(), BundleError> {
    let has = |field| value.get(field).is_some();
    // Bundles were of versions 1 to 3 before the format was settled, without a list of members.
    if !has("members") && (has("models") || has("sha256")) {
        return Err(BundleError::Unsettled);
    }
    match value.get("format_version") {
        Some(version) if version.as_u64() == Some(FORMAT_VERSION.into()) => Ok(()),
        version => {
            // Cut short: it may be anything.
            let shown = |value: &serde_json::Value| value.to_string().chars().take(40).collect();
            Err(BundleError::Version { found: version.map_or("missing".to_owned(), shown) })
        }
    }
}

/// Checks that a text can be a hash.
pub(super) fn check_sha256(field: &str, text: &str) -> Result<(), BundleError> {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if text.len() != 64 || !text.chars().all(is_hex) {
        return Err(BundleError::value(field, "is not 64 lower-case hexadecimal digits"));
    }
    Ok(())
}
