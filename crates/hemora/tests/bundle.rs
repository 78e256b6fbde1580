//! `hemora model bundle`: weights, calibration and evaluation to a bundle whose card has the figures.

use std::collections::HashMap;
use std::process::{Command, Output};

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Window};
use hemora_infer::Bundle;
use hemora_nn::{Tensor, Weights, networks};

fn hemora(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hemora")).args(arguments).output().unwrap()
}

fn succeed(arguments: &[&str]) {
    let output = hemora(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const ABOUT: &str = r#"
name = "tiny"
version = "9"
created = "2026-01-01"
licence = "none"
intended_use = "A test."
training_data = "Nothing."
input = "A slice."
validation = "Chosen beforehand."
limits = ["All of them."]
"#;

/// A network of zeros, as a training run leaves it.
fn weights() -> Vec<u8> {
    let options = networks::Options {
        channels: 3,
        size: 32,
        head: Some(networks::Head::Sigmoid(LABEL_COUNT)),
        dropout: 0.0,
    };
    let graph = networks::build("deep-cnn", &options).unwrap().unwrap();
    let mut weights = Weights::default();
    for parameter in graph.parameters() {
        let values = vec![0.0; parameter.len()];
        weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
    }
    let recipe = InputRecipe::grey(32, Window::BRAIN);
    let text = |key: &str, value: String| (key.to_owned(), value);
    let metadata = HashMap::from([
        text("network", "deep-cnn".to_owned()),
        text("input", serde_json::to_string(&recipe).unwrap()),
        text("metrics", "[]".to_owned()),
    ]);
    weights.to_safetensors(metadata).unwrap()
}

#[test]
fn a_card_has_the_figures_of_its_evaluation_and_the_thresholds_their_origin() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("model.safetensors"), weights()).unwrap();
    std::fs::write(path("about.toml"), ABOUT).unwrap();
    let names = Label::ALL.map(|label| label.name());
    let mut table = format!("id,group,label_{},{}\n", names.join(",label_"), names.join(","));
    for slice in 0..60 {
        let (truth, noise) = (slice % 3 == 0, f64::from(slice * 37 % 23) / 23.0);
        let probability = if truth { 0.3 + 0.6 * noise } else { 0.6 * noise };
        table += &format!("ID_{slice},p{}", slice / 2);
        table += &format!(",{}", u8::from(truth)).repeat(LABEL_COUNT);
        table += &format!(",{probability}").repeat(LABEL_COUNT);
        table.push('\n');
    }
    std::fs::write(path("validation.csv"), table).unwrap();
    succeed(&["calibrate", &path("validation.csv"), "--out", &path("fit.json")]);
    let evaluate = ["evaluate", &path("validation.csv"), "--out", &path("eval")];
    succeed(&[&evaluate[..], &["--repeats", "50", "--name", "held out"]].concat());
    let (out, about) = (path("tiny.hemora"), path("about.toml"));
    let made = ["model", "bundle", &path("model.safetensors"), "--about", &about, "--out", &out];
    let given = ["--calibration", &path("fit.json"), "--evaluation", &path("eval")];
    succeed(&[&made[..], &given].concat());

    let bundle = Bundle::open(out.as_ref()).unwrap();
    let info = bundle.info();
    assert_eq!(info.operating_points.len(), LABEL_COUNT);
    let origin = info.operating_points[0].origin.as_ref().unwrap();
    assert!(origin.file.ends_with("validation.csv") && origin.items == 60, "{origin:?}");
    assert_eq!(info.calibration.as_ref().unwrap().origin.groups, 30);
    let any = |name: &str| {
        let of = |m: &&hemora_infer::Metric| m.name == name && m.label == Some(Label::Any);
        info.metrics.iter().find(of).unwrap()
    };
    let auroc = any("AUROC");
    assert_eq!((auroc.n, auroc.positives), (60, 20));
    assert!(auroc.low.unwrap() < auroc.value && auroc.value < auroc.high.unwrap());
    assert!(auroc.note.contains("evaluation `held out`"), "{}", auroc.note);
    let shown = format!("{:.3}", auroc.value);
    for part in [shown.as_str(), "## Operating points", "## Calibration", "All of them."] {
        assert!(bundle.card().contains(part), "{part}:\n{}", bundle.card());
    }

    // A folder without an evaluation is named.
    let refused = hemora(&[&made[..], &["--evaluation", &path("none")]].concat());
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("none"));
}
