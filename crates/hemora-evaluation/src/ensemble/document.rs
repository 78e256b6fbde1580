//! The document of an ensemble, `ensemble.json`.

use std::fmt;
use std::path::Path;

use hemora_ct::Label;
use hemora_metrics::{Stacking, are_weights};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::read_json;
use crate::{EvaluateError, FileRef};

/// Version of the document; raised when a reader of the old one could misuse the new.
pub const ENSEMBLE_VERSION: u32 = 1;

/// How several models are made one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EnsembleMethod {
    /// All models count the same.
    Mean,
    /// Weights of each label.
    WeightedMean,
    /// Boosted trees over the neighbours' probabilities.
    Stacking,
}

impl fmt::Display for EnsembleMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            EnsembleMethod::Mean => "mean",
            EnsembleMethod::WeightedMean => "weighted-mean",
            EnsembleMethod::Stacking => "stacking",
        })
    }
}

/// Models as one, with what each way gives out of fold: the document that `hemora ensemble fit` writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnsembleFit {
    /// Version of this document, 1.
    pub schema_version: u32,
    /// The models, in the order of all weights.
    pub models: Vec<FittedModel>,
    /// Patients.
    pub patients: u64,
    /// Folds.
    pub folds: u64,
    /// The way that was chosen: that with the least log loss out of fold, of those that could be.
    pub chosen: EnsembleMethod,
    /// Log loss over all labels, weighted as in the competition.
    pub log_loss: EnsembleLosses,
    /// The labels.
    pub labels: Vec<EnsembleLabel>,
    /// The boosted trees, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stacking: Option<Stacking>,
}

/// One of the models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FittedModel {
    /// What it is called.
    pub name: String,
    /// Its table of predictions.
    pub table: FileRef,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnsembleLabel {
    /// The label.
    pub label: Label,
    /// Slices of which it is known.
    pub items: u64,
    /// Positives among them.
    pub positives: u64,
    /// Weights of the models, fitted on all folds; they sum to 1.
    pub weights: Vec<f64>,
    /// Whether the weights were fitted; else they are equal, for want of positives or negatives.
    pub fitted: bool,
    /// Log loss of the label.
    pub log_loss: EnsembleLosses,
}

/// Log loss of every way, out of fold: weights and trees were fitted on the other folds. Absent without
/// labels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnsembleLosses {
    /// Of each model alone.
    pub models: Vec<Option<f64>>,
    /// Of the mean.
    pub mean: Option<f64>,
    /// Of the weighted mean.
    pub weighted_mean: Option<f64>,
    /// Of the boosted trees, where there are any.
    pub stacking: Option<f64>,
}

impl EnsembleLosses {
    /// The loss of a way.
    pub fn of(&self, method: EnsembleMethod) -> Option<f64> {
        match method {
            EnsembleMethod::Mean => self.mean,
            EnsembleMethod::WeightedMean => self.weighted_mean,
            EnsembleMethod::Stacking => self.stacking,
        }
    }
}

/// Reads a document that `hemora ensemble fit` wrote, and checks its numbers.
///
/// # Errors
/// [`EvaluateError`] names the file and what cannot be used.
pub fn read_ensemble_fit(path: &Path) -> Result<EnsembleFit, EvaluateError> {
    const EXPECTED: &str = "an ensemble.json that `hemora ensemble fit` of this version wrote";
    let fit: EnsembleFit = read_json(path, EXPECTED)?;
    let wrong = |reason: String| {
        Err(EvaluateError::Document { path: path.to_owned(), reason, expected: EXPECTED })
    };
    if fit.schema_version != ENSEMBLE_VERSION {
        return wrong(format!("its version is {}", fit.schema_version));
    }
    let labels: Vec<Label> = fit.labels.iter().map(|label| label.label).collect();
    if labels != Label::ALL {
        return wrong("its labels are not the six in order".to_owned());
    }
    for label in &fit.labels {
        if label.weights.len() != fit.models.len() || !are_weights(&label.weights) {
            return wrong(format!(
                "the weights of {} are not {} of at least 0 that sum to 1",
                label.label,
                fit.models.len()
            ));
        }
    }
    match &fit.stacking {
        Some(stacking) if stacking.models != fit.models.len() => {
            wrong("its stacking reads another number of models".to_owned())
        }
        Some(stacking) => match stacking.check() {
            Err(error) => wrong(error.to_string()),
            Ok(()) => Ok(fit),
        },
        None if fit.chosen == EnsembleMethod::Stacking => {
            wrong("it has no stacking, which it says was chosen".to_owned())
        }
        None => Ok(fit),
    }
}
