//! Bundles of one: round trips, and everything that must be refused.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use hemora_ct::Label;
use hemora_metrics::Level;
use hemora_model::{Bundle, BundleError, Metric, ModelInfo};
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipArchive};

use crate::support::{self, archive, assert_damage_is_noticed, refused, stored};

const NETWORK: &[u8] = b"stands for a network";
const ENTRY: &str = "members/0/model.onnx";

fn info() -> ModelInfo {
    ModelInfo {
        metrics: vec![Metric {
            name: "AUROC".to_owned(),
            label: Some(Label::Any),
            level: Level::Slice,
            value: 0.5,
            low: Some(0.4),
            high: Some(0.6),
            n: 10,
            positives: 5,
            note: "made up".to_owned(),
        }],
        operating_points: vec![support::operating_point(0.5)],
        certainty: vec![],
        calibration: Some(support::calibration(2.0)),
        ..support::info()
    }
}

/// A calibrator as `model.json` has it.
fn temperature(value: f64) -> Value {
    serde_json::to_value(hemora_metrics::Calibrator::Temperature(value)).unwrap()
}

fn write(path: &Path) -> Bundle {
    Bundle::write(path, &info(), NETWORK.to_vec(), "# Card\n").unwrap()
}

/// A bundle whose description went through `edit`.
fn edited(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let bundle = write(&folder.path().join("m"));
    let mut description = serde_json::to_value(bundle.info()).unwrap();
    edit(&mut description);
    stored(&description, &[(ENTRY.to_owned(), NETWORK.to_vec())])
}

#[test]
fn a_bundle_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.hemora");
    let written = write(&path);
    let bytes = fs::read(&path).unwrap();
    let bundle = Bundle::open(&path).unwrap();
    assert_eq!((bundle.info(), bundle.card()), (written.info(), "# Card\n"));
    let (member, networks) = bundle.members().next().unwrap();
    assert_eq!(networks.slices, NETWORK);
    // sha256sum of NETWORK.
    let sha256 = "e79df89244e075f599d0e9487e26187087a7a204ab9adf6dc89f1db833cd4ed6";
    assert_eq!(member.sha256, sha256);
    let mut expected = info();
    expected.members[0].sha256 = sha256.to_owned();
    assert_eq!(bundle.info(), &expected);
    let reference = bundle.model_ref();
    assert_eq!(reference.sha256, sha256, "one network is named by its own hash");
    assert!(reference.series_sha256.is_empty() && reference.member_sha256.is_empty());
    assert_eq!(Bundle::from_bytes(&bytes).unwrap(), bundle);
    write(&path);
    assert_eq!(fs::read(&path).unwrap(), bytes, "the same parts give the same bytes");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    for name in [ENTRY, "model.json", "card.md"] {
        assert_eq!(archive.by_name(name).unwrap().compression(), CompressionMethod::Stored);
    }
}

#[test]
fn an_onnx_model_opens_with_its_description_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = write(&folder.path().join("b.hemora"));
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
    fs::write(&model, b"another network").unwrap();
    assert!(Bundle::open(&model).unwrap_err().to_string().contains("net.onnx has SHA-256"));
}

#[test]
fn another_network_than_described_is_refused() {
    let wrong = "0".repeat(64);
    let bytes = edited(|description| description["members"][0]["sha256"] = wrong.clone().into());
    match Bundle::from_bytes(&bytes).unwrap_err() {
        BundleError::Hash { file, expected, .. } => {
            assert_eq!((&*file, expected), (ENTRY, wrong));
        }
        other => panic!("{other}"),
    }
}

#[test]
fn no_truncation_and_no_flipped_byte_goes_unnoticed_or_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.hemora");
    write(&path);
    let bytes = fs::read(&path).unwrap();
    assert_damage_is_noticed(&bytes);
    // Nor does what was put before an archive, in which a reader finds the end all the same.
    let error = refused(&[b"before", &*bytes].concat());
    assert!(error.contains("bytes stand before it"), "{error}");
}

#[test]
fn archives_that_are_no_bundles_are_refused() {
    assert!(refused(b"").contains("zip"));
    let description = serde_json::to_value(
        write(&tempfile::tempdir().unwrap().path().join("model.hemora")).info(),
    );
    assert!(refused(&stored(&description.unwrap(), &[])).contains(ENTRY));
    let entries = [("model.json", b"{}".as_slice()), ("card.md", b""), (ENTRY, NETWORK)];
    let error = refused(&archive(&entries, CompressionMethod::Deflated));
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
    assert!(refused(&edited(|d| d["labels"] = json!([]))).contains("labels"));
}

#[test]
fn versions_are_checked_before_anything_else() {
    let error = refused(&edited(|description| {
        description["format_version"] = 2.into();
        description["field_of_the_future"] = true.into();
    }));
    assert!(error.contains("`format_version`: 2") && error.contains("update"), "{error}");
    assert!(refused(&edited(|d| d["format_version"] = "1".into())).contains("version"));
    let error = refused(&edited(|description| description["extra"] = 1.into()));
    assert!(error.contains("unknown field `extra`"), "{error}");
}

#[test]
fn bundles_from_before_the_format_was_settled_are_named_as_such() {
    // What single networks, those with networks of series, and ensembles had in common.
    for old in [
        json!({"format_version": 1, "name": "a", "input": {}, "sha256": "0"}),
        json!({"format_version": 2, "name": "a", "series": [], "sha256": "0"}),
        json!({"format_version": 3, "name": "a", "models": []}),
    ] {
        let bytes = stored(&old, &[("model.onnx".to_owned(), NETWORK.to_vec())]);
        let error = refused(&bytes);
        assert!(error.contains("before version 1 was settled"), "{error}");
        assert!(error.contains("hemora model bundle"), "{error}");
    }
}

#[test]
fn values_that_cannot_be_used_are_named() {
    type Edit = fn(&mut Value);
    let cases: [(Edit, &str); 14] = [
        (|d| d["members"][0]["input"]["size"] = 1_000_000_000.into(), "input size"),
        (|d| d["members"][0]["input"]["std"][0] = 0.0.into(), "channel 0"),
        (|d| d["members"][0]["input"]["std"][0] = 0.0.into(), "`members[0].input`"),
        (|d| d["members"][0]["sha256"] = "ABC".into(), "`members[0].sha256`"),
        (|d| d["members"][0]["model"] = " ".into(), "`members[0].model`"),
        (|d| d["members"][0]["weights"][2] = 0.5.into(), "[0.5] for intraventricular"),
        (|d| d["members"] = json!([]), "has 0 members; expected 1 to 32"),
        (|d| d["name"] = " ".into(), "`name`"),
        (|d| d["notice"] = "".into(), "`notice`"),
        (|d| d["metrics"][0]["positives"] = 11.into(), "`metrics`"),
        (|d| d["operating_points"][0]["threshold"] = 1.5.into(), "`operating_points`"),
        (|d| d["calibration"]["labels"][0]["calibrator"] = temperature(-1.0), "`calibration`"),
        (|d| d["members"][0]["calibration"] = json!({"scale": 2}), "unknown field `scale`"),
        (|d| d["calibration"] = json!({"scale": 2}), "unknown field `scale`"),
    ];
    for (edit, expected) in cases {
        let error = refused(&edited(edit));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn hostile_descriptions_are_refused_without_harm() {
    let bundle = |description: &[u8]| {
        let entries = [("model.json", description), ("card.md", b""), (ENTRY, NETWORK)];
        archive(&entries, CompressionMethod::Stored)
    };
    let nested = "[".repeat(1 << 20);
    assert!(refused(&bundle(nested.as_bytes())).contains("recursion"));
    let oversized = vec![b' '; (1 << 24) + 1];
    assert!(refused(&bundle(&oversized)).contains("larger than 16777216 bytes"));
    for bytes in [b"".as_slice(), b"null", b"\xff\xfe", b"{\"format_version\": 1}"] {
        assert!(refused(&bundle(bytes)).contains("model.json"), "{bytes:?}");
    }
}
