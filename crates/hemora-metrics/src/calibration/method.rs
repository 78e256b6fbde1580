//! The calibration of a model, as its bundle stores it.

use std::fmt;
use std::str::FromStr;

use hemora_ct::{LABEL_COUNT, Label};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::logistic::{fit_platt, fit_temperature, log_odds, sigmoid};
use crate::{Isotonic, MetricError, Origin};

/// How a calibration is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CalibrationMethod {
    /// One number: log-odds are divided by it. Keeps the order.
    #[default]
    Temperature,
    /// Two numbers: slope and intercept on log-odds. Keeps the order, or turns it round.
    Platt,
    /// Any map that never falls; needs many positives.
    Isotonic,
}

impl fmt::Display for CalibrationMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            CalibrationMethod::Temperature => "temperature",
            CalibrationMethod::Platt => "platt",
            CalibrationMethod::Isotonic => "isotonic",
        })
    }
}

impl FromStr for CalibrationMethod {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "temperature" => Ok(CalibrationMethod::Temperature),
            "platt" => Ok(CalibrationMethod::Platt),
            "isotonic" => Ok(CalibrationMethod::Isotonic),
            _ => Err(format!("`{name}` is no method; expected temperature, platt or isotonic")),
        }
    }
}

/// A fitted map from a model's probability to a calibrated one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Calibrator {
    /// Leaves probabilities as they are: the data did not determine a map.
    Identity,
    /// Log-odds divided by this number above 0.
    Temperature(f64),
    /// Log-odds times `slope` plus `intercept`.
    Platt {
        /// Slope.
        slope: f64,
        /// Intercept.
        intercept: f64,
    },
    /// A map by points.
    Isotonic(Isotonic),
}

impl Calibrator {
    /// Fits a map; [`Calibrator::Identity`] where the data do not determine one.
    ///
    /// # Errors
    /// [`MetricError`] if the lengths differ or a probability is not in 0 to 1.
    pub fn fit(
        method: CalibrationMethod,
        probabilities: &[f64],
        labels: &[bool],
    ) -> Result<Self, MetricError> {
        let fitted = match method {
            CalibrationMethod::Temperature => {
                fit_temperature(probabilities, labels)?.map(Calibrator::Temperature)
            }
            CalibrationMethod::Platt => fit_platt(probabilities, labels)?
                .map(|(slope, intercept)| Calibrator::Platt { slope, intercept }),
            CalibrationMethod::Isotonic => {
                let both = labels.contains(&true) && labels.contains(&false);
                Isotonic::fit(probabilities, labels)?.filter(|_| both).map(Calibrator::Isotonic)
            }
        };
        Ok(fitted.unwrap_or(Calibrator::Identity))
    }

    /// The calibrated probability of a probability 0 to 1.
    pub fn apply(&self, probability: f64) -> f64 {
        match self {
            Calibrator::Identity => probability,
            Calibrator::Temperature(temperature) => sigmoid(log_odds(probability) / temperature),
            Calibrator::Platt { slope, intercept } => {
                sigmoid(slope * log_odds(probability) + intercept)
            }
            Calibrator::Isotonic(map) => map.apply(probability),
        }
    }

    /// Checks numbers that came from a file.
    ///
    /// # Errors
    /// [`MetricError::Option`] names what cannot be used.
    pub fn check(&self) -> Result<(), MetricError> {
        let (sound, expected) = match self {
            Calibrator::Identity => (true, ""),
            Calibrator::Temperature(temperature) => {
                (temperature.is_finite() && *temperature > 0.0, "a finite temperature above 0")
            }
            Calibrator::Platt { slope, intercept } => {
                (slope.is_finite() && intercept.is_finite(), "a finite slope and intercept")
            }
            Calibrator::Isotonic(map) => {
                (map.is_sound(), "as many ascending points within 0 to 1 on both sides")
            }
        };
        if sound {
            return Ok(());
        }
        let value: String = format!("{self:?}").chars().take(80).collect();
        Err(MetricError::Option { option: "calibration", value, expected })
    }
}

/// One label's map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelCalibration {
    /// The label.
    pub label: Label,
    /// Its map.
    pub calibrator: Calibrator,
    /// Positives that it was fitted on.
    pub positives: u64,
}

/// The calibration of a model's slices, as its bundle stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// How it was fitted.
    pub method: CalibrationMethod,
    /// A map for each label; labels without one are left as they are.
    pub labels: Vec<LabelCalibration>,
    /// The data it was fitted on.
    pub origin: Origin,
}

impl Calibration {
    /// The map of a label, if there is one.
    pub fn get(&self, label: Label) -> Option<&Calibrator> {
        self.labels.iter().find(|one| one.label == label).map(|one| &one.calibrator)
    }

    /// Calibrates the probabilities of a slice, in label order.
    pub fn apply(&self, probabilities: [f32; LABEL_COUNT]) -> [f32; LABEL_COUNT] {
        let mut calibrated = probabilities;
        for one in &self.labels {
            let value = &mut calibrated[one.label.index()];
            *value = one.calibrator.apply(f64::from(*value)) as f32;
        }
        calibrated
    }

    /// Checks a calibration that came from a file.
    ///
    /// # Errors
    /// [`MetricError::Option`] if a map cannot be used or a label has two.
    pub fn check(&self) -> Result<(), MetricError> {
        for (index, one) in self.labels.iter().enumerate() {
            one.calibrator.check()?;
            if self.labels[..index].iter().any(|other| other.label == one.label) {
                let (option, value) = ("calibration", one.label.to_string());
                return Err(MetricError::Option { option, value, expected: "a label once" });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        Origin {
            file: "validation.csv".into(),
            sha256: String::new(),
            ids_sha256: String::new(),
            items: 4,
            groups: 2,
            grouping: "patient".into(),
        }
    }

    #[test]
    fn a_calibration_survives_json_and_touches_its_labels_only() {
        let labels = vec![
            LabelCalibration {
                label: Label::Any,
                calibrator: Calibrator::Temperature(2.0),
                positives: 3,
            },
            LabelCalibration {
                label: Label::Subdural,
                calibrator: Calibrator::Isotonic(Isotonic {
                    from: vec![0.0, 1.0],
                    to: vec![0.0, 0.5],
                }),
                positives: 2,
            },
        ];
        let calibration =
            Calibration { method: CalibrationMethod::Temperature, labels, origin: origin() };
        let text = serde_json::to_string(&calibration).unwrap();
        let read: Calibration = serde_json::from_str(&text).unwrap();
        assert_eq!(read, calibration);
        read.check().unwrap();
        let calibrated = read.apply([0.25, 0.25, 0.25, 0.25, 0.5, 0.9]);
        assert_eq!(calibrated[..4], [0.25; 4]);
        assert!((calibrated[4] - 0.25).abs() < 1e-6 && (calibrated[5] - 0.75).abs() < 1e-6);
    }

    #[test]
    fn numbers_from_a_file_are_checked() {
        for bad in [
            Calibrator::Temperature(0.0),
            Calibrator::Temperature(f64::INFINITY),
            Calibrator::Platt { slope: f64::NAN, intercept: 0.0 },
            Calibrator::Isotonic(Isotonic { from: vec![], to: vec![] }),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_class_is_left_as_it_is() {
        for name in ["temperature", "platt", "isotonic"] {
            let method: CalibrationMethod = name.parse().unwrap();
            let fitted = Calibrator::fit(method, &[0.2, 0.7], &[false, false]).unwrap();
            assert_eq!(fitted, Calibrator::Identity);
            assert_eq!(method.to_string(), name);
        }
    }
}
