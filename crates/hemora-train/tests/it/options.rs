//! Settings of a run, by the binary.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use hemora_nn::Weights;
use tempfile::TempDir;

use crate::support::{hemora_train, refusal, write_phantoms};

/// Phantoms of 32 pixels, made once.
fn data() -> &'static Path {
    static DATA: OnceLock<TempDir> = OnceLock::new();
    let folder = DATA.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        write_phantoms(folder.path());
        folder
    });
    folder.path()
}

fn train(command: &str, out: &Path, more: &[&str]) -> Output {
    let mut program = hemora_train(command, data(), out);
    program.args(["--threads=2", "--validation=0.4"]).args(more).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeed(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn steps(out: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
    let line = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
    text.lines().map(|text| line(text)["step"].as_u64().unwrap()).collect()
}

#[test]
fn a_config_file_lies_under_the_flags_and_its_mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    let flag = format!("--config={}", file.display());
    std::fs::write(&file, "network = \"simple-nn\"\nsteps = 3\nbatch = 64\n").unwrap();
    let out = folder.path().join("run");
    succeed(&train("run", &out, &[&flag]));
    // Three steps of the flags' eight images, not of the file's 64.
    assert_eq!(steps(&out), [3]);
    let written = std::fs::read_to_string(out.join("config.toml")).unwrap();
    for line in ["network = \"simple-nn\"", "batch = 8", "learning_rate = 0.001", "rise = 0.2"] {
        assert!(written.lines().any(|found| found == line), "{line} is not in\n{written}");
    }
    // What was written is a config file: the same run again, which has nothing left to do.
    let again = format!("--config={}", out.join("config.toml").display());
    succeed(&train("run", &out, &[&again]));
    let other = train("run", &out, &[&again, "--seed=9"]);
    assert!(refusal(&other).contains("othersettings:seed;"), "{}", stderr(&other));

    std::fs::write(&file, "epochs = 3\nepocs = 3\n").unwrap();
    let wrong = train("run", &folder.path().join("wrong"), &[&flag]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("epocs"), "{}", stderr(&wrong));
}

#[test]
fn the_printed_config_has_every_setting() {
    let output = Command::new(env!("CARGO_BIN_EXE_hemora-train"))
        .args(["config", "--optimizer=adadelta-keras", "--task=any"])
        .output()
        .unwrap();
    let text = succeed(&output);
    assert!(text.contains("optimizer = \"adadelta-keras\"\n"), "{text}");
    assert!(text.contains("\n# Images per batch\nbatch = 32\n"), "{text}");
}

#[test]
fn a_run_stops_early_and_lowers_its_rate() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--network=simple-nn", "--epochs=9", "--patience=2", "--least-gain=1"];
    let output = train("run", folder.path(), &more);
    succeed(&output);
    assert_eq!(steps(folder.path()).len(), 3);
    assert!(stderr(&output).contains("no better score for 2 epochs"), "{}", stderr(&output));
    // It has stopped, and stays so.
    succeed(&train("run", folder.path(), &more));
    assert_eq!(steps(folder.path()).len(), 3);

    let folder = tempfile::tempdir().unwrap();
    let more = ["--network=simple-nn", "--epochs=3", "--schedule=plateau", "--plateau=1"];
    let output = train("run", folder.path(), &[&more[..], &["--least-gain=1"]].concat());
    succeed(&output);
    assert!(stderr(&output).contains("plateau: the rate is 1.000e-2"), "{}", stderr(&output));
}

#[test]
fn every_fold_is_trained_and_every_image_predicted_once() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--network=simple-nn", "--epochs=1", "--folds=3"];
    let printed = succeed(&train("run", folder.path(), &more));
    assert!(printed.contains("any                AUROC"), "{printed}");
    let labels = std::fs::read_to_string(data().join("stage_2_train.csv")).unwrap();
    let images = (labels.lines().count() - 1) / 6;
    let rows = std::fs::read_to_string(folder.path().join("validation.csv")).unwrap();
    let mut ids: Vec<&str> =
        rows.lines().skip(1).map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(ids.len(), images);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), images);
    let summary = std::fs::read_to_string(folder.path().join("folds.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["any"]["auroc"].as_array().unwrap().len(), 3);
}

#[test]
fn a_rate_is_suggested_with_its_curve() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--network=deep-cnn", "--search-steps=40", "--optimizer=sgd"];
    let printed = succeed(&train("find-rate", folder.path(), &more));
    assert!(printed.contains("learning rate"), "{printed}");
    let page = std::fs::read_to_string(folder.path().join("rate.html")).unwrap();
    assert!(page.contains("<path class=\"curve\"") && page.contains("research use only"));
    let rows = std::fs::read_to_string(folder.path().join("rate.csv")).unwrap();
    assert!(rows.lines().count() > 10, "{rows}");
}

#[test]
fn two_deterministic_runs_give_the_same_bits_and_bf16_gives_others() {
    let folder = tempfile::tempdir().unwrap();
    let weights = |name: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let flags = ["--network=deep-cnn", "--epochs=1", "--deterministic"];
        let output = train("run", &out, &[&flags, more].concat());
        succeed(&output);
        Weights::from_safetensors(&std::fs::read(out.join("model.safetensors")).unwrap()).unwrap()
    };
    let one = weights("one", &[]);
    assert!(one == weights("two", &[]), "two runs differ");
    let half = weights("half", &["--precision=bf16"]);
    assert!(one != half, "bf16 changed nothing");
    let (one, half) = (one.get("conv_1.weight").unwrap(), half.get("conv_1.weight").unwrap());
    let far = one.values.iter().zip(&half.values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far < 0.05, "bf16 is {far} away");

    let no_gpu = !tch::Cuda::is_available();
    let output = train("run", &folder.path().join("f16"), &["--precision=f16", "--epochs=1"]);
    assert!(!no_gpu || stderr(&output).contains("needs a GPU"), "{}", stderr(&output));
}

#[test]
#[cfg(target_os = "linux")]
fn too_large_a_batch_is_answered_with_one_to_try() {
    let folder = tempfile::tempdir().unwrap();
    // A shell's bound on the program's memory, in KiB, stands in for a smaller machine.
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 3500000; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_hemora-train"))
        .arg("run")
        .arg("--images")
        .arg(data().join("stage_2_train"))
        .arg("--labels")
        .arg(data().join("stage_2_train.csv"))
        .arg("--out")
        .arg(folder.path())
        .args(["--network=resnet50", "--size=512", "--working-size=32", "--batch=16"])
        .args(["--threads=1", "--epochs=1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let words: String =
        stderr(&output).chars().filter(|it| !it.is_whitespace() && *it != '│').collect();
    assert!(words.contains("--batch8--accumulate2"), "{}", stderr(&output));
    // The panic behind it is not printed too.
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    // What is asked for can be tried in the same folder, which holds nothing yet.
    let smaller = ["--network=resnet50", "--accumulate=2", "--epochs=1"];
    succeed(&train("run", folder.path(), &smaller));
    // From then on it has a network, of these settings.
    let other = train("run", folder.path(), &["--network=resnet50", "--epochs=1"]);
    assert!(refusal(&other).contains("othersettings:accumulate;"), "{}", stderr(&other));
}

#[test]
#[cfg(target_os = "linux")]
fn series_that_do_not_fit_into_memory_are_answered_with_flags_that_there_are() {
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 3500000; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_hemora-train"))
        .args(["time-sequence", "--columns=2048", "--batch=100000", "--threads=1"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    let words: String =
        stderr(&output).chars().filter(|it| !it.is_whitespace() && *it != '│').collect();
    assert!(words.contains("--batch50000,orasmaller--window"), "{}", stderr(&output));
    assert!(!words.contains("--accumulate") && !words.contains("panicked"), "{}", stderr(&output));
}

#[test]
fn the_program_finds_its_libtorch_by_itself() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
    program.env_remove("LD_LIBRARY_PATH").env_remove("DYLD_LIBRARY_PATH");
    let output = program.arg("--version").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
