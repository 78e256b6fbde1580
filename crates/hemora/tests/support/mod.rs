//! The binary, and what tests of bundles tell it of a model.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::process::{Command, Output};

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
