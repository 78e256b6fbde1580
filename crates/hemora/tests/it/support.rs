//! The binary, and what tests of bundles give it.

use std::process::{Command, Output};

use hemora_ct::{InputRecipe, LABEL_COUNT, Window};
use hemora_model::{SliceNetwork, TrainedNetwork};
use hemora_nn::{Tensor, Weights, networks};

/// What `hemora model bundle` cannot know by itself.
pub const ABOUT: &str = r#"
name = "tiny"
version = "9"
created = "2026-01-01"
licence = "none"
intended_use = "A test."
training_data = "Nothing."
input = "A slice."
validation = "Chosen beforehand."
limits = ["All of them."]
"#;

/// Runs the binary.
pub fn hemora(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hemora")).args(arguments).output().unwrap()
}

/// What a command that ends well prints.
pub fn succeed(arguments: &[&str]) -> String {
    let output = hemora(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What a command that fails says, on one line.
pub fn refused(arguments: &[&str]) -> String {
    let output = hemora(arguments);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    let message = String::from_utf8_lossy(&output.stderr).replace('│', " ");
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a training run leaves of a network for grey images of `size` pixels, of a fold if one is given.
pub fn trained(network: &str, size: usize, fold: Option<u32>) -> SliceNetwork {
    SliceNetwork {
        network: network.to_owned(),
        task: "labels".to_owned(),
        input: Some(InputRecipe::grey(size, Window::BRAIN)),
        fold,
        validation: Vec::new(),
        averaged: None,
    }
}

/// A trained network all of whose weights are `value`.
pub fn weights(trained: &SliceNetwork, value: f32) -> Vec<u8> {
    let size = trained.input.as_ref().unwrap().size;
    let head = Some(networks::Head::Sigmoid(LABEL_COUNT));
    let options = networks::Options { channels: 3, size, head, dropout: 0.0 };
    let graph = networks::build(&trained.network, &options).unwrap().unwrap();
    let mut weights = Weights::default();
    for parameter in graph.parameters() {
        let values = vec![value; parameter.len()];
        weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
    }
    weights.to_safetensors(TrainedNetwork::Slices(trained.clone()).to_metadata()).unwrap()
}
