//! A description, and archives made without the code under test.

use std::io::{Cursor, Write};

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Views, Window};
use hemora_metrics::{
    Calibration, CalibrationMethod, Calibrator, LabelCalibration, Level, OperatingPoint,
    OperatingRule, Origin,
};
use hemora_model::{Bundle, Member, ModelInfo, NetworkRef};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A member that is the only one.
pub fn member() -> Member {
    Member {
        model: "test".to_owned(),
        network: NetworkRef { name: "none".to_owned(), trainable_parameters: 7 },
        input: InputRecipe::grey(32, Window::BRAIN),
        views: Views::One,
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
        calibration: None,
        aggregation: None,
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

/// A zip archive of these entries.
pub fn archive<N: AsRef<str>>(entries: &[(N, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(name.as_ref(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The archive of a description and of networks by their names.
pub fn stored(description: &serde_json::Value, networks: &[(String, Vec<u8>)]) -> Vec<u8> {
    let description = description.to_string();
    let mut entries = vec![("model.json", description.as_bytes()), ("card.md", b"".as_slice())];
    entries.extend(networks.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    archive(&entries, CompressionMethod::Stored)
}

/// Why a bundle is refused.
pub fn refused(bytes: &[u8]) -> String {
    Bundle::from_bytes(bytes).unwrap_err().to_string()
}

/// Every truncation is refused; every flipped byte is refused or changes nothing; nothing panics.
pub fn assert_damage_is_noticed(bytes: &[u8]) {
    let whole = Bundle::from_bytes(bytes).unwrap();
    for length in 0..bytes.len() {
        assert!(Bundle::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    for index in 0..bytes.len() {
        let mut flipped = bytes.to_vec();
        flipped[index] ^= 0x20;
        // Flips in unused header fields change nothing; all others are errors, never panics.
        if let Ok(bundle) = Bundle::from_bytes(&flipped) {
            assert_eq!(bundle.model_ref(), whole.model_ref(), "byte {index}");
            assert!(bundle.members().eq(whole.members()), "byte {index}");
            assert_eq!(bundle.card(), whole.card(), "byte {index}");
        }
    }
}
