//! The binary trains networks that read whole series: they learn from neighbours, every slice is
//! predicted by a model that did not see its patient, and a run that was killed ends as one that
//! was not.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hemora_ct::{LABEL_COUNT, Views};
use hemora_data::{SliceFeatures, SliceScore, SliceTable};
use hemora_metrics::competition_log_loss;
use hemora_model::{SeriesNetwork, TrainedNetwork};
use hemora_nn::Weights;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::network;

const FEATURES: usize = 8;

/// Series of 20 slices of 7 mm and of 60 of 0.6 mm, of which half have a bleed over some
/// neighbouring slices; what is known of a single slice is mostly noise.
fn write_set(folder: &Path, series: usize) -> SliceTable {
    write_series(folder, series, [(60, 0.6), (20, 7.0)])
}

/// Every third series has the slices and the spacing of the first of `kinds`, in mm.
fn write_series(folder: &Path, series: usize, kinds: [(usize, f64); 2]) -> SliceTable {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut rows = Vec::new();
    for number in 0..series {
        let (length, spacing) = kinds[usize::from(number % 3 != 0)];
        let bleed = if number % 2 == 0 { length / 4..3 * length / 4 } else { 0..0 };
        for slice in 0..length {
            let truth = bleed.contains(&slice);
            let noise: f32 = (0..4).map(|_| random.random_range(-1.0f32..1.0)).sum();
            let evidence = 2.0 * noise + if truth { 1.5 } else { -1.5 };
            rows.push(SliceScore {
                series: format!("series {number}"),
                study: format!("study {number}"),
                // Two series of a patient stay together.
                patient: format!("patient {}", number / 2),
                id: format!("{number}_{slice}"),
                z_mm: Some(spacing * slice as f64 - 40.0),
                spacing_mm: Some(spacing),
                fold: (number / 2 % 2) as u32,
                labels: [Some(f32::from(truth)); LABEL_COUNT],
                probabilities: [1.0 / (1.0 + (-evidence).exp()); LABEL_COUNT],
            });
        }
    }
    // As a writer might leave them: not in the order of z.
    rows.reverse();
    // A slice that nobody labelled is predicted as well.
    rows[3].labels = [None; LABEL_COUNT];
    let mut features = SliceFeatures::zeros(rows.len(), FEATURES);
    for (row, score) in rows.iter().enumerate() {
        let odds = (score.probabilities[0] / (1.0 - score.probabilities[0])).ln();
        let mut values = [0.0; FEATURES];
        values.fill_with(|| random.random_range(-1.0..1.0));
        values[2] += odds;
        features.set(row, &values);
    }
    let table = SliceTable { rows };
    table.write(&folder.join("slices.parquet")).unwrap();
    features.write(&folder.join("features.safetensors")).unwrap();
    table
}

fn start(folder: &Path, out: &str, flags: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_hemora-train"))
        .current_dir(folder)
        .args(["sequence", "--slices=slices.parquet", "--threads=1", "--batch=4"])
        .arg(format!("--out={out}"))
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What the command prints.
fn train(folder: &Path, out: &str, flags: &[&str]) -> String {
    let output = start(folder, out, flags).wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

const FEATURES_FLAGS: [&str; 6] = [
    "--features=features.safetensors",
    "--epochs=10",
    "--learning-rate=0.002",
    "--dropout=0.1",
    "--hidden=16",
    "--layers=2",
];

fn series(path: &Path) -> SeriesNetwork {
    match network(path).1 {
        TrainedNetwork::Series(series) => series,
        other => panic!("{other:?}"),
    }
}

fn loss(table: &SliceTable) -> f64 {
    let known: Vec<&SliceScore> = table.rows.iter().filter(|row| row.labels[0].is_some()).collect();
    let probabilities: Vec<_> = known.iter().map(|row| row.probabilities.map(f64::from)).collect();
    let labels: Vec<_> =
        known.iter().map(|row| row.labels.map(|label| label == Some(1.0))).collect();
    competition_log_loss(&probabilities, &labels).unwrap().unwrap()
}

#[test]
fn all_models_learn_from_neighbours_out_of_fold() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let given = write_set(folder, 16);
    let printed = train(folder, "first", &FEATURES_FLAGS);
    assert!(printed.contains("weighted log loss") && printed.contains("559 slices"), "{printed}");
    let first = SliceTable::read(&folder.join("first/slices.parquet")).unwrap();
    assert!(loss(&first) < 0.8 * loss(&given), "{} {}", loss(&first), loss(&given));

    let flags = ["--network=sequence-transformer", "--learning-rate=0.002", "--epochs=15"];
    train(folder, "transformer", &[&FEATURES_FLAGS[..1], &FEATURES_FLAGS[3..], &flags].concat());
    let transformer = SliceTable::read(&folder.join("transformer/slices.parquet")).unwrap();
    assert!(loss(&transformer) < loss(&given), "{} {}", loss(&transformer), loss(&given));

    let flags = ["--network=sequence-probabilities", "--first=first/slices.parquet"];
    let more = ["--epochs=6", "--learning-rate=0.002", "--hidden=16", "--keep=best"];
    train(folder, "second", &[flags.as_slice(), &more].concat());
    let second = SliceTable::read(&folder.join("second/slices.parquet")).unwrap();
    assert!(loss(&second) < 0.8 * loss(&given), "{} {}", loss(&second), loss(&given));

    // Only probabilities are new, and all of them are.
    for (old, new) in given.rows.iter().zip(&second.rows) {
        assert_ne!(old.probabilities, new.probabilities);
        let same = SliceScore { probabilities: old.probabilities, ..new.clone() };
        assert_eq!(*old, same);
    }
    let text = std::fs::read_to_string(folder.join("second/validation.csv")).unwrap();
    assert!(text.starts_with("id,group,label_epidural,"), "{text}");
    assert_eq!(text.lines().count(), given.rows.len());
    for fold in ["fold-1", "fold-2"] {
        let model = folder.join("second").join(fold).join("model.safetensors");
        let trained = series(&model);
        assert_eq!((&*trained.network, trained.columns), ("sequence-probabilities", 36));
        assert!(model.with_extension("onnx").exists());
    }
}

fn epochs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("fold-1/metrics.jsonl"))
        .map_or(0, |text| text.lines().count())
}

#[test]
fn a_folds_model_reads_the_features_of_that_folds_network_alone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let given = write_set(folder, 24);
    let features = SliceFeatures::read(&folder.join("features.safetensors")).unwrap();
    // Two networks that put the same into different features: mixed, neither would help.
    std::fs::create_dir(folder.join("predicted")).unwrap();
    for (fold, turned) in [(1, 1.0), (2, -1.0)] {
        let mut own = SliceFeatures::zeros(features.rows(), FEATURES);
        for row in 0..features.rows() {
            let mut values: Vec<f32> = features.row(row).collect();
            values[2] *= turned;
            own.set(row, &values);
        }
        own.write(&folder.join(format!("predicted/features-{fold}.safetensors"))).unwrap();
    }
    std::fs::write(folder.join("predicted/predict.toml"), "views = \"ten\"\n").unwrap();
    let flags = [&["--features=predicted"][..], &FEATURES_FLAGS[1..]].concat();
    train(folder, "own", &flags);
    let own = SliceTable::read(&folder.join("own/slices.parquet")).unwrap();
    assert!(loss(&own) < 0.8 * loss(&given), "{} {}", loss(&own), loss(&given));
    for fold in [1, 2] {
        let path = folder.join(format!("own/fold-{fold}/model.safetensors"));
        let trained = series(&path);
        assert_eq!(trained.features_of_fold, Some(fold));
        assert_eq!(trained.views, Some(Views::Ten));
    }
}

#[test]
fn windows_that_are_too_short_for_a_batch_do_not_end_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // A fold trains on one series of 12 slices, of which every second one makes 6.
    write_series(folder, 3, [(12, 5.0); 2]);
    let flags = ["--features=features.safetensors", "--epochs=12", "--hidden=8", "--layers=1"];
    let printed = train(folder, "short", &flags);
    assert!(printed.contains("35 slices"), "{printed}");
}

#[test]
fn killed_and_resumed_equals_never_killed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_set(folder, 12);
    train(folder, "whole", &FEATURES_FLAGS);
    let mut child = start(folder, "killed", &FEATURES_FLAGS);
    let begin = Instant::now();
    while epochs(&folder.join("killed")) == 0 {
        assert!(begin.elapsed() < Duration::from_secs(300), "no epoch ended");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.join("killed/slices.parquet").exists(), "it ended before it was killed");
    train(folder, "killed", &FEATURES_FLAGS);
    let read = |out: &str| SliceTable::read(&folder.join(out).join("slices.parquet")).unwrap();
    assert!(read("killed") == read("whole"), "the probabilities differ");
    let weights = |out: &str| {
        let path = folder.join(out).join("fold-1/model.safetensors");
        Weights::from_safetensors(&std::fs::read(path).unwrap()).unwrap()
    };
    assert!(weights("killed") == weights("whole"), "the weights differ");
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_set(folder, 4);
    SliceFeatures::zeros(7, 3).write(&folder.join("short.safetensors")).unwrap();
    let refused = |flags: &[&str]| {
        let output = start(folder, "out", flags).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let short = refused(&["--features=short.safetensors"]);
    assert!(short.contains("has the features of 7 slices"), "{short}");
    let none = refused(&[]);
    assert!(none.contains("--features"), "{none}");
    assert!(!folder.join("out/slices.parquet").exists());
}

#[test]
fn a_network_of_series_is_timed_on_random_slices() {
    let time = |columns: &str, network: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
        let small = ["--batch=4", "--hidden=8", "--epochs=7", "--threads=1"];
        program.args(["time-sequence", "--columns", columns, "--network", network]).args(small);
        program.output().unwrap()
    };
    for (columns, network) in [
        ("12", "sequence-features"),
        ("36", "sequence-probabilities"),
        ("13", "sequence-transformer"),
    ] {
        let output = time(columns, network);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        for rate in ["train_slices_per_second", "predict_slices_per_second"] {
            assert!(
                printed[rate].as_f64().is_some_and(|it| it > 0.0 && it.is_finite()),
                "{printed}"
            );
        }
        assert!(
            printed["epochs"] == 7 && printed["parameters"].as_u64().unwrap() > 100,
            "{printed}"
        );
    }
    for (columns, network, expected) in
        [("0", "sequence-features", "--columns is 0"), ("9", "resnet18", "there are")]
    {
        let output = time(columns, network);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && printed.contains(expected), "{printed}");
    }
}
