//! `model.json`: what a network is, what it takes, how good it is and what it may be used for.

use hemora_ct::{InputRecipe, Label, Views};
use hemora_metrics::{Calibration, LearnedAggregation, OperatingPoint};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ensemble::ENSEMBLE_FORMAT_VERSION;
use super::series::{SeriesStage, check_stages};
use super::{BundleError, Claims};

/// Newest version of the bundle format; raised when a reader of the old one could misuse the new.
/// Version 2 has networks of series; a bundle without any is of version 1. Version 3 are ensembles.
pub const FORMAT_VERSION: u32 = 3;

/// The description of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Version of this document's format: 2 where there are networks of series, else 1.
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
    /// The six labels in the order of the output's columns.
    pub labels: Vec<Label>,
    /// How slices become the network's input.
    pub input: InputRecipe,
    /// Views of each input whose probabilities are averaged.
    #[serde(default, skip_serializing_if = "Views::is_one")]
    pub views: Views,
    /// The network.
    pub network: NetworkRef,
    /// What it was trained on.
    pub training_data: String,
    /// How good it is, and on what.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Thresholds with what they achieve and where they were chosen.
    #[serde(default)]
    pub operating_points: Vec<OperatingPoint>,
    /// How a slice's probabilities are calibrated before anything is made of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How the slices of a series make its probability, where that was fitted; else the mean of the
    /// three highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<LearnedAggregation>,
    /// Networks that read the slices of a whole series, and whose probabilities then stand for those
    /// of the network of single slices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesStage>,
    /// SHA-256 of `model.onnx`, lower-case hexadecimal.
    pub sha256: String,
}

/// A network by name and size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkRef {
    /// Name, for instance `efficientnet-lite0`.
    pub name: String,
    /// Number of trainable parameters.
    pub trainable_parameters: u64,
}

/// What a figure was computed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MeasuredLevel {
    /// Single slices.
    Slice,
    /// Series.
    Series,
    /// Studies.
    Study,
}

/// One measured figure with its 95 % confidence interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Name, for instance `AUROC`.
    pub name: String,
    /// The label, absent for a figure over all labels.
    pub label: Option<Label>,
    /// What it was computed over.
    pub level: MeasuredLevel,
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

impl ModelInfo {
    /// Reads and checks a description.
    ///
    /// # Errors
    /// [`BundleError`] names the version, field or value that cannot be used.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BundleError> {
        let (version, value) = parsed(bytes)?;
        if version == ENSEMBLE_FORMAT_VERSION {
            return Err(BundleError::Ensemble);
        }
        let info: Self = serde_json::from_value(value)?;
        info.check()?;
        Ok(info)
    }

    /// Checks labels, recipe and values.
    ///
    /// # Errors
    /// [`BundleError`] names what cannot be used.
    pub fn check(&self) -> Result<(), BundleError> {
        if self.format_version != self.needed_version() {
            let problem = format!(
                "is {}; expected {} with {} stages of networks of series",
                self.format_version,
                self.needed_version(),
                self.series.len()
            );
            return Err(BundleError::Value { field: "format_version", problem });
        }
        self.claims().check()?;
        self.input.check()?;
        check_sha256("sha256", &self.sha256)?;
        check_stages(&self.series)
    }

    /// What it claims of itself.
    pub fn claims(&self) -> Claims<'_> {
        Claims {
            name: &self.name,
            version: &self.version,
            notice: &self.notice,
            labels: &self.labels,
            metrics: &self.metrics,
            operating_points: &self.operating_points,
            calibration: self.calibration.as_ref(),
            aggregation: self.aggregation.as_ref(),
        }
    }

    /// The version of a document with these fields.
    pub(super) fn needed_version(&self) -> u32 {
        if self.series.is_empty() { 1 } else { 2 }
    }

    /// Hashes of all networks of series, in the order of their files.
    pub(super) fn series_sha256(&self) -> impl Iterator<Item = &String> {
        self.series.iter().flat_map(|stage| &stage.sha256)
    }
}

/// The version of a description, one that this program reads, and its JSON.
pub(super) fn parsed(bytes: &[u8]) -> Result<(u32, serde_json::Value), BundleError> {
    let value: serde_json::Value = serde_json::from_slice(bytes)?;
    // The version before anything else: a newer format may have fields that this one does not know.
    let version = value.get("format_version").and_then(serde_json::Value::as_u64);
    match version.and_then(|version| u32::try_from(version).ok()) {
        Some(version @ 1..=FORMAT_VERSION) => Ok((version, value)),
        _ => {
            let found = value.get("format_version").map_or("missing".to_owned(), short);
            Err(BundleError::Version { found, newest: FORMAT_VERSION })
        }
    }
}

pub(super) fn check_sha256(field: &'static str, text: &str) -> Result<(), BundleError> {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if text.len() != 64 || !text.chars().all(is_hex) {
        let problem = "is not 64 lower-case hexadecimal digits".to_owned();
        return Err(BundleError::Value { field, problem });
    }
    Ok(())
}

/// A value for a message, cut short.
fn short(value: &serde_json::Value) -> String {
    value.to_string().chars().take(40).collect()
}
