//! Networks of sequences in both engines against what PyTorch computed with the same weights, for
//! series of several lengths.

use hemora_infer::{EngineError, EngineKind, SequenceEngine, load_sequence_engine, run_both_ways};
use hemora_nn::onnx;

use crate::support::{onnxruntime, small_onnx};
use hemora_testing::formula::{fixture, formula_weights, numbers, sequence_graph, slice_values};

const NETWORKS: [&str; 3] = ["features", "probabilities", "transformer"];

fn model(name: &str) -> (Vec<u8>, usize) {
    let graph = sequence_graph(name);
    (onnx::write(&graph, &formula_weights(&graph)).unwrap(), graph.input_shape()[0])
}

/// Runs series of 1, 20, 24 and 60 slices.
fn compare(name: &str, columns: usize, engine: &dyn SequenceEngine) {
    let truth = fixture(&format!("sequence_{name}.json"));
    let lengths = truth["eval"].as_object().unwrap();
    assert_eq!(lengths.len(), 4);
    for (length, logits) in lengths {
        let found = engine.run(&slice_values(1, length.parse().unwrap(), columns)).unwrap();
        let expected = numbers(logits);
        assert_eq!(found.len() * 6, expected.len());
        for (found, logit) in found.iter().flatten().zip(&expected) {
            let expected = 1.0 / (1.0 + (-logit).exp());
            let off = (f64::from(*found) - expected).abs();
            assert!(off < 1e-5, "{name} in {}, {length} slices: off by {off}", engine.name());
        }
    }
}

#[test]
fn sequence_models_in_tract_are_pytorchs() {
    for name in NETWORKS {
        let (onnx, columns) = model(name);
        let engine = load_sequence_engine(EngineKind::Tract, &onnx, columns, None).unwrap();
        compare(name, columns, &*engine);
        // More lengths than plans are kept, then an earlier one again.
        for slices in 1..12 {
            let input = slice_values(1, slices, columns);
            assert_eq!(engine.run(&input).unwrap().len(), slices);
        }
        compare(name, columns, &*engine);
    }
}

#[test]
fn sequence_models_in_onnx_runtime_are_pytorchs() {
    let Some(library) = onnxruntime() else { return };
    for name in NETWORKS {
        let (onnx, columns) = model(name);
        let kind = EngineKind::OnnxRuntime;
        let engine = load_sequence_engine(kind, &onnx, columns, Some(&library)).unwrap();
        compare(name, columns, &*engine);
    }
}

#[test]
fn models_and_inputs_of_other_shapes_are_refused() {
    let (onnx, columns) = model("features");
    let tract = |onnx: &[u8], columns| load_sequence_engine(EngineKind::Tract, onnx, columns, None);
    let refused = |result: Result<Box<dyn SequenceEngine>, EngineError>| match result {
        Err(error) => error.to_string(),
        Ok(_) => panic!("a wrong model is loaded"),
    };
    let narrow = refused(tract(&onnx, columns + 1));
    assert!(narrow.contains("[?, ?, 20], not slices of 21 values"), "{narrow}");
    let image = refused(tract(&small_onnx(), columns));
    assert!(image.contains("not slices of 20 values"), "{image}");
    refused(tract(&onnx[..onnx.len() / 2], columns));
    let engine = tract(&onnx, columns).unwrap();
    assert!(matches!(engine.run(&[0.0; 30]), Err(EngineError::InputLength { .. })));
    assert!(engine.run(&[]).is_err());
}

#[test]
fn a_series_is_read_both_ways_and_each_slice_keeps_its_own() {
    let (onnx, columns) = model("features");
    let engine = load_sequence_engine(EngineKind::Tract, &onnx, columns, None).unwrap();
    let forward = slice_values(1, 9, columns);
    let slices: Vec<&[f32]> = forward.chunks(columns).collect();
    let read = |order: &[usize]| order.iter().flat_map(|slice| slices[*slice].to_vec()).collect();
    let both = run_both_ways(&*engine, 9, read).unwrap();
    let backward: Vec<f32> = slices.iter().rev().flat_map(|slice| slice.to_vec()).collect();
    let [forward, backward] = [forward, backward].map(|input| engine.run(&input).unwrap());
    let odds = |probability: f32| f64::from(probability / (1.0 - probability)).ln();
    let mut differ = 0;
    for slice in 0..9 {
        for label in 0..6 {
            let (one, other) = (forward[slice][label], backward[8 - slice][label]);
            let mean = (odds(one) + odds(other)) / 2.0;
            let expected = 1.0 / (1.0 + (-mean).exp());
            let off = (f64::from(both[slice][label]) - expected).abs();
            assert!(off < 1e-5, "slice {slice}: {expected}");
            differ += usize::from((one - other).abs() > 0.01);
        }
    }
    assert!(differ > 10, "the direction matters: {differ}");
}
