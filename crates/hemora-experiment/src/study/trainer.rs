//! The training program: started for a cell, watched, and its results read.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::study::document::{Epoch, Measured, Outcome};
use crate::study::error::in_path;
use crate::study::figures::{Predicted, figures};
use crate::study::files::{write_json, write_whole};
use crate::study::selection::Selection;
use crate::study::set::StudySet;
use crate::study::{Cell, StudyError, StudyOptions};

/// Lines of the program's output that a failure shows.
const LAST_LINES: usize = 12;

/// What decides a cell's result: where both are the same, it is not run again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CellConfig {
    /// Flags of the program.
    pub(crate) flags: Vec<String>,
    /// SHA-256 of the split's table.
    pub(crate) split_sha256: String,
}

/// `cell.json`: what was run, and what came of it.
#[derive(Debug, Serialize, Deserialize)]
struct Finished {
    config: CellConfig,
    measured: Measured,
}

/// Everything that a cell needs.
pub(crate) struct Job<'a> {
    pub(crate) program: &'a Path,
    pub(crate) cell: &'a Cell,
    pub(crate) set: &'a StudySet,
    pub(crate) selection: &'a Selection,
    /// The selection's table.
    pub(crate) table: &'a Path,
    /// SHA-256 of it.
    pub(crate) table_sha256: &'a str,
    pub(crate) options: &'a StudyOptions,
    pub(crate) threads: usize,
    /// The cell's folder.
    pub(crate) folder: PathBuf,
    pub(crate) restart: bool,
}

impl Job<'_> {
    fn config(&self) -> CellConfig {
        let Job { cell, options, set, .. } = self;
        let training = &options.training;
        let mut flags = Vec::new();
        let mut add = |name: &str, value: String| flags.extend([format!("--{name}"), value]);
        add("images", set.images.display().to_string());
        add("labels", set.labels.display().to_string());
        for groups in &set.groups {
            add("groups", groups.clone());
        }
        add("split-by", cell.draw.split.name().to_owned());
        add("network", cell.network.clone());
        add("task", cell.draw.question.task().to_owned());
        add("size", training.size.to_string());
        add("working-size", training.size.to_string());
        add("epochs", options.epochs(&cell.network).to_string());
        add("batch", training.batch.to_string());
        add("optimizer", training.optimizer.clone());
        if let Some(rate) = training.learning_rate {
            add("learning-rate", rate.to_string());
        }
        add("seed", options.seed.wrapping_add(cell.draw.repeat).to_string());
        add("schedule", training.schedule.clone());
        add("dropout", "0".to_owned());
        add("any-weight", "1".to_owned());
        // Keras bounds no gradient, and of augmentation the study says nothing.
        add("clip", "0".to_owned());
        flags.extend(["--augment", "none"].map(str::to_owned));
        flags.extend(training.flags.iter().cloned());
        CellConfig { flags, split_sha256: self.table_sha256.to_owned() }
    }

    fn result_path(&self) -> PathBuf {
        self.folder.join("cell.json")
    }

    /// What an earlier run of the study measured with the same settings and images; `None` if the
    /// cell was not finished.
    ///
    /// # Errors
    /// [`StudyError::OtherSettings`] if the folder has a result of other settings and nothing says
    /// to start over.
    pub(crate) fn finished(&self) -> Result<Option<Measured>, StudyError> {
        if self.restart {
            return Ok(None);
        }
        let path = self.result_path();
        let text = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(in_path(&path))?,
        };
        match serde_json::from_slice::<Finished>(&text) {
            Ok(finished) if finished.config == self.config() => Ok(Some(finished.measured)),
            _ => Err(StudyError::OtherSettings(path)),
        }
    }

    /// Runs the program and measures what it predicted. `told` gets a line an epoch.
    ///
    /// # Errors
    /// [`StudyError`] if the program cannot be started or the results not be written. That it
    /// failed is an outcome.
    pub(crate) fn run(&self, told: &mut dyn FnMut(&str)) -> Result<Outcome, StudyError> {
        let begin = Instant::now();
        let (run, config) = (self.folder.join("run"), self.config());
        let mut command = Command::new(self.program);
        command.arg("run").args(&config.flags).arg("--split").arg(self.table);
        command.arg("--threads").arg(self.threads.to_string()).arg("--out").arg(&run);
        if self.restart {
            command.arg("--restart");
        }
        let log = self.folder.join("train.log");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| StudyError::Start { program: self.program.to_owned(), source })?;
        write_whole(&log, b"")?;
        let mut file = fs::OpenOptions::new().append(true).open(&log).map_err(in_path(&log))?;
        let (mut last, mut device) = (Vec::new(), None);
        let output = child.stderr.take().expect("it is piped");
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            writeln!(file, "{line}").map_err(in_path(&log))?;
            if line.starts_with("epoch ") {
                told(&line);
            } else if let Some(name) = line.strip_prefix("device: ") {
                device = Some(name.to_owned());
            }
            if last.len() == LAST_LINES {
                last.remove(0);
            }
            last.push(line);
        }
        let status = child.wait().map_err(in_path(self.program))?;
        if !status.success() {
            let words = last.join("\n");
            return Ok(Outcome::Failed(format!("hemora-train ended with {status}:\n{words}")));
        }
        let mut measured = self.measure(&run)?;
        measured.seconds = begin.elapsed().as_secs_f64();
        measured.device = device;
        write_json(&self.result_path(), &Finished { config, measured: measured.clone() })?;
        // They are larger than all else together, and nothing goes on from them any more.
        let checkpoints = run.join("checkpoints");
        if checkpoints.is_dir() {
            fs::remove_dir_all(&checkpoints).map_err(in_path(&checkpoints))?;
        }
        Ok(Outcome::Measured(Box::new(measured)))
    }

    fn measure(&self, run: &Path) -> Result<Measured, StudyError> {
        let path = run.join("test.csv");
        let predicted = Predicted::read(&path, self.cell.draw.question.labels())?;
        let wrong = |reason: String| StudyError::Output { path: path.clone(), reason };
        let test = self.selection.part(hemora_data::Part::Test);
        let mut groups = Vec::with_capacity(predicted.ids.len());
        for (row, id) in predicted.ids.iter().enumerate() {
            let place = test.binary_search_by(|&index| self.set.items[index].id.as_str().cmp(id));
            let item = place.map(|place| &self.set.items[test[place]]);
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
            seconds: 0.0,
            device: None,
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

        fn job<'a>(&'a self, program: &'a Path, folder: &Path) -> Job<'a> {
            Job {
                program,
                cell: &self.cell,
                set: &self.set,
                selection: &self.selection,
                table: Path::new("split.csv"),
                table_sha256: "one",
                options: &self.options,
                threads: 1,
                folder: folder.to_owned(),
                restart: false,
            }
        }
    }

    #[test]
    fn a_finished_cell_is_taken_up_only_with_the_same_settings_and_images() {
        let folder = tempfile::tempdir().unwrap();
        let whole = Whole::new();
        let mut job = whole.job(Path::new("hemora-train"), folder.path());
        assert_eq!(job.finished().unwrap(), None);
        let measured = Measured {
            epochs: Vec::new(),
            best_epoch: None,
            seconds: 1.0,
            device: None,
            missing: 0,
            figures: Vec::new(),
        };
        let finished = Finished { config: job.config(), measured: measured.clone() };
        write_json(&job.result_path(), &finished).unwrap();
        assert_eq!(job.finished().unwrap(), Some(measured));
        // More threads give the same result, other images another.
        job.threads = 4;
        assert!(job.finished().unwrap().is_some());
        job.table_sha256 = "other";
        assert!(matches!(job.finished(), Err(StudyError::OtherSettings(_))));
        job.restart = true;
        assert_eq!(job.finished().unwrap(), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (whole, program) = (Whole::new(), folder.path().join("no-such-program"));
        let job = whole.job(&program, folder.path());
        let error = job.run(&mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("no-such-program"), "{error}");
    }
}
