//! `hemora ensemble`: tables of out-of-fold predictions to weights, and bundles to one that triage runs.

use std::path::Path;

use hemora_data::{SliceScore, SliceTable};
use serde_json::Value;

use crate::support::{ABOUT, refused, succeed};

fn json(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Six patients in three folds, 30 slices each; a bleed of five slices in every second one. The higher
/// `noise`, the worse the model.
fn write_table(path: &str, noise: f32) {
    let row = |at: u32| {
        let (patient, slice) = (at / 30, at % 30);
        let bleeds = patient % 2 == 0 && (10..15).contains(&slice);
        let off = noise * ((at * 37 % 101) as f32 / 101.0 - 0.5);
        let value = (if bleeds { 0.7 } else { 0.2 } + off).clamp(0.01, 0.99);
        SliceScore {
            series: format!("s{patient}"),
            patient: format!("p{patient}"),
            id: format!("ID_{at}"),
            z_mm: Some(5.0 * f64::from(slice)),
            fold: patient / 2,
            labels: [0.0, 0.0, 0.0, 0.0, 0.0, f32::from(u8::from(bleeds))].map(Some),
            probabilities: [0.02, 0.02, 0.02, 0.02, 0.02, value],
            ..SliceScore::default()
        }
    };
    SliceTable { rows: (0..180).map(row).collect() }.write(Path::new(path)).unwrap();
}

#[test]
fn weights_are_fitted_out_of_fold_and_go_into_a_bundle_that_triage_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, noise) in [("good", 0.3), ("bad", 1.4)] {
        std::fs::create_dir(path(name)).unwrap();
        write_table(&path(&format!("{name}/slices.parquet")), noise);
    }
    let (good, bad, out) = (path("good/slices.parquet"), path("bad/slices.parquet"), path("both"));
    let message = succeed(&["ensemble", "fit", &good, &bad, "--stacking", "--out", &out]);
    for part in [
        "180 slices, 6 patients, 3 folds",
        "model 1: good",
        "model 2: bad",
        "(equal: too few of a class)",
        "chosen: ",
    ] {
        assert!(message.contains(part), "{part}:\n{message}");
    }
    let fit = json(&path("both/ensemble.json"));
    let any = &fit["labels"][5];
    let weight = |model: usize| any["weights"][model].as_f64().unwrap();
    assert!(weight(0) > 0.8 && (weight(0) + weight(1) - 1.0).abs() < 1e-9, "{any}");
    let loss = |of: &str| fit["log_loss"][of].as_f64().unwrap();
    assert!(loss("weighted_mean") < loss("mean"), "{}", fit["log_loss"]);
    let chosen = fit["chosen"].as_str().unwrap().replace('-', "_");
    assert!(["mean", "weighted_mean", "stacking"].iter().all(|of| loss(&chosen) <= loss(of)));
    // The table is as others are: it can be evaluated, and what it states of itself is true.
    let table = path("both/slices.parquet");
    let columns = ["--id", "id", "--column", "any=prob_any", "--only", "any"];
    let evaluate = ["evaluate", &table, "--resamples", "20", "--out", &path("eval")];
    succeed(&[&evaluate[..], &columns].concat());
    let metrics = json(&path("eval/metrics.json"));
    let measured = metrics["levels"][0]["metrics"]["labels"][0]["log_loss"]["value"].as_f64();
    let own = any["log_loss"][&*chosen].as_f64().unwrap();
    assert!((measured.unwrap() - own).abs() < 1e-6, "{measured:?} {own}");

    // The same network for both models: together they say what it says alone.
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/default.hemora");
    let (model, about) = (model.to_str().unwrap(), path("about.toml"));
    std::fs::write(&about, ABOUT).unwrap();
    let weighted = path("weighted");
    let fit = ["ensemble", "fit", &good, &bad, "--method", "weighted-mean", "--out", &weighted];
    succeed(&fit);
    let members = [&format!("bad={model}"), &format!("good={model}"), &format!("good={model}")];
    let (fit, bundle) = (path("weighted/ensemble.json"), path("both.hemora"));
    let made = ["ensemble", "bundle", members[0], members[1], members[2], "--about", &about];
    let message = succeed(&[&made[..], &["--fit", &fit, "--out", &bundle]].concat());
    assert!(message.contains("MB, 3 members of 2 models"), "{message}");
    let card = succeed(&["model", "inspect", &bundle]);
    for part in [
        "# tiny 9",
        "## Members",
        "| good | 2 | efficientnet-lite0-fine | 288×288 |",
        "| bad | 1 |",
    ] {
        assert!(card.contains(part), "{part}:\n{card}");
    }
    let description: Value =
        serde_json::from_str(&succeed(&["model", "inspect", &bundle, "--json"])).unwrap();
    let members = description["members"].as_array().unwrap();
    let models: Vec<&str> = members.iter().map(|it| it["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["good", "good", "bad"], "in the order of the fit");
    let of_good: f64 = members[..2].iter().map(|it| it["weights"][5].as_f64().unwrap()).sum();
    assert!((of_good - weight(0)).abs() < 1e-12);
    // What calibrates the bundle of one calibrates the member.
    assert!(members[0]["calibration"].is_object() && description["calibration"].is_null());

    let phantoms = path("phantoms");
    let small = ["--patients", "1", "--size", "64", "--slice-spacing", "12"];
    succeed(&[&["synth", &phantoms][..], &small].concat());
    let triage = |model: &str, out: &str| {
        let images = path("phantoms/stage_2_train");
        let out = path(out);
        succeed(&["triage", &images, "--model", model, "--engine", "tract", "--out", &out]);
        json(&format!("{out}/result.json"))
    };
    let (alone, together) = (triage(model, "alone"), triage(&bundle, "together"));
    assert_eq!(together["model"]["name"], "tiny");
    assert_eq!(together["model"]["member_sha256"].as_array().unwrap().len(), 3);
    let slices =
        |result: &Value| result["studies"][0]["series"][0]["slices"].as_array().unwrap().clone();
    let (alone, together) = (slices(&alone), slices(&together));
    assert!(alone.len() > 8 && alone.len() == together.len());
    for (one, other) in alone.iter().zip(&together) {
        for label in hemora_ct::Label::ALL {
            let of = |slice: &Value| slice["probabilities"][label.name()].as_f64().unwrap();
            assert!((of(one) - of(other)).abs() < 1e-6, "{label}: {one} {other}");
        }
    }
    // Predictions of another model are not taken for its own.
    let table = path("alone/result.csv");
    let labels = path("phantoms/stage_2_train.csv");
    let evaluate = ["evaluate", &table, "--labels", &labels, "--model", &bundle, "--out"];
    let message = refused(&[&evaluate[..], &[&path("eval")]].concat());
    assert!(message.contains("was made by"), "{message}");
}

#[test]
fn what_does_not_belong_together_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (one, other) = (path("one.parquet"), path("other.parquet"));
    write_table(&one, 0.3);
    let mut table = SliceTable::read(Path::new(&one)).unwrap();
    table.rows.iter_mut().for_each(|row| row.fold = (row.fold + 1) % 3);
    table.write(Path::new(&other)).unwrap();
    let out = path("out");
    let message = refused(&["ensemble", "fit", &one, &other, "--out", &out]);
    assert!(message.contains("other.parquet") && message.contains("in another fold"), "{message}");
    let message = refused(&["ensemble", "fit", &one, &path("none.parquet"), "--out", &out]);
    assert!(message.contains("none.parquet"), "{message}");
    let same = ["ensemble", "fit", &format!("a={one}"), &format!("a={one}"), "--out", &out];
    assert!(refused(&same).contains("two models are called `a`"));
    assert!(!Path::new(&out).exists());

    let again = format!("again={one}");
    succeed(&["ensemble", "fit", &one, &again, "--out", &out]);
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/default.hemora");
    let (model, about) = (model.to_str().unwrap(), path("about.toml"));
    std::fs::write(&about, ABOUT).unwrap();
    let (bundle, fit) = (path("b.hemora"), path("out/ensemble.json"));
    let made = |member: &str, more: &[&str]| {
        let own = ["ensemble", "bundle", member, "--about", &about, "--out", &bundle];
        refused(&[&own[..], more].concat())
    };
    let message = made(&format!("one={model}"), &["--fit", &fit]);
    let expected = "the bundles are of one, the fit is of one, again";
    assert!(message.contains("ensemble.json") && message.contains(expected), "{message}");
    let message = made(&one, &[]);
    assert!(
        message.contains("one.parquet") && message.contains("not a usable model bundle"),
        "{message}"
    );
    // Bundles of several are no members.
    let nested = path("nested.hemora");
    let first = ["ensemble", "bundle", model, model, "--about", &about, "--out", &nested];
    succeed(&first);
    let message = made(&nested, &[]);
    assert!(
        message.contains("nested.hemora") && message.contains("it is an ensemble"),
        "{message}"
    );
    assert!(!Path::new(&bundle).exists());
}
