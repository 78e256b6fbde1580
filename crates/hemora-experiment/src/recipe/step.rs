//! One step: a program with its arguments, what it writes, and the record that it is complete.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hemora_data::replace_file;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::recipe::error::in_path;
use crate::recipe::submission::write_submission;
use crate::recipe::{Programs, RecipeError};

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// `hemora` with arguments.
    Hemora(Vec<OsString>),
    /// `hemora-train` with arguments.
    Train(Vec<OsString>),
    /// The rows of a table of predictions as the competition wants them.
    Submission { from: PathBuf, to: PathBuf },
}

/// One step of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Short name, and that of its record.
    pub name: String,
    /// What it does, for people.
    pub what: String,
    pub(crate) action: Action,
    /// Small files that it needs and that the recipe writes: path and content.
    pub(crate) files: Vec<(PathBuf, String)>,
    /// What is there when it is complete.
    pub(crate) outputs: Vec<PathBuf>,
}

/// What happens to a step.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// It begins: its number from 1, of how many.
    Begins(usize, usize, &'a Step),
    /// An earlier run completed it.
    Complete(usize, usize, &'a Step),
    /// It ended, after so many seconds.
    Ended(&'a Step, f64),
}

/// `steps/NAME.json`: that a step is complete.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    /// Hash of everything that decides the step's outputs.
    key: String,
    /// The command, for people.
    command: String,
    seconds: f64,
}

/// `hemora` and others end with it where some files could not be read and the rest was done.
const SOME_FAILED: i32 = 3;

impl Step {
    /// A hash of what decides this step's outputs: the step, and the key of the one before.
    pub(crate) fn key(&self, before: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(before);
        hash.update(self.command());
        for (path, content) in &self.files {
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.update(content);
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The command as it would be typed.
    pub fn command(&self) -> String {
        let line = |program: &str, arguments: &[OsString]| {
            let words = arguments.iter().map(|word| word.to_string_lossy());
            [program.into()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
        };
        match &self.action {
            Action::Hemora(arguments) => line("hemora", arguments),
            Action::Train(arguments) => line("hemora-train", arguments),
            Action::Submission { from, to } => {
                format!("{} to {}", from.display(), to.display())
            }
        }
    }

    fn record(&self, folder: &Path) -> PathBuf {
        folder.join("steps").join(format!("{}.json", self.name))
    }

    /// Whether an earlier run completed it with the same settings and its outputs are there still.
    ///
    /// # Errors
    /// [`RecipeError::OtherSettings`] if it was completed with others.
    pub(crate) fn is_complete(&self, folder: &Path, key: &str) -> Result<bool, RecipeError> {
        let path = self.record(folder);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            other => other.map_err(in_path(&path))?,
        };
        match serde_json::from_slice::<Record>(&text) {
            Ok(record) if record.key == key => {
                Ok(self.outputs.iter().all(|output| output.exists()))
            }
            Ok(_) => Err(RecipeError::OtherSettings { step: self.name.clone(), path }),
            // A record that was cut off when the machine stopped.
            Err(_) => Ok(false),
        }
    }

    /// Does it, and records that it is complete.
    ///
    /// # Errors
    /// [`RecipeError`] if its program cannot be started, fails, or does not write what it should.
    pub(crate) fn run(
        &self,
        programs: &Programs,
        folder: &Path,
        key: &str,
    ) -> Result<f64, RecipeError> {
        let begin = Instant::now();
        for (path, content) in &self.files {
            write_whole(path, content.as_bytes())?;
        }
        let (program, arguments) = match &self.action {
            Action::Hemora(arguments) => (&programs.hemora, arguments),
            Action::Train(arguments) => (&programs.train, arguments),
            Action::Submission { from, to } => {
                write_submission(from, to)?;
                return self.finished(folder, key, begin.elapsed().as_secs_f64());
            }
        };
        let mut arguments = arguments.clone();
        // What they say is the same for any number of threads, so it decides nothing.
        if self.takes_threads() {
            arguments.push(format!("--threads={}", programs.threads).into());
        }
        let status = programs.run(program, &arguments)?;
        if !status.success() && status.code() != Some(SOME_FAILED) {
            return Err(RecipeError::Failed { step: self.name.clone(), status });
        }
        self.finished(folder, key, begin.elapsed().as_secs_f64())
    }

    fn takes_threads(&self) -> bool {
        let (Action::Hemora(arguments) | Action::Train(arguments)) = &self.action else {
            return false;
        };
        let first = arguments.first().map(|word| word.to_string_lossy());
        let known = ["index", "prepare", "triage", "run", "predict", "sequence"];
        first.is_some_and(|first| known.contains(&&*first))
    }

    fn finished(&self, folder: &Path, key: &str, seconds: f64) -> Result<f64, RecipeError> {
        if let Some(path) = self.outputs.iter().find(|path| !path.exists()) {
            return Err(RecipeError::Absent { step: self.name.clone(), path: path.clone() });
        }
        let record = Record { key: key.to_owned(), command: self.command(), seconds };
        let path = self.record(folder);
        let text = serde_json::to_vec_pretty(&record).map_err(std::io::Error::other);
        write_whole(&path, &text.map_err(in_path(&path))?)?;
        Ok(seconds)
    }
}

/// Writes beside `path`, syncs and renames; makes the folder.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RecipeError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| replace_file(path, |file| file.write_all(bytes))).map_err(in_path(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(folder: &Path, argument: &str) -> Step {
        Step {
            name: "copy".to_owned(),
            what: "copies".to_owned(),
            action: Action::Hemora(vec![argument.into(), folder.join("out").into()]),
            files: vec![(folder.join("note"), "a note".to_owned())],
            outputs: vec![folder.join("out")],
        }
    }

    #[test]
    fn a_step_is_complete_with_its_record_and_its_outputs_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let programs =
            Programs { hemora: "touch".into(), train: "no-such-program".into(), threads: 1 };
        let one = step(path, "-c");
        let key = one.key("");
        assert!(!one.is_complete(path, &key).unwrap());
        // `touch -c` makes no file.
        let absent = one.run(&programs, path, &key).unwrap_err();
        assert!(matches!(absent, RecipeError::Absent { .. }), "{absent}");
        assert_eq!(fs::read_to_string(path.join("note")).unwrap(), "a note");
        let one = step(path, "-a");
        let key = one.key("");
        one.run(&programs, path, &key).unwrap();
        assert!(one.is_complete(path, &key).unwrap());
        // Other arguments, other files and another step before are other settings.
        assert_ne!(step(path, "-m").key(""), key);
        assert_ne!(one.key("before"), key);
        let mut other = one.clone();
        other.files[0].1.push('!');
        assert_ne!(other.key(""), key);
        assert!(matches!(
            other.is_complete(path, &other.key("")),
            Err(RecipeError::OtherSettings { .. })
        ));
        fs::remove_file(path.join("out")).unwrap();
        assert!(!one.is_complete(path, &key).unwrap());
        let failing = Step { action: Action::Hemora(vec!["--no-such-flag".into()]), ..one.clone() };
        let failed = failing.run(&programs, path, &key).unwrap_err();
        assert!(matches!(failed, RecipeError::Failed { .. }), "{failed}");
        let unknown = Step { action: Action::Train(Vec::new()), ..one };
        let start = unknown.run(&programs, path, &key).unwrap_err().to_string();
        assert!(start.contains("no-such-program"), "{start}");
    }
}
