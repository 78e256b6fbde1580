//! What was fitted for a model, from a document of `hemora calibrate` or from its bundle.

use std::path::Path;

use hemora_evaluation::read_fit;
use hemora_metrics::{Aggregation, Calibration, LearnedAggregation, Level, OperatingPoint};
use hemora_model::Bundle;
use serde_json::Value;

use crate::BundlingError;

/// Calibration, operating points and how slices make a series.
#[derive(Debug, Default)]
pub struct Fitted {
    /// How probabilities are calibrated.
    pub calibration: Option<Calibration>,
    /// The operating points.
    pub points: Vec<OperatingPoint>,
    /// The fitted rule by which slices make a series.
    pub learned: Option<LearnedAggregation>,
    /// How slices make a series without such a rule.
    pub aggregation: Aggregation,
}

impl Fitted {
    /// Reads a document of `hemora calibrate`.
    ///
    /// # Errors
    /// [`BundlingError`] names the file.
    pub fn read(path: &Path) -> Result<Self, BundlingError> {
        let fit = read_fit(path)?;
        Ok(Self {
            calibration: fit.calibration,
            points: fit.operating_points,
            learned: fit.aggregation,
            aggregation: fit.plain_aggregation,
        })
    }

    /// What a bundle has; slices make a series as triage makes them.
    pub fn from_bundle(bundle: &Bundle) -> Self {
        let info = bundle.info();
        Self {
            calibration: info.calibration.clone(),
            points: info.operating_points.clone(),
            learned: info.aggregation.clone(),
            aggregation: info.plain_aggregation,
        }
    }

    /// The aggregation to evaluate with, given the one that was asked for, and whether the fitted rule
    /// comes first.
    ///
    /// # Errors
    /// [`BundlingError`] if operating points of series or studies are for another one.
    pub fn aggregate(
        &self,
        asked: Option<Aggregation>,
    ) -> Result<(Aggregation, bool), BundlingError> {
        let Some(asked) = asked else { return Ok((self.aggregation, self.learned.is_some())) };
        let wholes = self.points.iter().any(|point| point.level != Level::Slice);
        if wholes && (self.learned.is_some() || asked != self.aggregation) {
            let fitted = match self.learned {
                Some(_) => "a learned aggregation".to_owned(),
                None => format!("the aggregation `{}`", self.aggregation),
            };
            return Err(BundlingError::unfit(
                "--aggregate",
                format!(
                    "operating points of series and studies are for {fitted}, not for `{asked}`"
                ),
                "leave --aggregate out, or choose operating points with it",
            ));
        }
        Ok((asked, false))
    }
}

/// Refuses a result of triage that another model made, where the `result.json` beside it names one.
///
/// # Errors
/// [`BundlingError`] names both models.
pub fn refuse_other_model(predictions: &Path, model: &Bundle) -> Result<(), BundlingError> {
    let beside = predictions.with_file_name("result.json");
    let Ok(text) = std::fs::read(&beside) else { return Ok(()) };
    let Ok(result) = serde_json::from_slice::<Value>(&text) else { return Ok(()) };
    let made_by = |field: &str| result["model"][field].as_str().unwrap_or_default().to_owned();
    let expected = model.model_ref();
    let series = result["model"]["series_sha256"].as_array().map_or(&[][..], Vec::as_slice);
    let same_series =
        series.iter().map(Value::as_str).eq(expected.series_sha256.iter().map(|it| Some(&**it)));
    if made_by("sha256").is_empty() || (made_by("sha256") == expected.sha256 && same_series) {
        return Ok(());
    }
    Err(BundlingError::unfit(
        beside.display().to_string(),
        format!(
            "it was made by {} {}, not by the networks of {} {}",
            made_by("name"),
            made_by("version"),
            expected.name,
            expected.version
        ),
        "give the bundle of the model that made the predictions",
    ))
}
