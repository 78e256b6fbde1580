//! Sequence operations and networks agree with PyTorch on the same weights. The figures come from
//! tools/parity_sequence.py; its formulas are repeated here and in `formula`.

use hemora_testing::formula::{fixture, formula_weights, numbers, sequence_graph, slice_values};
use hemora_train::{Mode, Model, to_host};
use serde_json::Value;
use tch::{Device, Reduction, Tensor};

fn slices(count: usize, length: usize, columns: usize) -> Tensor {
    let values = slice_values(count, length, columns);
    Tensor::from_slice(&values).reshape([count as i64, length as i64, columns as i64])
}

/// 1 where (n + 2 · s + u) is a multiple of 3.
fn targets(shape: &[i64]) -> Tensor {
    let mut values = Vec::new();
    for n in 0..shape[0] {
        for s in 0..shape[1] {
            values.extend((0..shape[2]).map(|u| f32::from((n + 2 * s + u) % 3 == 0)));
        }
    }
    Tensor::from_slice(&values).reshape(shape)
}

/// The largest difference, relative to the largest expected value, is below 1e-4.
fn agree(what: &str, found: &Tensor, expected: &Value) {
    let (found, expected) = (to_host(found).values, numbers(expected));
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1e-12, |largest: f64, value| largest.max(value.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        let off = (f64::from(*found) - expected).abs() / largest;
        assert!(off < 1e-4, "{what}: {found} is not {expected}");
    }
}

fn is_pytorchs(name: &str) {
    let truth = fixture(&format!("sequence_{name}.json"));
    let graph = sequence_graph(name);
    let columns = graph.input_shape()[0];
    let model = Model::with_weights(graph.clone(), &formula_weights(&graph), Device::Cpu).unwrap();
    for (length, expected) in truth["eval"].as_object().unwrap() {
        let input = slices(1, length.parse().unwrap(), columns);
        let logits = tch::no_grad(|| model.logits(&input, Mode::Evaluate));
        agree(&format!("{name}, {length} slices"), &logits, expected);
    }

    let train = &truth["train"];
    let count = |key: &str| train[key].as_u64().unwrap() as usize;
    let logits = model.logits(&slices(count("batch"), count("slices"), columns), Mode::Train);
    let loss = logits.binary_cross_entropy_with_logits::<Tensor>(
        &targets(&logits.size()),
        None,
        None,
        Reduction::Mean,
    );
    agree(&format!("{name}, loss"), &loss, &train["loss"]);
    let gradients = model.gradients(&loss);
    let norms = train["gradient_norms"].as_object().unwrap();
    assert_eq!(norms.len(), gradients.len(), "{name}");
    let largest = norms.values().filter_map(Value::as_f64).fold(0.0, f64::max);
    for ((parameter, _), gradient) in model.trainable().zip(&gradients) {
        let what = format!("{name}, gradient of {}", parameter.name);
        match norms[&parameter.name].as_f64() {
            // Where the exact gradient cancels to 0, rounding leaves something small.
            Some(0.0) => assert!(gradient.norm().double_value(&[]) < 1e-6 * largest, "{what}"),
            _ => agree(&what, &gradient.norm(), &norms[&parameter.name]),
        }
    }
    for (tensor, expected) in train["running"].as_object().unwrap() {
        let first = model.tensor(tensor).slice(0, 0, numbers(expected).len() as i64, 1);
        agree(&format!("{name}, {tensor}"), &first, expected);
    }
}

#[test]
fn gru_and_dilated_convolution_are_pytorchs() {
    is_pytorchs("gru");
    is_pytorchs("conv");
}

#[test]
fn the_winners_sequence_models_are_pytorchs() {
    is_pytorchs("features");
    is_pytorchs("probabilities");
}

#[test]
fn the_transformer_is_what_pytorch_makes_of_its_description() {
    is_pytorchs("transformer");
}
