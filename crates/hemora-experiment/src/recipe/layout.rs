//! The steps of a recipe one by one: which program with which arguments writes what.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use hemora_ct::Label;

use crate::engine::{Action, Call, Command, Convert, Step, chain};
use crate::recipe::submission::write_submission;
use crate::recipe::{Dataset, RecipeOptions, Stage1};

/// The recipe that the set is prepared by: whole slices in HU at their own size, of which any input
/// can be made.
const HU: &str = "name = \"whole slices in HU\"\n\n[output]\nformat = \"hu\"\n";

/// Name of the steps that take all networks together.
pub(super) const ENSEMBLE: &str = "ensemble";
/// Name and folder of the networks of series.
pub(super) const STAGE2: &str = "stage2";
/// Name of the network of series that reads probabilities.
pub(super) const PROBABILITIES: &str = "probabilities";
/// Folder of the records of complete steps.
pub(super) const RECORDS: &str = "steps";

/// A flag with a path.
pub(super) fn flag(name: &str, path: &Path) -> OsString {
    let mut flag = OsString::from(format!("--{name}="));
    flag.push(path);
    flag
}

/// `name=path`, as commands take several tables or bundles.
pub(super) fn named(name: &str, path: &Path) -> OsString {
    let mut named = OsString::from(format!("{name}="));
    named.push(path);
    named
}

/// What the steps are made of.
pub(super) struct Layout<'a> {
    pub(super) options: &'a RecipeOptions,
    pub(super) dataset: &'a Dataset,
    /// Folder of everything that is made.
    pub(super) out: &'a Path,
    /// Labelled slices of the data set.
    pub(super) slices: usize,
    steps: Vec<Step>,
}

impl<'a> Layout<'a> {
    /// All steps in order, each needing the one before, for a data set of so many slices.
    pub(super) fn steps(
        options: &'a RecipeOptions,
        dataset: &'a Dataset,
        out: &'a Path,
        slices: usize,
    ) -> Vec<Step> {
        let mut layout = Self { options, dataset, out, slices, steps: Vec::new() };
        layout.add_data();
        for stage1 in &options.stage1 {
            layout.add_stage1(stage1);
        }
        let several = options.stage1.len() > 1;
        for Stage1 { name, .. } in &options.stage1 {
            layout.add_evaluation(name, &layout.stage1_table(name));
        }
        let slices_table = layout.add_ensemble("stage1", &|layout, name| layout.stage1_table(name));
        if several {
            layout.add_evaluation(ENSEMBLE, &slices_table);
        }
        let last = layout.add_stage2(&slices_table);
        if several {
            layout.add_evaluation("stage2-ensemble", &layout.ensemble_table(STAGE2));
        }
        layout.add_evaluation(STAGE2, &last);
        let bundle = out.join("model.hemora");
        layout.add_bundles(&bundle);
        let of_training = out.join("out-of-fold.csv");
        layout.add_submission("out-of-fold", "training images, out of fold", last, of_training);
        layout.add_test(&bundle);
        chain(&mut layout.steps);
        layout.steps
    }

    /// A step that starts a program.
    pub(super) fn call(
        &self,
        name: impl Into<String>,
        title: impl Into<String>,
        command: Command,
        settings: Vec<OsString>,
    ) -> Step {
        let action = Action::Call(Call::new(command, settings));
        Step::new(&self.out.join(RECORDS), name, title, action)
    }

    pub(super) fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn index(&self) -> PathBuf {
        self.out.join("index.parquet")
    }

    fn set(&self) -> PathBuf {
        self.out.join("prepared")
    }

    /// Folder of the out-of-fold predictions of a network of slices.
    fn predicted(&self, name: &str) -> PathBuf {
        self.out.join("stage1").join(name).join("predicted")
    }

    /// Their table.
    fn stage1_table(&self, name: &str) -> PathBuf {
        self.predicted(name).join("slices.parquet")
    }

    /// The table of several networks as one.
    fn ensemble_table(&self, stage: &str) -> PathBuf {
        self.out.join(stage).join(ENSEMBLE).join("slices.parquet")
    }

    /// Folder of an evaluation.
    pub(super) fn evaluation(&self, name: &str) -> PathBuf {
        self.out.join("evaluation").join(name)
    }

    /// Adds the index and the prepared set.
    fn add_data(&mut self) {
        let (index, set) = (self.index(), self.set());
        let Dataset { images, labels, .. } = self.dataset;
        let settings = vec![images.into(), flag("labels", labels), flag("out", &index)];
        let title = "images and labels to one table";
        self.add(self.call("index", title, Command::Index, settings).writes([index.clone()]));
        let recipe = self.out.join("hu.toml");
        let settings = vec![
            index.into(),
            flag("out", &set),
            flag("recipe", &recipe),
            format!("--folds={}", self.options.folds).into(),
            format!("--seed={}", self.options.seed).into(),
        ];
        let title = format!("slices in HU, {} folds by patient", self.options.folds);
        let step = self.call("prepare", title, Command::Prepare, settings);
        self.add(step.with_file(recipe, HU.to_owned()).writes([set.join("labels.csv")]));
    }

    /// Adds the folds of a network of slices, and their out-of-fold predictions.
    fn add_stage1(&mut self, stage1: &Stage1) {
        let (options, name) = (self.options, &stage1.name);
        let run = self.out.join("stage1").join(name);
        let mut settings = vec![flag("prepared", &self.set())];
        settings.extend(options.network_flags(stage1));
        settings.push(flag("out", &run));
        let title = format!("stage 1: {} folds of {name}", options.folds);
        let step = self.call(format!("stage1-{name}"), title, Command::TrainRun, settings);
        self.add(step.writes([run.join("validation.csv")]));
        let predicted = self.predicted(name);
        let settings = vec![
            run.into(),
            flag("out", &predicted),
            format!("--views={}", options.views.name()).into(),
        ];
        let title = format!("out-of-fold probabilities and features of {name}");
        let step = self.call(format!("predict-{name}"), title, Command::TrainPredict, settings);
        let features =
            (1..=options.folds).map(|fold| predicted.join(format!("features-{fold}.safetensors")));
        self.add(step.writes(features).writes([self.stage1_table(name)]));
    }

    /// Adds the networks' tables as one, where there are several: their weighted mean, or their mean
    /// if that has less loss out of fold. Returns the table of it, or of the only network.
    fn add_ensemble(&mut self, stage: &str, table: &dyn Fn(&Self, &str) -> PathBuf) -> PathBuf {
        let networks = &self.options.stage1;
        if let [only] = networks.as_slice() {
            return table(self, &only.name);
        }
        let folder = self.out.join(stage).join(ENSEMBLE);
        let tables = networks.iter().map(|stage1| named(&stage1.name, &table(self, &stage1.name)));
        let settings = tables.chain([flag("out", &folder)]).collect();
        let title =
            format!("{stage}: {} networks as one, weighted if that is better", networks.len());
        let to = self.ensemble_table(stage);
        let step = self.call(format!("{stage}-{ENSEMBLE}"), title, Command::EnsembleFit, settings);
        self.add(step.writes([to.clone(), folder.join("ensemble.json")]));
        to
    }

    /// Adds the networks of whole series: one on the features of each network of stage 1, and one on
    /// the probabilities in the table `slices` and those of the first. Returns the last one's table.
    fn add_stage2(&mut self, slices: &Path) -> PathBuf {
        let options = self.options;
        for Stage1 { name, .. } in &options.stage1 {
            let inputs = [
                "--network=sequence-features".into(),
                flag("slices", &self.stage1_table(name)),
                flag("features", &self.predicted(name)),
            ];
            let title = format!("stage 2: a network of series on the features of {name}");
            self.add_series_network(name, title, inputs);
        }
        let table =
            |layout: &Self, name: &str| layout.out.join(STAGE2).join(name).join("slices.parquet");
        let first = self.add_ensemble(STAGE2, &table);
        let inputs = [
            "--network=sequence-probabilities".into(),
            flag("slices", slices),
            flag("first", &first),
        ];
        let title = "stage 2: a network of series on probabilities and positions".to_owned();
        self.add_series_network(PROBABILITIES, title, inputs);
        table(self, PROBABILITIES)
    }

    fn add_series_network(&mut self, name: &str, title: String, inputs: [OsString; 3]) {
        let run = self.out.join(STAGE2).join(name);
        let mut settings = inputs.to_vec();
        settings.extend(self.options.stage2.iter().map(Into::into));
        settings.push(format!("--seed={}", self.options.seed).into());
        settings.push(flag("out", &run));
        let name = format!("{STAGE2}-{name}");
        let step = self.call(name, title, Command::TrainSequence, settings);
        self.add(step.writes([run.join("slices.parquet")]));
    }

    /// Adds the evaluation of a table of out-of-fold predictions.
    fn add_evaluation(&mut self, name: &str, predicted: &Path) {
        let evaluation = self.evaluation(name);
        let mut settings = vec![predicted.into(), "--id".into(), "id".into()];
        let column = |label: Label| format!("--column={label}=prob_{label}").into();
        settings.extend(Label::ALL.map(column));
        settings.extend([
            flag("index", &self.index()),
            flag("out", &evaluation),
            format!("--name={name}, out of fold").into(),
            format!("--resamples={}", self.options.resamples).into(),
            "--pictures=0".into(),
        ]);
        let title = format!("out-of-fold evaluation of {name}, intervals clustered by patient");
        let step = self.call(format!("evaluate-{name}"), title, Command::Evaluate, settings);
        self.add(step.writes(["metrics.json", "report.html"].map(|file| evaluation.join(file))));
    }

    /// Adds the competition's table of predictions.
    fn add_submission(&mut self, name: &str, images: &str, from: PathBuf, to: PathBuf) {
        let conversion = Convert { from, to: to.clone(), convert: write_submission };
        let title = format!("the competition's table for the {images}");
        let action = Action::Convert(conversion);
        self.add(Step::new(&self.out.join(RECORDS), name, title, action).writes([to]));
    }

    /// Adds the predictions of the test images, where there are any.
    fn add_test(&mut self, bundle: &Path) {
        let Some(test) = &self.dataset.test else { return };
        let folder = self.out.join("test");
        let settings =
            vec![test.into(), flag("model", bundle), flag("out", &folder), "--all-series".into()];
        let title = "probabilities of the test images";
        let from = folder.join("result.csv");
        self.add(self.call("test", title, Command::Triage, settings).writes([from.clone()]));
        self.add_submission("submission", "test images", from, self.out.join("submission.csv"));
    }
}
