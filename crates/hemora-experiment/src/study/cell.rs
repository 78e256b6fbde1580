//! A cell: the step that trains and predicts it, and its figures.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::engine::{Action, Call, Command, Record, Step, write_json};
use crate::study::document::{Epoch, Measured};
use crate::study::error::in_path;
use crate::study::figures::{Predicted, figures};
use crate::study::selection::Selection;
use crate::study::set::StudySet;
use crate::study::{Cell, StudyError, StudyOptions};

/// `cell.json`: the figures of a cell, with the key of the step that they are measured of.
#[derive(Debug, Serialize, Deserialize)]
struct MeasuredFile {
    key: String,
    measured: Measured,
}

/// Everything that a cell needs.
pub(super) struct Job<'a> {
    pub(super) cell: &'a Cell,
    pub(super) set: &'a StudySet,
    pub(super) selection: &'a Selection,
    /// The selection's table.
    pub(super) table: &'a Path,
    /// SHA-256 of it.
    pub(super) table_sha256: &'a str,
    pub(super) options: &'a StudyOptions,
    /// The cell's folder.
    pub(super) folder: PathBuf,
    /// Whether an earlier run is forgotten.
    pub(super) restart: bool,
    /// Its work, in any one unit.
    pub(super) work: f64,
}

impl Job<'_> {
    /// The step that trains the network and predicts the test images.
    pub(super) fn step(&self) -> Step {
        let run = self.run_folder();
        let mut paths: Vec<OsString> = vec!["--split".into(), self.table.into()];
        paths.extend(["--out".into(), run.clone().into()]);
        if self.restart {
            paths.push("--restart".into());
        }
        let call = Call { paths, ..Call::new(Command::TrainRun, self.settings()) };
        let step = Step::new(&self.folder, "step", self.cell.to_string(), Action::Call(call));
        Step {
            name: self.cell.name(),
            needs: vec![self.table_sha256.to_owned()],
            log: Some(self.folder.join("train.log")),
            work: self.work,
            ..step.writes(["test.csv", "metrics.jsonl"].map(|file| run.join(file)))
        }
    }

    fn run_folder(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// The arguments of the training that decide its result.
    fn settings(&self) -> Vec<OsString> {
        let Job { cell, options, set, .. } = self;
        let training = &options.training;
        let mut settings: Vec<OsString> = Vec::new();
        let mut add = |name: &str, value: OsString| {
            settings.extend([format!("--{name}").into(), value]);
        };
        add("images", set.images.clone().into());
        add("labels", set.labels.clone().into());
        for groups in &set.groups {
            add("groups", groups.into());
        }
        add("split-by", cell.draw.split.name().into());
        add("network", cell.network.clone().into());
        add("task", cell.draw.question.task().into());
        add("size", training.size.to_string().into());
        add("working-size", training.size.to_string().into());
        add("epochs", options.epochs(&cell.network).to_string().into());
        add("batch", training.batch.to_string().into());
        add("optimizer", training.optimizer.clone().into());
        if let Some(rate) = training.learning_rate {
            add("learning-rate", rate.to_string().into());
        }
        add("seed", options.seed.wrapping_add(cell.draw.repeat).to_string().into());
        add("schedule", training.schedule.clone().into());
        add("dropout", "0".into());
        add("any-weight", "1".into());
        // Keras bounds no gradient, and of augmentation the study reports nothing.
        add("clip", "0".into());
        add("augment", "none".into());
        settings.extend(training.flags.iter().map(Into::into));
        settings
    }

    /// The figures of a step that an earlier run completed: those that were measured then, or measured
    /// now.
    ///
    /// # Errors
    /// [`StudyError`] if what the training wrote cannot be used.
    pub(super) fn earlier(&self, record: &Record) -> Result<Measured, StudyError> {
        let text = fs::read(self.measured_path()).ok();
        let earlier = text.and_then(|text| serde_json::from_slice::<MeasuredFile>(&text).ok());
        match earlier.filter(|earlier| earlier.key == record.key) {
            Some(earlier) => Ok(earlier.measured),
            None => self.measured(record),
        }
    }

    /// Measures what the step wrote, and keeps the figures. A step that cannot be measured is not
    /// complete: the next run does it again.
    ///
    /// # Errors
    /// [`StudyError`] if what the training wrote cannot be used.
    pub(super) fn measured(&self, record: &Record) -> Result<Measured, StudyError> {
        let measured = match self.measure(record) {
            Ok(measured) => measured,
            Err(error) => {
                Record::remove(&self.step())?;
                return Err(error);
            }
        };
        let file = MeasuredFile { key: record.key.clone(), measured: measured.clone() };
        write_json(&self.measured_path(), &file)?;
        // They are larger than all else together, and nothing goes on from them any more.
        let checkpoints = self.run_folder().join("checkpoints");
        if checkpoints.is_dir() {
            fs::remove_dir_all(&checkpoints).map_err(in_path(&checkpoints))?;
        }
        Ok(measured)
    }

    fn measured_path(&self) -> PathBuf {
        self.folder.join("cell.json")
    }

    fn measure(&self, record: &Record) -> Result<Measured, StudyError> {
        let run = self.run_folder();
        let path = run.join("test.csv");
        let predicted = Predicted::read(&path, self.cell.draw.question.labels())?;
        let wrong = |reason: String| StudyError::Output { path: path.clone(), reason };
        let test = self.selection.part(hemora_data::Part::Test);
        let mut groups = Vec::with_capacity(predicted.ids.len());
        for (row, id) in predicted.ids.iter().enumerate() {
            let index = test.binary_search_by(|&index| self.set.items[index].id.as_str().cmp(id));
            let item = index.map(|index| &self.set.items[test[index]]);
            let item = item.map_err(|_| wrong(format!("`{id}` is no test image of the cell")))?;
            let agrees = predicted
                .columns
                .iter()
                .all(|column| item.labels[column.label.index()] == column.truth[row]);
            if !agrees {
                return Err(wrong(format!("the labels of `{id}` are not those of the set")));
            }
            groups.push(item.group.as_str());
        }
        let seed = self.options.seed;
        let figures = figures(&predicted.columns, &groups, self.options.resamples, seed)?;
        let epochs = read_epochs(&run.join("metrics.jsonl"))?;
        Ok(Measured {
            best_epoch: best(&epochs),
            epochs,
            seconds: record.seconds,
            device: record.device.clone(),
            missing: (test.len() - predicted.ids.len()) as u64,
            figures,
        })
    }
}

/// The lines of `metrics.jsonl`.
fn read_epochs(path: &Path) -> Result<Vec<Epoch>, StudyError> {
    let text = fs::read_to_string(path).map_err(in_path(path))?;
    let epoch = |line: &str| {
        serde_json::from_str(line).map_err(|error| StudyError::Output {
            path: path.to_owned(),
            reason: format!("no line of an epoch: {error}"),
        })
    };
    text.lines().map(epoch).collect()
}

/// The first epoch with the highest validation AUC, whose weights the trainer keeps.
fn best(epochs: &[Epoch]) -> Option<u64> {
    let mut best: Option<(f64, u64)> = None;
    for epoch in epochs {
        if let Some(auc) = epoch.mean_auroc
            && best.is_none_or(|(highest, _)| auc > highest)
        {
            best = Some((auc, epoch.epoch));
        }
    }
    best.map(|(_, epoch)| epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::testing::set;
    use crate::study::{Draw, Question, SplitKind};

    #[test]
    fn the_first_of_the_best_epochs_is_kept() {
        let epoch =
            |epoch, mean_auroc| Epoch { epoch, train_loss: 0.5, validation_loss: 0.5, mean_auroc };
        let epochs =
            [epoch(1, Some(0.6)), epoch(2, Some(0.8)), epoch(3, None), epoch(4, Some(0.8))];
        assert_eq!(best(&epochs), Some(2));
        assert_eq!(best(&epochs[2..3]), None);
    }

    /// All that a job borrows.
    struct Whole {
        set: StudySet,
        options: StudyOptions,
        selection: Selection,
        cell: Cell,
    }

    impl Whole {
        fn new() -> Self {
            let (set, options) = (set(40, 8), StudyOptions::quick());
            let (question, split) = (Question::AtLeast(1), SplitKind::Patient);
            let draw = Draw { question, split, repeat: 0 };
            let selection = Selection::draw(&set, draw, None, &options).unwrap();
            Self { set, options, selection, cell: Cell { network: "simple-nn".to_owned(), draw } }
        }

        fn job<'a>(&'a self, folder: &Path) -> Job<'a> {
            Job {
                cell: &self.cell,
                set: &self.set,
                selection: &self.selection,
                table: Path::new("split.csv"),
                table_sha256: "one",
                options: &self.options,
                folder: folder.to_owned(),
                restart: false,
                work: 1.0,
            }
        }
    }

    #[test]
    fn a_finished_cell_is_taken_up_only_with_the_same_settings_and_images() {
        let folder = tempfile::tempdir().unwrap();
        let whole = Whole::new();
        let mut job = whole.job(folder.path());
        let key = |job: &Job| job.step().key();
        let first = key(&job);
        // Starting over and another place give the same result, other images another.
        job.restart = true;
        job.table = Path::new("elsewhere.csv");
        job.folder = folder.path().join("elsewhere");
        assert_eq!(key(&job), first);
        job.table_sha256 = "other";
        assert_ne!(key(&job), first);
        // A measured cell is not measured again.
        let measured = Measured {
            epochs: Vec::new(),
            best_epoch: None,
            seconds: 1.0,
            device: None,
            missing: 0,
            figures: Vec::new(),
        };
        let job = whole.job(folder.path());
        let file = MeasuredFile { key: first.clone(), measured: measured.clone() };
        write_json(&folder.path().join("cell.json"), &file).unwrap();
        let record = Record { key: first, command: String::new(), seconds: 2.0, device: None };
        assert_eq!(job.earlier(&record).unwrap(), measured);
        // Of other settings it is, and after it ran again: here there is nothing to measure, and
        // the step is done again.
        let of_step = job.step().record;
        write_json(&of_step, &record).unwrap();
        assert!(job.measured(&record).is_err() && !of_step.exists());
        write_json(&of_step, &record).unwrap();
        let record = Record { key: "other".to_owned(), ..record };
        assert!(job.earlier(&record).is_err() && !of_step.exists());
    }
}
