//! `model.json` of an ensemble: which models it is made of, and how they make one probability.

use hemora_ct::{LABEL_COUNT, Label};
use hemora_metrics::{Calibration, LearnedAggregation, OperatingPoint, Stacking, are_weights};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::info::{check_sha256, parsed};
use super::series::{SeriesStage, check_stage_of_ensemble};
use super::{BundleError, Claims, Metric};

/// Version of an ensemble's description: those of single networks have 1 and 2.
pub const ENSEMBLE_FORMAT_VERSION: u32 = 3;

/// Most bundles of an ensemble.
pub const MOST_MEMBERS: usize = 32;

/// The description of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnsembleInfo {
    /// Version of this document's format, 3.
    pub format_version: u32,
    /// Name of the ensemble.
    pub name: String,
    /// Version of the ensemble.
    pub version: String,
    /// When it was made, for instance `2026-03-14`.
    pub created: String,
    /// Licence of the weights.
    pub licence: String,
    /// What it is meant for, and what not.
    pub intended_use: String,
    /// States that the model is for research use and not for diagnosis.
    pub notice: String,
    /// The six labels in the order of all weights.
    pub labels: Vec<Label>,
    /// What it was trained on.
    pub training_data: String,
    /// How good it is, and on what.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Thresholds with what they achieve and where they were chosen.
    #[serde(default)]
    pub operating_points: Vec<OperatingPoint>,
    /// How the ensemble's probabilities are calibrated; those of its members are so before by their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// How the slices of a series make its probability, where that was fitted; else the mean of the
    /// three highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregation: Option<LearnedAggregation>,
    /// The models, one at least.
    pub models: Vec<EnsembleModel>,
    /// Trees that read the models' probabilities of a slice and its neighbours and stand for the
    /// weighted mean, where they were fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacking: Option<Stacking>,
    /// Networks of series that read what all models say together and stand for the weighted mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub series: Option<EnsembleSeries>,
}

/// Networks of series that read the models as one: of each slice the weighted mean of their
/// probabilities of single slices, and in the last six columns that of what their own networks of
/// series make of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnsembleSeries {
    /// The networks, of whose probabilities the mean is taken: `series/0.onnx` and so on.
    pub stage: SeriesStage,
    /// Weight of each model's probability of single slices for each label, model by model. Over all
    /// models those of a label sum to 1.
    pub slice_weights: Vec<Vec<f64>>,
}

/// One model of an ensemble: a bundle, or several whose mean it is (those of a run's folds).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnsembleModel {
    /// What it is called.
    pub name: String,
    /// Its weight for each label, in label order. Over all models those of a label sum to 1.
    pub weights: Vec<f64>,
    /// SHA-256 of each bundle, lower-case hexadecimal. Over all models the bundles are
    /// `members/0.hemora`, `members/1.hemora` and so on.
    pub sha256: Vec<String>,
}

/// Name of a member in the archive.
pub fn member_entry(index: usize) -> String {
    format!("members/{index}.hemora")
}

impl EnsembleInfo {
    /// Reads and checks a description.
    ///
    /// # Errors
    /// [`BundleError`] names the version, field or value that cannot be used.
    pub fn from_json(bytes: &[u8]) -> Result<Self, BundleError> {
        let (_, value) = parsed(bytes)?;
        let info: Self = serde_json::from_value(value)?;
        info.check()?;
        Ok(info)
    }

    /// Checks members, weights and values.
    ///
    /// # Errors
    /// [`BundleError`] names what cannot be used.
    pub fn check(&self) -> Result<(), BundleError> {
        let refuse = |field, problem: String| Err(BundleError::Value { field, problem });
        if self.format_version != ENSEMBLE_FORMAT_VERSION {
            let problem = format!(
                "is {}; expected {ENSEMBLE_FORMAT_VERSION} with models",
                self.format_version
            );
            return refuse("format_version", problem);
        }
        self.claims().check()?;
        let members = self.member_sha256().count();
        if members > MOST_MEMBERS {
            let problem = format!("have {members} members; expected at most {MOST_MEMBERS}");
            return refuse("models", problem);
        }
        for model in &self.models {
            if model.name.trim().is_empty() || model.sha256.is_empty() {
                return refuse("models", "has a model without a name or member".to_owned());
            }
        }
        self.check_weights("models", &|model| &self.models[model].weights)?;
        if let Some(series) = &self.series {
            if series.slice_weights.len() != self.models.len() {
                let (found, expected) = (series.slice_weights.len(), self.models.len());
                let problem = format!("has weights of {found} models; expected {expected}");
                return refuse("series", problem);
            }
            if self.stacking.is_some() {
                let problem = "cannot stand beside `stacking`: either would read the other";
                return refuse("series", problem.to_owned());
            }
            self.check_weights("series", &|model| &series.slice_weights[model])?;
            check_stage_of_ensemble(&series.stage)?;
        }
        if let Some(stacking) = &self.stacking {
            if stacking.models != self.models.len() {
                let problem = format!("reads {} models of {}", stacking.models, self.models.len());
                return refuse("stacking", problem);
            }
            if let Err(error) = stacking.check() {
                return refuse("stacking", error.to_string());
            }
        }
        self.member_sha256().try_for_each(|sha256| check_sha256("models.sha256", sha256))
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

    /// Checks the weights of all models.
    fn check_weights<'a>(
        &'a self,
        field: &'static str,
        of: &dyn Fn(usize) -> &'a [f64],
    ) -> Result<(), BundleError> {
        let refuse = |problem: String| Err(BundleError::Value { field, problem });
        for (at, model) in self.models.iter().enumerate() {
            if of(at).len() != LABEL_COUNT {
                return refuse(format!(
                    "{} has {} weights; expected six, one for each label",
                    model.name,
                    of(at).len()
                ));
            }
        }
        for label in Label::ALL {
            let weights: Vec<f64> =
                (0..self.models.len()).map(|model| of(model)[label.index()]).collect();
            if !are_weights(&weights) {
                return refuse(format!(
                    "have the weights {weights:?} for {label}; expected numbers of at least 0 that \
                     sum to 1"
                ));
            }
        }
        Ok(())
    }

    /// Hashes of all networks of series, in the order of their files.
    pub(super) fn series_sha256(&self) -> impl Iterator<Item = &String> {
        self.series.iter().flat_map(|series| &series.stage.sha256)
    }

    /// Hashes of all members, in the order of their files.
    pub(super) fn member_sha256(&self) -> impl Iterator<Item = &String> {
        self.models.iter().flat_map(|model| &model.sha256)
    }
}
