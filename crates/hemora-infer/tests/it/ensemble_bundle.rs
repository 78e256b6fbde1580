//! Bundles of ensembles: round trips, and everything that must be refused.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use hemora_ct::LABEL_COUNT;
use hemora_metrics::{StackNode, StackedLabel, Stacking};
use hemora_model::{Bundle, BundleError, Ensemble, EnsembleInfo, MOST_MEMBERS, Model};
use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::ensemble::ensemble_info;
use crate::support::info;

/// Bundles of networks that nobody runs.
fn members(folder: &Path, count: usize) -> Vec<Vec<u8>> {
    let member = |at: usize| {
        let path = folder.join(format!("{at}.hemora"));
        Bundle::write(&path, &info(), format!("network {at}").as_bytes(), "").unwrap();
        fs::read(path).unwrap()
    };
    (0..count).map(member).collect()
}

fn two() -> EnsembleInfo {
    ensemble_info(&[("a", [0.25; LABEL_COUNT], 2), ("b", [0.75; LABEL_COUNT], 1)])
}

/// The description of [`two`] as it was written, with its members.
fn parts(folder: &Path) -> (Value, Vec<Vec<u8>>) {
    let members = members(folder, 3);
    let path = folder.join("e.hemora");
    let ensemble = Ensemble::write(&path, &two(), &members, "# Card\n").unwrap();
    (serde_json::to_value(ensemble.info()).unwrap(), members)
}

fn archive(description: &Value, members: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8]| {
        writer.start_file(name, options).unwrap();
        writer.write_all(bytes).unwrap();
    };
    add("model.json", description.to_string().as_bytes());
    add("card.md", b"");
    for (at, member) in members.iter().enumerate() {
        add(&format!("members/{at}.hemora"), member);
    }
    writer.finish().unwrap().into_inner()
}

fn refused(bytes: &[u8]) -> String {
    Model::from_bytes(bytes).unwrap_err().to_string()
}

#[test]
fn an_ensemble_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let members = members(folder.path(), 3);
    let path = folder.path().join("e.hemora");
    let written = Ensemble::write(&path, &two(), &members, "# Card\n").unwrap();
    let bytes = fs::read(&path).unwrap();
    let model = Model::open(&path).unwrap();
    let Model::Ensemble(read) = &model else { panic!("{model:?}") };
    assert_eq!((read.info(), model.card()), (written.info(), "# Card\n"));
    assert_eq!(model.members().len(), 3);
    assert_eq!(model.members()[2].onnx(), b"network 2");
    assert_eq!(read.parts().collect::<Vec<_>>(), [0..2, 2..3]);
    let weights: Vec<f64> = read.member_weights().iter().map(|weights| weights[4]).collect();
    assert_eq!(weights, [0.125, 0.125, 0.75]);
    let own = model.model_ref();
    assert_eq!((own.member_sha256.len(), own.sha256.len()), (3, 64));
    assert_eq!(own, Model::from_bytes(&bytes).unwrap().model_ref());
    Ensemble::write(&path, &two(), &members, "# Card\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes, "the same parts give the same bytes");
    let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    for name in ["model.json", "card.md", "members/0.hemora", "members/2.hemora"] {
        assert_eq!(archive.by_name(name).unwrap().compression(), CompressionMethod::Stored);
    }
    // One network opens as before, and where one is expected an ensemble is named as such.
    assert!(matches!(Model::from_bytes(&members[0]).unwrap(), Model::Network(_)));
    assert!(matches!(Bundle::open(&path).unwrap_err(), BundleError::Ensemble));
}

#[test]
fn members_that_are_not_those_described_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (description, members) = parts(folder.path());
    assert!(Model::from_bytes(&archive(&description, &members)).is_ok());
    let mut swapped = members.clone();
    swapped.swap(0, 1);
    let error = refused(&archive(&description, &swapped));
    assert!(error.contains("members/0.hemora has SHA-256"), "{error}");
    let error = refused(&archive(&description, &members[..2]));
    assert!(error.contains("members/2.hemora"), "{error}");
    // An ensemble is no member, however it is put there.
    let nested = fs::read(folder.path().join("e.hemora")).unwrap();
    let path = folder.path().join("nested.hemora");
    let with_nested = [members[0].clone(), nested.clone(), members[2].clone()];
    let error = Ensemble::write(&path, &two(), &with_nested, "").unwrap_err().to_string();
    assert!(error.contains("members/1.hemora: it is an ensemble"), "{error}");
    assert!(!path.exists());
    let mut description = description;
    let found = {
        let mut hashes = vec![];
        for bytes in [&members[0], &nested] {
            use sha2::Digest;
            let hash = sha2::Sha256::digest(bytes);
            hashes.push(hash.iter().map(|it| format!("{it:02x}")).collect::<String>());
        }
        hashes
    };
    description["models"][0]["sha256"][1] = found[1].clone().into();
    let error = refused(&archive(&description, &with_nested));
    assert!(error.contains("members/1.hemora: it is an ensemble"), "{error}");
    // A member that is damaged, with a hash that says so.
    let fewer = Ensemble::write(&path, &two(), &members[..2], "").unwrap_err().to_string();
    assert!(fewer.contains("name 3 members, and there are 2"), "{fewer}");
    let broken = [members[0].clone(), b"no archive".to_vec(), members[2].clone()];
    let error = Ensemble::write(&path, &two(), &broken, "").unwrap_err().to_string();
    assert!(error.contains("members/1.hemora: not a usable model bundle"), "{error}");
}

#[test]
fn values_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (description, members) = parts(folder.path());
    type Edit = fn(&mut Value);
    let cases: [(Edit, &str); 12] = [
        (|d| d["models"][0]["weights"][5] = 0.5.into(), "[0.5, 0.75] for any"),
        (|d| d["models"][0]["weights"][0] = (-0.25).into(), "for epidural"),
        (|d| d["models"][1]["weights"] = serde_json::json!([1.0]), "b has 1 weights"),
        (|d| d["models"][1]["name"] = " ".into(), "without a name"),
        (|d| d["models"][1]["sha256"] = serde_json::json!([]), "without a name or member"),
        (|d| d["models"][1]["sha256"][0] = "ABC".into(), "`models.sha256`"),
        (|d| d["models"] = serde_json::json!([]), "weights [] for epidural"),
        (|d| d["labels"].as_array_mut().unwrap().swap(0, 5), "any, intraparenchymal"),
        (|d| d["notice"] = "".into(), "`notice`"),
        (|d| d["extra"] = 1.into(), "unknown field `extra`"),
        (|d| d["format_version"] = 4.into(), "update hemora"),
        (|d| d["format_version"] = 2.into(), "model.onnx"),
    ];
    for (edit, expected) in cases {
        let mut other = description.clone();
        edit(&mut other);
        let error = refused(&archive(&other, &members));
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let many = MOST_MEMBERS + 1;
    let info = ensemble_info(&[("many", [1.0; LABEL_COUNT], many)]);
    let members = self::members(folder.path(), many);
    let path = folder.path().join("many.hemora");
    let error = Ensemble::write(&path, &info, &members, "").unwrap_err().to_string();
    assert!(error.contains("have 33 members; expected at most 32"), "{error}");
    assert!(!path.exists());
    let stacking = |models, above| Stacking {
        models,
        neighbours: 1,
        labels: vec![StackedLabel {
            label: hemora_ct::Label::Any,
            base: 0.0,
            trees: vec![vec![StackNode::Split(0, 0.5, 1, above), StackNode::Leaf(1.0)]],
        }],
    };
    for (stacking, expected) in
        [(stacking(1, 1), "reads 1 models of 2"), (stacking(2, 2), "lead to later ones")]
    {
        let info = EnsembleInfo { stacking: Some(stacking), ..two() };
        let error = Ensemble::write(&path, &info, &members[..3], "").unwrap_err().to_string();
        assert!(error.contains("`stacking`") && error.contains(expected), "{error}");
    }
}

#[test]
fn no_truncation_and_no_flipped_byte_goes_unnoticed_or_panics() {
    let folder = tempfile::tempdir().unwrap();
    parts(folder.path());
    let path = folder.path().join("e.hemora");
    let bytes = fs::read(&path).unwrap();
    let whole = Model::open(&path).unwrap();
    // Among them those that end with a member, which is a whole archive.
    for length in 0..bytes.len() {
        assert!(Model::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
    for index in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[index] ^= 0x20;
        // Flips in unused header fields change nothing; all others are errors, never panics.
        if let Ok(model) = Model::from_bytes(&flipped) {
            assert_eq!(model.model_ref(), whole.model_ref(), "byte {index}");
        }
    }
}
