//! `hemora study`: phantoms to a page with the real training program, stopped and taken up again.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

use hemora_testing::require;
use serde_json::Value;

fn command(out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    let small = ["--phantoms", "24", "--size", "32", "--batch", "8", "--negatives", "60"];
    command.arg("study").arg("--out").arg(out).args(small).args(["--threads", "1"]);
    command.args(arguments);
    command
}

fn study(out: &Path, arguments: &[&str]) -> Output {
    command(out, arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

/// An error without the breaks of its lines, which may fall anywhere.
fn joined(output: &Output) -> String {
    text(output).chars().filter(|letter| !letter.is_whitespace() && *letter != '│').collect()
}

fn document(out: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(out.join("study.json")).unwrap()).unwrap()
}

/// The training program of this build; a plain `cargo test` does not build it.
fn trainer() -> Option<PathBuf> {
    let named = std::env::var_os("HEMORA_TRAIN").map(PathBuf::from);
    let name = format!("hemora-train{}", std::env::consts::EXE_SUFFIX);
    let beside = Path::new(env!("CARGO_BIN_EXE_hemora")).with_file_name(name);
    named.or(Some(beside)).filter(|program| program.is_file())
}

#[test]
fn a_plan_says_what_it_costs_and_trains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("study");
    let output = study(&out, &["--plan", "--subsets", "1", "--repeats", "2"]);
    assert!(output.status.success(), "{}", text(&output));
    let words = text(&output);
    assert!(words.contains("24 cells"), "{words}");
    assert!(words.contains("patient-any-1-0: train"), "{words}");
    // The phantoms alone are made, of which it is a plan.
    let names = |folder: &Path| -> Vec<_> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    };
    assert_eq!(names(&out), ["phantoms"]);

    // What a study has written is not touched, also where it would be started over.
    let split = out.join("splits/patient-any-1-0.csv");
    std::fs::create_dir(split.parent().unwrap()).unwrap();
    std::fs::write(&split, "ID,split\n").unwrap();
    let refused = study(&out, &["--plan", "--subsets", "1"]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(joined(&refused).contains("othersettings"), "{}", text(&refused));
    let output = study(&out, &["--plan", "--subsets", "1", "--restart"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(std::fs::read_to_string(&split).unwrap(), "ID,split\n");

    // Phantoms that are there belong to their settings.
    let output = study(&out, &["--plan", "--seed", "5"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}

/// A training program that starts and trains nothing, whose cells all fail.
#[cfg(unix)]
fn failing_trainer(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let program = folder.join("hemora-train");
    std::fs::write(&program, "#!/bin/sh\n[ \"$1\" = --version ]\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[cfg(unix)]
#[test]
fn a_patient_in_two_parts_is_refused_unless_the_split_by_image_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("study");
    let program = failing_trainer(folder.path());
    let first = command(&out, &["--subsets", "1", "--no-subtypes", "--networks", "simple-nn"])
        .env("HEMORA_TRAIN", program)
        .output()
        .unwrap();
    assert_eq!(first.status.code(), Some(3), "{}", text(&first));
    let leaking = out.join("splits/image-any-1-0.csv");
    let split = ["--plan", "--subsets", "1", "--no-subtypes", "--split", leaking.to_str().unwrap()];
    let refused = study(&out, &[&split[..], &["--splits", "patient", "--restart"]].concat());
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(joined(&refused).contains("inseveralparts"), "{}", text(&refused));
    let allowed = study(&out, &[&split[..], &["--splits", "image"]].concat());
    assert!(allowed.status.success(), "{}", text(&allowed));
}

#[cfg(unix)]
#[test]
fn a_training_program_that_does_not_start_is_named_before_any_cell() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (out, program) = (folder.path().join("study"), folder.path().join("hemora-train"));
    std::fs::write(&program, "#!/bin/sh\necho no libtorch_cpu.so >&2\nexit 127\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    let small = ["--phantoms", "24", "--size", "32", "--subsets", "1", "--threads", "1"];
    command.arg("study").arg("--out").arg(&out).args(small).env("HEMORA_TRAIN", &program);
    // Not executable yet.
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(joined(&output).contains("cargoxtasktrain-build"), "{}", text(&output));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let words = joined(&output);
    assert!(words.contains("nolibtorch_cpu.so") && words.contains("127"), "{}", text(&output));
    assert!(!out.join("cells").exists());
}

#[cfg(unix)]
#[test]
fn phantoms_are_trained_on_and_a_second_run_takes_what_is_there() {
    let trainer = require(trainer(), "hemora-train", "`cargo xtask test` builds it");
    let Some(program) = trainer else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("study");
    let both = ["--networks", "simple-nn,deep-cnn", "--subsets", "1", "--epochs", "2"];
    // A first run without the second network is a study that was stopped.
    let one = ["--networks", "simple-nn", "--subsets", "1", "--epochs", "2"];
    let output = study(&out, &one);
    assert!(output.status.success(), "{} of {}", text(&output), program.display());
    let cell = out.join("cells/patient-any-1-0-simple-nn/cell.json");
    let changed = |path: &Path| -> SystemTime { path.metadata().unwrap().modified().unwrap() };
    let before = changed(&cell);

    let output = study(&out, &both);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(changed(&cell), before, "a finished cell was run again");
    let found = document(&out);
    assert_eq!(found["cells"].as_array().unwrap().len(), 8);
    for cell in found["cells"].as_array().unwrap() {
        let measured = &cell["outcome"]["measured"];
        let labels = if cell["draw"]["question"] == "subtypes" { 5 } else { 1 };
        assert_eq!(measured["figures"].as_array().unwrap().len(), labels, "{cell}");
        assert_eq!(measured["epochs"].as_array().unwrap().len(), 2, "{cell}");
        assert!(measured["figures"][0]["accuracy"]["value"].is_number(), "{cell}");
    }
    let draws = found["draws"].as_array().unwrap();
    assert!(
        draws
            .iter()
            .all(|draw| { (draw["draw"]["split"] == "patient") == (draw["shared_patients"] == 0) })
    );
    // Phantoms know their positions: both baselines are there.
    assert_eq!(draws[0]["baselines"].as_array().unwrap().len(), 2);
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains("Simple NN") && !page.contains("not run yet"));
    assert!(text(&output).contains("# The seed study, reproduced"));

    // Other settings are not mixed with these results.
    let other = ["--networks", "simple-nn", "--subsets", "1", "--epochs", "3"];
    let output = study(&out, &other);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(joined(&output).contains("othersettings"), "{}", text(&output));
    // A start over in which nothing could be trained leaves nothing of them, and goes on without the
    // flag.
    let restart = [&other[..], &["--restart"]].concat();
    let broken = failing_trainer(folder.path());
    let output = command(&out, &restart).env("HEMORA_TRAIN", broken).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let output = study(&out, &other);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(
        document(&out)["cells"][0]["outcome"]["measured"]["epochs"].as_array().unwrap().len(),
        3
    );
}
