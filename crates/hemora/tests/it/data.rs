//! Data sets by the binary: index, counts, preparing, being killed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use hemora_synth::{PhantomOptions, write_dataset};
use hemora_testing::content;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    command.args(arguments);
    command
}

fn hemora(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

/// A data set of three phantoms and the index of it.
fn indexed(folder: &Path) -> (PathBuf, PathBuf) {
    let data = folder.join("data");
    let options = PhantomOptions { slice_spacing: 12.0, ..PhantomOptions::default() };
    write_dataset(&data, 2, 3, &options.with_size(64), &|_, _| {}).unwrap();
    std::fs::write(data.join("stage_2_train/torn.dcm"), "no image").unwrap();
    let (index, labels) = (folder.join("set.parquet"), data.join("stage_2_train.csv"));
    let output = hemora(&[
        "index",
        data.join("stage_2_train").to_str().unwrap(),
        "--labels",
        labels.to_str().unwrap(),
        "--out",
        index.to_str().unwrap(),
    ]);
    // One file cannot be used, and is named.
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("torn.dcm"), "{}", text(&output));
    (index, labels)
}

#[test]
fn a_set_is_indexed_counted_and_prepared() {
    let folder = tempfile::tempdir().unwrap();
    let (index, labels) = indexed(folder.path());
    let page = folder.path().join("set.html");
    let output =
        hemora(&["index", "stats", index.to_str().unwrap(), "--page", page.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("patients 3"), "{}", text(&output));
    assert!(std::fs::read_to_string(&page).unwrap().contains("<svg"));
    let output = hemora(&["index", "stats", labels.to_str().unwrap()]);
    assert!(text(&output).contains("positive rows"), "{}", text(&output));

    let out = folder.path().join("prepared");
    let output = hemora(&[
        "prepare",
        index.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--recipe",
        "howard",
        "--negatives",
        "1x",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let labels = std::fs::read_to_string(out.join("labels.csv")).unwrap();
    let images = content(&out.join("images")).len();
    assert!(images > 3 && labels.lines().count() == images * 6 + 1, "{images}");
    let other = ["--out", out.to_str().unwrap(), "--recipe", "winner"];
    let output = hemora(&[&["prepare", index.to_str().unwrap()], &other[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("empty folder") || text(&output).contains("another recipe"));
}

#[test]
fn a_killed_run_goes_on_and_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (index, _) = indexed(folder.path());
    let arguments = |out: &Path| {
        let index = index.to_str().unwrap().to_owned();
        let out = out.to_str().unwrap().to_owned();
        ["prepare".to_owned(), index, "--out".to_owned(), out, "--recipe=howard".to_owned()]
    };
    let run = |out: &Path| {
        let arguments = arguments(out);
        let output = hemora(&arguments.each_ref().map(String::as_str));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    };
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    run(&whole);
    for images in [1, 6] {
        let arguments = arguments(&killed);
        let mut child = command(&arguments.each_ref().map(String::as_str));
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        let written = || std::fs::read_dir(killed.join("images")).map_or(0, Iterator::count);
        while written() < images && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    run(&killed);
    assert!(content(&killed) == content(&whole));
}

#[test]
fn a_stored_split_is_taken_unless_flags_ask_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let (index, _) = indexed(folder.path());
    let index = index.to_str().unwrap();
    let output = hemora(&["index", "split", index, "--folds", "3", "--seed", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("split by patient, seed 2"), "{}", text(&output));
    let prepare = |name: &str, flags: &[&str]| {
        let out = folder.path().join(name);
        let all = ["prepare", index, "--recipe", "hu", "--out", out.to_str().unwrap()];
        let output = hemora(&[&all[..], flags].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        text(&output)
    };
    let stored = prepare("stored", &[]);
    assert!(stored.contains("part fold2") && !stored.contains("part train"), "{stored}");
    let other = prepare("other", &["--validation", "0.3", "--test", "0"]);
    assert!(other.contains("part train") && !other.contains("part fold"), "{other}");
    let output = hemora(&["index", "split", index, "--folds", "3", "--test", "0.1"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}
