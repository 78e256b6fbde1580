//! One step: what does it, what it needs, and what it writes.

use std::path::{Path, PathBuf};

use hemora_base::sha256_hex;

use super::Call;

/// Makes one file of another, in this program.
#[derive(Debug, Clone)]
pub struct Convert {
    /// The file that is read.
    pub from: PathBuf,
    /// The file that is written.
    pub to: PathBuf,
    /// Reads the first path and writes the second.
    pub convert: fn(&Path, &Path) -> Result<(), String>,
}

/// What does a step.
#[derive(Debug, Clone)]
pub enum Action {
    /// A program.
    Call(Call),
    /// A conversion.
    Convert(Convert),
}

/// One step.
#[derive(Debug, Clone)]
pub struct Step {
    /// Short name.
    pub name: String,
    /// What it does, for people.
    pub title: String,
    /// What does it.
    pub action: Action,
    /// Hashes of what it reads: the key of the step before, or of a file.
    pub needs: Vec<String>,
    /// Small files that are written for it first: path and content.
    pub files: Vec<(PathBuf, String)>,
    /// What is there when it is complete.
    pub outputs: Vec<PathBuf>,
    /// The record that it is complete.
    pub record: PathBuf,
    /// Where its program's words for people go; to standard error without it.
    pub log: Option<PathBuf>,
    /// Its work in any one unit, for the time that is left; 0 where it is not known.
    pub work: f64,
}

impl Step {
    /// A step without needs, files, outputs and log, whose record lies in `records`.
    pub(crate) fn new(
        records: &Path,
        name: impl Into<String>,
        title: impl Into<String>,
        action: Action,
    ) -> Self {
        let name = name.into();
        Self {
            record: records.join(format!("{name}.json")),
            name,
            title: title.into(),
            action,
            needs: Vec::new(),
            files: Vec::new(),
            outputs: Vec::new(),
            log: None,
            work: 0.0,
        }
    }

    /// With the files that it writes.
    #[must_use]
    pub(crate) fn writes(mut self, outputs: impl IntoIterator<Item = PathBuf>) -> Self {
        self.outputs.extend(outputs);
        self
    }

    /// With a small file that is written first.
    #[must_use]
    pub(crate) fn with_file(mut self, path: PathBuf, content: String) -> Self {
        self.files.push((path, content));
        self
    }

    /// The command as it would be typed.
    pub fn command(&self) -> String {
        match &self.action {
            Action::Call(call) => call.line(),
            Action::Convert(Convert { from, to, .. }) => {
                format!("{} to {}", from.display(), to.display())
            }
        }
    }

    /// Whether the training program does it, which is what costs.
    pub fn trains(&self) -> bool {
        matches!(&self.action, Action::Call(call) if call.command.trains())
    }

    /// A hash of all that decides what it writes.
    pub(crate) fn key(&self) -> String {
        let mut all = self.needs.concat().into_bytes();
        all.extend(self.command().into_bytes());
        for (path, content) in &self.files {
            all.extend(path.as_os_str().as_encoded_bytes());
            all.extend(content.as_bytes());
        }
        sha256_hex(&all)
    }
}

/// Lets each step need the one before: another setting then changes all steps from where it matters.
pub(crate) fn chain(steps: &mut [Step]) {
    let mut before: Option<String> = None;
    for step in steps {
        step.needs.extend(before.take());
        before = Some(step.key());
    }
}
