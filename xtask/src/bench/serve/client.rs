//! The client that sends to both: dcmtk's storescu.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::node::{Name, Slice};

/// How storescu waits for acknowledgements of TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// As it is: with Nagle's algorithm.
    Default,
    /// With `TCP_NODELAY=1`.
    NoDelay,
}

impl Client {
    /// What the environment of a program of dcmtk says.
    pub fn apply(self, command: &mut Command) {
        match self {
            Self::Default => command.env_remove("TCP_NODELAY"),
            Self::NoDelay => command.env("TCP_NODELAY", "1"),
        };
    }
}

/// Writes slices as files, under the names that are given with them.
pub fn write<'a>(
    folder: &Path,
    images: impl Iterator<Item = (Name, &'a Slice)>,
) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for (name, slice) in images {
        let path = folder.join(format!("{}.dcm", name.sop_uid()));
        std::fs::write(&path, slice.named(name)?).into_diagnostic().wrap_err("cannot write")?;
        paths.push(path);
    }
    Ok(paths)
}

/// Sends files over so many associations at once, each with its share; how long it took.
pub fn send(port: u16, files: &[PathBuf], associations: usize, client: Client) -> Result<Duration> {
    let started = Instant::now();
    let share = files.len().div_ceil(associations);
    let mut children = Vec::new();
    for part in files.chunks(share) {
        let mut storescu = Command::new("storescu");
        storescu.args(["-aec", "ANY", "127.0.0.1", &port.to_string()]).args(part);
        client.apply(&mut storescu);
        storescu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        children.push(storescu.spawn().into_diagnostic().wrap_err("cannot start storescu")?);
    }
    for mut child in children {
        let status = child.wait().into_diagnostic()?;
        if !status.success() {
            return Err(miette!("storescu ended with {status}"));
        }
    }
    Ok(started.elapsed())
}

/// Sends files over one association; when the last one was acknowledged.
pub fn send_and_look(port: u16, files: &[PathBuf]) -> Result<Instant> {
    let mut storescu = Command::new("storescu");
    storescu.args(["-v", "-aec", "ANY", "127.0.0.1", &port.to_string()]).args(files);
    Client::Default.apply(&mut storescu);
    storescu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = storescu.spawn().into_diagnostic().wrap_err("cannot start storescu")?;
    let lines = child.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines);
    let (mut count, mut last) = (0, Instant::now());
    for line in lines.map_while(std::result::Result::ok) {
        if line == "I: Received Store Response (Success)" {
            (count, last) = (count + 1, Instant::now());
        }
    }
    child.wait().into_diagnostic()?;
    match count == files.len() {
        true => Ok(last),
        false => Err(miette!("{count} of {} images were acknowledged", files.len())),
    }
}
