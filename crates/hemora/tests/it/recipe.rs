//! `hemora recipe`: phantoms to a bundle and a submission with the real training program, taken up
//! again, and what triage says with that bundle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use hemora_data::{IndexReader, SliceScore, SliceTable, Table};
use hemora_model::Bundle;
use hemora_testing::require;

use crate::support::hemora;

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).unwrap()
}

/// An error without the breaks of its lines, which may fall anywhere.
fn joined(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && *letter != '│').collect()
}

/// Phantoms of 64 pixels.
fn synth(folder: &Path, patients: usize, spacing: f64, seed: u64) {
    let numbers = [patients.to_string(), spacing.to_string(), seed.to_string()];
    let out = hemora(&[
        "synth",
        folder.to_str().unwrap(),
        "--patients",
        &numbers[0],
        "--slice-spacing",
        &numbers[1],
        "--seed",
        &numbers[2],
        "--size=64",
    ]);
    assert!(out.status.success(), "{}", text(&out));
}

fn recipe(data: &Path, out: &Path, more: &[&str]) -> Output {
    let paths = [data.to_str().unwrap(), "--out", out.to_str().unwrap()];
    hemora(&[&["recipe", "winner"], &paths[..], &["--preset=quick", "--threads=1"], more].concat())
}

/// Whether the training program of this build is there; a plain `cargo test` does not build it.
fn has_trainer() -> bool {
    let named = std::env::var_os("HEMORA_TRAIN").map(PathBuf::from);
    let name = format!("hemora-train{}", std::env::consts::EXE_SUFFIX);
    let beside = Path::new(env!("CARGO_BIN_EXE_hemora")).with_file_name(name);
    named.or(Some(beside)).is_some_and(|program| program.is_file())
}

/// Probability of any hemorrhage of each slice that triage scored.
fn triaged(path: &Path) -> BTreeMap<String, f32> {
    let table = Table::new(std::fs::File::open(path).unwrap()).unwrap();
    let (id, any) = (table.column("sop_instance_uid").unwrap(), table.column("any").unwrap());
    let mut rows = BTreeMap::new();
    table
        .for_each(|_, fields| {
            rows.insert(fields[id].to_owned(), fields[any].parse().unwrap());
            Ok(())
        })
        .unwrap();
    rows
}

/// Leaves so many slices of the one series of a data set, from its middle.
fn keep_middle(data: &Path, count: usize) {
    let index = data.join("index.parquet");
    let images = data.join("stage_2_train");
    let out = hemora(&["index", images.to_str().unwrap(), "-o", index.to_str().unwrap()]);
    assert!(out.status.success(), "{}", text(&out));
    let mut rows: Vec<_> = IndexReader::open(&index).unwrap().map(Result::unwrap).collect();
    rows.sort_by(|a, b| a.z.unwrap().total_cmp(&b.z.unwrap()));
    let first = (rows.len() - count) / 2;
    for (place, row) in rows.iter().enumerate() {
        if !(first..first + count).contains(&place) {
            std::fs::remove_file(&row.path).unwrap();
        }
    }
}

/// A bundle of the first fold's network of slices and of runs of networks of series.
fn bundle(out: &Path, series: &[&Path]) -> PathBuf {
    let made = out.join("made.hemora");
    let (weights, about) =
        (out.join("stage1/resnet18-neighbours/fold-1/model.safetensors"), out.join("about.toml"));
    let [weights, about, to] = [&weights, &about, &made].map(|path| path.to_str().unwrap());
    let flags = ["model", "bundle", weights, "--about", about, "--views", "flip", "--out", to];
    let runs = series.iter().flat_map(|run| ["--series-run", run.to_str().unwrap()]);
    let output = hemora(&flags.into_iter().chain(runs).collect::<Vec<_>>());
    assert!(output.status.success(), "{}", text(&output));
    made
}

/// A copy of a run on probabilities in which the first fold's network stands for every fold's: the
/// mean over folds says something else than one alone.
fn first_fold_alone(run: &Path) -> PathBuf {
    let copy = run.with_extension("alone");
    let same = ["config.toml", "slices.parquet", "fold-1/model.safetensors"].map(|it| (it, it));
    for (from, to) in same.into_iter().chain([(same[2].0, "fold-2/model.safetensors")]) {
        let to = copy.join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(run.join(from), to).unwrap();
    }
    copy
}

#[test]
fn what_is_not_there_is_named_before_anything_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let refused = recipe(folder.path(), &out, &[]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
    assert!(text(&refused).contains("stage_2_train"), "{}", text(&refused));
    assert!(!out.exists());
}

#[cfg(unix)]
#[test]
fn a_training_that_runs_out_of_memory_ends_the_recipe_with_what_to_do() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("phantoms"), folder.path().join("out"));
    synth(&data, 4, 20.0, 3);
    let trainer = folder.path().join("hemora-train");
    // Batches of four images fit into its memory; it cannot time or predict.
    let script = "#!/bin/sh\necho too little for a timing >&2\n[ \"$1\" = --version ] && exit 0\n\
                  [ \"$1\" = run ] || exit 1\ncase \"$*\" in *--batch=4*) ;; *) exit 4;; esac\n\
                  for word; do case $word in --out=*) out=${word#--out=};; esac; done\n\
                  mkdir -p \"$out\"; : > \"$out/validation.csv\"\n";
    std::fs::write(&trainer, script).unwrap();
    std::fs::set_permissions(&trainer, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hemora"));
        command.args(["recipe", "fast"]).args([data.as_path(), Path::new("--out"), out.as_path()]);
        command.args(["--preset=quick", "--threads=1"]).args(more).env("HEMORA_TRAIN", &trainer);
        command.output().unwrap()
    };
    let output = run(&[]);
    let words = text(&output);
    assert_eq!(output.status.code(), Some(4), "{words}");
    assert!(words.contains("could not be timed here (too little for a timing)"), "{words}");
    let words = joined(&words);
    assert!(words.contains("ranoutofmemory") && words.contains("--batch"), "{words}");
    // What was complete before is not run again.
    let again = text(&run(&[]));
    assert_eq!(again.matches("complete, not run again").count(), 2, "{again}");
    // Nor with the smaller batch that the message asks for, which goes on with the training.
    let words = text(&run(&["--batch=4"]));
    assert_eq!(words.matches("complete, not run again").count(), 2, "{words}");
    assert!(words.contains("stage1-efficientnet-lite0-both took"), "{words}");
    // The network that was trained now stands in the way of another batch.
    let other = run(&["--batch=2"]);
    assert_eq!(other.status.code(), Some(1), "{}", text(&other));
    assert!(joined(&text(&other)).contains("--restart"), "{}", text(&other));
}

#[test]
fn phantoms_become_a_submission_and_a_bundle_and_complete_steps_are_not_run_again() {
    let trainer = has_trainer().then_some(());
    if require(trainer, "hemora-train", "`cargo xtask test` builds it").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("phantoms"), folder.path().join("out"));
    synth(&data, 6, 10.0, 3);
    let small = ["--size=32", "--epochs=1", "--batch=8"];
    let planned = recipe(&data, &out, &[&small[..], &["--plan"]].concat());
    assert!(planned.status.success(), "{}", text(&planned));
    let words = text(&planned);
    for part in ["12 steps, 0 of them complete", "training steps", "on disk", "by a short timing"] {
        assert!(words.contains(part), "{part} is not in {words}");
    }
    assert!(!out.exists(), "a plan writes nothing");

    let first = recipe(&data, &out, &small);
    assert!(first.status.success(), "{}", text(&first));
    let predicted = out.join("stage1/resnet18-neighbours/predicted/slices.parquet");
    let slices = SliceTable::read(&predicted).unwrap().rows;
    let submission = std::fs::read_to_string(out.join("out-of-fold.csv")).unwrap();
    let labels = std::fs::read_to_string(data.join("stage_2_train.csv")).unwrap();
    let ids = |text: &str| -> std::collections::BTreeSet<String> {
        text.lines().map(|line| line.split(',').next().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&submission), ids(&labels));
    assert_eq!(submission.lines().count(), 1 + 6 * slices.len());
    let metrics =
        std::fs::read_to_string(out.join("evaluation/resnet18-neighbours/metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    assert_eq!(metrics["predictions"]["rows"], slices.len());

    // What is submitted is what the networks of series say, not what those of slices do.
    let series = SliceTable::read(&out.join("stage2/probabilities/slices.parquet")).unwrap();
    for row in &series.rows {
        let line = format!("{}_any,{}\n", row.id, row.probabilities[5]);
        assert!(submission.contains(&line), "{line}");
    }

    // What was trained on is what triage makes of the DICOM files: the same probabilities of the
    // slices that the bundle's fold did not see, of three slices each, both ways round.
    let results = folder.path().join("triage");
    let of = |path: &Path, model: &Path| {
        let (model, path) = (model.to_str().unwrap(), path.to_str().unwrap());
        let out = hemora(&["triage", path, "--model", model, "-o", results.to_str().unwrap()]);
        assert!(out.status.success(), "{}", text(&out));
        triaged(&results.join("result.csv"))
    };
    let compare = |model: &Path, expected: &[SliceScore]| {
        let any = of(&data.join("stage_2_train"), model);
        assert_eq!(any.len(), slices.len());
        let held: Vec<_> = expected.iter().filter(|row| row.fold == 0).collect();
        assert!(held.len() > 10, "{}", held.len());
        for row in held {
            let found = any[&row.id];
            assert!((found - row.probabilities[5]).abs() < 1e-4, "{} {found}", row.id);
        }
    };
    compare(&bundle(&out, &[]), &slices);
    // So is what the networks of series say, each stage: on features that of the same fold.
    let features = out.join("stage2/resnet18-neighbours");
    let on_features = SliceTable::read(&features.join("slices.parquet")).unwrap();
    compare(&bundle(&out, &[&features]), &on_features.rows);
    let second = first_fold_alone(&out.join("stage2/probabilities"));
    let series_rows = series.rows.clone();
    compare(&bundle(&out, &[&features, &second]), &series.rows);

    // Studies of other slices: 60 of 0.6 mm, and few of 7 mm.
    let [thin, thick] = ["thin", "thick"].map(|name| folder.path().join(name));
    synth(&thin, 1, 0.6, 9);
    keep_middle(&thin, 60);
    let model = out.join("model.hemora");
    // Of each fold the network of slices, the one on its features, and its own on probabilities.
    let whole = Bundle::open(&model).unwrap();
    let series: Vec<usize> = whole.members().map(|(_, networks)| networks.series.len()).collect();
    assert_eq!(series, [2, 2]);
    // The mean of the folds is what they say alone; each says of its own fold what was evaluated.
    let members = [1, 2].map(|fold| out.join(format!("members/resnet18-neighbours-{fold}.hemora")));
    let alone = members.map(|member| of(&data.join("stage_2_train"), &member));
    let together = of(&data.join("stage_2_train"), &model);
    assert_eq!(together.len(), slices.len());
    for row in &series_rows {
        let each = [0, 1].map(|fold| alone[fold][&row.id]);
        assert!((together[&row.id] - (each[0] + each[1]) / 2.0).abs() < 1e-5, "{}", row.id);
        let of_fold = each[row.fold as usize];
        assert!((of_fold - row.probabilities[5]).abs() < 1e-4, "{} {of_fold}", row.id);
    }
    let read = of(&thin.join("stage_2_train"), &model);
    assert_eq!(read.len(), 60);
    assert_ne!(read, of(&thin.join("stage_2_train"), &bundle(&out, &[])));
    synth(&thick, 1, 7.0, 9);
    let few = of(&thick.join("stage_2_train"), &model).len();
    assert!((15..30).contains(&few), "{few} slices");

    // Nothing is left to do; without its page, the evaluation and nothing before it is.
    let again = recipe(&data, &out, &small);
    assert_eq!(text(&again).matches("complete, not run again").count(), 12, "{}", text(&again));
    std::fs::remove_file(out.join("evaluation/resnet18-neighbours/report.html")).unwrap();
    let again = recipe(&data, &out, &small);
    assert_eq!(text(&again).matches("complete, not run again").count(), 11, "{}", text(&again));
    assert!(out.join("evaluation/resnet18-neighbours/report.html").is_file());
    // Test images that are named later are two more steps.
    let test = thick.join("stage_2_train");
    let tested =
        recipe(&data, &out, &[&small[..], &["--test-images", test.to_str().unwrap()]].concat());
    assert_eq!(text(&tested).matches("complete, not run again").count(), 12, "{}", text(&tested));
    let submission = std::fs::read_to_string(out.join("submission.csv")).unwrap();
    assert_eq!(submission.lines().count(), 1 + 6 * few);
    // Other settings are not mixed with these steps.
    let other = recipe(&data, &out, &["--size=32", "--epochs=2", "--batch=8"]);
    assert_eq!(other.status.code(), Some(1), "{}", text(&other));
    assert!(text(&other).contains("stage1-resnet18-neighbours"), "{}", text(&other));
}
