//! The binary, end to end.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hemora_ct::Label;
use hemora_io::PixelStorage;
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, StudyIds, write_study};
use serde_json::Value;

fn hemora(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hemora"))
        .args(arguments)
        .env("HEMORA_ONNXRUNTIME", "off")
        .env_remove("COLUMNS")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(all).unwrap()
}

/// A small phantom study of a few thick slices, written as DICOM.
fn phantom(folder: &Path, seed: u64, bleeds: Vec<Label>) -> Vec<PathBuf> {
    let options = PhantomOptions {
        bleeds: Bleeds::These(bleeds),
        slice_spacing: 20.0,
        ..PhantomOptions::default().with_size(128)
    };
    let study = HeadPhantom::new(seed, options).unwrap().render();
    let ids = StudyIds::from_seed(seed, study.slices.len());
    std::fs::create_dir_all(folder).unwrap();
    write_study(folder, &study, &ids, PixelStorage::Unsigned12 { intercept: -1024 }).unwrap()
}

fn triage(folder: &Path, arguments: &[&str]) -> (Output, Value) {
    let out = folder.join("out");
    let mut all = vec!["triage", "--out", out.to_str().unwrap()];
    all.extend(arguments);
    let output = hemora(&all);
    let result = std::fs::read(out.join("result.json"))
        .map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    (output, result)
}

#[test]
fn a_study_becomes_a_result_a_table_and_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    let files = phantom(&study, 3, vec![Label::Intraparenchymal]);
    let (output, result) = triage(folder.path(), &[study.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("report: "), "{}", text(&output));
    let slices = result["studies"][0]["series"][0]["slices"].as_array().unwrap();
    assert_eq!(slices.len(), files.len());
    let positions: Vec<f64> = slices.iter().map(|slice| slice["z_mm"].as_f64().unwrap()).collect();
    assert!(positions.is_sorted(), "{positions:?}");
    let table = std::fs::read_to_string(folder.path().join("out/result.csv")).unwrap();
    assert_eq!(table.lines().count(), files.len() + 1);
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("data:image/png;base64,"));
    assert!(!page.contains("http://") && !page.contains("https://"));
}

/// The worklist with what depends on the machine left out: decimals and the folder.
fn masked(text: &str, folder: &Path) -> String {
    let word = |word: &str| match word.parse::<f64>() {
        Ok(_) if word.contains('.') => "#".repeat(word.len()),
        _ => word.replace(folder.to_str().unwrap(), "[folder]"),
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Rounds the peaks of maps and their places, and leaves probabilities, hashes, versions and folders out of a result.
fn redact(value: &mut Value, key: &str, folder: &Path) {
    match value {
        Value::Array(values) if key.ends_with("sha256") => values.clear(),
        Value::Array(values) => values.iter_mut().for_each(|value| redact(value, key, folder)),
        Value::Object(fields) if key == "probabilities" => {
            fields.values_mut().for_each(|value| *value = "[probability]".into());
        }
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(key, value)| redact(value, key, folder));
        }
        Value::Number(peak) if key == "peak" => {
            *value = format!("{:.2}", peak.as_f64().unwrap()).into();
        }
        Value::Number(place) if ["peak_row", "peak_column", "peak_mm"].contains(&key) => {
            *value = format!("{:.1}", place.as_f64().unwrap()).into();
        }
        Value::String(text) if ["sha256", "version"].contains(&key) => *text = format!("[{key}]"),
        Value::String(text) => *text = text.replace(folder.to_str().unwrap(), "[folder]"),
        _ => {}
    }
}

#[test]
fn the_worklist_and_the_result_are_as_in_the_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    phantom(&study, 3, vec![Label::Intraparenchymal]);
    std::fs::write(study.join("broken.dcm"), "this is not a CT image").unwrap();
    std::fs::write(study.join("notes.txt"), "nor is this").unwrap();
    let (output, mut result) = triage(folder.path(), &[study.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let worklist = String::from_utf8(output.stdout).unwrap();
    insta::assert_snapshot!("worklist", masked(&worklist, folder.path()));
    redact(&mut result, "", folder.path());
    insta::assert_snapshot!("result", serde_json::to_string_pretty(&result).unwrap());
}

#[test]
fn more_threads_than_cores_are_cut_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let (output, _) = triage(folder.path(), &[empty.to_str().unwrap(), "--threads", "100000"]);
    assert!(text(&output).contains("warning: --threads 100000: "), "{}", text(&output));
}

#[test]
fn a_second_demo_does_not_mix_with_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("dicom");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("0.dcm"), "from before").unwrap();
    let output = hemora(&["demo", "--out", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("is not empty"), "{}", text(&output));
}

#[test]
fn bad_files_are_named_and_the_rest_is_scored() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    let files = phantom(&study, 4, Vec::new());
    let bytes = std::fs::read(&files[0]).unwrap();
    std::fs::write(study.join("truncated.dcm"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(study.join("text.dcm"), "this is not a CT image").unwrap();
    let (output, result) = triage(folder.path(), &[study.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let skipped: Vec<&str> = result["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["source"].as_str().unwrap())
        .collect();
    assert_eq!(skipped.len(), 2, "{skipped:?}");
    assert!(text(&output).contains("truncated.dcm") && text(&output).contains("text.dcm"));
    let slices = result["studies"][0]["series"][0]["slices"].as_array().unwrap();
    assert_eq!(slices.len(), files.len());
}

#[test]
fn threads_do_not_change_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let study = folder.path().join("study");
    phantom(&study, 5, vec![Label::Subdural]);
    let run = |threads: &str| {
        let (output, result) =
            triage(folder.path(), &[study.to_str().unwrap(), "--threads", threads]);
        assert!(output.status.success(), "{}", text(&output));
        result["studies"].clone()
    };
    assert_eq!(run("1"), run("3"));
}

#[test]
fn nothing_usable_is_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let (output, _) = triage(folder.path(), &[empty.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let (output, _) = triage(folder.path(), &["/no/such/folder"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
}

#[test]
fn a_changed_bundle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/default.hemora");
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = folder.path().join("changed.hemora");
    std::fs::write(&changed, bytes).unwrap();
    let output = hemora(&["triage", ".", "--model", changed.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("changed.hemora"), "{}", text(&output));
}

#[test]
fn summaries_give_the_seed_studys_parameter_counts() {
    for (network, count) in
        [("simple-nn", "25,166,081"), ("deep-cnn", "30,536,385"), ("resnet50", "23,538,690")]
    {
        let output = hemora(&["model", "summary", network]);
        assert!(output.status.success());
        assert!(text(&output).contains(count), "{}", text(&output));
    }
    let output = hemora(&["model", "summary", "sequence-features", "--columns=20"]);
    assert!(text(&output).contains("GRU both ways, 2 layers"), "{}", text(&output));
    assert!(text(&output).contains("192 × slices × 1"), "{}", text(&output));
    let output = hemora(&["model", "summary", "sequence-probabilities"]);
    assert!(text(&output).contains("1,914,502"), "{}", text(&output));
    let output = hemora(&["model", "summary", "sequence-transformer"]);
    assert!(text(&output).contains("794,542"), "{}", text(&output));
    let output = hemora(&["model", "summary", "vgg"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("efficientnet-lite0"), "{}", text(&output));
}

#[test]
fn weights_of_another_library_are_imported_by_name() {
    use hemora_nn::{Tensor, Weights, networks};

    let folder = tempfile::tempdir().unwrap();
    let options = networks::Options {
        size: 64,
        head: Some(networks::Head::Linear(1000)),
        ..networks::Options::default()
    };
    let graph = networks::build("resnet18", &options).unwrap().unwrap();
    let mut theirs = Weights::default();
    for parameter in graph.parameters() {
        let values = vec![0.5; parameter.len()];
        let name = format!("backbone.{}", parameter.name);
        theirs.insert(&name, Tensor { shape: parameter.shape, values });
    }
    let [from, to] = ["theirs.safetensors", "ours.safetensors"]
        .map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    std::fs::write(&from, theirs.to_safetensors(Default::default()).unwrap()).unwrap();
    let output =
        hemora(&["model", "import", &from, "--network=resnet18", "--channels=9", "--out", &to]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("102 tensors of resnet18"), "{}", text(&output));
    assert!(text(&output).contains("another shape: conv1.weight"), "{}", text(&output));
    assert!(text(&output).contains("the last layer has 1000 labels"), "{}", text(&output));
    let bytes = std::fs::read(&to).unwrap();
    let ours = Weights::from_safetensors(&bytes).unwrap();
    assert_eq!(ours.get("conv1.weight").unwrap().shape, [64, 9, 7, 7]);
    assert_eq!(Weights::metadata(&bytes).unwrap()["imported_from"], "theirs.safetensors");
    let output = hemora(&["model", "import", &from, "--network=resnet34", "--out", &to]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output);
    assert!(said.contains("theirs.safetensors") && said.contains("layer1.2.conv1"), "{said}");
}

#[test]
fn the_default_model_has_a_card() {
    let output = hemora(&["model", "inspect"]);
    assert!(output.status.success());
    let card = text(&output);
    for part in ["## Intended use", "## Training data", "non-commercial", "subdural", "## Limits"] {
        assert!(card.contains(part), "{part}: {card}");
    }
}

#[test]
fn phantoms_have_the_asked_slice_spacing_and_impossible_ones_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let synth = |name: &str, spacing: &str| {
        let out = folder.path().join(name);
        let size = ["--patients", "1", "--size", "32"];
        let arguments = [&["synth", out.to_str().unwrap()][..], &size].concat();
        let output = hemora(&[&arguments[..], &["--slice-spacing", spacing]].concat());
        let slices = std::fs::read_dir(out.join("stage_2_train")).map_or(0, Iterator::count);
        (output, slices)
    };
    let (output, thick) = synth("thick", "20");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let (_, thin) = synth("thin", "10");
    assert!(thin > thick + 5, "{thin} and {thick} slices");
    let (output, none) = synth("impossible", "0");
    assert_eq!((output.status.code(), none), (Some(1), 0));
    assert!(text(&output).contains("slice thickness is 0"), "{}", text(&output));
}
