//! `hemora model bundle`: weights, calibration and evaluation to a bundle whose card has the figures.

use std::path::Path;

use hemora_ct::{LABEL_COUNT, Label, Views};
use hemora_data::{SliceScore, SliceTable};
use hemora_model::{Bundle, Member, SeriesNetwork, TrainedNetwork};
use hemora_nn::{Tensor, Weights, networks};

use crate::support::{ABOUT, hemora, refused, succeed, trained, weights};

/// The first member of the bundle at a path.
fn member(path: &Path) -> Member {
    Bundle::open(path).unwrap().info().members[0].clone()
}

#[test]
fn a_card_has_the_figures_of_its_evaluation_and_the_thresholds_their_origin() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("model.safetensors"), weights(&trained("deep-cnn", 32, None), 0.0))
        .unwrap();
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
    succeed(&[&evaluate[..], &["--resamples", "50", "--name", "held out"]].concat());
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
        let of = |m: &&hemora_model::Metric| m.name == name && m.label == Some(Label::Any);
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

/// A run of `hemora-train sequence` with two folds and weights of zeros: it predicts one bias.
/// On features, those of its folds' own networks of slices.
fn write_run(run: &Path, network: &str, columns: usize, first: Option<&Path>) {
    std::fs::create_dir_all(run).unwrap();
    let options = networks::SequenceOptions { columns, hidden: 2, layers: 1, dropout: 0.0 };
    let graph = networks::build_sequence(network, &options).unwrap().unwrap();
    let mut weights = Weights::default();
    for parameter in graph.parameters() {
        let value = if parameter.name == "series.bias" { -1.0 } else { 0.0 };
        let value = if parameter.name.ends_with("running_var") { 1.0 } else { value };
        let values = vec![value; parameter.len()];
        weights.insert(&parameter.name, Tensor { shape: parameter.shape, values });
    }
    let bytes = |fold: u32| {
        let features_of_fold = Some(fold).filter(|_| network != "sequence-probabilities");
        let (network, views) = (network.to_owned(), None);
        let trained =
            SeriesNetwork { network, columns, hidden: 2, layers: 1, features_of_fold, views };
        weights.to_safetensors(TrainedNetwork::Series(trained).to_metadata()).unwrap()
    };
    let names = Label::ALL.map(|label| label.name());
    let mut validation = format!("id,group,label_{},{}\n", names.join(",label_"), names.join(","));
    let mut rows = Vec::new();
    for slice in 0..40u32 {
        let fold = slice % 2;
        let truth = slice % 4 < 2;
        validation += &format!("ID_{slice},p{fold}{}", slice / 10);
        validation += &format!(",{}", u8::from(truth)).repeat(LABEL_COUNT);
        validation += &format!(",{}", f64::from(slice * 7 % 40) / 40.0).repeat(LABEL_COUNT);
        validation.push('\n');
        rows.push(SliceScore {
            series: format!("s{fold}"),
            patient: format!("p{fold}"),
            id: format!("ID_{slice}"),
            fold,
            ..SliceScore::default()
        });
    }
    SliceTable { rows }.write(&run.join("slices.parquet")).unwrap();
    std::fs::write(run.join("validation.csv"), validation).unwrap();
    let first =
        first.map_or(String::new(), |path| format!("first = {:?}\n", path.to_str().unwrap()));
    std::fs::write(run.join("config.toml"), format!("network = {network:?}\n{first}")).unwrap();
    for fold in [1, 2] {
        let folder = run.join(format!("fold-{fold}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("model.safetensors"), bytes(fold)).unwrap();
    }
}

#[test]
fn runs_on_sequences_become_part_of_the_bundle_and_triage_uses_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("model.safetensors"), weights(&trained("deep-cnn", 32, None), 0.0))
        .unwrap();
    std::fs::write(path("about.toml"), ABOUT).unwrap();
    write_run(&folder.path().join("run"), "sequence-probabilities", 30, None);
    let (out, about) = (path("tiny.hemora"), path("about.toml"));
    let made = ["model", "bundle", &path("model.safetensors"), "--about", &about, "--out", &out];
    let (validation, fit) = (path("run/validation.csv"), path("fit.json"));
    succeed(&["calibrate", &validation, "--method", "none", "--out", &fit]);
    succeed(&[&made[..], &["--series-run", &path("run"), "--calibration", &fit]].concat());
    let bundle = Bundle::open(out.as_ref()).unwrap();
    let series = &bundle.info().members[0].series;
    let [stage] = series.as_slice() else { panic!("{series:?}") };
    assert_eq!(
        (&*stage.network, stage.columns, stage.sha256.len()),
        ("sequence-probabilities", 30, 2)
    );
    let shown = hemora(&["model", "inspect", &out]);
    let card = String::from_utf8(shown.stdout).unwrap();
    for part in [
        "## Networks of series",
        "| sequence-probabilities | probabilities, positions in mm | 30 | 2 |",
        "sequence-probabilities, out of fold",
        "40 slices",
    ] {
        assert!(card.contains(part), "{part}:\n{card}");
    }
    let auroc = bundle.info().metrics.iter().find(|metric| metric.name == "AUROC").unwrap();
    assert!(auroc.note.contains("out of fold") && auroc.n == 40, "{}", auroc.note);

    succeed(&[
        "synth",
        &path("phantoms"),
        "--patients",
        "2",
        "--size",
        "64",
        "--slice-spacing",
        "9",
    ]);
    let (images, results) = (path("phantoms/stage_2_train"), path("results"));
    succeed(&["triage", &images, "--model", &out, "--engine", "tract", "--out", &results]);
    let text = std::fs::read_to_string(path("results/result.json")).unwrap();
    let result: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(result["model"]["series_sha256"].as_array().unwrap().len(), 2);
    let slices = result["studies"][0]["series"][0]["slices"].as_array().unwrap();
    assert!(slices.len() > 10);
    // Only these networks made it.
    let plain = path("plain.hemora");
    let model = path("model.safetensors");
    let same = ["--about", &about, "--calibration", &fit, "--out", &plain];
    succeed(&[&["model", "bundle", &model][..], &same].concat());
    let (table, labels) = (path("results/result.csv"), path("phantoms/stage_2_train.csv"));
    let evaluated = |model: &str| {
        let to = path("evaluated");
        let flags = ["--labels", &labels, "--model", model, "--resamples", "20", "--out", &to];
        hemora(&[&["evaluate", &table][..], &flags].concat())
    };
    let own = evaluated(&out);
    assert!(own.status.success(), "{}", String::from_utf8_lossy(&own.stderr));
    let other = evaluated(&plain);
    let message = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!other.status.success() && message.contains("was made by"), "{message}");
    // The logits' bias is all that networks of zeros say: the network of single slices says a half.
    let expected = 1.0 / (1.0 + 1f64.exp());
    for slice in slices {
        let found = slice["probabilities"]["any"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-5, "{found}");
    }
}

/// Notes in a run's weights, as hemora-train does, which views they were trained on.
fn set_views(run: &Path, views: &str) {
    for fold in [1, 2] {
        let path = run.join(format!("fold-{fold}/model.safetensors"));
        let bytes = std::fs::read(&path).unwrap();
        let mut metadata = Weights::metadata(&bytes).unwrap();
        for document in metadata.values_mut() {
            let mut value: serde_json::Value = serde_json::from_str(document).unwrap();
            value["trained"]["views"] = views.into();
            *document = value.to_string();
        }
        let weights = Weights::from_safetensors(&bytes).unwrap();
        std::fs::write(&path, weights.to_safetensors(metadata).unwrap()).unwrap();
    }
}

#[test]
fn a_bundle_knows_the_thickness_of_its_slices() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (from, about, out) = (path("model.safetensors"), path("about.toml"), path("it.hemora"));
    std::fs::write(&from, weights(&trained("deep-cnn", 32, None), 0.0)).unwrap();
    std::fs::write(&about, ABOUT).unwrap();
    let made = ["model", "bundle", &from, "--about", &about, "--out", &out];
    succeed(&made);
    assert_eq!(member(out.as_ref()).slab_mm, None);
    succeed(&[&made[..], &["--slab-mm", "5"]].concat());
    assert_eq!(member(out.as_ref()).slab_mm, Some(5.0));
    let message = refused(&[&made[..], &["--slab-mm", "0"]].concat());
    assert!(message.contains("slab_mm") && message.contains("0.5 to 50 mm"), "{message}");
    assert_eq!(member(out.as_ref()).slab_mm, Some(5.0), "the earlier bundle stays");
}

#[test]
fn a_bundle_has_the_views_that_its_networks_of_series_were_trained_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("model.safetensors"), weights(&trained("deep-cnn", 32, None), 0.0))
        .unwrap();
    std::fs::write(path("about.toml"), ABOUT).unwrap();
    let run = folder.path().join("run");
    write_run(&run, "sequence-probabilities", 30, None);
    set_views(&run, "flip");
    let (about, out) = (path("about.toml"), path("tiny.hemora"));
    let model = path("model.safetensors");
    let made = ["model", "bundle", &model, "--about", &about, "--out", &out];
    let series = ["--series-run", run.to_str().unwrap()];
    let views = || member(out.as_ref()).views;
    succeed(&made);
    assert_eq!(views(), Views::One);
    succeed(&[&made[..], &series].concat());
    assert_eq!(views(), Views::Flip);
    let refused = hemora(&[&made[..], &series, &["--views", "ten"]].concat());
    let message = String::from_utf8_lossy(&refused.stderr).replace('│', " ");
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!refused.status.success(), "{message}");
    assert!(message.contains("trained on the views `flip`"), "{message}");
    assert_eq!(views(), Views::Flip, "the bundle that was there was touched");
    set_views(&run, "many");
    assert!(!hemora(&[&made[..], &series].concat()).status.success());
}

#[test]
fn runs_that_do_not_fit_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (file, network, fold) in [
        ("deep.safetensors", "deep-cnn", Some(1)),
        ("lite.safetensors", "efficientnet-lite0", Some(1)),
        ("whole.safetensors", "efficientnet-lite0", None),
    ] {
        std::fs::write(path(file), weights(&trained(network, 32, fold), 0.0)).unwrap();
    }
    std::fs::write(path("about.toml"), ABOUT).unwrap();
    let run = |name: &str| folder.path().join(name);
    write_run(&run("features"), "sequence-features", 1280, None);
    write_run(&run("narrow"), "sequence-features", 1000, None);
    write_run(&run("alone"), "sequence-probabilities", 30, None);
    let first = run("features").join("slices.parquet");
    write_run(&run("second"), "sequence-probabilities", 36, Some(&first));
    let other = run("narrow").join("slices.parquet");
    write_run(&run("stranger"), "sequence-probabilities", 36, Some(&other));
    std::fs::create_dir(run("empty")).unwrap();
    let bundle = |weights: &str, runs: &[&str]| {
        let runs: Vec<String> =
            runs.iter().map(|run| format!("--series-run={}", path(run))).collect();
        let (weights, about, out) = (path(weights), path("about.toml"), path("out.hemora"));
        let made = ["model", "bundle", &weights, "--about", &about, "--out", &out];
        let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
        let output = hemora(&[&made[..], &runs].concat());
        let message = String::from_utf8_lossy(&output.stderr).replace("│", " ");
        (output.status.success(), message.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    for (weights, runs, expected) in [
        ("deep.safetensors", &["features"][..], "which model.onnx does not give"),
        ("lite.safetensors", &["narrow"], "series/0.onnx reads 1000 features"),
        ("lite.safetensors", &["second"], "stage 1 reads 36 columns of each slice; expected 30"),
        ("lite.safetensors", &["second", "features"], "expected one, or one that reads features"),
        ("lite.safetensors", &["features", "alone"], "without a first run"),
        ("lite.safetensors", &["empty"], "no slices.parquet"),
    ] {
        let (done, message) = bundle(weights, runs);
        assert!(!done && message.contains(expected), "{runs:?}: {message}");
        assert!(!run("out.hemora").exists());
    }
    let (done, message) = bundle("lite.safetensors", &["features", "stranger"]);
    assert!(done && message.contains("was trained on"), "{message}");
    let (done, message) = bundle("lite.safetensors", &["features", "second"]);
    assert!(done && !message.contains("warning"), "{message}");
    // On features the network of the same fold, on probabilities those of both.
    let series = member(&run("out.hemora")).series;
    let counts: Vec<usize> = series.iter().map(|stage| stage.sha256.len()).collect();
    assert_eq!(counts, [1, 2]);
    let (done, message) = bundle("whole.safetensors", &["features"]);
    assert!(!done && message.contains("the weights are of no fold"), "{message}");
}

#[test]
fn an_ensemble_takes_a_run_that_reads_its_models_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let lite = trained("efficientnet-lite0", 32, Some(1));
    std::fs::write(path("lite.safetensors"), weights(&lite, 0.0)).unwrap();
    std::fs::write(path("about.toml"), ABOUT).unwrap();
    let run = |name: &str| folder.path().join(name);
    write_run(&run("features"), "sequence-features", 1280, None);
    let first = run("features").join("slices.parquet");
    write_run(&run("last"), "sequence-probabilities", 36, Some(&first));
    let (lite, about, out) = (path("lite.safetensors"), path("about.toml"), path("all.hemora"));
    let bundled = |name: &str, more: &[&str]| {
        let out = path(name);
        let made = ["model", "bundle", &lite, "--about", &about, "--out", &out];
        succeed(&[&made[..], more].concat());
        format!("{name}={out}")
    };
    let series = ["--series-run", &path("features")];
    let (a, b, plain) = (bundled("a", &series), bundled("b", &series), bundled("plain", &[]));
    let ensemble = |members: [&str; 2], more: &[&str]| {
        let made = ["ensemble", "bundle", members[0], members[1], "--about", &about, "--out", &out];
        let output = hemora(&[&made[..], more].concat());
        let message = String::from_utf8_lossy(&output.stderr).replace('│', " ");
        (output.status.code(), message.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let last = path("last");
    for (members, more, expected) in [
        ([&*a, &*b], ["--series-run", series[1]], "an ensemble has none of its own"),
        ([&*a, &*plain], ["--series-run", &last], "members/1 has no networks of series"),
        ([&*a, &*b], ["--series-run", &path("none")], "none/fold-1/model.safetensors"),
    ] {
        let (code, message) = ensemble(members, &more);
        assert!(code == Some(1) && message.contains(expected), "{expected}: {message}");
    }
    let (code, message) = ensemble([&a, &b], &["--slices-fit", &last]);
    assert!(code == Some(2) && message.contains("--series-run"), "{message}");
    let (code, message) = ensemble([&a, &b], &["--series-run", &last]);
    assert_eq!(code, Some(0), "{message}");
    let shown = hemora(&["model", "inspect", &out]);
    let card = String::from_utf8(shown.stdout).unwrap();
    for part in ["2 networks `sequence-probabilities`", "sequence-probabilities, out of fold"] {
        assert!(card.contains(part), "{part}:\n{card}");
    }
    let shown = hemora(&["model", "inspect", &out, "--json"]);
    let description: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let series = &description["series"];
    assert_eq!(series["slice_weights"][1], serde_json::json!([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]));
    assert_eq!(series["stage"]["sha256"].as_array().unwrap().len(), 2);
}
