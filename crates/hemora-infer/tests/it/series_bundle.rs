//! Networks of series that do not belong to a network of slices are not loaded.

use hemora_ct::LABEL_COUNT;
use hemora_infer::{EngineKind, LoadedModel};
use hemora_model::{Bundle, Member, MemberNetworks, ModelInfo};
use hemora_nn::networks::{self};
use hemora_nn::onnx;

use crate::support::{SIZE, info, member, small_onnx};
use hemora_testing::formula::formula_weights;

use crate::series::*;

#[test]
fn networks_that_do_not_belong_together_are_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |of_slices: &[u8], columns: usize, network: Vec<u8>| {
        let series = vec![stage("sequence-features", columns, 1)];
        let info = ModelInfo { members: vec![Member { series, ..member() }], ..info() };
        let path = folder.path().join("b.hemora");
        let networks = MemberNetworks { slices: of_slices.to_vec(), series: vec![network] };
        let bundle = Bundle::write(&path, &info, networks, "").unwrap();
        LoadedModel::load(EngineKind::Tract, bundle, None).err().unwrap().to_string()
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
