//! Model bundles: round trips, and everything that must be refused.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use hemora_ct::Label;
use hemora_model::{Bundle, BundleError, MeasuredLevel, Metric, ModelInfo};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::support;

const NETWORK: &[u8] = b"stands for a network";

fn info() -> ModelInfo {
    ModelInfo {
        metrics: vec![Metric {
            name: "AUROC".to_owned(),
            label: Some(Label::Any),
            level: MeasuredLevel::Slice,
            value: 0.5,
            low: Some(0.4),
            high: Some(0.6),
            n: 10,
            positives: 5,
            note: "made up".to_owned(),
        }],
        operating_points: vec![support::operating_point(0.5)],
        calibration: Some(support::calibration(2.0)),
        ..support::info()
    }
}

/// A calibrator as `model.json` has it.
fn temperature(value: f64) -> serde_json::Value {
    serde_json::to_value(hemora_metrics::Calibrator::Temperature(value)).unwrap()
}

fn written(folder: &Path) -> Vec<u8> {
    let path = folder.join("model.hemora");
    Bundle::write(&path, &info(), NETWORK, "# Card\n").unwrap();
    fs::read(path).unwrap()
}

/// A bundle whose description went through `edit`.
fn edited(edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let bundle = Bundle::write(&folder.path().join("m"), &info(), NETWORK, "").unwrap();
    let mut description = serde_json::to_value(bundle.info()).unwrap();
    edit(&mut description);
    archive(&[
        ("model.onnx", NETWORK),
        ("model.json", description.to_string().as_bytes()),
        ("card.md", b""),
    ])
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    archive_with(entries, CompressionMethod::Stored)
}

fn archive_with(entries: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn refused(bytes: &[u8]) -> String {
    Bundle::from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn a_bundle_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = written(folder.path());
    let bundle = Bundle::open(&folder.path().join("model.hemora")).unwrap();
    assert_eq!((bundle.onnx(), bundle.card()), (NETWORK, "# Card\n"));
    let sha256 = bundle.info().sha256.clone();
    assert_eq!(bundle.info(), &ModelInfo { sha256, ..info() });
    assert_eq!(bundle.model_ref().sha256, bundle.info().sha256);
    assert_eq!(Bundle::from_bytes(&bytes).unwrap().info(), bundle.info());
    assert_eq!(written(folder.path()), bytes, "the same parts give the same bytes");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    for name in ["model.onnx", "model.json", "card.md"] {
        assert_eq!(archive.by_name(name).unwrap().compression(), CompressionMethod::Stored);
    }
}

#[test]
fn an_onnx_model_opens_with_its_description_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = Bundle::write(&folder.path().join("b.hemora"), &info(), NETWORK, "").unwrap();
    let model = folder.path().join("net.onnx");
    fs::write(&model, NETWORK).unwrap();
    let error = Bundle::open(&model).unwrap_err().to_string();
    assert!(error.contains("net.json") && error.contains("model.json"), "{error}");
    let description = serde_json::to_vec(bundle.info()).unwrap();
    fs::write(folder.path().join("model.json"), &description).unwrap();
    assert_eq!(Bundle::open(&model).unwrap().info(), bundle.info());
    fs::write(folder.path().join("net.json"), b"{}").unwrap();
    assert!(Bundle::open(&model).is_err(), "the model's own description goes first");
    fs::write(folder.path().join("net.json"), &description).unwrap();
    fs::write(folder.path().join("net.md"), "own card").unwrap();
    assert_eq!(Bundle::open(&model).unwrap().card(), "own card");
}

#[test]
fn another_network_than_described_is_refused() {
    let wrong = "0".repeat(64);
    let bytes = edited(|description| description["sha256"] = wrong.clone().into());
    match Bundle::from_bytes(&bytes).unwrap_err() {
        BundleError::Hash { file, found, expected } => {
            assert_eq!((&*file, expected), ("model.onnx", wrong));
            // sha256sum of NETWORK.
            assert_eq!(found, "e79df89244e075f599d0e9487e26187087a7a204ab9adf6dc89f1db833cd4ed6");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn no_truncation_and_no_flipped_byte_goes_unnoticed_or_panics() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = written(folder.path());
    for length in 0..bytes.len() {
        assert!(Bundle::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    for index in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[index] ^= 0x20;
        // Flips in unused header fields change nothing; all others are errors, never panics.
        if let Ok(bundle) = Bundle::from_bytes(&flipped) {
            assert_eq!((bundle.onnx(), bundle.card()), (NETWORK, "# Card\n"), "byte {index}");
        }
    }
}

#[test]
fn archives_that_are_no_bundles_are_refused() {
    assert!(refused(b"").contains("zip"));
    assert!(refused(&archive(&[("model.json", b"{}"), ("card.md", b"")])).contains("model.onnx"));
    let deflated = [("model.json", b"{}".as_slice()), ("card.md", b""), ("model.onnx", NETWORK)];
    let error = refused(&archive_with(&deflated, CompressionMethod::Deflated));
    assert!(error.contains("compressed"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    assert!(Bundle::open(folder.path()).unwrap_err().to_string().contains("not a file"));
    let text = folder.path().join("text.hemora");
    fs::write(&text, "text").unwrap();
    assert!(Bundle::open(&text).unwrap_err().to_string().contains("zip"));
    assert!(matches!(Bundle::open(&folder.path().join("none")), Err(BundleError::Io { .. })));
}

#[test]
fn labels_must_be_the_six_in_order() {
    let error = refused(&edited(|description| {
        description["labels"].as_array_mut().unwrap().swap(0, 5);
    }));
    assert!(error.contains("any, intraparenchymal"), "{error}");
    let error = refused(&edited(|description| description["labels"][0] = "stroke".into()));
    assert!(error.contains("stroke") && error.contains("epidural"), "{error}");
    assert!(refused(&edited(|d| d["labels"] = serde_json::json!([]))).contains("labels"));
}

#[test]
fn versions_are_checked_before_anything_else() {
    let error = refused(&edited(|description| {
        description["format_version"] = 4.into();
        description["field_of_the_future"] = true.into();
    }));
    assert!(error.contains("`format_version`: 4") && error.contains("update"), "{error}");
    assert!(refused(&edited(|d| d["format_version"] = "1".into())).contains("version"));
    let error = refused(&edited(|description| description["extra"] = 1.into()));
    assert!(error.contains("unknown field `extra`"), "{error}");
}

#[test]
fn values_that_cannot_be_used_are_named() {
    type Edit = fn(&mut serde_json::Value);
    let cases: [(Edit, &str); 9] = [
        (|d| d["input"]["size"] = 1_000_000_000.into(), "input size"),
        (|d| d["input"]["std"][0] = 0.0.into(), "channel 0"),
        (|d| d["name"] = " ".into(), "`name`"),
        (|d| d["notice"] = "".into(), "`notice`"),
        (|d| d["sha256"] = "ABC".into(), "`sha256`"),
        (|d| d["metrics"][0]["positives"] = 11.into(), "`metrics`"),
        (|d| d["operating_points"][0]["threshold"] = 1.5.into(), "`operating_points`"),
        (|d| d["calibration"]["labels"][0]["calibrator"] = temperature(-1.0), "`calibration`"),
        (|d| d["calibration"] = serde_json::json!({"scale": 2}), "unknown field `scale`"),
    ];
    for (edit, expected) in cases {
        let error = refused(&edited(edit));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn hostile_descriptions_are_refused_without_harm() {
    let bundle = |description: &[u8]| {
        archive(&[("model.json", description), ("card.md", b""), ("model.onnx", NETWORK)])
    };
    let nested = "[".repeat(1 << 20);
    assert!(refused(&bundle(nested.as_bytes())).contains("recursion"));
    let oversized = vec![b' '; (1 << 24) + 1];
    assert!(refused(&bundle(&oversized)).contains("larger than 16777216 bytes"));
    for bytes in [b"".as_slice(), b"null", b"\xff\xfe", b"{\"format_version\": 1}"] {
        assert!(refused(&bundle(bytes)).contains("model.json"), "{bytes:?}");
    }
}
