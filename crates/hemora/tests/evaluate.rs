//! `hemora evaluate`, `calibrate` and `compare`, end to end.

use std::path::Path;
use std::process::{Command, Output};

use hemora_ct::Label;
use serde_json::Value;

fn hemora(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hemora")).args(arguments).output().unwrap()
}

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

    let given = ["--operating-points", &fit, "--repeats", "50", "--json"];
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
    let own = ["--operating-points", &fit, "--repeats", "50"];
    let refused = hemora(&[&["evaluate", &validation, "--out", &path("own")], &own[..]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(joined(&refused.stderr).contains("--tune-on-test"), "{}", text(&refused.stderr));
    assert!(!folder.path().join("own").exists());

    let output = hemora(&["compare", &out, &path("eval/metrics.json")]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("| AUROC by slice | test | test |"));
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
    assert_eq!(hemora(&["evaluate", &table, "--choose", "best"]).status.code(), Some(2));
    assert_eq!(hemora(&["evaluate", &table, "--aggregate", "top-0"]).status.code(), Some(2));
}
