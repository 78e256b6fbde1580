//! Bundles of several members: round trips, and everything that must be refused.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use hemora_ct::LABEL_COUNT;
use hemora_metrics::{StackNode, StackedLabel, Stacking};
use hemora_model::{
    Bundle, BundleNetworks, MOST_MEMBERS, Member, MemberNetworks, ModelInfo, member_folder,
};
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipArchive};

use crate::support::{assert_damage_is_noticed, info, member, refused, stored};

/// Networks that nobody runs.
fn networks(count: usize) -> BundleNetworks {
    let member = |index: usize| MemberNetworks {
        slices: format!("network {index}").into_bytes(),
        series: Vec::new(),
    };
    BundleNetworks { members: (0..count).map(member).collect(), series: Vec::new() }
}

/// A description of members by the name of their model and their weight.
fn described(members: &[(&str, f64)]) -> ModelInfo {
    let member = |&(model, weight): &(&str, f64)| Member {
        model: model.to_owned(),
        weights: [weight; LABEL_COUNT],
        ..member()
    };
    ModelInfo { members: members.iter().map(member).collect(), ..info() }
}

/// Two folds of one model, and another model.
fn three() -> ModelInfo {
    described(&[("a", 0.125), ("a", 0.125), ("b", 0.75)])
}

/// The description of [`three`] as it was written, with its entries.
fn parts(folder: &Path) -> (Value, Vec<(String, Vec<u8>)>) {
    let bundle =
        Bundle::write(&folder.join("e.hemora"), &three(), networks(3), "# Card\n").unwrap();
    let entries = bundle.members().enumerate().map(|(index, (_, networks))| {
        (format!("{}/model.onnx", member_folder(index)), networks.slices.clone())
    });
    (serde_json::to_value(bundle.info()).unwrap(), entries.collect())
}

#[test]
fn several_members_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.hemora");
    let written = Bundle::write(&path, &three(), networks(3), "# Card\n").unwrap();
    let bytes = fs::read(&path).unwrap();
    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(bundle, written);
    let slices: Vec<_> = bundle.members().map(|(_, networks)| networks.slices.clone()).collect();
    assert_eq!(slices, [b"network 0", b"network 1", b"network 2"]);
    assert_eq!(bundle.info().models(), [("a", 0..2), ("b", 2..3)]);
    let reference = bundle.model_ref();
    assert_eq!((reference.member_sha256.len(), reference.sha256.len()), (3, 64));
    assert_eq!(reference, Bundle::from_bytes(&bytes).unwrap().model_ref());
    Bundle::write(&path, &three(), networks(3), "# Card\n").unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes, "the same parts give the same bytes");
    let mut archive = ZipArchive::new(Cursor::new(&bytes)).unwrap();
    for name in ["model.json", "card.md", "members/0/model.onnx", "members/2/model.onnx"] {
        assert_eq!(archive.by_name(name).unwrap().compression(), CompressionMethod::Stored);
    }
    // A plain ONNX model is one network and no more.
    let model = folder.path().join("net.onnx");
    fs::write(&model, "network 0").unwrap();
    let description = serde_json::to_vec(bundle.info()).unwrap();
    fs::write(folder.path().join("net.json"), description).unwrap();
    let error = Bundle::open(&model).unwrap_err().to_string();
    assert!(error.contains("has 3 members"), "{error}");
}

#[test]
fn other_weights_and_other_networks_are_another_model_but_another_calibration_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.hemora");
    let reference = |info: &ModelInfo, networks: BundleNetworks| {
        Bundle::write(&path, info, networks, "").unwrap().model_ref().sha256
    };
    let plain = reference(&three(), networks(3));
    let calibration = Some(crate::support::calibration(2.0));
    let calibrated = ModelInfo { calibration: calibration.clone(), ..three() };
    assert_eq!(reference(&calibrated, networks(3)), plain);
    let mut other = three();
    other.members[1].calibration = calibration;
    assert_ne!(reference(&other, networks(3)), plain);
    let other = described(&[("a", 0.25), ("a", 0.25), ("b", 0.5)]);
    assert_ne!(reference(&other, networks(3)), plain);
    let mut exchanged = networks(3);
    exchanged.members.swap(0, 1);
    assert_ne!(reference(&three(), exchanged), plain);
}

#[test]
fn members_that_are_not_those_described_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (description, entries) = parts(folder.path());
    assert!(Bundle::from_bytes(&stored(&description, &entries)).is_ok());
    let mut swapped = entries.clone();
    swapped[0].1 = entries[1].1.clone();
    let error = refused(&stored(&description, &swapped));
    assert!(error.contains("members/0/model.onnx has SHA-256"), "{error}");
    let error = refused(&stored(&description, &entries[..2]));
    assert!(error.contains("members/2/model.onnx"), "{error}");
    let path = folder.path().join("fewer.hemora");
    let fewer = Bundle::write(&path, &three(), networks(2), "").unwrap_err().to_string();
    assert!(fewer.contains("has 3 members, and there are networks of 2"), "{fewer}");
    assert!(!path.exists());
}

#[test]
fn values_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (description, entries) = parts(folder.path());
    type Edit = fn(&mut Value);
    let cases: [(Edit, &str); 10] = [
        (|d| d["members"][2]["weights"][5] = 0.5.into(), "[0.125, 0.125, 0.5] for any"),
        (|d| d["members"][0]["weights"][0] = (-0.25).into(), "for epidural"),
        (|d| d["members"][1]["weights"] = json!([1.0]), "expected an array of length 6"),
        (|d| d["members"][1]["model"] = " ".into(), "`members[1].model`"),
        (|d| d["members"][2]["sha256"] = "ABC".into(), "`members[2].sha256`"),
        (|d| d["members"].as_array_mut().unwrap().swap(1, 2), "members of the model `a` apart"),
        (|d| d["members"][1]["extra"] = 1.into(), "unknown field `extra`"),
        (|d| d["members"][1]["slab_mm"] = 0.0.into(), "`members[1].slab_mm`"),
        (|d| d["members"][1]["slab_mm"] = 5.0.into(), "different `slab_mm`, none and 5 mm"),
        (|d| d["format_version"] = 4.into(), "update hemora"),
    ];
    for (edit, expected) in cases {
        let mut other = description.clone();
        edit(&mut other);
        let error = refused(&stored(&other, &entries));
        assert!(error.contains(expected), "{expected}: {error}");
    }
    let many = MOST_MEMBERS + 1;
    let info = described(&vec![("many", 1.0 / many as f64); many]);
    let path = folder.path().join("many.hemora");
    let error = Bundle::write(&path, &info, networks(many), "").unwrap_err().to_string();
    assert!(error.contains("has 33 members; expected 1 to 32"), "{error}");
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
        let info = ModelInfo { stacking: Some(stacking), ..three() };
        let error = Bundle::write(&path, &info, networks(3), "").unwrap_err().to_string();
        assert!(error.contains("`stacking`") && error.contains(expected), "{error}");
    }
}

#[test]
fn no_truncation_and_no_flipped_byte_goes_unnoticed_or_panics() {
    let folder = tempfile::tempdir().unwrap();
    parts(folder.path());
    assert_damage_is_noticed(&fs::read(folder.path().join("e.hemora")).unwrap());
}
