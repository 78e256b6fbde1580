//! The binary, and what tests of bundles tell it of a model.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::process::{Command, Output};

use hemora_ct::{InputRecipe, LABEL_COUNT, Window};
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
    let said = String::from_utf8_lossy(&output.stderr).replace('│', " ");
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An image network for grey images of `size` pixels all of whose weights are `value`, as a training run
/// leaves it, with `more` metadata.
pub fn weights(network: &str, size: usize, value: f32, more: &[(&str, &str)]) -> Vec<u8> {
    let head = Some(networks::Head::Sigmoid(LABEL_COUNT));
    let options = networks::Options { channels: 3, size, head, dropout: 0.0 };
    let graph = networks::build(network, &options).unwrap().unwrap();
    let mut weights = Weights::default();
    for parameter in graph.parameters() {
        let values = vec![value; parameter.len()];
        weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
    }
    let input = serde_json::to_string(&InputRecipe::grey(size, Window::BRAIN)).unwrap();
    let known =
        [("network", network), ("task", "labels"), ("input", input.as_str()), ("metrics", "[]")];
    let all = known.iter().chain(more).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    weights.to_safetensors(all.collect()).unwrap()
}
