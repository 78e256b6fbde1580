//! Bundles of a network that says where it sees each label, and of one that does not.

use std::path::Path;

use hemora_ct::{InputRecipe, Window};
use hemora_model::{Bundle, Member, ModelInfo, NetworkRef};
use hemora_nn::networks::{Options, build};
use hemora_nn::onnx;

use crate::bundles::{info, member, operating_point};
use crate::formula::formula_weights;

/// Rows and columns of the network's input, pixels; its maps have an eighth.
const SIZE: usize = 64;

/// Writes a bundle of EfficientNet-Lite0 with a dense head and weights by formula, which has a
/// `threshold` for any hemorrhage on a slice. What it says means nothing, and always is the same.
///
/// # Panics
/// If it cannot be written.
pub fn dense_bundle(path: &Path, threshold: f64) -> Bundle {
    bundle_of("efficientnet-lite0-dense", path, threshold)
}

/// The same of a network without a dense head.
///
/// # Panics
/// If it cannot be written.
pub fn plain_bundle(path: &Path, threshold: f64) -> Bundle {
    bundle_of("efficientnet-lite0", path, threshold)
}

fn bundle_of(name: &str, path: &Path, threshold: f64) -> Bundle {
    let graph = build(name, &Options { size: SIZE, ..Options::default() }).unwrap().unwrap();
    let network = NetworkRef { name: name.to_owned(), trainable_parameters: 1 };
    let input = InputRecipe::grey(SIZE, Window::BRAIN);
    let info = ModelInfo {
        operating_points: vec![operating_point(threshold)],
        certainty: Vec::new(),
        members: vec![Member { network, input, ..member() }],
        ..info()
    };
    let onnx = onnx::write(&graph, &formula_weights(&graph)).unwrap();
    Bundle::write(path, &info, onnx, "# Card\n").unwrap()
}
