//! Paths to the files and archive entries below them, in an order that is always the same.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hemora_base::WorkShard;

use crate::archive::{Kind, entries, has_archive_name};
use crate::formats::mismatch;
use crate::objects::{self, is_object};
use crate::{FileBytes, FileState, ReadError, Skipped, Source};

/// The files and archive entries below some paths, without any of them being read.
#[derive(Debug, Default)]
pub struct SourceList {
    /// What is to be read, in order, each once.
    pub sources: Vec<Source>,
    /// What cannot be listed.
    pub skipped: Vec<Skipped>,
    pub(crate) named: HashSet<Source>,
    /// Of objects, what their list said.
    states: HashMap<PathBuf, FileState>,
}

impl SourceList {
    /// Files in memory, each with its name. Archives among them are not opened.
    pub fn from_files(files: impl IntoIterator<Item = (String, Arc<[u8]>)>) -> Self {
        let source = |(name, bytes)| Source::Bytes { name, bytes: FileBytes(bytes) };
        let sources: Vec<Source> = files.into_iter().map(source).collect();
        let named = sources.iter().cloned().collect();
        Self { sources, named, ..Self::default() }
    }

    /// The state of a source's file: of an object as it was when it was listed.
    ///
    /// # Errors
    /// What the operating system reports.
    pub fn state(&self, source: &Source) -> std::io::Result<FileState> {
        let path = source.file();
        self.states.get(path).map_or_else(|| FileState::of(path), |state| Ok(*state))
    }

    /// The reason for leaving out a source of the list, given what reading it reported: a file
    /// that nobody took for DICOM is another file, not a broken one.
    pub fn reason(&self, source: &Source, error: ReadError) -> ReadError {
        as_named(error, source, self.named.contains(source))
    }
}

/// Lists files, folders (with all folders below) and the entries of zip and tar archives.
pub fn list_sources(paths: &[PathBuf]) -> SourceList {
    list_share(paths, WorkShard::WHOLE)
}

/// Lists a share of what [`list_sources`] lists: the files and archives whose path it
/// [holds](WorkShard::holds), an archive with all of its entries. Each is in one share of a job, wherever it is
/// listed, as long as the paths are the same; files of other shares are not looked at, and take no memory. A
/// folder that cannot be listed is named in every share.
pub fn list_share(paths: &[PathBuf], share: WorkShard) -> SourceList {
    let Found { mut sources, skipped, named, states } = walk(paths, share);
    sources.sort();
    sources.dedup();
    SourceList { sources, skipped, named, states }
}

/// What is to be read below some paths.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) sources: Vec<Source>,
    pub(crate) skipped: Vec<Skipped>,
    /// Sources that the user named, and that so are held to be DICOM files.
    pub(crate) named: HashSet<Source>,
    /// Of objects, what their list said.
    states: HashMap<PathBuf, FileState>,
}

/// Files that systems leave in folders and nobody means.
pub(crate) fn is_clutter(name: &str) -> bool {
    name.starts_with('.') || ["thumbs.db", "desktop.ini"].contains(&&*name.to_ascii_lowercase())
}

/// Lists files, folders (with their folders) and archives, those of a share.
fn walk(paths: &[PathBuf], share: WorkShard) -> Found {
    let mut found = Found::default();
    let mut seen = Seen { share, files: HashSet::new(), folders: HashSet::new() };
    for path in paths {
        if is_object(path) {
            if let Err(reason) = found.objects(path, &mut seen) {
                found.skip(path, reason);
            }
            continue;
        }
        let result = match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => found.folder(path, &mut seen),
            Ok(metadata) if metadata.is_file() => {
                if !seen.is_due(path) {
                    continue;
                }
                found.named.insert(Source::File(path.clone()));
                found.file(path, Kind::from_file(path).is_some(), &mut seen);
                Ok(())
            }
            Ok(_) => Err(ReadError::NotAFile),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ReadError::Missing),
            Err(error) => Err(error.into()),
        };
        if let Err(reason) = result {
            found.skip(path, reason);
        }
    }
    found
}

#[derive(Debug)]
struct Seen {
    share: WorkShard,
    files: HashSet<PathBuf>,
    /// Real paths of folders: a link to a folder above would never end.
    folders: HashSet<PathBuf>,
}

impl Seen {
    /// Whether a file belongs to the share.
    fn is_due(&self, file: &Path) -> bool {
        self.share == WorkShard::WHOLE || self.share.holds(&file.to_string_lossy())
    }
}

impl Found {
    fn skip(&mut self, path: &Path, reason: ReadError) {
        self.skipped.push(Skipped { source: Source::File(path.to_owned()), reason });
    }

    /// Takes in the object that a URL names, or those below it.
    fn objects(&mut self, path: &Path, seen: &mut Seen) -> Result<(), ReadError> {
        match objects::find(path)? {
            objects::Found::Object(state) => {
                if seen.is_due(path) {
                    self.named.insert(Source::File(path.to_owned()));
                    self.object(path.to_owned(), state, seen);
                }
            }
            objects::Found::Below(below) => {
                for (path, name, state) in below {
                    if !name.split('/').any(is_clutter) && seen.is_due(&path) {
                        self.object(path, state, seen);
                    }
                }
            }
        }
        Ok(())
    }

    fn object(&mut self, path: PathBuf, state: FileState, seen: &mut Seen) {
        if !seen.files.insert(path.clone()) {
            return;
        }
        if Kind::from_name(&path).is_some() {
            return self.skip(&path, ReadError::RemoteArchive);
        }
        self.states.insert(path.clone(), state);
        self.sources.push(Source::File(path));
    }

    fn folder(&mut self, folder: &Path, seen: &mut Seen) -> Result<(), ReadError> {
        if seen.folders.contains(&fs::canonicalize(folder)?) {
            return Ok(());
        }
        // A stack of our own: folders can nest deeper than a thread's stack allows.
        let mut open = vec![folder.to_owned()];
        let mut empty = true;
        while let Some(path) = open.pop() {
            match self.visit(&path, &mut open, seen) {
                Ok(met) => empty &= !met,
                Err(error) if path == folder => return Err(error.into()),
                Err(error) => {
                    empty = false;
                    self.skip(&path, error.into());
                }
            }
        }
        if empty { Err(ReadError::Empty) } else { Ok(()) }
    }

    /// Takes a file in, or puts what a folder holds on the stack. Whether it met a file, of this share or
    /// another, or a folder that was walked before.
    fn visit(
        &mut self,
        path: &Path,
        open: &mut Vec<PathBuf>,
        seen: &mut Seen,
    ) -> std::io::Result<bool> {
        let metadata = fs::metadata(path)?;
        if metadata.is_file() {
            self.file(path, Kind::from_name(path).is_some(), seen);
            return Ok(true);
        }
        // Pipes and devices in a folder are nobody's images.
        if !metadata.is_dir() {
            return Ok(false);
        }
        if !seen.folders.insert(fs::canonicalize(path)?) {
            return Ok(true);
        }
        let (mut children, mut others) = (Vec::new(), false);
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let child = entry.path();
            if is_clutter_file(&entry.file_name()) {
                continue;
            }
            // What folders say of their files is enough to leave other shares' files alone.
            if entry.file_type()?.is_file() && !seen.is_due(&child) {
                others = true;
                continue;
            }
            children.push(child);
        }
        // The stack gives them back in reverse.
        children.sort_by(|a, b| b.cmp(a));
        open.extend(children);
        Ok(others)
    }

    fn file(&mut self, path: &Path, is_archive: bool, seen: &mut Seen) {
        if !seen.is_due(path) || !seen.files.insert(path.to_owned()) {
            return;
        }
        if !is_archive {
            self.sources.push(Source::File(path.to_owned()));
            return;
        }
        match entries(path) {
            Err(reason) => self.skip(path, reason),
            Ok(entries) if entries.is_empty() => self.skip(path, ReadError::Empty),
            Ok(entries) => {
                for (source, problem) in entries {
                    match problem {
                        Some(reason) => self.skipped.push(Skipped { source, reason }),
                        None => self.sources.push(source),
                    }
                }
            }
        }
    }
}

fn is_clutter_file(name: &OsStr) -> bool {
    name.to_str().is_some_and(is_clutter)
}

/// What an error is of a source that the user named or did not: files that nobody asked for and
/// that cannot be read are other files, not broken ones.
pub(crate) fn as_named(error: ReadError, source: &Source, named: bool) -> ReadError {
    match error {
        ReadError::NotDicom => not_dicom(source, named),
        ReadError::UndeclaredWindow { .. } => ReadError::UndeclaredWindow { named },
        error => error,
    }
}

/// What to call a file that is no DICOM file: a failure if its name, or the user, says that it is
/// one.
fn not_dicom(source: &Source, named: bool) -> ReadError {
    let name = match source {
        Source::File(path) => path.file_name().unwrap_or_default().to_string_lossy(),
        Source::Entry { name, .. } | Source::Bytes { name, .. } => name.as_str().into(),
        Source::Frame { object: inner, .. } | Source::Picture { file: inner, .. } => {
            return not_dicom(inner, named);
        }
    };
    let is_entry = matches!(source, Source::Entry { .. } | Source::Bytes { .. });
    match mismatch(&name) {
        Some(error) => error,
        None if is_entry && has_archive_name(&name) => ReadError::NestedArchive,
        None if named => ReadError::NotDicom,
        None => ReadError::OtherFile,
    }
}
