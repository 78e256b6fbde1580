//! Runs that earlier ones teach, by the binary.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;

use hemora_nn::Weights;
use tempfile::TempDir;

use crate::support::{hemora_train, refusal, succeed, write_phantoms};

/// Phantoms of 32 pixels, and two runs on them, `a` and `b`, which began alike.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        write_phantoms(folder.path());
        for (out, rate) in [("a", "--learning-rate=0.01"), ("b", "--learning-rate=0.002")] {
            succeed(&train_in(folder.path(), out, &["--epochs=1", rate]));
        }
        folder
    });
    folder.path()
}

fn train_in(folder: &Path, out: &str, more: &[&str]) -> Output {
    let mut program = hemora_train("run", folder, &folder.join(out));
    let still = ["--network=simple-nn", "--threads=1", "--validation=0.4", "--dropout=0"];
    program.args(still).args(["--optimizer=sgd", "--weight-decay=0"]).args(more).output().unwrap()
}

/// A run beside `a` and `b`; of flags `--teacher=a` and `--weights=a` the folder of `a` is meant.
fn train(out: &str, more: &[&str]) -> Output {
    let whole = |flag: &&str| match flag.split_once('=') {
        Some((name @ ("--teacher" | "--weights"), run)) => {
            format!("{name}={}", path(run).display())
        }
        _ => (*flag).to_owned(),
    };
    let more: Vec<String> = more.iter().map(whole).collect();
    train_in(folder(), out, &more.iter().map(String::as_str).collect::<Vec<_>>())
}

fn path(run: &str) -> PathBuf {
    folder().join(run)
}

fn weights(run: &str) -> Weights {
    let bytes = std::fs::read(path(run).join("model.safetensors")).unwrap();
    Weights::from_safetensors(&bytes).unwrap()
}

/// The largest difference of two networks' weights.
fn far(one: &Weights, other: &Weights) -> f32 {
    let pairs = one.iter().map(|(name, tensor)| (tensor, other.get(name).unwrap()));
    let values = pairs.flat_map(|(one, other)| one.values.iter().zip(&other.values));
    values.map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}

#[test]
fn who_is_taught_by_itself_alone_has_nothing_to_learn() {
    let more =
        ["--weights=a/model.safetensors", "--teacher=a", "--epochs=1", "--learning-rate=0.01"];
    succeed(&train("same", &[&more[..], &["--teacher-weight=1"]].concat()));
    let moved = far(&weights("same"), &weights("a"));
    assert!(moved < 1e-6, "the weights moved by {moved}");
    // The labels say something else.
    succeed(&train("half", &[&more[..], &["--teacher-weight=0.5"]].concat()));
    let moved = far(&weights("half"), &weights("a"));
    assert!(moved > 1e-4, "the labels moved the weights by {moved} only");
    // And so does another teacher beside it.
    succeed(&train("other", &[&more[..], &["--teacher=b", "--teacher-weight=1"]].concat()));
    let moved = far(&weights("other"), &weights("a"));
    assert!(moved > 1e-5, "the other teacher moved the weights by {moved} only");
}

#[test]
fn a_teacher_of_a_cross_validation_is_that_of_the_fold() {
    succeed(&train("folds", &["--epochs=1", "--folds=2"]));
    succeed(&train("taught", &["--epochs=1", "--folds=2", "--teacher=folds"]));
    succeed(&train("second", &["--epochs=1", "--folds=2", "--fold=2", "--teacher=folds"]));
    assert!(far(&weights("second"), &weights("taught/fold-2")) == 0.0);
    // One that has seen the fold is none.
    let flags = ["--epochs=1", "--folds=2", "--fold=2", "--teacher=folds/fold-1"];
    let refusal = refusal(&train("wrong", &flags));
    assert!(refusal.contains("werenotheldoutthere"), "{refusal}");
    assert!(refusal.contains("folds/fold-1:"), "{refusal}");
}

#[test]
fn teachers_of_other_things_are_refused() {
    succeed(&train("any", &["--epochs=1", "--task=any"]));
    // As many channels, in other windows.
    succeed(&train("windows", &["--epochs=1", "--input=windows"]));
    succeed(&train("by-image", &["--epochs=1", "--split-by=image"]));
    for (flags, words) in [
        (vec!["--teacher=any"], "ofthetaskany;expectedlabels"),
        (vec!["--teacher=windows"], "ofanotherinputthanthisrun's"),
        (vec!["--teacher=by-image"], "mayhaveseenpatients"),
        (vec!["--teacher=stage_2_train"], "nomodel.safetensors"),
        (vec!["--teacher=a", "--seed=3"], "werenotheldoutthere"),
        (vec!["--teacher=a", "--teacher-weight=1.5"], "--teacher-weight1.5"),
    ] {
        let refusal = refusal(&train("refused", &[&flags[..], &["--restart"]].concat()));
        assert!(refusal.contains(words), "{flags:?}: {refusal}");
    }
}
