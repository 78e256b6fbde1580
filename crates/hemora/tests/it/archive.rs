//! An archive in shares by the binary: triaged, killed, merged.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use hemora_testing::dense::dense_bundle;
use hemora_testing::{Phantoms, content};
use serde_json::Value;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    command.args(arguments).env("HEMORA_ONNXRUNTIME", "off");
    command
}

fn hemora(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

/// Phantoms with their index, and a small model.
struct Archive(tempfile::TempDir);

impl Archive {
    fn new(patients: usize) -> Self {
        let archive = Self(tempfile::tempdir().unwrap());
        let images = Phantoms::write(&archive.path("data"), 9, patients, 64).images;
        dense_bundle(&archive.path("model.hemora"), 0.3);
        let (images, index) = (images.to_str().unwrap(), archive.text("set.parquet"));
        let output = hemora(&["index", images, "--out", &index]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        archive
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    fn share(&self, shard: &str, out: &str, more: &[&str]) -> Command {
        let (index, model, out) =
            (self.text("set.parquet"), self.text("model.hemora"), self.text(out));
        let all = ["triage", "--index", &index, "--shard", shard, "--model", &model, "--out", &out];
        command(&[&all[..], more].concat())
    }
}

#[test]
fn shares_are_triaged_and_merged() {
    let archive = Archive::new(3);
    for shard in ["1/2", "2/2"] {
        let output = archive.share(shard, "shares", &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert!(text(&output).contains(&format!("share {shard} in ")), "{}", text(&output));
    }
    let output = archive.share("2/2", "shares", &["--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("already done"), "{}", text(&output));
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&manifest["kind"], &manifest["shard"]), (&"triage".into(), &"2/2".into()));

    let [shares, result] = ["shares", "result"].map(|name| archive.text(name));
    let output = hemora(&["merge", &shares, "--out", &result]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("2 shares: 3 studies"), "{}", text(&output));
    let output = hemora(&["merge", &shares, "--out", &result, "--json"]);
    let merged: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(merged["counts"]["studies"], 3);
    let page = std::fs::read_to_string(archive.path("result/report.html")).unwrap();
    assert!(page.contains("The 3 most suspicious of 3 studies"));
    let output = hemora(&["merge", &shares, "--out", &result, "--problems", "p.txt"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let output = hemora(&["index", "stats", &archive.text("set.parquet")]);
    assert!(text(&output).contains("studies 3"), "{}", text(&output));

    let other = archive.share("2/2", "shares", &["--all-series"]).output().unwrap();
    assert_eq!(other.status.code(), Some(1), "{}", text(&other));
    assert!(text(&other).contains("options.all_series"), "{}", text(&other));
    std::fs::remove_file(archive.path("shares/shard-00001-of-00002.json")).unwrap();
    let output = hemora(&["merge", &shares, "--out", &result]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("1 of 2 shares are not there: 1/2"), "{}", text(&output));
}

#[test]
fn flags_that_say_nothing_together_are_refused() {
    for (arguments, said) in [
        (&["triage", "--shard", "1/2", "study"][..], "--index"),
        (&["triage", "--index", "set.parquet", "study"], "cannot be used with"),
        (&["triage", "--index", "set.parquet", "--maps", "maps"], "cannot be used with"),
        (&["triage", "--index", "set.parquet", "--shard", "3/2"], "from 1 to N"),
        (&["triage"], "PATH"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = command(arguments).current_dir(folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(said), "{arguments:?}: {}", text(&output));
    }
}

#[test]
fn a_killed_share_goes_on_and_gives_the_same_bytes() {
    let archive = Archive::new(40);
    let run = |out: &str| {
        let output = archive.share("1/1", out, &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    };
    run("whole");
    let there = |name: &str| archive.path("killed").join(name).exists();
    for chunk in ["00000", "00001"] {
        let mut child = archive.share("1/1", "killed", &[]);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let whole = Path::new("shard-00001-of-00001.part").join(format!("{chunk}.json"));
        let began = Instant::now();
        while !there(whole.to_str().unwrap()) && began.elapsed() < Duration::from_secs(120) {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(there(whole.to_str().unwrap()) && !there("shard-00001-of-00001.json"), "{chunk}");
    }
    run("killed");
    assert!(content(&archive.path("killed")) == content(&archive.path("whole")));
}
