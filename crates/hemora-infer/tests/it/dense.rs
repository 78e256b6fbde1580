//! Networks with a dense head: both engines give the same maps, and what is made of them.

use hemora_infer::{Engine, OrtEngine, Output, TractEngine};
use hemora_nn::networks::{Options, build};
use hemora_nn::onnx;

use crate::support::onnxruntime;
use hemora_testing::formula::{formula_weights, image_values};

/// A network as an ONNX model, with weights small enough that nothing is certain.
fn model(name: &str, size: usize) -> Vec<u8> {
    let graph = build(name, &Options { size, ..Options::default() }).unwrap().unwrap();
    onnx::write(&graph, &formula_weights(&graph)).unwrap()
}

#[test]
fn engines_agree_on_probabilities_and_maps() {
    let library = onnxruntime();
    // 72 is no multiple of 16: the coarser maps end beyond the finer ones.
    for (name, size, stride) in [
        ("efficientnet-lite0-dense", 72, 8),
        ("efficientnet-lite2-dense", 64, 8),
        ("efficientnet-lite0-fine", 72, 4),
        ("efficientnet-lite2-fine", 64, 4),
    ] {
        let onnx = model(name, size);
        let tract = TractEngine::load(&onnx, 3, size).unwrap();
        let image = image_values(1, size);
        let output = tract.run(&image).unwrap();
        let maps = output.maps.clone().unwrap();
        assert_eq!((maps.channels, maps.rows, maps.columns), (6, size / stride, size / stride));
        let spread = maps.values.iter().fold(0f32, |most, value| most.max(*value))
            - maps.values.iter().fold(1f32, |least, value| least.min(*value));
        assert!(spread > 1e-3, "{name}: the maps are flat, {spread}");
        assert!(output.features.is_some());
        let Some(library) = &library else { continue };
        let other = OrtEngine::load(&onnx, 3, size, Some(library)).unwrap().run(&image).unwrap();
        let pairs = |a: &[f32], b: &[f32]| {
            assert_eq!(a.len(), b.len());
            for (a, b) in a.iter().zip(b) {
                assert!((a - b).abs() < 1e-4, "{name}: {a} {b}");
            }
        };
        pairs(&output.probabilities, &other.probabilities);
        pairs(&maps.values, &other.maps.unwrap().values);
    }
}

#[test]
fn halved_networks_say_nearly_the_same_in_both_engines() {
    let (name, size) = ("efficientnet-lite0-dense", 72);
    let whole = model(name, size);
    let halved = onnx::halved(&whole).unwrap();
    let image = image_values(1, size);
    let run = |onnx: &[u8]| TractEngine::load(onnx, 3, size).unwrap().run(&image).unwrap();
    let largest = |a: &Output, b: &Output| {
        let (maps_a, maps_b) = (a.maps.as_ref().unwrap(), b.maps.as_ref().unwrap());
        let a = a.probabilities.iter().chain(&maps_a.values);
        let differences = a.zip(b.probabilities.iter().chain(&maps_b.values));
        differences.map(|(a, b)| (a - b).abs()).fold(0f32, f32::max)
    };
    let (exact, rounded) = (run(&whole), run(&halved));
    let difference = largest(&exact, &rounded);
    assert!(difference > 0.0 && difference < 4e-3, "{difference}");
    let Some(library) = onnxruntime() else { return };
    let other = OrtEngine::load(&halved, 3, size, Some(&library)).unwrap().run(&image).unwrap();
    let difference = largest(&rounded, &other);
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn the_label_follows_from_its_map_and_from_the_features() {
    let size = 64;
    let name = "efficientnet-lite0-dense";
    let graph = build(name, &Options { size, ..Options::default() }).unwrap().unwrap();
    let mut weights = formula_weights(&graph);
    // The pooled features say nothing, so half the log odds of the map are left.
    let mut classifier = weights.remove("classifier.weight").unwrap();
    classifier.values.fill(0.0);
    weights.insert("classifier.weight", classifier);
    let mut bias = weights.remove("classifier.bias").unwrap();
    bias.values.fill(0.0);
    weights.insert("classifier.bias", bias);
    let engine = TractEngine::load(&onnx::write(&graph, &weights).unwrap(), 3, size).unwrap();
    let output = engine.run(&image_values(1, size)).unwrap();
    let maps = output.maps.unwrap();
    for (label, map) in maps.values.chunks_exact(64).enumerate() {
        let odds = |p: f64| (p / (1.0 - p)).ln();
        let powers: f64 = map.iter().map(|&p| (5.0 * odds(f64::from(p))).exp()).sum();
        let expected = (powers / 64.0).ln() / 5.0 / 2.0;
        let found = odds(f64::from(output.probabilities[label]));
        assert!((found - expected).abs() < 1e-3, "{label}: {found} {expected}");
    }
}
