//! The steps of a recipe, from a data set to a submission.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use hemora_ct::{Label, Views};

use crate::about::about;
use crate::error::in_path;
use crate::step::Action;
use crate::{Cost, Dataset, Event, Programs, RecipeError, RecipeOptions, Stage1, Step};

/// The recipe that the set is prepared by: whole slices in HU at their own size, of which any input
/// can be made.
const HU: &str = "name = \"whole slices in HU\"\n\n[output]\nformat = \"hu\"\n";

/// Name of the steps that take all networks together.
const MEAN: &str = "mean";
/// Name and folder of the networks of series.
const STAGE2: &str = "stage2";

/// A recipe for a data set in a folder.
#[derive(Debug, Clone)]
pub struct Recipe {
    options: RecipeOptions,
    dataset: Dataset,
    out: PathBuf,
    steps: Vec<Step>,
}

impl Recipe {
    /// Lays out the steps. Nothing is written.
    ///
    /// # Errors
    /// [`RecipeError`] if an option is out of bounds or the labels cannot be read.
    pub fn plan(options: RecipeOptions, dataset: Dataset, out: &Path) -> Result<Self, RecipeError> {
        options.check()?;
        // Programs are started elsewhere than where paths were typed.
        let out = std::path::absolute(out).map_err(in_path(out))?;
        let slices = dataset.slices()?;
        let steps = steps(&options, &dataset, &out, slices);
        Ok(Self { options, dataset, out, steps })
    }

    /// The steps in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The bundle that is made.
    pub fn bundle(&self) -> PathBuf {
        self.out.join("model.hemora")
    }

    /// The page of the out-of-fold evaluation of what is submitted.
    pub fn evaluation(&self) -> PathBuf {
        self.out.join("evaluation").join(STAGE2).join("report.html")
    }

    /// The competition's table of the training images, out of fold.
    pub fn out_of_fold(&self) -> PathBuf {
        self.out.join("out-of-fold.csv")
    }

    /// The competition's table of the test images, where there are any.
    pub fn submission(&self) -> Option<PathBuf> {
        self.dataset.test.is_some().then(|| self.out.join("submission.csv"))
    }

    /// Counts what it costs and times a few images and steps on this machine.
    ///
    /// # Errors
    /// [`RecipeError`] if the labels cannot be read or a program not be started.
    pub fn cost(&self, programs: &Programs) -> Result<Cost, RecipeError> {
        Cost::measure(&self.options, &self.dataset, programs)
    }

    /// Number of steps that an earlier run completed.
    ///
    /// # Errors
    /// [`RecipeError::OtherSettings`] if the folder has steps of another recipe.
    pub fn complete(&self) -> Result<usize, RecipeError> {
        let mut count = 0;
        for (step, key) in self.keyed() {
            count += usize::from(step.is_complete(&self.out, &key)?);
        }
        Ok(count)
    }

    /// Whether a step is left that trains or predicts, which is what costs.
    ///
    /// # Errors
    /// As [`Recipe::complete`].
    pub fn trains(&self) -> Result<bool, RecipeError> {
        for (step, key) in self.keyed() {
            let trains = matches!(step.action, Action::Train(_));
            if trains && !step.is_complete(&self.out, &key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Forgets which steps are complete and removes what they wrote, if the folder has steps at all.
    ///
    /// # Errors
    /// [`RecipeError::Io`] if something cannot be removed.
    pub fn restart(&self) -> Result<(), RecipeError> {
        if !self.out.join("steps").is_dir() {
            return Ok(());
        }
        // The records last: a restart that is cut short is one that can be asked for again.
        let names = ["prepared", "stage1", STAGE2, "evaluation", "test", "steps"];
        for path in names.map(|name| self.out.join(name)) {
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(in_path(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Does every step that is not complete, in order. `told` hears of each.
    ///
    /// # Errors
    /// [`RecipeError`] of the step that failed; the same call goes on with it.
    pub fn run(
        &self,
        programs: &Programs,
        told: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), RecipeError> {
        let all = self.steps.len();
        let records = self.out.join("steps");
        fs::create_dir_all(&records).map_err(in_path(&records))?;
        for (place, (step, key)) in self.keyed().into_iter().enumerate() {
            if step.is_complete(&self.out, &key)? {
                told(Event::Complete(place + 1, all, step));
                continue;
            }
            told(Event::Begins(place + 1, all, step));
            let seconds = step.run(programs, &self.out, &key)?;
            told(Event::Ended(step, seconds));
        }
        Ok(())
    }

    /// The steps with what decides each: itself and all before it.
    fn keyed(&self) -> Vec<(&Step, String)> {
        let mut key = String::new();
        let keyed = self.steps.iter().map(|step| {
            key = step.key(&key);
            (step, key.clone())
        });
        keyed.collect()
    }
}

/// Words of a command.
fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.iter().map(Into::into).collect()
}

/// A flag with a path.
fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(path);
    flag
}

fn steps(options: &RecipeOptions, dataset: &Dataset, out: &Path, slices: usize) -> Vec<Step> {
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
        arguments.push(format!("--views={}", name(options.views)).into());
        steps.push(Step {
            name: format!("predict-{}", stage1.name),
            what: format!("out-of-fold probabilities and features of {}", stage1.name),
            action: Action::Train(arguments),
            files: Vec::new(),
            outputs: vec![predicted.join("slices.parquet"), predicted.join("features.safetensors")],
        });
    }
    let predicted = |name: &str| out.join("stage1").join(name).join("predicted/slices.parquet");
    let evaluated = |name: &str| out.join("evaluation").join(name);
    for Stage1 { name, .. } in &options.stage1 {
        steps.push(evaluate_step(options, name, &predicted(name), &index, &evaluated(name)));
    }
    let mut from = mean_step(&mut steps, options, out, "stage1", &predicted);
    if options.stage1.len() > 1 {
        steps.push(evaluate_step(options, MEAN, &from, &index, &evaluated(MEAN)));
    }
    from = stage2_steps(&mut steps, options, out, &from);
    steps.push(evaluate_step(options, STAGE2, &from, &index, &evaluated(STAGE2)));
    let best = &options.stage1[0];
    let run = out.join("stage1").join(&best.name);
    let bundle = out.join("model.hemora");
    let about_file = out.join("about.toml");
    let mut arguments = words(["model", "bundle"]);
    arguments.push(run.join("fold-1/model.safetensors").into());
    arguments.push(flag("about", &about_file));
    arguments.push(format!("--views={}", name(options.views)).into());
    arguments.push(flag("evaluation", &evaluated(&best.name)));
    arguments.push(flag("out", &bundle));
    steps.push(Step {
        name: "bundle".to_owned(),
        what: "a model that `hemora triage` takes".to_owned(),
        action: Action::Hemora(arguments),
        files: vec![(about_file, about(options, best, slices))],
        outputs: vec![bundle.clone()],
    });
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

/// Adds the mean of the networks' tables, where there are several; returns the table of it or of the
/// one.
fn mean_step(
    steps: &mut Vec<Step>,
    options: &RecipeOptions,
    out: &Path,
    stage: &str,
    table: &dyn Fn(&str) -> PathBuf,
) -> PathBuf {
    let mut tables: Vec<PathBuf> = options.stage1.iter().map(|it| table(&it.name)).collect();
    if tables.len() == 1 {
        return tables.remove(0);
    }
    let to = out.join(stage).join("mean.parquet");
    steps.push(Step {
        name: format!("{stage}-mean"),
        what: format!("{stage}: the mean of {} networks", tables.len()),
        action: Action::Mean { from: tables, to: to.clone() },
        files: Vec::new(),
        outputs: vec![to.clone()],
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
            flag("features", &predicted.join("features.safetensors")),
        ];
        let what = format!("stage 2: a network of series on the features of {name}");
        steps.push(sequence_step(options, out, name, what, own));
    }
    let first = |name: &str| out.join(STAGE2).join(name).join("slices.parquet");
    let own = [
        "--network=sequence-probabilities".into(),
        flag("slices", slices),
        flag("first", &mean_step(steps, options, out, STAGE2, &first)),
    ];
    let what = "stage 2: a network of series on probabilities and places".to_owned();
    steps.push(sequence_step(options, out, "probabilities", what, own));
    first("probabilities")
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

fn name(views: Views) -> &'static str {
    match views {
        Views::One => "one",
        Views::Flip => "flip",
        Views::Ten => "ten",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Preset};

    fn plan(test: Option<&str>, change: impl Fn(&mut RecipeOptions)) -> Recipe {
        let folder = tempfile::tempdir().unwrap();
        let labels = folder.path().join("labels.csv");
        let rows: Vec<String> = Label::ALL.map(|label| format!("ID_a_{label},0\n")).to_vec();
        fs::write(&labels, format!("ID,Label\n{}", rows.concat())).unwrap();
        let dataset = Dataset { images: "images".into(), labels, test: test.map(Into::into) };
        let mut options = RecipeOptions::new(Kind::Winner, Preset::Full);
        change(&mut options);
        Recipe::plan(options, dataset, Path::new("/out")).unwrap()
    }

    #[test]
    fn every_network_is_trained_and_predicted_before_the_evaluation() {
        let names = |recipe: &Recipe| -> Vec<String> {
            recipe.steps().iter().map(|step| step.name.clone()).collect()
        };
        let recipe = plan(None, |_| ());
        let found = names(&recipe);
        assert_eq!(found[..3], ["index", "prepare", "stage1-densenet121-windows"]);
        assert_eq!(found[10], "evaluate-se-resnext101-32x4d-both");
        assert_eq!(found[11..14], ["stage1-mean", "evaluate-mean", "stage2-densenet121-windows"]);
        let last =
            ["stage2-mean", "stage2-probabilities", "evaluate-stage2", "bundle", "out-of-fold"];
        assert_eq!(found[16..], last);
        assert!(
            recipe.submission().is_none() && recipe.evaluation().ends_with("stage2/report.html")
        );
        let second = recipe.steps()[17].command();
        assert!(second.contains("--slices=/out/stage1/mean.parquet"), "{second}");
        assert!(second.contains("--first=/out/stage2/mean.parquet"), "{second}");
        let one = plan(None, |options| options.stage1.truncate(1));
        let few = ["evaluate-densenet121-windows", "stage2-densenet121-windows"];
        assert_eq!(names(&one)[4..6], few);
        assert_eq!(
            names(&one)[6..],
            ["stage2-probabilities", "evaluate-stage2", "bundle", "out-of-fold"]
        );
        let tested = plan(Some("test"), |_| ());
        assert_eq!(names(&tested)[21..], ["test", "submission"]);
        assert!(tested.submission().unwrap().ends_with("submission.csv"));
        assert!(tested.steps()[21].command().contains("--model=/out/model.hemora"));
        let stage1 = recipe.steps()[2].command();
        assert!(
            stage1.contains("--config=winner --network=densenet121 --input=windows"),
            "{stage1}"
        );
    }

    #[test]
    fn another_setting_changes_the_steps_from_where_it_matters() {
        let keys = |recipe: &Recipe| -> Vec<String> {
            recipe.keyed().into_iter().map(|(_, key)| key).collect()
        };
        let hash = |change: fn(&mut RecipeOptions)| {
            // Of the same labels' path.
            let mut recipe = plan(None, change);
            let path = PathBuf::from("labels.csv");
            recipe.dataset.labels = path;
            recipe.steps = steps(&recipe.options, &recipe.dataset, &recipe.out, 1);
            keys(&recipe)
        };
        let (one, other) = (hash(|_| ()), hash(|options| options.epochs = 3));
        assert_eq!(one[..2], other[..2]);
        assert!(one[2..].iter().zip(&other[2..]).all(|(one, other)| one != other));
        assert_ne!(one[1], hash(|options| options.folds = 3)[1]);
    }
}
