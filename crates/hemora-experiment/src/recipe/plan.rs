//! A recipe from a data set to a submission: its steps, run in order and not twice.

use std::fs;
use std::path::{Path, PathBuf};

use crate::engine::{Programs, Record, Step, StepEvent, run_steps};
use crate::recipe::error::in_path;
use crate::recipe::layout::{Layout, RECORDS, STAGE2};
use crate::recipe::members::MEMBERS;
use crate::recipe::{Cost, Dataset, RecipeError, RecipeOptions};

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
        let steps = Layout::steps(&options, &dataset, &out, slices);
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
    /// [`RecipeError`] if the labels cannot be read or a program cannot be started.
    pub fn cost(&self, programs: &Programs) -> Result<Cost, RecipeError> {
        Cost::measure(&self.options, &self.dataset, programs)
    }

    /// Number of steps that an earlier run completed.
    ///
    /// # Errors
    /// [`RecipeError::Step`] if the folder has steps of another recipe.
    pub fn complete(&self) -> Result<usize, RecipeError> {
        let mut count = 0;
        for step in &self.steps {
            count += usize::from(Record::find(step)?.is_some());
        }
        Ok(count)
    }

    /// Whether a step is left that trains or predicts, which is what costs.
    ///
    /// # Errors
    /// As [`Recipe::complete`].
    pub fn trains(&self) -> Result<bool, RecipeError> {
        for step in &self.steps {
            if step.trains() && Record::find(step)?.is_none() {
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
        if !self.out.join(RECORDS).is_dir() {
            return Ok(());
        }
        // The records last: a restart that is cut short is one that can be asked for again.
        let names = ["prepared", "stage1", STAGE2, "evaluation", MEMBERS, "test", RECORDS];
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

    /// Does every step that is not complete, in order, and tells `on_event` of each.
    ///
    /// # Errors
    /// [`RecipeError`] of the step that failed; the same call goes on with it.
    pub fn run(
        &self,
        programs: &Programs,
        on_event: &mut dyn FnMut(&StepEvent<'_>),
    ) -> Result<(), RecipeError> {
        run_steps(&self.steps, programs, false, &mut |event| {
            on_event(&event);
            match event {
                StepEvent::Ended(ended) => Ok(ended.outcome.map(drop)?),
                _ => Ok(()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use hemora_ct::Label;

    use super::*;
    use crate::recipe::{Kind, Preset};

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
        let next = ["stage1-ensemble", "evaluate-ensemble", "stage2-densenet121-windows"];
        assert_eq!(found[11..14], next);
        let next = [
            "stage2-ensemble",
            "stage2-probabilities",
            "evaluate-stage2-ensemble",
            "evaluate-stage2",
        ];
        assert_eq!(found[16..20], next);
        assert_eq!(found[20], "member-densenet121-windows-1");
        assert_eq!(found[34..], ["member-se-resnext101-32x4d-both-5", "bundle", "out-of-fold"]);
        assert!(
            recipe.submission().is_none() && recipe.evaluation().ends_with("stage2/report.html")
        );
        let fit = recipe.steps()[16].command();
        let of = "densenet121-windows=/out/stage2/densenet121-windows/slices.parquet";
        assert!(fit.starts_with("hemora ensemble fit ") && fit.contains(of), "{fit}");
        let second = recipe.steps()[17].command();
        assert!(second.contains("--slices=/out/stage1/ensemble/slices.parquet"), "{second}");
        assert!(second.contains("--first=/out/stage2/ensemble/slices.parquet"), "{second}");
        let member = recipe.steps()[21].command();
        for part in [
            "/out/stage1/densenet121-windows/fold-2/model.safetensors",
            "--series-run=/out/stage2/densenet121-windows --own-fold --about=/out/members/",
            "--out=/out/members/densenet121-windows-2.hemora",
        ] {
            assert!(member.contains(part), "{part}: {member}");
        }
        let bundle = recipe.steps()[35].command();
        assert_eq!(bundle.matches(".hemora").count(), 16, "{bundle}");
        for part in [
            "hemora ensemble bundle densenet121-windows=/out/members/densenet121-windows-1.hemora ",
            " --fit=/out/stage2/ensemble/ensemble.json ",
            " --series-run=/out/stage2/probabilities ",
            " --slices-fit=/out/stage1/ensemble/ensemble.json ",
            " --evaluation=/out/evaluation/stage2 ",
        ] {
            assert!(bundle.contains(part), "{part}: {bundle}");
        }
        let one = plan(None, |options| options.stage1.truncate(1));
        let few = ["evaluate-densenet121-windows", "stage2-densenet121-windows"];
        assert_eq!(names(&one)[4..6], few);
        let next = ["stage2-probabilities", "evaluate-stage2", "member-densenet121-windows-1"];
        assert_eq!(names(&one)[6..9], next);
        assert_eq!(names(&one)[13..], ["bundle", "out-of-fold"]);
        let member = one.steps()[8].command();
        assert!(member.contains("--series-run=/out/stage2/probabilities --own-fold"), "{member}");
        assert!(!one.steps()[13].command().contains("--fit"));
        // One fold alone is one bundle.
        let small = plan(None, |options| {
            options.stage1.truncate(1);
            options.one_fold = true;
        });
        assert_eq!(names(&small)[7..], ["evaluate-stage2", "bundle", "out-of-fold"]);
        let bundle = small.steps()[8].command();
        assert!(bundle.contains("--series-run=/out/stage2/probabilities --about="), "{bundle}");
        assert!(bundle.ends_with("--out=/out/model.hemora"), "{bundle}");
        let tested = plan(Some("test"), |_| ());
        assert_eq!(names(&tested)[37..], ["test", "submission"]);
        assert!(tested.submission().unwrap().ends_with("submission.csv"));
        assert!(tested.steps()[37].command().contains("--model=/out/model.hemora"));
        let stage1 = recipe.steps()[2].command();
        assert!(
            stage1.contains("--config=winner --network=densenet121 --input=windows"),
            "{stage1}"
        );
    }

    #[test]
    fn another_setting_changes_the_steps_from_where_it_matters() {
        let hash = |change: fn(&mut RecipeOptions)| {
            // The same path of the labels each time.
            let mut recipe = plan(None, change);
            recipe.dataset.labels = PathBuf::from("labels.csv");
            let steps = Layout::steps(&recipe.options, &recipe.dataset, &recipe.out, 1);
            steps.iter().map(Step::key).collect::<Vec<String>>()
        };
        let (one, other) = (hash(|_| ()), hash(|options| options.epochs = 3));
        assert_eq!(one[..2], other[..2]);
        assert!(one[2..].iter().zip(&other[2..]).all(|(one, other)| one != other));
        assert_ne!(one[1], hash(|options| options.folds = 3)[1]);
    }
}
