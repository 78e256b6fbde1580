//! The steps of a recipe one by one: which program with which arguments writes what.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hemora_ct::Label;

use crate::recipe::members::bundle_steps;
use crate::recipe::step::Action;
use crate::recipe::{Dataset, RecipeOptions, Stage1, Step};

/// The recipe that the set is prepared by: whole slices in HU at their own size, of which any input
/// can be made.
const HU: &str = "name = \"whole slices in HU\"\n\n[output]\nformat = \"hu\"\n";

/// Name of the steps that take all networks together.
pub(crate) const ENSEMBLE: &str = "ensemble";
/// Name and folder of the networks of series.
pub(crate) const STAGE2: &str = "stage2";
/// Name of the network of series that reads probabilities.
pub(crate) const PROBABILITIES: &str = "probabilities";

/// Words of a command.
pub(crate) fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.iter().map(Into::into).collect()
}

/// A flag with a path.
pub(crate) fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(path);
    flag
}

/// All steps in order, for a data set of so many slices.
pub(crate) fn steps(
    options: &RecipeOptions,
    dataset: &Dataset,
    out: &Path,
    slices: usize,
) -> Vec<Step> {
    let (index, set) = (out.join("index.parquet"), out.join("prepared"));
    let mut steps = vec![index_step(dataset, &index), prepare_step(options, out, &index, &set)];
    for stage1 in &options.stage1 {
        let run = out.join("stage1").join(&stage1.name);
        let mut arguments = words(["run"]);
        arguments.push(flag("prepared", &set));
        arguments.extend(options.network_flags(stage1));
        arguments.push(flag("out", &run));
        steps.push(Step {
            name: format!("stage1-{}", stage1.name),
            what: format!("stage 1: {} folds of {}", options.folds, stage1.name),
            action: Action::Train(arguments),
            files: Vec::new(),
            outputs: vec![run.join("validation.csv")],
        });
        let predicted = run.join("predicted");
        let mut arguments = words(["predict"]);
        arguments.push(run.clone().into());
        arguments.push(flag("out", &predicted));
        arguments.push(format!("--views={}", options.views.name()).into());
        steps.push(Step {
            name: format!("predict-{}", stage1.name),
            what: format!("out-of-fold probabilities and features of {}", stage1.name),
            action: Action::Train(arguments),
            files: Vec::new(),
            outputs: (1..=options.folds)
                .map(|fold| predicted.join(format!("features-{fold}.safetensors")))
                .chain([predicted.join("slices.parquet")])
                .collect(),
        });
    }
    let predicted = |name: &str| out.join("stage1").join(name).join("predicted/slices.parquet");
    let evaluated = |name: &str| out.join("evaluation").join(name);
    for Stage1 { name, .. } in &options.stage1 {
        steps.push(evaluate_step(options, name, &predicted(name), &index, &evaluated(name)));
    }
    let mut from = ensemble_step(&mut steps, options, out, "stage1", &predicted);
    if options.stage1.len() > 1 {
        steps.push(evaluate_step(options, ENSEMBLE, &from, &index, &evaluated(ENSEMBLE)));
    }
    from = stage2_steps(&mut steps, options, out, &from);
    if options.stage1.len() > 1 {
        let (name, of_members) = ("stage2-ensemble", ensemble_table(out, STAGE2));
        steps.push(evaluate_step(options, name, &of_members, &index, &evaluated(name)));
    }
    steps.push(evaluate_step(options, STAGE2, &from, &index, &evaluated(STAGE2)));
    let bundle = out.join("model.hemora");
    steps.extend(bundle_steps(options, out, &bundle, slices));
    let table = |name: &str, of: &str, from: PathBuf, to: PathBuf| Step {
        name: name.to_owned(),
        what: format!("the competition's table for the {of}"),
        action: Action::Submission { from, to: to.clone() },
        files: Vec::new(),
        outputs: vec![to],
    };
    let of = "training images, out of fold";
    steps.push(table("out-of-fold", of, from, out.join("out-of-fold.csv")));
    if let Some(test) = &dataset.test {
        let results = out.join("test");
        let mut arguments = words(["triage"]);
        arguments.push(test.into());
        arguments.push(flag("model", &bundle));
        arguments.push(flag("out", &results));
        arguments.push("--all-series".into());
        steps.push(Step {
            name: "test".to_owned(),
            what: "probabilities of the test images".to_owned(),
            action: Action::Hemora(arguments),
            files: Vec::new(),
            outputs: vec![results.join("result.csv")],
        });
        let from = results.join("result.csv");
        steps.push(table("submission", "test images", from, out.join("submission.csv")));
    }
    steps
}

/// The table of several networks as one.
fn ensemble_table(out: &Path, stage: &str) -> PathBuf {
    out.join(stage).join(ENSEMBLE).join("slices.parquet")
}

/// Adds the networks' tables as one, where there are several: their weighted mean, or their mean if that
/// has less loss out of fold. Returns the table of it or of the one.
fn ensemble_step(
    steps: &mut Vec<Step>,
    options: &RecipeOptions,
    out: &Path,
    stage: &str,
    table: &dyn Fn(&str) -> PathBuf,
) -> PathBuf {
    if let [only] = options.stage1.as_slice() {
        return table(&only.name);
    }
    let to = ensemble_table(out, stage);
    let folder = out.join(stage).join(ENSEMBLE);
    let mut arguments = words(["ensemble", "fit"]);
    for Stage1 { name, .. } in &options.stage1 {
        let mut named = OsString::from(format!("{name}="));
        named.push(table(name));
        arguments.push(named);
    }
    arguments.push(flag("out", &folder));
    steps.push(Step {
        name: format!("{stage}-{ENSEMBLE}"),
        what: format!(
            "{stage}: {} networks as one, weighted if that is better",
            options.stage1.len()
        ),
        action: Action::Hemora(arguments),
        files: Vec::new(),
        outputs: vec![to.clone(), folder.join("ensemble.json")],
    });
    to
}

/// Adds the networks of whole series: one on the features of each network of stage 1, and one on
/// the probabilities `slices` and what those say. Returns the table of the last.
fn stage2_steps(
    steps: &mut Vec<Step>,
    options: &RecipeOptions,
    out: &Path,
    slices: &Path,
) -> PathBuf {
    for Stage1 { name, .. } in &options.stage1 {
        let predicted = out.join("stage1").join(name).join("predicted");
        let own = [
            "--network=sequence-features".into(),
            flag("slices", &predicted.join("slices.parquet")),
            flag("features", &predicted),
        ];
        let what = format!("stage 2: a network of series on the features of {name}");
        steps.push(sequence_step(options, out, name, what, own));
    }
    let first = |name: &str| out.join(STAGE2).join(name).join("slices.parquet");
    let own = [
        "--network=sequence-probabilities".into(),
        flag("slices", slices),
        flag("first", &ensemble_step(steps, options, out, STAGE2, &first)),
    ];
    let what = "stage 2: a network of series on probabilities and places".to_owned();
    steps.push(sequence_step(options, out, PROBABILITIES, what, own));
    first(PROBABILITIES)
}

fn sequence_step(
    options: &RecipeOptions,
    out: &Path,
    name: &str,
    what: String,
    own: [OsString; 3],
) -> Step {
    let run = out.join(STAGE2).join(name);
    let mut arguments = words(["sequence"]);
    arguments.extend(own);
    arguments.extend(options.stage2.iter().map(Into::into));
    arguments.push(format!("--seed={}", options.seed).into());
    arguments.push(flag("out", &run));
    Step {
        name: format!("{STAGE2}-{name}"),
        what,
        action: Action::Train(arguments),
        files: Vec::new(),
        outputs: vec![run.join("slices.parquet")],
    }
}

fn index_step(dataset: &Dataset, index: &Path) -> Step {
    let mut arguments = words(["index"]);
    arguments.push(dataset.images.clone().into());
    arguments.push(flag("labels", &dataset.labels));
    arguments.push(flag("out", index));
    Step {
        name: "index".to_owned(),
        what: "images and labels to one table".to_owned(),
        action: Action::Hemora(arguments),
        files: Vec::new(),
        outputs: vec![index.to_owned()],
    }
}

fn prepare_step(options: &RecipeOptions, out: &Path, index: &Path, set: &Path) -> Step {
    let recipe = out.join("hu.toml");
    let mut arguments = words(["prepare"]);
    arguments.push(index.into());
    arguments.push(flag("out", set));
    arguments.push(flag("recipe", &recipe));
    arguments.push(format!("--folds={}", options.folds).into());
    arguments.push(format!("--seed={}", options.seed).into());
    Step {
        name: "prepare".to_owned(),
        what: format!("slices in HU, {} folds by patient", options.folds),
        action: Action::Hemora(arguments),
        files: vec![(recipe, HU.to_owned())],
        outputs: vec![set.join("labels.csv")],
    }
}

fn evaluate_step(
    options: &RecipeOptions,
    name: &str,
    predicted: &Path,
    index: &Path,
    evaluation: &Path,
) -> Step {
    let mut arguments = words(["evaluate"]);
    arguments.push(predicted.into());
    arguments.extend(words(["--id", "id"]));
    for label in Label::ALL {
        arguments.push(format!("--column={label}=prob_{label}").into());
    }
    arguments.push(flag("index", index));
    arguments.push(flag("out", evaluation));
    arguments.push(format!("--name={name}, out of fold").into());
    arguments.push(format!("--repeats={}", options.resamples).into());
    arguments.push("--pictures=0".into());
    Step {
        name: format!("evaluate-{name}"),
        what: format!("out-of-fold evaluation of {name}, intervals clustered by patient"),
        action: Action::Hemora(arguments),
        files: Vec::new(),
        outputs: vec![evaluation.join("metrics.json"), evaluation.join("report.html")],
    }
}
