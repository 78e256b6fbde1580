//! The programs that do steps: the one place that starts them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitStatus, Stdio};

use hemora_base::{Event, ThreadCount};

use super::{Call, EngineError, in_path};

/// Lines of a log that a failure shows.
const LAST_LINES: usize = 12;

/// The programs that do steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// `hemora`.
    pub hemora: PathBuf,
    /// `hemora-train`.
    pub train: PathBuf,
    /// Threads that each may use; `None` for one a core.
    pub threads: Option<usize>,
}

impl Programs {
    /// Threads that a program uses.
    pub fn cores(&self) -> usize {
        ThreadCount::from_requested(self.threads.unwrap_or(0)).threads
    }

    fn path(&self, call: &Call) -> &Path {
        if call.command.trains() { &self.train } else { &self.hemora }
    }

    fn process(&self, call: &Call) -> Process {
        let mut process = Process::new(self.path(call));
        process.args(call.arguments()).stdin(Stdio::null());
        // A result is the same for any number of threads, so they are no part of the call.
        if let Some(threads) = self.threads.filter(|_| call.command.takes_threads()) {
            process.arg(format!("--threads={threads}"));
        }
        process
    }

    fn cannot_start(&self, call: &Call) -> impl FnOnce(std::io::Error) -> EngineError {
        let program = self.path(call).to_owned();
        move |source| EngineError::Start { program, source }
    }

    /// Runs a command to its end. What it prints for people goes to `log`, or to standard error;
    /// each line of progress is read and given to `on_progress`.
    ///
    /// # Errors
    /// [`EngineError::Start`] if it cannot be started, [`EngineError::Io`] of the log.
    pub(crate) fn run(
        &self,
        call: &Call,
        log: Option<&Path>,
        on_progress: &mut dyn FnMut(&Event),
    ) -> Result<ExitStatus, EngineError> {
        let mut process = self.process(call);
        let people = || -> Result<Stdio, EngineError> {
            match log {
                None => Ok(Stdio::from(stderr())),
                Some(path) => {
                    let file = fs::OpenOptions::new().append(true).open(path);
                    file.map(Stdio::from).map_err(in_path(path))
                }
            }
        };
        if let Some(path) = log {
            path.parent().map_or(Ok(()), fs::create_dir_all).map_err(in_path(path))?;
            File::create(path).map_err(in_path(path))?;
        }
        process.stderr(people()?);
        if !call.command.reports_progress() {
            process.stdout(people()?);
            return process.status().map_err(self.cannot_start(call));
        }
        let mut child = process
            .arg("--progress=json")
            .stdout(Stdio::piped())
            .spawn()
            .map_err(self.cannot_start(call))?;
        let output = child.stdout.take().expect("it is piped");
        // Bytes, not texts: what is no event is passed over, whatever it is, and the program must
        // never wait for a reader that gave up.
        let mut lines = BufReader::new(output).split(b'\n');
        while let Some(Ok(line)) = lines.next() {
            if let Ok(event) = Event::from_line(String::from_utf8_lossy(&line).trim()) {
                on_progress(&event);
            }
        }
        // A program that has more to say than was read must not wait for a reader.
        drop(lines);
        child.wait().map_err(in_path(self.path(call)))
    }

    /// What a command prints if it ends well, and else the last line of its complaint.
    ///
    /// # Errors
    /// [`EngineError::Start`] if it cannot be started.
    pub(crate) fn output(&self, call: &Call) -> Result<Result<Vec<u8>, String>, EngineError> {
        let output = self.process(call).output().map_err(self.cannot_start(call))?;
        if output.status.success() {
            return Ok(Ok(output.stdout));
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        let last = complaint.lines().map(str::trim).rfind(|line| !line.is_empty());
        Ok(Err(last.map_or_else(|| output.status.to_string(), str::to_owned)))
    }
}

/// The end of a log, for a message; empty without one.
pub(super) fn last_lines(log: Option<&Path>) -> String {
    let bytes = log.and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
