//! Networks of slices and of series that are trained together, by the binary: both learn, a bundle
//! of the two says what was validated, and a run that was killed ends as one that was not.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use hemora_ct::{LABEL_COUNT, Label, Views};
use hemora_data::{Negatives, Selection, SliceTable, SplitInto};
use hemora_infer::{EngineKind, LoadedModel, SeriesPolicy, triage};
use hemora_metrics::Aggregation;
use hemora_model::{
    Bundle, Member, MemberNetworks, ModelInfo, NetworkRef, SeriesNetwork, SeriesStage,
    SliceNetwork, TrainedNetwork,
};
use hemora_nn::{Weights, networks, onnx};
use tempfile::TempDir;

use crate::support::{
    assert_same, index_phantoms, kill_after_an_epoch, metrics, network, plain_recipe,
    prepare_phantoms, refusal, succeed, text,
};

/// Phantoms of 48 pixels, prepared in HU, all slices and some, in two folds; made once.
fn sets() -> &'static Path {
    static DATA: OnceLock<TempDir> = OnceLock::new();
    let folder = DATA.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        index_phantoms(folder.path());
        let all = Selection { split: SplitInto::Folds(2), ..Selection::default() };
        let some = Selection { negatives: Negatives::Count(20), ..all.clone() };
        prepare_phantoms(folder.path(), "all", &plain_recipe("hu"), &all);
        prepare_phantoms(folder.path(), "some", &plain_recipe("hu"), &some);
        folder
    });
    folder.path()
}

/// Flags of a small run; those in `more` go before them.
fn train(set: &str, out: &Path, more: &[&str]) -> Command {
    let small = [
        "--size=32",
        "--working-size=40",
        "--network=resnet18",
        "--threads=1",
        "--batch=16",
        "--window=8",
        "--series-hidden=16",
        "--series-layers=1",
        "--fold=1",
        "--augment=winner",
        "--input=neighbours",
        "--optimizer=adam",
    ];
    let name = |flag: &&str| flag.split('=').next().unwrap().to_owned();
    let given: Vec<String> = more.iter().map(name).collect();
    let mut program = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
    program
        .arg("run")
        .args(small.iter().filter(|flag| !given.contains(&name(flag))))
        .arg("--prepared")
        .arg(sets().join(set))
        .arg("--out")
        .arg(out)
        .args(more);
    program
}

fn slices(run: &Path) -> (Weights, SliceNetwork) {
    match network(&run.join("model.safetensors")) {
        (weights, TrainedNetwork::Slices(slices)) => (weights, slices),
        (_, other) => panic!("{other:?}"),
    }
}

fn series(run: &Path) -> (Weights, SeriesNetwork) {
    match network(&run.join("series/fold-1/model.safetensors")) {
        (weights, TrainedNetwork::Series(series)) => (weights, series),
        (_, other) => panic!("{other:?}"),
    }
}

/// The bundle of a run, as `hemora model bundle --series-run` puts it together.
fn bundle(run: &Path, out: &Path) -> Bundle {
    let (weights, trained) = slices(run);
    let input = trained.input.unwrap();
    let options = networks::Options {
        channels: input.channels.len(),
        size: input.size,
        head: Some(networks::Head::Sigmoid(LABEL_COUNT)),
        dropout: 0.0,
    };
    let graph = networks::build(&trained.network, &options).unwrap().unwrap();
    let (_, of_series) = series(run);
    assert_eq!((of_series.features_of_fold, trained.fold), (Some(1), Some(1)));
    assert_eq!(of_series.views, Some(Views::One));
    let stage = SeriesStage {
        reads: networks::sequence_input(&of_series.network).unwrap(),
        network: of_series.network,
        columns: of_series.columns,
        trainable_parameters: 1,
        sha256: vec![String::new()],
    };
    let member = Member {
        model: "joint".to_owned(),
        network: NetworkRef { name: trained.network, trainable_parameters: 1 },
        input,
        views: Views::One,
        slab_mm: None,
        series: vec![stage],
        calibration: None,
        weights: [1.0; LABEL_COUNT],
        sha256: String::new(),
    };
    let info = ModelInfo {
        format_version: 1,
        name: "joint".to_owned(),
        version: "1".to_owned(),
        created: "2026-01-01".to_owned(),
        licence: "none".to_owned(),
        intended_use: "A test.".to_owned(),
        notice: "A test.".to_owned(),
        labels: Label::ALL.to_vec(),
        training_data: "Phantoms.".to_owned(),
        metrics: Vec::new(),
        operating_points: Vec::new(),
        certainty: Vec::new(),
        calibration: None,
        aggregation: None,
        plain_aggregation: Aggregation::default(),
        members: vec![member],
        stacking: None,
        series: None,
    };
    let slices = onnx::write(&graph, &weights).unwrap();
    let series = vec![std::fs::read(run.join("series/fold-1/model.onnx")).unwrap()];
    Bundle::write(out, &info, MemberNetworks { slices, series }, "A test.").unwrap()
}

/// Largest difference between what a run validated and what triage predicts of the same slices.
fn difference(run: &Path, out: &Path) -> f32 {
    let bundle = bundle(run, out);
    let model = LoadedModel::load(EngineKind::Tract, bundle, None).unwrap();
    let collection = hemora_io::collect(&[sets().join("data/stage_2_train")], &|_, _| ());
    let result = triage(&model, &collection, SeriesPolicy::Chosen, &|_, _| ());
    let studies = result.studies.iter().flat_map(|study| &study.series);
    let triaged: HashMap<&str, [f32; LABEL_COUNT]> = studies
        .flat_map(|series| &series.slices)
        .map(|slice| (slice.sop_instance_uid.as_str(), slice.probabilities.to_array()))
        .collect();
    let table = SliceTable::read(&run.join("series/slices.parquet")).unwrap();
    assert!(table.rows.len() > 30);
    let far = table.rows.iter().flat_map(|row| {
        let probabilities = triaged[row.id.as_str()];
        probabilities.into_iter().zip(row.probabilities).map(|(a, b)| (a - b).abs())
    });
    far.fold(0.0, f32::max)
}

#[test]
fn both_networks_learn_and_a_bundle_predicts_what_was_validated() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let flags = ["--series-network=sequence-features", "--epochs=5", "--learning-rate=0.002"];
    let output = train("all", &run, &flags).output().unwrap();
    succeed(&output);
    assert!(text(&output).contains("of series          weighted loss"), "{}", text(&output));
    let losses: Vec<f64> =
        metrics(&run).iter().map(|line| line["train_loss"].as_f64().unwrap()).collect();
    assert!(losses[4] < 0.8 * losses[0], "{losses:?}");
    let far = difference(&run, &folder.path().join("joint.hemora"));
    assert!(far < 1e-4, "{far}");
    // The parts know nothing of each other, and the run's predictions are those of series.
    let (weights, trained) = slices(&run);
    assert!(weights.iter().all(|(name, _)| !name.starts_with("series/")));
    assert_eq!(trained.network, "resnet18");
    let file = |name: &str| std::fs::read_to_string(run.join(name)).unwrap();
    assert_eq!(file("validation.csv"), file("series/validation.csv"));
    // The network of slices can be asked alone, as any other.
    let mut predict = Command::new(env!("CARGO_BIN_EXE_hemora-train"));
    predict.arg("predict").arg(&run).arg("--out").arg(folder.path().join("alone"));
    succeed(&predict.args(["--threads=1", "--views=one"]).output().unwrap());
    let alone = SliceTable::read(&folder.path().join("alone/slices.parquet")).unwrap();
    let joint = SliceTable::read(&run.join("series/slices.parquet")).unwrap();
    let ids = |table: &SliceTable| table.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&alone), ids(&joint));
    assert_ne!(alone, joint);
}

#[test]
fn a_transformer_knows_where_slices_lie() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let flags =
        ["--series-network=sequence-transformer", "--epochs=1", "--ema=0.5", "--accumulate=2"];
    succeed(&train("all", &run, &flags).output().unwrap());
    assert_eq!(series(&run).1.columns, 513);
    let far = difference(&run, &folder.path().join("joint.hemora"));
    assert!(far < 1e-4, "{far}");
}

#[test]
fn killed_and_resumed_equals_never_killed() {
    let folder = tempfile::tempdir().unwrap();
    let out = |name: &str| folder.path().join(name);
    let start = |out: &Path| {
        let mut program =
            train("all", out, &["--series-network=sequence-features", "--epochs=3", "--ema=0.9"]);
        program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    assert!(start(&out("whole")).wait().unwrap().success());
    kill_after_an_epoch(start(&out("killed")), &out("killed"));
    assert!(start(&out("killed")).wait().unwrap().success());
    assert_same(&out("killed"), &out("whole"));
    assert!(series(&out("killed")) == series(&out("whole")), "the networks of series differ");
}

#[test]
fn what_no_series_can_be_learned_from_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let features = "--series-network=sequence-features";
    for (number, (flags, expected)) in [
        (
            &["--series-network=sequence-probabilities"][..],
            "expectedsequence-featuresorsequence-trans",
        ),
        (&[features, "--window=17"], "--window17:expected2slicesormore"),
        (&[features, "--series-layers=0"], "--series-layers0"),
        (&[features, "--sampling=half"], "expected--samplingshuffled"),
        (&[features, "--task=any"], "expected--tasklabels"),
        (&[features, "--network=simple-nn"], "--networksimple-nn:anetworkofseriesreadsthemean"),
    ]
    .into_iter()
    .enumerate()
    {
        let out = folder.path().join(number.to_string());
        let refused = refusal(&train("all", &out, flags).output().unwrap());
        assert!(refused.contains(expected), "{refused}");
    }
    // A set with gaps is trained on, and said to be one; a set of before does not know its series.
    let output = train("some", &folder.path().join("some"), &[features, "--epochs=1"]).output();
    let output = text(&output.unwrap());
    assert!(output.contains("slices of the series are not in the set"), "{output}");
    let table = sets().join("some/splits.csv");
    let rows = std::fs::read_to_string(&table).unwrap();
    let first = |line: &str| line.split(',').take(5).collect::<Vec<_>>().join(",");
    std::fs::write(&table, rows.lines().map(first).collect::<Vec<_>>().join("\n")).unwrap();
    let before = train("some", &folder.path().join("before"), &[features, "--input=grey"]).output();
    let refused = refusal(&before.unwrap());
    assert!(refused.contains("doesnotsaywhere"), "{refused}");
}
