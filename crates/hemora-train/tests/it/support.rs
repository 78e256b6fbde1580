//! A run of the binary on phantoms, and what it wrote.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use hemora_data::{PrepareRecipe, Selection, build_index, prepare};
use hemora_model::TrainedNetwork;
use hemora_nn::Weights;
use hemora_synth::{PhantomOptions, write_dataset};

/// Writes ten phantoms of 32 pixels.
pub fn write_phantoms(folder: &Path) {
    let options = PhantomOptions { slice_spacing: 15.0, ..PhantomOptions::default() };
    write_dataset(folder, 5, 10, &options.with_size(32), &|_, _| ()).unwrap();
}

/// Writes eight phantoms of 48 pixels to `data`, and their index.
pub fn index_phantoms(folder: &Path) {
    let data = folder.join("data");
    let options = PhantomOptions { slice_spacing: 12.0, ..PhantomOptions::default() };
    write_dataset(&data, 5, 8, &options.with_size(48), &|_, _| ()).unwrap();
    let (images, labels) = ([data.join("stage_2_train")], [data.join("stage_2_train.csv")]);
    build_index(&images, &labels, &folder.join("set.parquet"), &|_, _| ()).unwrap();
}

/// Prepares the phantoms that [`index_phantoms`] wrote.
pub fn prepare_phantoms(folder: &Path, name: &str, recipe: &PrepareRecipe, selection: &Selection) {
    let go_on = |_, _| ControlFlow::Continue(());
    let index = folder.join("set.parquet");
    prepare(&index, &folder.join(name), recipe, selection, &go_on).unwrap();
}

/// A recipe that leaves the phantoms' pixels as they are.
pub fn plain_recipe(name: &str) -> PrepareRecipe {
    PrepareRecipe { canvas: None, ..PrepareRecipe::built_in(name).unwrap() }
}

/// All that a program printed.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// Its program ended well.
pub fn succeed(output: &Output) {
    assert!(output.status.success(), "{}", text(output));
}

/// An error without the breaks of its lines, which may fall anywhere.
pub fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(output));
    text(output).chars().filter(|letter| !letter.is_whitespace() && *letter != '│').collect()
}

/// Kills a run as soon as it has written its first epoch.
pub fn kill_after_an_epoch(mut child: Child, out: &Path) {
    let begin = Instant::now();
    while epochs(out) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(300), "no epoch ended");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!out.join("model.safetensors").exists(), "it ended before it was killed");
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
    let [one, other] = [one, other].map(|out| network(&out.join("model.safetensors")));
    assert!(one == other, "the weights or their metadata differ");
}

/// The weights in a file, and what is known about them.
pub fn network(path: &Path) -> (Weights, TrainedNetwork) {
    let bytes = std::fs::read(path).unwrap();
    let trained = TrainedNetwork::from_metadata(&Weights::metadata(&bytes).unwrap()).unwrap();
    (Weights::from_safetensors(&bytes).unwrap(), trained)
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
