//! Descriptions of bundles, with nothing that a test must know of.

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Views, Window};
use hemora_metrics::{
    Aggregation, Calibration, CalibrationMethod, Calibrator, LabelCalibration, Level,
    OperatingPoint, OperatingRule, Origin,
};
use hemora_model::{Member, ModelInfo, NetworkRef};

/// Rows and columns of the input of [`member`], pixels.
pub const SIZE: usize = 32;

/// A member that is the only one.
pub fn member() -> Member {
    Member {
        model: "test".to_owned(),
        network: NetworkRef { name: "none".to_owned(), trainable_parameters: 7 },
        input: InputRecipe::grey(SIZE, Window::BRAIN),
        views: Views::One,
        slab_mm: None,
        series: Vec::new(),
        calibration: None,
        weights: [1.0; LABEL_COUNT],
        sha256: String::new(),
    }
}

/// The description of a bundle of one.
pub fn info() -> ModelInfo {
    ModelInfo {
        format_version: 1,
        name: "test".to_owned(),
        version: "1.2.3".to_owned(),
        created: "2026-01-02".to_owned(),
        licence: "CC0".to_owned(),
        intended_use: "tests".to_owned(),
        notice: "For research use only.".to_owned(),
        labels: Label::ALL.to_vec(),
        training_data: "none".to_owned(),
        metrics: Vec::new(),
        operating_points: Vec::new(),
        certainty: Vec::new(),
        calibration: None,
        aggregation: None,
        plain_aggregation: Aggregation::TopMean(3),
        members: vec![member()],
        stacking: None,
        series: None,
    }
}

/// Where nothing was measured.
fn origin() -> Origin {
    Origin {
        file: "none.csv".to_owned(),
        sha256: String::new(),
        ids_sha256: String::new(),
        items: 10,
        groups: 5,
        grouping: "patient".to_owned(),
    }
}

/// A threshold on slices.
pub fn operating_point(threshold: f64) -> OperatingPoint {
    OperatingPoint {
        name: "sensitivity=0.9".to_owned(),
        label: Label::Any,
        level: Level::Slice,
        threshold,
        rule: OperatingRule::Sensitivity(0.9),
        calibrated: true,
        sensitivity: Some(0.9),
        specificity: Some(0.8),
        positives: 5,
        origin: Some(origin()),
    }
}

/// A temperature for `any` alone.
pub fn calibration(temperature: f64) -> Calibration {
    Calibration {
        method: CalibrationMethod::Temperature,
        labels: vec![LabelCalibration {
            label: Label::Any,
            calibrator: Calibrator::Temperature(temperature),
            positives: 5,
        }],
        origin: origin(),
    }
}
