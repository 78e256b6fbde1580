//! What we write, read by the official ONNX library.

use hemora_nn::networks::{Head, Options, SequenceOptions, build, build_sequence};
use hemora_nn::{Graph, Tensor, Weights, onnx};
use hemora_testing::{python, run_python};

/// Checks the model with shape inference, and serialises it again.
const CHECK: &str = "
import sys, onnx
data = sys.stdin.buffer.read()
model = onnx.load_model_from_string(data)
onnx.checker.check_model(model, full_check=True)
sys.stdout.buffer.write(model.SerializeToString())
";

fn written(graph: &Graph) -> Vec<u8> {
    let mut weights = Weights::default();
    for (index, parameter) in graph.parameters().into_iter().enumerate() {
        let values = (0..parameter.len()).map(|k| ((index + k) % 11) as f32 / 11.0).collect();
        weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
    }
    onnx::write(graph, &weights).unwrap()
}

/// Networks that between them have every operation.
fn graphs() -> Vec<Graph> {
    let options = Options { size: 64, head: Some(Head::Sigmoid(6)), ..Options::default() };
    let images = ["deep-cnn", "efficientnet-lite0", "resnet18", "densenet121", "convnext-nano"]
        .map(|name| build(name, &options).unwrap().unwrap());
    let series = ["sequence-features", "sequence-probabilities", "sequence-transformer"]
        .map(|name| build_sequence(name, &SequenceOptions::new(36)).unwrap().unwrap());
    let softmax = Options { head: Some(Head::Softmax(2)), ..options };
    let softmax = build("simple-nn", &softmax).unwrap().unwrap();
    images.into_iter().chain(series).chain([softmax]).collect()
}

#[test]
fn the_official_library_accepts_our_models_and_writes_the_same_bytes() {
    let Some(python) = python() else { return };
    for graph in graphs() {
        let ours = written(&graph);
        let theirs = run_python(&python, CHECK, &[""; 0], &ours);
        // Bytes as a whole say nothing when they differ: the first that does, says more.
        let first = ours.iter().zip(&theirs).position(|(ours, theirs)| ours != theirs);
        assert_eq!((first, ours.len()), (None, theirs.len()), "{}", graph.name());
    }
}

#[test]
fn the_official_library_accepts_halved_models() {
    let Some(python) = python() else { return };
    for graph in graphs() {
        let ours = onnx::halved(&written(&graph)).unwrap();
        let theirs = run_python(&python, CHECK, &[""; 0], &ours);
        assert!(ours == theirs, "{}", graph.name());
    }
}
