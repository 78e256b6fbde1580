//! What a model claims of itself, whatever it is made of, and the checks on that.

use hemora_ct::Label;
use hemora_metrics::{Calibration, LearnedAggregation, OperatingPoint};

use super::{BundleError, Metric};

/// The fields that the descriptions of networks and of ensembles have in common.
#[derive(Debug, Clone, Copy)]
pub struct Claims<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Version of the model.
    pub version: &'a str,
    /// That it is for research use.
    pub notice: &'a str,
    /// The labels, in order.
    pub labels: &'a [Label],
    /// Figures.
    pub metrics: &'a [Metric],
    /// Thresholds.
    pub operating_points: &'a [OperatingPoint],
    /// How probabilities are calibrated.
    pub calibration: Option<&'a Calibration>,
    /// How slices make a series.
    pub aggregation: Option<&'a LearnedAggregation>,
}

impl Claims<'_> {
    /// Checks labels, texts and numbers.
    ///
    /// # Errors
    /// [`BundleError`] names what cannot be used.
    pub(super) fn check(&self) -> Result<(), BundleError> {
        let refuse = |field, problem: String| Err(BundleError::Value { field, problem });
        if self.labels != Label::ALL {
            return Err(BundleError::Labels(self.labels.to_vec()));
        }
        let texts = [("name", self.name), ("version", self.version), ("notice", self.notice)];
        for (field, text) in texts {
            if text.trim().is_empty() {
                return refuse(field, "is empty".to_owned());
            }
        }
        for metric in self.metrics {
            let figures = [Some(metric.value), metric.low, metric.high];
            if figures.into_iter().flatten().any(|figure| !figure.is_finite())
                || metric.positives > metric.n
            {
                let problem = format!(
                    "`{}` has a figure that is not finite, or more positives than cases",
                    metric.name
                );
                return refuse("metrics", problem);
            }
        }
        for point in self.operating_points {
            let shares = [Some(point.threshold), point.sensitivity, point.specificity];
            if shares.into_iter().flatten().any(|share| !(0.0..=1.0).contains(&share)) {
                let problem = format!("`{}` has a value that is not between 0 and 1", point.name);
                return refuse("operating_points", problem);
            }
        }
        if let Some(Err(error)) = self.calibration.map(Calibration::check) {
            return refuse("calibration", error.to_string());
        }
        if let Some(Err(error)) = self.aggregation.map(LearnedAggregation::check) {
            return refuse("aggregation", error.to_string());
        }
        Ok(())
    }
}
