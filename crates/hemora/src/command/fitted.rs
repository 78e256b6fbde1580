//! What was fitted for a model, from a document of `hemora calibrate` or from its bundle.

use std::path::Path;

use hemora_evaluation::read_fit;
use hemora_metrics::{Aggregation, Calibration, LearnedAggregation, Level, OperatingPoint};
use hemora_model::Model;
use miette::{IntoDiagnostic, Result, bail};
use serde_json::Value;

/// Calibration, operating points and how slices make a series.
#[derive(Debug, Default)]
pub struct Fitted {
    pub calibration: Option<Calibration>,
    pub points: Vec<OperatingPoint>,
    pub learned: Option<LearnedAggregation>,
    pub aggregation: Aggregation,
}

impl Fitted {
    /// Reads a document of `hemora calibrate`.
    ///
    /// # Errors
    /// A report that names the file.
    pub fn read(path: &Path) -> Result<Self> {
        let fit = read_fit(path).into_diagnostic()?;
        Ok(Self {
            calibration: fit.calibration,
            points: fit.operating_points,
            learned: fit.aggregation,
            aggregation: fit.plain_aggregation,
        })
    }

    /// Of a model's bundle; how slices make a series is what triage does.
    pub fn of(model: &Model) -> Self {
        let claims = model.claims();
        Self {
            calibration: claims.calibration.cloned(),
            points: claims.operating_points.to_vec(),
            learned: claims.aggregation.cloned(),
            aggregation: Aggregation::default(),
        }
    }

    /// The aggregation to evaluate with, given the one that was asked for.
    ///
    /// # Errors
    /// A report if operating points of series or studies are for another one.
    pub fn aggregate(&self, asked: Option<Aggregation>) -> Result<(Aggregation, bool)> {
        let Some(asked) = asked else { return Ok((self.aggregation, self.learned.is_some())) };
        let wholes = self.points.iter().any(|point| point.level != Level::Slice);
        if wholes && (self.learned.is_some() || asked != self.aggregation) {
            let fitted = match self.learned {
                Some(_) => "a learned aggregation".to_owned(),
                None => format!("the aggregation `{}`", self.aggregation),
            };
            bail!(
                help = "leave --aggregate out, or choose operating points with it",
                "operating points of series and studies are for {fitted}, not for `{asked}`"
            );
        }
        Ok((asked, false))
    }
}

/// Refuses a result of triage that another model made, where `result.json` beside it tells.
///
/// # Errors
/// A report that names both models.
pub fn refuse_other_model(predictions: &Path, model: &Model) -> Result<()> {
    let beside = predictions.with_file_name("result.json");
    let Ok(text) = std::fs::read(&beside) else { return Ok(()) };
    let Ok(result) = serde_json::from_slice::<Value>(&text) else { return Ok(()) };
    let made_by = |field: &str| result["model"][field].as_str().unwrap_or_default().to_owned();
    let own = model.model_ref();
    let series = result["model"]["series_sha256"].as_array().map_or(&[][..], Vec::as_slice);
    let same_series =
        series.iter().map(Value::as_str).eq(own.series_sha256.iter().map(|it| Some(&**it)));
    if made_by("sha256").is_empty() || (made_by("sha256") == own.sha256 && same_series) {
        return Ok(());
    }
    bail!(
        help = "give the bundle of the model that made the predictions",
        "{} was made by {} {}, not by the networks of {} {}",
        beside.display(),
        made_by("name"),
        made_by("version"),
        own.name,
        own.version
    )
}
