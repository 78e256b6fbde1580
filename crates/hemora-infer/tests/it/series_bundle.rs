//! Bundles with networks of series: what is damaged or does not belong together is refused by name.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use hemora_ct::LABEL_COUNT;
use hemora_infer::{EngineKind, SeriesModel};
use hemora_model::{Bundle, ModelInfo};
use hemora_nn::networks::{self};
use hemora_nn::onnx;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::formula::formula_weights;
use crate::support::{SIZE, info, small_onnx};

use crate::series::*;

/// The bundle at a path with its entries changed, or left out.
fn changed(path: &Path, edit: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(fs::read(path).unwrap())).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let (name, mut bytes) = (entry.name().unwrap().into_owned(), Vec::new());
        entry.read_to_end(&mut bytes).unwrap();
        if let Some(bytes) = edit(&name, bytes) {
            writer.start_file(name, options).unwrap();
            writer.write_all(&bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

/// A bundle of both stages and its path.
fn good(folder: &Path) -> PathBuf {
    bundle(folder, &[("sequence-features", FEATURES, 1), ("sequence-probabilities", 36, 2)], None);
    folder.join("series.hemora")
}

#[test]
fn damaged_bundles_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = good(folder.path());
    let refused = |bytes: &[u8]| Bundle::from_bytes(bytes).unwrap_err().to_string();
    let missing = changed(&path, |name, bytes| (name != "series/1.onnx").then_some(bytes));
    assert!(refused(&missing).contains("series/1.onnx"), "{}", refused(&missing));
    let exchanged = changed(&path, |name, mut bytes| {
        if name == "series/2.onnx" {
            bytes[100] ^= 1;
        }
        Some(bytes)
    });
    let error = refused(&exchanged);
    assert!(error.contains("series/2.onnx has SHA-256"), "{error}");
    let large = changed(&path, |name, bytes| {
        Some(if name == "series/0.onnx" { vec![0; (1 << 26) + 1] } else { bytes })
    });
    assert!(refused(&large).contains("series/0.onnx is larger than"), "{}", refused(&large));
}

#[test]
fn descriptions_of_networks_of_series_that_cannot_be_are_refused_by_name() {
    type Edit = fn(&mut serde_json::Value);
    let folder = tempfile::tempdir().unwrap();
    let path = good(folder.path());
    let cases: [(Edit, &str); 10] = [
        (
            |d| d["series"][1]["columns"] = 30.into(),
            "stage 2 reads 30 columns of each slice; expected 36",
        ),
        (|d| d["series"][0]["columns"] = 0.into(), "stage 1 reads 0 columns"),
        (|d| d["series"][0]["columns"] = (1u64 << 40).into(), "expected 1 to 65536"),
        (|d| d["series"][0]["network"] = " ".into(), "stage 1 has no name"),
        (|d| d["series"][0]["sha256"] = serde_json::json!([]), "no network"),
        (|d| d["series"][1]["sha256"][0] = "x".into(), "`series.sha256`"),
        (
            |d| d["series"][1]["reads"] = "features".into(),
            "expected one, or one that reads features",
        ),
        (|d| d["series"][1]["reads"] = "pixels".into(), "unknown variant `pixels`"),
        (|d| d["format_version"] = 1.into(), "`format_version`: is 1; expected 2"),
        (
            |d| {
                let hash = d["series"][1]["sha256"][0].clone();
                d["series"][1]["sha256"] = vec![hash; 40].into();
            },
            "has 41 networks",
        ),
    ];
    for (edit, expected) in cases {
        let bytes = changed(&path, |name, bytes| {
            if name != "model.json" {
                return Some(bytes);
            }
            let mut description = serde_json::from_slice(&bytes).unwrap();
            edit(&mut description);
            Some(description.to_string().into_bytes())
        });
        let error = Bundle::from_bytes(&bytes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn networks_that_do_not_belong_together_are_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |of_slices: &[u8], columns: usize, network: Vec<u8>| {
        let info = ModelInfo { series: vec![stage("sequence-features", columns, 1)], ..info() };
        let path = folder.path().join("b.hemora");
        let bundle = Bundle::write_with_series(&path, &info, of_slices, &[network], "").unwrap();
        SeriesModel::load(EngineKind::Tract, &bundle, None).err().unwrap().to_string()
    };
    let more = refused(&small_onnx(), 13, network("sequence-features", 13, 0));
    assert!(
        more.contains("series/0.onnx reads 13 features") && more.contains("gives 12"),
        "{more}"
    );
    let other = refused(&small_onnx(), FEATURES, network("sequence-features", 20, 0));
    assert!(
        other.contains("series/0.onnx") && other.contains("not slices of 12 values"),
        "{other}"
    );
    let options = networks::Options {
        size: SIZE,
        head: Some(networks::Head::Sigmoid(LABEL_COUNT)),
        ..networks::Options::default()
    };
    let graph = networks::build("deep-cnn", &options).unwrap().unwrap();
    let deep = onnx::write(&graph, &formula_weights(&graph)).unwrap();
    let no_features = refused(&deep, FEATURES, network("sequence-features", FEATURES, 0));
    assert!(no_features.contains("does not give"), "{no_features}");
}

#[test]
fn networks_of_series_come_back_from_a_bundle_and_from_beside_a_plain_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = good(folder.path());
    let bytes = fs::read(&path).unwrap();
    let bundle = Bundle::from_bytes(&bytes).unwrap();
    assert_eq!((bundle.info().format_version, bundle.series().len()), (2, 3));
    Bundle::write_with_series(&path, bundle.info(), bundle.onnx(), bundle.series(), bundle.card())
        .unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes, "the same parts give the same bytes");
    let forgotten = Bundle::write(&path, bundle.info(), bundle.onnx(), "").unwrap_err().to_string();
    assert!(forgotten.contains("names 3 networks, and there are 0"), "{forgotten}");

    let model = folder.path().join("model.onnx");
    fs::write(&model, bundle.onnx()).unwrap();
    let description = serde_json::to_vec(bundle.info()).unwrap();
    fs::write(folder.path().join("model.json"), description).unwrap();
    let missing = Bundle::open(&model).unwrap_err().to_string();
    assert!(missing.contains("series/0.onnx"), "{missing}");
    fs::create_dir(folder.path().join("series")).unwrap();
    for (index, network) in bundle.series().iter().enumerate() {
        fs::write(folder.path().join(format!("series/{index}.onnx")), network).unwrap();
    }
    assert_eq!(Bundle::open(&model).unwrap().series(), bundle.series());
}
