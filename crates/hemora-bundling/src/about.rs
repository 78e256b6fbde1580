//! What only a person, or a recipe, can tell of a model.

use std::path::Path;

use hemora_ct::{Label, NOTICE};
use hemora_metrics::FitReport;
use hemora_model::{FORMAT_VERSION, Member, Metric, ModelInfo};
use serde::{Deserialize, Serialize};

use crate::BundlingError;
use crate::error::read;

/// The description of a model that its bundle and card take over, a TOML file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Name of the model.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it was made.
    pub created: String,
    /// Terms of the weights.
    pub licence: String,
    /// What it may be used for, and what not.
    pub intended_use: String,
    /// What it was trained on, and how.
    pub training_data: String,
    /// How slices become its input, in words.
    pub input: String,
    /// What it was validated on, and what was chosen there.
    pub validation: String,
    /// What a user should not expect of it.
    pub limits: Vec<String>,
}

impl About {
    /// Reads a description.
    ///
    /// # Errors
    /// [`BundlingError`] names the file and the field that cannot be used.
    pub fn read(path: &Path) -> Result<Self, BundlingError> {
        toml::from_slice(&read(path)?)
            .map_err(|source| BundlingError::Toml { path: path.to_owned(), source: source.into() })
    }

    /// The description of a bundle of `members` with what was fitted for it: without trees and networks of
    /// series of its own.
    pub(crate) fn describe(
        &self,
        members: Vec<Member>,
        metrics: Vec<Metric>,
        fit: Option<FitReport>,
    ) -> ModelInfo {
        let plain_aggregation = fit.as_ref().map(|fit| fit.plain_aggregation).unwrap_or_default();
        let (operating_points, certainty, aggregation, calibration) = match fit {
            Some(fit) => (fit.operating_points, fit.certainty, fit.aggregation, fit.calibration),
            None => (Vec::new(), Vec::new(), None, None),
        };
        ModelInfo {
            format_version: FORMAT_VERSION,
            name: self.name.clone(),
            version: self.version.clone(),
            created: self.created.clone(),
            licence: self.licence.clone(),
            intended_use: self.intended_use.clone(),
            notice: NOTICE.to_owned(),
            labels: Label::ALL.to_vec(),
            training_data: self.training_data.clone(),
            metrics,
            operating_points,
            certainty,
            calibration,
            aggregation,
            plain_aggregation,
            members,
            stacking: None,
            series: None,
        }
    }
}
