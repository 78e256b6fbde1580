//! A run of the binary on phantoms, and what it wrote.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::path::Path;
use std::process::Command;

use hemora_nn::Weights;
use hemora_synth::{PhantomOptions, write_dataset};

/// Writes ten phantoms of 32 pixels.
pub fn write_phantoms(folder: &Path) {
    let options = PhantomOptions { slice_spacing: 15.0, ..PhantomOptions::default() };
    write_dataset(folder, 5, 10, &options.with_size(32), &|_, _| ()).unwrap();
}

/// `hemora-train COMMAND` on the data set in `data`, with batches of 8 images of 32 pixels.
pub fn hemora_train(command: &str, data: &Path, out: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
    program
        .arg(command)
        .arg("--images")
        .arg(data.join("stage_2_train"))
        .arg("--labels")
        .arg(data.join("stage_2_train.csv"))
        .arg("--out")
        .arg(out)
        .args(["--size=32", "--working-size=32", "--batch=8"]);
    program
}

/// Epochs that a run has written.
pub fn epochs(out: &Path) -> usize {
    std::fs::read_to_string(out.join("metrics.jsonl")).map_or(0, |text| text.lines().count())
}

/// Two runs gave the same metrics, predictions and weights.
pub fn assert_same(one: &Path, other: &Path) {
    assert_eq!(metrics(one), metrics(other));
    let read = |out: &Path, file: &str| std::fs::read(out.join(file)).unwrap();
    assert!(read(one, "validation.csv") == read(other, "validation.csv"), "predictions differ");
    // The header's entries have no order, so the files are compared by what they hold.
    let [one, other] = [one, other].map(|out| {
        let bytes = read(out, "model.safetensors");
        (Weights::from_safetensors(&bytes).unwrap(), Weights::metadata(&bytes).unwrap())
    });
    assert!(one == other, "the weights or their metadata differ");
}

/// The lines of the metrics without what a clock says.
pub fn metrics(out: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            let fields = line.as_object_mut().unwrap();
            assert!(fields.remove("seconds").is_some());
            assert!(fields.remove("images_per_second").is_some());
            line
        })
        .collect()
}
