//! What every package holds beside the program: man pages, completions, licences.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr};

use super::licences;
use super::program::Program;
use crate::process::run;
use crate::workspace::Workspace;

/// A file of a package: its place, such as `share/man/man1/hemora.1`, and its bytes.
#[derive(Debug)]
pub struct Entry {
    /// Place below the root of the package or of an installation.
    pub place: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// An entry with a text.
    pub fn new(place: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { place: place.into(), bytes: bytes.into() }
    }
}

/// The files below `share` of an installation and the licences, the same in every package.
#[derive(Debug)]
pub struct Share {
    /// Man pages and completions, sorted by place, which begins with `share/`.
    pub manual: Vec<Entry>,
    /// Licences of Hemora, its model and everything linked in; the places are names of files.
    pub licences: Vec<Entry>,
    /// Seconds since 1970 that every file of a package gets: when the last commit was made.
    pub time: u64,
}

impl Share {
    /// Lets the program write its manual, and gathers the licences.
    pub fn make(workspace: &Workspace, program: &Program) -> Result<Self> {
        let folder = workspace.target().join("manual");
        if folder.exists() {
            std::fs::remove_dir_all(&folder).into_diagnostic()?;
        }
        run(Command::new(&program.path)
            .arg("manual")
            .arg("--out")
            .arg(&folder)
            // Where a terminal is, pages must not depend on its width.
            .env("COLUMNS", "100")
            .stdout(std::process::Stdio::null()))?;
        let mut manual = Vec::new();
        gather(&folder, "share", &mut manual)?;
        manual.sort_by(|one, other| one.place.cmp(&other.place));
        Ok(Self { manual, licences: licences::gather(workspace)?, time: time(workspace) })
    }
}

/// Every file below `folder`, by its place below `prefix`.
fn gather(folder: &Path, prefix: &str, into: &mut Vec<Entry>) -> Result<()> {
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("{prefix}/{name}");
        if path.is_dir() {
            gather(&path, &place, into)?;
        } else {
            into.push(Entry::new(place, read(&path)?));
        }
    }
    Ok(())
}

/// What a folder holds, sorted.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let mut paths: Vec<PathBuf> = std::io::Result::from(listed())
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot list {}", folder.display()))?;
    paths.sort();
    Ok(paths)
}

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", path.display()))
}

/// `SOURCE_DATE_EPOCH`, else the time of the last commit, else the first that a zip archive can tell.
fn time(workspace: &Workspace) -> u64 {
    /// 1 January 1980.
    const FIRST: u64 = 315_532_800;
    let named = std::env::var("SOURCE_DATE_EPOCH").ok();
    let committed = || {
        let mut git = Command::new("git");
        git.current_dir(workspace.root()).args(["log", "-1", "--format=%ct"]);
        git.output().ok().and_then(|output| String::from_utf8(output.stdout).ok())
    };
    let text = named.or_else(committed).unwrap_or_default();
    text.trim().parse().unwrap_or(FIRST).max(FIRST)
}
