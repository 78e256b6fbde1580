//! `hemora evaluate`, `calibrate` and `compare`, end to end.

use std::path::Path;

use hemora_ct::Label;
use hemora_synth::{PhantomOptions, write_dataset};
use serde_json::Value;

use crate::support::hemora;

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// An error without the breaks of its lines, which may fall anywhere.
fn joined(bytes: &[u8]) -> String {
    text(bytes).chars().filter(|letter| !letter.is_whitespace() && *letter != '│').collect()
}

/// A training run's predictions of 40 patients, two slices each; every third patient bleeds.
fn predictions(path: &Path, first: usize) -> String {
    let mut table = String::from("id,group");
    for prefix in ["label_", ""] {
        Label::ALL.iter().for_each(|label| table += &format!(",{prefix}{label}"));
    }
    for slice in first..first + 80 {
        let truth = (slice / 2).is_multiple_of(3);
        let noise = ((slice * 37) % 23) as f64 / 23.0;
        let probability = if truth { 0.35 + 0.6 * noise } else { 0.05 + 0.6 * noise };
        table += &format!("\nID_{slice},p{}", slice / 2);
        table += &format!(",{}", u8::from(truth)).repeat(6);
        table += &format!(",{probability}").repeat(6);
    }
    std::fs::write(path, table + "\n").unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn points_chosen_on_validation_are_applied_on_test_and_runs_compared() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let validation = predictions(&folder.path().join("validation.csv"), 0);
    let test = predictions(&folder.path().join("test.csv"), 1000);
    let (fit, out) = (path("calibration.json"), path("eval"));
    let rules = ["--rule", "sensitivity=0.9", "--rule", "youden"];
    let output = hemora(&[&["calibrate", &validation, "--out", &fit], &rules[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("slice any, sensitivity=0.9: threshold"));

    let given = ["--calibration", &fit, "--resamples", "50", "--json"];
    let output = hemora(&[&["evaluate", &test, "--out", &out], &given[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let written = std::fs::read(folder.path().join("eval/metrics.json")).unwrap();
    assert_eq!(printed, serde_json::from_slice::<Value>(&written).unwrap());
    assert_eq!(printed["tuned_on_these_cases"], false);
    assert_eq!(printed["grouping"]["groups"], 40);
    let decisions = &printed["levels"][0]["metrics"]["labels"][5]["decisions"];
    assert_eq!(decisions.as_array().unwrap().len(), 2);
    let page = std::fs::read_to_string(folder.path().join("eval/report.html")).unwrap();
    assert!(page.contains("chosen on validation.csv"));
    assert!(folder.path().join("eval/metrics.md").is_file());

    // The validation slices themselves are refused, by name of the flag that allows them.
    let own = ["--calibration", &fit, "--resamples", "50"];
    let refused = hemora(&[&["evaluate", &validation, "--out", &path("own")], &own[..]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(joined(&refused.stderr).contains("--tune-on-test"), "{}", text(&refused.stderr));
    assert!(!folder.path().join("own").exists());

    let output = hemora(&["compare", &out, &path("eval/metrics.json")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("| AUROC by slice | test | test |"));
}

#[test]
fn a_bundle_an_index_and_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let options = PhantomOptions { slice_spacing: 20.0, ..PhantomOptions::default() };
    write_dataset(&folder.path().join("data"), 2, 3, &options.with_size(64), &|_, _| {}).unwrap();
    let (images, labels) = (path("data/stage_2_train"), path("data/stage_2_train.csv"));
    let output = hemora(&["index", &images, "--labels", &labels, "--out", &path("set.parquet")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // What triage writes is calibrated already by the model that made it.
    let output = hemora(&["triage", &images, "--out", &path("today"), "--pictured-studies", "0"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let given = ["--model", "default", "--resamples", "20", "--pictures", "1", "--json"];
    let tables = ["--index", &path("set.parquet"), "--out", &path("eval")];
    let output = hemora(&[&["evaluate", &path("today/result.csv")], &tables[..], &given].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["calibration"], Value::Null, "applied by triage already");
    assert_eq!(printed["contact_sheet"], "mistakes.html");
    assert_eq!(printed["grouping"]["kind"], "patient");
    let slices = &printed["levels"][0]["metrics"]["labels"][5];
    assert!(!slices["decisions"].as_array().unwrap().is_empty());
    let page = std::fs::read_to_string(folder.path().join("eval/report.html")).unwrap();
    assert!(page.contains("href=\"./mistakes.html\"") && !page.contains("data:image"));
    let sheet = std::fs::read_to_string(folder.path().join("eval/mistakes.html")).unwrap();
    // Of one slice of each kind three windows, and at least one map.
    assert!(sheet.matches("data:image/png").count() > 2 * 3);
    assert!(sheet.contains("Bone window") && !sheet.contains("is not that of the table"));

    // Another model's predictions are refused.
    let result = folder.path().join("today/result.json");
    let mut other: Value = serde_json::from_slice(&std::fs::read(&result).unwrap()).unwrap();
    other["model"]["sha256"] = "00".repeat(32).into();
    std::fs::write(&result, other.to_string()).unwrap();
    let refused = hemora(&[&["evaluate", &path("today/result.csv")], &tables[..], &given].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(joined(&refused.stderr).contains("wasmadebyhemora-default"));
}

#[test]
fn training_runs_are_compared_on_the_same_slices() {
    let folder = tempfile::tempdir().unwrap();
    for (run, first) in [("one", 0), ("two", 0), ("else", 1000)] {
        std::fs::create_dir(folder.path().join(run)).unwrap();
        predictions(&folder.path().join(run).join("validation.csv"), first);
    }
    let run = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let output = hemora(&["compare", &run("one"), &run("two"), "--resamples", "50"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("| AUROC by slice | one | two |"), "{table}");
    assert!(table.contains("two minus validation.csv") && !table.contains("Not the same cases"));
    let output = hemora(&["compare", &run("one"), &run("else"), "--resamples", "50"]);
    assert!(text(&output.stdout).contains("Not the same cases"), "{}", text(&output.stdout));
    let output = hemora(&["compare", &run("none")]);
    assert!(joined(&output.stderr).contains("neithermetrics.jsonnorvalidation.csv"));
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let table = predictions(&folder.path().join("a.csv"), 0);
    let labels = folder.path().join("labels.csv");
    std::fs::write(&labels, "ID,Label\nX_any,1\n").unwrap();
    let output = hemora(&["evaluate", &table, "--labels", labels.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(joined(&output.stderr).contains("a.csv"), "{}", text(&output.stderr));
    assert_eq!(hemora(&["evaluate", &table, "--rule", "best"]).status.code(), Some(2));
    assert_eq!(hemora(&["evaluate", &table, "--aggregate", "top-0"]).status.code(), Some(2));
}
