//! Runs on prepared sets, and what is predicted of their slices, by the binary.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use hemora_data::{PrepareRecipe, Selection, SliceFeatures, SliceTable, SplitInto, Table};
use hemora_model::{SliceNetwork, TrainedNetwork};
use hemora_nn::Weights;
use tempfile::TempDir;

use crate::support::{index_phantoms, network, plain_recipe, prepare_phantoms, refusal, succeed};

/// Phantoms of 48 pixels, prepared in HU and as three neighbours of 32 pixels, in two folds, and
/// once in parts; made once.
fn sets() -> &'static Path {
    static DATA: OnceLock<TempDir> = OnceLock::new();
    let folder = DATA.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        index_phantoms(folder.path());
        let folds = Selection { split: SplitInto::Folds(2), ..Selection::default() };
        let small = PrepareRecipe { size: Some(32), ..plain_recipe("winner-neighbours") };
        for (name, recipe, selection) in [
            ("hu", plain_recipe("hu"), &folds),
            ("jpeg", small, &folds),
            ("parts", plain_recipe("hu"), &Selection::default()),
        ] {
            prepare_phantoms(folder.path(), name, &recipe, selection);
        }
        folder
    });
    folder.path()
}

fn train(set: &str, out: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hemora-train"))
        .args(["run", "--size=32", "--working-size=40", "--batch=8", "--threads=1", "--epochs=1"])
        .args(["--network=simple-nn", "--prepared"])
        .arg(sets().join(set))
        .arg("--out")
        .arg(out)
        .args(more)
        .output()
        .unwrap()
}

fn predict(run: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
    command
        .arg("predict")
        .arg(run)
        .args(["--threads=1", "--out"])
        .arg(out)
        .args(more)
        .output()
        .unwrap()
}

fn trained(run: &Path) -> SliceNetwork {
    match network(&run.join("model.safetensors")).1 {
        TrainedNetwork::Slices(slices) => slices,
        other => panic!("{other:?}"),
    }
}

/// The input that a run was trained on, as JSON.
fn input(run: &Path) -> String {
    serde_json::to_string(&trained(run).input).unwrap()
}

/// Probability of any hemorrhage by id.
fn validation(path: PathBuf) -> BTreeMap<String, f32> {
    let table = Table::new(std::fs::File::open(path).unwrap()).unwrap();
    let (id, any) = (table.column("id").unwrap(), table.column("any").unwrap());
    let mut rows = BTreeMap::new();
    table
        .for_each(|_, fields| {
            rows.insert(fields[id].to_owned(), fields[any].parse().unwrap());
            Ok(())
        })
        .unwrap();
    rows
}

#[test]
fn the_folds_of_a_set_are_trained_and_each_slice_predicted_out_of_fold() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    succeed(&train("hu", &run, &["--input=both", "--augment=winner"]));
    for fold in ["fold-1", "fold-2"] {
        let input = input(&run.join(fold));
        // Nine channels, and what happened before them.
        assert_eq!(input.matches("\"offset\":1").count(), 3, "{input}");
        assert!(input.contains("\"kept\":{\"hu\":{\"size\":40}}"), "{input}");
    }
    let out = folder.path().join("one");
    succeed(&predict(&run, &out, &["--views=one"]));
    let how = std::fs::read_to_string(out.join("predict.toml")).unwrap();
    assert_eq!(how, "views = \"one\"\n");
    let table = SliceTable::read(&out.join("slices.parquet")).unwrap();
    let features = ["features-1.safetensors", "features-2.safetensors"]
        .map(|file| SliceFeatures::read(&out.join(file)).unwrap());
    let expected = validation(run.join("validation.csv"));
    assert_eq!(table.rows.len(), expected.len());
    for features in &features {
        assert_eq!((features.rows(), features.columns()), (expected.len(), 128));
    }
    for row in &table.rows {
        let any = row.probabilities[5];
        assert!((any - expected[&row.id]).abs() < 1e-5, "{} {any}", row.id);
        assert!(row.z_mm.is_some() && (row.spacing_mm.unwrap() - 12.0).abs() < 0.01);
        assert!(!row.study.is_empty() && row.labels.iter().all(Option::is_some));
    }
    assert_eq!(table.rows.iter().map(|row| row.fold).collect::<BTreeSet<_>>().len(), 2);
    // Each patient has one series, whose slices stand together from the lowest.
    let ordered = table.rows.windows(2).all(|pair| {
        pair[0].series < pair[1].series
            || pair[0].series == pair[1].series && pair[0].z_mm < pair[1].z_mm
    });
    assert!(ordered);
    // Each fold's features of a slice make what that fold's model says of it: of those that it did
    // not see, the probabilities.
    for (fold, features) in features.iter().enumerate() {
        let run = run.join(format!("fold-{}", fold + 1));
        assert_eq!(trained(&run).fold, Some(fold as u32 + 1));
        let bytes = std::fs::read(run.join("model.safetensors")).unwrap();
        let weights = Weights::from_safetensors(&bytes).unwrap();
        let head = |suffix: &str| {
            let mut named = weights.iter().filter(|(name, _)| name.ends_with(suffix));
            named.find(|(_, tensor)| tensor.shape[0] == 6).unwrap().1.values.clone()
        };
        let (weight, bias) = (head("weight"), head("bias"));
        for (row, score) in table.rows.iter().enumerate().filter(|(_, it)| it.fold == fold as u32) {
            let products = features.row(row).zip(&weight[5 * 128..]).map(|(a, b)| a * b);
            let any = 1.0 / (1.0 + (-products.sum::<f32>() - bias[5]).exp());
            assert!((any - score.probabilities[5]).abs() < 0.01, "{} {any}", score.id);
        }
    }
    assert!(features[0] != features[1], "features of one network");

    // More views are other probabilities of the same slices.
    let out = folder.path().join("flip");
    succeed(&predict(&run, &out, &[]));
    let flip = SliceTable::read(&out.join("slices.parquet")).unwrap();
    let ids = |table: &SliceTable| table.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&flip), ids(&table));
    assert_ne!(flip, table);
    // A fold that is not finished is named.
    std::fs::remove_file(run.join("fold-2/model.safetensors")).unwrap();
    assert!(refusal(&predict(&run, &out, &[])).contains("fold-2:nomodel.safetensors"));
}

#[test]
fn jpegs_are_trained_on_from_memory_and_from_their_files_alike() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [("memory", &["--fold=2"][..]), ("files", &["--fold=2", "--from-files"][..])];
    let weights = runs.map(|(name, more)| {
        let out = folder.path().join(name);
        succeed(&train("jpeg", &out, more));
        let input = input(&out);
        assert!(input.contains("\"offset\":-1") && input.contains("\"kept\":\"grey\""), "{input}");
        let bytes = std::fs::read(out.join("model.safetensors")).unwrap();
        Weights::from_safetensors(&bytes).unwrap()
    });
    assert!(weights[0] == weights[1], "the images differ");
    // Predictions of one fold alone are of that fold's images.
    let out = folder.path().join("predicted");
    succeed(&predict(&folder.path().join("files"), &out, &["--views=ten"]));
    let rows = SliceTable::read(&out.join("slices.parquet")).unwrap().rows.len();
    assert_eq!(rows, validation(folder.path().join("files/validation.csv")).len());
}

#[test]
fn parts_of_a_set_are_kept_and_what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name);
    succeed(&train("parts", &out("parts"), &["--input=neighbours"]));
    let splits = std::fs::read_to_string(sets().join("parts/splits.csv")).unwrap();
    let tested = splits.lines().filter(|line| line.contains(",test,")).count();
    assert_eq!(validation(out("parts/test.csv")).len(), tested);
    for (number, (set, flags, expected)) in [
        ("jpeg", &["--input=grey"][..], "havetheirchannelsalready"),
        ("hu", &["--folds=5"], "wassplitinto2folds"),
        ("parts", &["--folds=5"], "train,validationandtest"),
        ("hu", &["--input=colour"], "expectedgrey,windows,neighbours,both"),
        ("data", &[], "nocompletepreparedset"),
    ]
    .into_iter()
    .enumerate()
    {
        let refused = refusal(&train(set, &out(&format!("refused-{number}")), flags));
        assert!(refused.contains(expected), "{refused}");
    }
    let own = out("input.toml");
    std::fs::write(&own, "[[channels]]\nwindow = { level = 40, width = 80 }\n").unwrap();
    let flag = format!("--input={}", own.display());
    succeed(&train("parts", &out("own"), &[&flag]));
    assert_eq!(input(&out("own")).matches("\"offset\"").count(), 1);
}

#[test]
fn steps_are_timed_without_any_data() {
    let output = Command::new(env!("CARGO_BIN_EXE_hemora-train"))
        .args(["time", "--network=simple-nn", "--input=both", "--size=32", "--working-size=32"])
        .args(["--batch=4", "--threads=1"])
        .output()
        .unwrap();
    succeed(&output);
    let timing: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(timing["train_images_per_second"].as_f64().unwrap() > 0.0, "{timing}");
    assert!(timing["predict_images_per_second"].as_f64().unwrap() > 0.0, "{timing}");
    // Nine channels of 32 × 32 pixels to 128 units to six.
    assert_eq!(timing["parameters"], 9 * 32 * 32 * 128 + 128 + 128 * 6 + 6);
}
