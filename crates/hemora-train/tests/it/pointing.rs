//! `hemora-train pointing`: maps of small networks judged by annotations and by drawn bleeds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use hemora_synth::{PhantomOptions, write_dataset};
use serde_json::Value;

use crate::support::{refusal, succeed, text};

const SIDE: u32 = 64;
const NAMES: [&str; 6] =
    ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"];

/// Phantoms, and an annotation of every one with a bleed: of every second a square in which the labels
/// are present, of the others a box in which they lie somewhere. Returns the bits of each image's labels.
fn write_annotated(data: &Path) -> BTreeMap<String, u8> {
    let options = PhantomOptions { slice_spacing: 15.0, ..PhantomOptions::default() };
    write_dataset(data, 5, 6, &options.with_size(SIDE as usize), &|_, _| ()).unwrap();
    let table = std::fs::read_to_string(data.join("stage_2_train.csv")).unwrap();
    let mut labels = BTreeMap::<String, u8>::new();
    for row in table.lines().skip(1) {
        let (cell, label) = row.split_once(',').unwrap();
        let (id, name) = cell.rsplit_once('_').unwrap();
        let bit = 1 << NAMES.iter().position(|known| *known == name).unwrap();
        *labels.entry(id.to_owned()).or_default() |= if label == "1" { bit } else { 0 };
    }
    std::fs::create_dir(data.join("annotations")).unwrap();
    for (number, (id, bits)) in bleeds(&labels).enumerate() {
        let mut pixels = vec![0; 3 * (SIDE * SIDE) as usize];
        for at in (20..36).flat_map(|row| (16..40).map(move |column| row * SIDE + column)) {
            pixels[3 * at as usize + number % 2] = *bits;
        }
        let path = data.join(format!("annotations/{id}.png"));
        let mut encoder = png::Encoder::new(std::fs::File::create(path).unwrap(), SIDE, SIDE);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    }
    labels
}

fn bleeds(labels: &BTreeMap<String, u8>) -> impl Iterator<Item = (&String, &u8)> {
    labels.iter().filter(|(_, bits)| **bits != 0)
}

fn train(data: &Path, out: &Path, network: &str, more: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
    program.arg("run").arg("--images").arg(data.join("stage_2_train"));
    program.arg("--labels").arg(data.join("stage_2_train.csv")).arg("--out").arg(out);
    program.args(["--size=64", "--working-size=64", "--batch=8", "--threads=2", "--network"]);
    let output = program.arg(network).args(more).output().unwrap();
    succeed(&output);
    text(&output)
}

fn pointing(run: &Path, more: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
    program.arg("pointing").arg(run).args(more).output().unwrap()
}

#[test]
fn every_annotated_label_is_judged_once_by_the_network_that_did_not_see_it() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path();
    let labels = write_annotated(data);
    let annotations = format!("--annotations={}", data.join("annotations").display());
    let run = data.join("run");
    let more = "--repeat-masked=3";
    let flags = ["--folds=2", "--epochs=1", "--monitor=last", &annotations, more];
    let log = train(data, &run, "efficientnet-lite0-dense", &flags);
    // Every second annotation is a mask, and each is trained on in one of the two folds.
    let said = |line: &str, what: &str| -> Option<usize> {
        let count = line.strip_prefix("train: ")?.strip_suffix(what)?;
        count.split(' ').next()?.parse().ok()
    };
    let find = |what: &str| log.lines().filter_map(|line| said(line, what)).collect::<Vec<_>>();
    let masked = find(" images have annotated pixels and are shown 3 times an epoch");
    assert_eq!(masked.len(), 2, "{log}");
    assert_eq!(masked.iter().sum::<usize>(), bleeds(&labels).count().div_ceil(2));
    for (fold, masked) in masked.iter().enumerate() {
        let metrics = run.join(format!("fold-{}/metrics.jsonl", fold + 1));
        let epoch: Value =
            serde_json::from_str(&std::fs::read_to_string(metrics).unwrap()).unwrap();
        let images = log.lines().filter(|line| line.starts_with("train: ")).nth(2 * fold).unwrap();
        let images: usize = images.split(' ').nth(1).unwrap().parse().unwrap();
        assert_eq!(epoch["step"], (images + 2 * masked) / 8, "{log}");
    }
    let output = pointing(&run, &["--drawn=5", "--json", "--threads=2"]);
    succeed(&output);
    let table = std::fs::read_to_string(run.join("pointing.csv")).unwrap();
    let mut rows = table.lines();
    assert_eq!(
        rows.next().unwrap(),
        "id,group,source,label,hit,near,distance,probability,dice,on_unknown"
    );
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split(',').collect()).collect();
    let of = |source: &str| rows.iter().filter(|row| row[2] == source).collect::<Vec<_>>();
    for (source, half) in [("masks", 0), ("boxes", 1)] {
        let expected: BTreeSet<(&str, &str)> = bleeds(&labels)
            .enumerate()
            .filter(|(number, _)| number % 2 == half)
            .flat_map(|(_, (id, bits))| {
                let has = NAMES.iter().enumerate().filter(move |(at, _)| bits & 1 << at != 0);
                has.map(move |(_, name)| (id.as_str(), *name))
            })
            .collect();
        let rows = of(source);
        assert!(expected.len() >= 4, "{expected:?}");
        assert_eq!(rows.len(), expected.len());
        assert_eq!(rows.iter().map(|row| (row[0], row[3])).collect::<BTreeSet<_>>(), expected);
        for row in rows {
            assert_eq!(row[4] == "1", row[6] == "0.00", "{row:?}");
            assert_eq!(row[5] == "1", row[6].parse::<f64>().unwrap() <= 1.92, "{row:?}");
            assert_eq!(row[8].is_empty(), source == "boxes", "{row:?}");
        }
    }
    let drawn: BTreeSet<&str> = of("drawn").iter().map(|row| row[0]).collect();
    assert_eq!(drawn.len(), 5);
    assert!(drawn.iter().all(|id| labels[*id] == 0), "{drawn:?}");
    assert_eq!(of("drawn").iter().filter(|row| row[3] == "any").count(), 5);

    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["side"], 64);
    for line in summary["lines"].as_array().unwrap() {
        let of_line: Vec<_> = of(line["source"].as_str().unwrap())
            .into_iter()
            .filter(|row| line["label"] == row[3])
            .collect();
        assert_eq!(line["images"], of_line.len());
        assert_eq!(line["hits"], of_line.iter().filter(|row| row[4] == "1").count());
    }
    // Any number of threads gives the same, and people get a table.
    let again = pointing(&run, &["--drawn=5", "--threads=1", "--near=64"]);
    succeed(&again);
    assert!(text(&again).contains("Dice (images)"), "{}", text(&again));
    let wide = std::fs::read_to_string(run.join("pointing.csv")).unwrap();
    for (row, wide) in rows.iter().zip(wide.lines().skip(1)) {
        let wide: Vec<&str> = wide.split(',').collect();
        assert_eq!((&row[..5], row[6]), (&wide[..5], wide[6]));
        assert_eq!(wide[5], "1");
    }

    let none = data.join("none");
    std::fs::create_dir(&none).unwrap();
    let refused = pointing(&run, &[&format!("--annotations={}", none.display())]);
    assert!(refusal(&refused).contains("nonehasanannotation"), "{}", text(&refused));
    assert!(refusal(&pointing(&run, &["--near=-1"])).contains("--near-1"));
}

#[test]
fn a_run_without_maps_or_annotations_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path();
    let labels = write_annotated(data);
    let [plain, dense] = ["plain", "dense"].map(|name| data.join(name));
    train(data, &plain, "simple-nn", &["--steps=1", "--validation=0.5"]);
    let refused = pointing(&plain, &[]);
    assert!(refusal(&refused).contains("--networksimple-nnhasnomaps"), "{}", text(&refused));
    train(data, &dense, "efficientnet-lite0-dense", &["--steps=1", "--validation=0.5"]);
    let refused = pointing(&dense, &[]);
    assert!(refusal(&refused).contains("trainedwithout--annotations"), "{}", text(&refused));
    let given = format!("--annotations={}", data.join("annotations").display());
    // Another split goes before the run's.
    let split: String = labels.keys().map(|id| format!("{id},validation\n")).collect();
    std::fs::write(data.join("split.csv"), format!("ID,split\n{split}")).unwrap();
    let split = format!("--split={}", data.join("split.csv").display());
    succeed(&pointing(&dense, &[&given, &split]));
    let table = std::fs::read_to_string(dense.join("pointing.csv")).unwrap();
    let judged: BTreeSet<&str> =
        table.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    assert_eq!(judged, bleeds(&labels).map(|(id, _)| id.as_str()).collect());
    let refused = pointing(&dense, &[&given, &split, &split, &split]);
    assert!(refusal(&refused).contains("3tablesof--splitfor1runs"), "{}", text(&refused));
}
