//! Calibration: maps from a model's probabilities to ones that mean what they say.

mod isotonic;
mod logistic;
mod method;

pub use isotonic::Isotonic;
pub use logistic::{fit_platt, fit_temperature, log_odds, sigmoid};
pub use method::{Calibration, CalibrationMethod, Calibrator, LabelCalibration};
