//! One step: what does it, what it needs, and what it writes.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use hemora_base::sha256_hex;

use super::{Call, ConvertError};

/// Makes one file of another, in this program.
#[derive(Debug, Clone)]
pub struct Convert {
    /// The file that is read.
    pub from: PathBuf,
    /// The file that is written.
    pub to: PathBuf,
    /// Reads the first path and writes the second.
    pub convert: fn(&Path, &Path) -> Result<(), ConvertError>,
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
        let mut all = Parts::default();
        all.add_all(self.needs.iter().map(String::as_bytes));
        match &self.action {
            Action::Call(call) => all.add_all(call.parts().map(OsStr::as_encoded_bytes)),
            Action::Convert(Convert { from, to, .. }) => {
                all.add_all([from, to].map(|path| path.as_os_str().as_encoded_bytes()));
            }
        }
        let files = self.files.iter();
        all.add_all(
            files.flat_map(|(path, content)| {
                [path.as_os_str().as_encoded_bytes(), content.as_bytes()]
            }),
        );
        sha256_hex(&all.0)
    }
}

/// Parts of a key, each after its length, and each list after its own: no two lists of parts are the
/// same bytes.
#[derive(Default)]
struct Parts(Vec<u8>);

impl Parts {
    fn add_all<'a>(&mut self, parts: impl IntoIterator<Item = &'a [u8]>) {
        let parts: Vec<&[u8]> = parts.into_iter().collect();
        self.0.extend((parts.len() as u64).to_le_bytes());
        for part in parts {
            self.0.extend((part.len() as u64).to_le_bytes());
            self.0.extend(part);
        }
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

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use super::*;
    use crate::engine::Command;

    #[test]
    fn keys_tell_apart_what_looks_the_same_as_a_line() {
        let key = |settings: &[&[u8]]| {
            let settings = settings.iter().map(|bytes| OsString::from_vec(bytes.to_vec()));
            let call = Call::new(Command::Index, settings);
            Step::new(Path::new("steps"), "index", "indexes", Action::Call(call)).key()
        };
        assert_eq!(key(&[b"a", b"b"]), key(&[b"a", b"b"]));
        assert_ne!(key(&[b"a b"]), key(&[b"a", b"b"]));
        assert_ne!(key(&[b"ab", b"c"]), key(&[b"a", b"bc"]));
        // Two folders whose names are no texts.
        assert_ne!(key(&[b"\xff"]), key(&[b"\xfe"]));
        // What is needed is no argument.
        let step = |needs: &[&str], argument: &str| {
            let call = Call::new(Command::Index, [argument.into()]);
            let step = Step::new(Path::new("steps"), "index", "indexes", Action::Call(call));
            Step { needs: needs.iter().map(|need| (*need).to_owned()).collect(), ..step }.key()
        };
        assert_ne!(step(&["one", "two"], "x"), step(&["onetwo"], "x"));
    }
}
