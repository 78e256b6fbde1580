//! Every network's ONNX model in both engines against what timm computed with the same weights.

use hemora_infer::{Engine, OrtEngine, TractEngine};
use hemora_nn::networks::{Head, Options, build};
use hemora_nn::onnx;

use crate::support::onnxruntime;
use hemora_testing::formula::{fixture, formula_weights, image_values, numbers};

/// The network and its fixture, which also hemora-train's libtorch is compared with.
const NETWORKS: [(&str, &str); 11] = [
    ("efficientnet-lite0", "parity_lite0_formula.json"),
    ("efficientnet-lite1", "parity_lite1.json"),
    ("efficientnet-lite2", "parity_lite2.json"),
    ("resnet18", "parity_resnet18.json"),
    ("resnet34", "parity_resnet34.json"),
    ("densenet121", "parity_densenet121.json"),
    ("densenet169", "parity_densenet169.json"),
    ("se-resnext101-32x4d", "parity_seresnext101.json"),
    ("se-resnext101-32x4d-cadene", "parity_seresnext101_cadene.json"),
    ("convnext-nano", "parity_convnext_nano.json"),
    ("convnext-tiny", "parity_convnext_tiny.json"),
];

/// The network as an ONNX model that gives probabilities, its image size, and timm's logits.
fn model(name: &str, file: &str) -> (Vec<u8>, usize, Vec<f64>) {
    let truth = fixture(file);
    let size = truth["image_size"].as_u64().unwrap() as usize;
    let options = Options { size, head: Some(Head::Sigmoid(6)), ..Options::default() };
    let graph = build(name, &options).unwrap().unwrap();
    let onnx = onnx::write(&graph, &formula_weights(&graph)).unwrap();
    (onnx, size, numbers(&truth["eval"]["logits"]))
}

/// Runs the fixture's images and compares the logits behind the probabilities with timm's.
fn compare(name: &str, engine: &dyn Engine, size: usize, expected: &[f64]) {
    let largest = expected.iter().fold(0f64, |largest, logit| largest.max(logit.abs()));
    let images = image_values(expected.len() / 6, size);
    for (image, expected) in images.chunks_exact(3 * size * size).zip(expected.chunks_exact(6)) {
        let output = engine.run(image).unwrap();
        assert!(output.features.is_some(), "{name}");
        for (probability, expected) in output.probabilities.into_iter().zip(expected) {
            let probability = f64::from(probability);
            let found = (probability / (1.0 - probability)).ln();
            let off = (found - expected).abs() / largest;
            assert!(off < 1e-4, "{name} in {}: {found} is not {expected}", engine.name());
        }
    }
}

#[test]
fn tract_gives_timms_logits() {
    for (name, file) in NETWORKS {
        let (onnx, size, expected) = model(name, file);
        compare(name, &TractEngine::load(&onnx, 3, size).unwrap(), size, &expected);
    }
}

#[test]
fn onnx_runtime_gives_timms_logits() {
    let Some(library) = onnxruntime() else { return };
    for (name, file) in NETWORKS {
        let (onnx, size, expected) = model(name, file);
        let engine = OrtEngine::load(&onnx, 3, size, Some(&library)).unwrap();
        compare(name, &engine, size, &expected);
    }
}
