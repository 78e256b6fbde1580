//! Networks of series of a member and of a bundle: what is damaged or does not belong together is
//! refused by name.

use std::fs;
use std::path::Path;

use hemora_ct::{LABEL_COUNT, SeriesInput};
use hemora_metrics::Stacking;
use hemora_model::{
    Bundle, BundleNetworks, BundleSeries, FeatureError, Member, MemberNetworks, ModelInfo,
    SeriesStage, check_features,
};
use serde_json::{Value, json};

use crate::support::{calibration, info, member, refused, stored};

fn stage(reads: SeriesInput, columns: usize, folds: usize) -> SeriesStage {
    SeriesStage {
        network: "sequence".to_owned(),
        reads,
        columns,
        trainable_parameters: 1,
        sha256: vec![String::new(); folds],
    }
}

fn network(index: usize) -> Vec<u8> {
    format!("network of series {index}").into_bytes()
}

/// A member with one network on features and two on probabilities.
fn with_series() -> (Member, MemberNetworks) {
    let series =
        vec![stage(SeriesInput::Features, 12, 1), stage(SeriesInput::Probabilities, 36, 2)];
    let networks = MemberNetworks {
        slices: b"network of slices".to_vec(),
        series: (0..3).map(network).collect(),
    };
    (Member { series, ..member() }, networks)
}

/// A bundle of one member with networks of series.
fn one(folder: &Path) -> Bundle {
    let (member, networks) = with_series();
    let info = ModelInfo { members: vec![member], ..info() };
    Bundle::write(&folder.join("series.hemora"), &info, networks, "# Card\n").unwrap()
}

/// Its entries.
fn entries(bundle: &Bundle) -> Vec<(String, Vec<u8>)> {
    let (_, networks) = bundle.members().next().unwrap();
    let mut entries = vec![("members/0/model.onnx".to_owned(), networks.slices.clone())];
    for (index, network) in networks.series.iter().enumerate() {
        entries.push((format!("members/0/series/{index}.onnx"), network.clone()));
    }
    entries
}

#[test]
fn damaged_bundles_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = one(folder.path());
    let description = serde_json::to_value(bundle.info()).unwrap();
    let entries = entries(&bundle);
    assert_eq!(Bundle::from_bytes(&stored(&description, &entries)).unwrap().info(), bundle.info());
    let error = refused(&stored(&description, &entries[..2]));
    assert!(error.contains("members/0/series/1.onnx"), "{error}");
    let mut exchanged = entries.clone();
    exchanged[3].1[5] ^= 1;
    let error = refused(&stored(&description, &exchanged));
    assert!(error.contains("members/0/series/2.onnx has SHA-256"), "{error}");
    let mut large = entries;
    large[1].1 = vec![0; (1 << 26) + 1];
    let error = refused(&stored(&description, &large));
    assert!(error.contains("members/0/series/0.onnx is larger than"), "{error}");
}

#[test]
fn descriptions_of_networks_of_series_that_cannot_be_are_refused_by_name() {
    type Edit = fn(&mut Value);
    let folder = tempfile::tempdir().unwrap();
    let bundle = one(folder.path());
    let cases: [(Edit, &str); 9] = [
        (|d| d[1]["columns"] = 30.into(), "stage 2 reads 30 columns of each slice; expected 36"),
        (|d| d[0]["columns"] = 0.into(), "stage 1 reads 0 columns"),
        (|d| d[0]["columns"] = (1u64 << 40).into(), "expected 1 to 65536"),
        (|d| d[0]["network"] = " ".into(), "stage 1 has no name"),
        (|d| d[0]["sha256"] = json!([]), "no network"),
        (|d| d[1]["sha256"][0] = "x".into(), "`members[0].series.sha256`"),
        (|d| d[1]["reads"] = "features".into(), "expected one, or one that reads features"),
        (|d| d[1]["reads"] = "pixels".into(), "unknown variant `pixels`"),
        (
            |d| {
                let hash = d[1]["sha256"][0].clone();
                d[1]["sha256"] = vec![hash; 40].into();
            },
            "has 41 networks",
        ),
    ];
    for (edit, expected) in cases {
        let mut description = serde_json::to_value(bundle.info()).unwrap();
        edit(&mut description["members"][0]["series"]);
        let error = refused(&stored(&description, &entries(&bundle)));
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn networks_of_series_come_back_from_a_bundle_and_from_beside_a_plain_model() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = one(folder.path());
    let path = folder.path().join("series.hemora");
    let bytes = fs::read(&path).unwrap();
    assert_eq!(Bundle::from_bytes(&bytes).unwrap(), bundle);
    assert_eq!(bundle.model_ref().series_sha256.len(), 3);
    let (_, networks) = with_series();
    Bundle::write(&path, bundle.info(), networks.clone(), bundle.card()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes, "the same parts give the same bytes");
    let forgotten = Bundle::write(&path, bundle.info(), networks.slices.clone(), "").unwrap_err();
    let forgotten = forgotten.to_string();
    assert!(forgotten.contains("names 3 networks, and there are 0"), "{forgotten}");

    let model = folder.path().join("model.onnx");
    fs::write(&model, &networks.slices).unwrap();
    let description = serde_json::to_vec(bundle.info()).unwrap();
    fs::write(folder.path().join("model.json"), description).unwrap();
    let missing = Bundle::open(&model).unwrap_err().to_string();
    assert!(missing.contains("series/0.onnx"), "{missing}");
    fs::create_dir(folder.path().join("series")).unwrap();
    for (index, network) in networks.series.iter().enumerate() {
        fs::write(folder.path().join(format!("series/{index}.onnx")), network).unwrap();
    }
    assert_eq!(Bundle::open(&model).unwrap().members().next().unwrap().1, &networks);
}

/// Two members, and two networks of series that read both as one.
fn together() -> (ModelInfo, BundleNetworks) {
    let (first, networks) = with_series();
    let [a, b] = [("a", 0.25), ("b", 0.75)].map(|(model, weight)| Member {
        model: model.to_owned(),
        weights: [weight; LABEL_COUNT],
        ..first.clone()
    });
    let series = BundleSeries {
        stage: stage(SeriesInput::Probabilities, 36, 2),
        slice_weights: vec![[0.1; LABEL_COUNT], [0.9; LABEL_COUNT]],
    };
    let info = ModelInfo { members: vec![a, b], series: Some(series), ..info() };
    let series = (3..5).map(network).collect();
    (info, BundleNetworks { members: vec![networks.clone(), networks], series })
}

#[test]
fn networks_that_read_all_members_come_back_and_name_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("together.hemora");
    let (info, networks) = together();
    let bundle = Bundle::write(&path, &info, networks.clone(), "").unwrap();
    assert_eq!(Bundle::open(&path).unwrap(), bundle);
    assert_eq!(bundle.series(), networks.series);
    assert_eq!(
        bundle.model_ref().series_sha256,
        bundle.info().series.as_ref().unwrap().stage.sha256
    );
    let bytes = fs::read(&path).unwrap();
    let network = &networks.series[1];
    let at = bytes.windows(network.len()).position(|window| window == network).unwrap();
    let mut flipped = bytes;
    flipped[at + network.len() / 2] ^= 1;
    assert!(refused(&flipped).contains("series/1.onnx"));
}

#[test]
fn what_networks_of_all_members_cannot_read_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("together.hemora");
    type Change = fn(&mut ModelInfo);
    let series = |info: &mut ModelInfo, change: &dyn Fn(&mut BundleSeries)| {
        change(info.series.as_mut().unwrap());
    };
    let refused = |info: &ModelInfo, networks: BundleNetworks| {
        let error = Bundle::write(&path, info, networks, "").unwrap_err().to_string();
        assert!(!path.exists());
        error
    };
    type SeriesChange = fn(&mut BundleSeries);
    let of_series: [(SeriesChange, &str); 4] = [
        (|it| it.stage = stage(SeriesInput::Features, 12, 2), "reads Features"),
        (|it| it.stage = stage(SeriesInput::Probabilities, 30, 2), "expected 36"),
        (|it| it.slice_weights.truncate(1), "weights of 1 members; expected 2"),
        (|it| it.slice_weights[1][0] = 0.5, "[0.1, 0.5] for epidural"),
    ];
    for (change, expected) in of_series {
        let (mut info, networks) = together();
        series(&mut info, &change);
        let error = refused(&info, networks);
        assert!(error.contains("`series`") && error.contains(expected), "{expected}: {error}");
    }
    let stacking: Change =
        |it| it.stacking = Some(Stacking { models: 2, neighbours: 1, labels: Vec::new() });
    let calibrated: Change = |it| it.members[1].calibration = Some(calibration(1.5));
    for (change, expected) in
        [(stacking, "cannot be used beside `stacking`"), (calibrated, "members/1 is calibrated")]
    {
        let (mut info, networks) = together();
        change(&mut info);
        let error = refused(&info, networks);
        assert!(error.contains("`series`") && error.contains(expected), "{expected}: {error}");
    }
    let (info, mut networks) = together();
    networks.series.pop();
    let error = refused(&info, networks);
    assert!(error.contains("names 2 networks, and there are 1"), "{error}");
    let (mut info, mut networks) = together();
    info.members[1].series.clear();
    networks.members[1].series.clear();
    let error = refused(&info, networks);
    assert!(error.contains("members/1 has no networks of series"), "{error}");
}

#[test]
fn features_are_asked_for_only_where_a_network_reads_them() {
    let on_features = stage(SeriesInput::Features, 12, 1);
    let on_probabilities = stage(SeriesInput::Probabilities, 30, 1);
    assert!(check_features(b"", std::slice::from_ref(&on_probabilities)).is_ok());
    let error = check_features(b"no model", &[on_features]).unwrap_err();
    assert!(matches!(error, FeatureError::Onnx(_) | FeatureError::None), "{error}");
}
