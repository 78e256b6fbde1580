//! A calibration and operating points from validation predictions.

use std::path::Path;

use hemora_metrics::{FIT_VERSION, FitOptions, FitReport, fit};

use crate::document::read_json;
use crate::{Cases, EvaluateError};

/// Fits on these cases; the report carries their origin.
///
/// # Errors
/// [`EvaluateError::Metric`] if a rule is out of bounds, [`EvaluateError::Request`] if an aggregation
/// is to be learned and neither series nor studies are known.
pub fn calibrate(cases: &Cases, options: &FitOptions) -> Result<FitReport, EvaluateError> {
    let hierarchy = &cases.hierarchy;
    if options.learn_aggregation && hierarchy.series.is_none() && hierarchy.studies.is_none() {
        return Err(EvaluateError::Request(
            "neither series nor studies are known, so that nothing can be learned of them; give \
             --index, --series-column or --studies"
                .to_owned(),
        ));
    }
    Ok(fit(&cases.columns, &cases.clusters, &cases.hierarchy, &cases.origin(), options)?)
}

/// Reads a report that [`calibrate`] made, and checks its numbers.
///
/// # Errors
/// [`EvaluateError`] names the file and what cannot be used.
pub fn read_fit(path: &Path) -> Result<FitReport, EvaluateError> {
    const EXPECTED: &str = "what `hemora calibrate` of this version writes";
    let wrong =
        |reason| EvaluateError::Document { path: path.to_owned(), reason, expected: EXPECTED };
    let report: FitReport = read_json(path, EXPECTED)?;
    if report.schema_version != FIT_VERSION {
        return Err(wrong(format!("its version is {}", report.schema_version)));
    }
    if let Some(calibration) = &report.calibration {
        calibration.check().map_err(|error| wrong(error.to_string()))?;
    }
    if let Some(aggregation) = &report.aggregation {
        aggregation.check().map_err(|error| wrong(error.to_string()))?;
    }
    Ok(report)
}
