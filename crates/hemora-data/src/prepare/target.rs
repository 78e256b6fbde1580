//! Where a prepared set goes: a folder, or a prefix in object storage.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fs, iter};

use hemora_objects::{Beside, Mirror, beside};

use super::error::PrepareError;
use super::files::{in_path, is_whole_jpeg, write_image, write_table, write_whole};

/// Images that are sent at the same time: each waits for the network most of the time.
pub(super) const IMAGES_AT_WORK: usize = 16;
/// Files of many slices that are sent at the same time, each in several parts.
pub(super) const SHARDS_AT_WORK: usize = 2;

/// The files of a set. Of object storage, only what is being made is on this machine.
pub(super) struct Target {
    mirror: Mirror,
    /// Names of what object storage held when this was opened: objects are whole.
    there: HashSet<Box<str>>,
}

impl Target {
    /// The target that a path or URL names, which need not be there.
    pub(super) fn open(out: &Path) -> Result<Self, PrepareError> {
        let mirror = Mirror::of(out)?;
        let there = mirror.objects(mirror.path())?.into_iter().map(String::into_boxed_str);
        Ok(Self { there: there.collect(), mirror })
    }

    /// The folder on this machine.
    pub(super) fn folder(&self) -> &Path {
        self.mirror.path()
    }

    /// The path of a file on this machine; its name has parts separated by `/`.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// What the folder is called for a user, or a file of it.
    pub(super) fn shown(&self, file: &Path) -> PathBuf {
        self.mirror.shown(file)
    }

    /// Whether it holds anything that `is_nothing` does not pass over.
    pub(super) fn holds(
        &self,
        is_nothing: impl Fn(&OsString) -> bool,
    ) -> Result<bool, PrepareError> {
        if self.mirror.is_remote() {
            return Ok(!self.there.is_empty());
        }
        let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name());
        let names = fs::read_dir(self.folder()).and_then(|entries| entries.map(name).collect());
        let names: Vec<OsString> = in_path(self.folder(), names)?;
        Ok(!names.iter().all(is_nothing))
    }

    /// The text of a file as it is now; `None` if it is not there or is no text.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, PrepareError> {
        let path = self.path(name);
        self.mirror.fetch(&path)?;
        Ok(fs::read_to_string(path).ok())
    }

    /// Writes a file as a whole: `write` gives its content, piece by piece.
    pub(super) fn write(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), PrepareError> {
        write_whole(&self.path(name), write)?;
        self.send(name)
    }

    /// Writes a header and rows as a CSV table.
    pub(super) fn write_table<const N: usize>(
        &self,
        name: &str,
        header: [&str; N],
        rows: impl Iterator<Item = Vec<String>>,
    ) -> Result<(), PrepareError> {
        let header = header.map(str::to_owned).to_vec();
        write_table(&self.path(name), iter::once(header).chain(rows))?;
        self.send(name)
    }

    fn send(&self, name: &str) -> Result<(), PrepareError> {
        self.mirror.publish(&self.path(name))?;
        self.release(name)
    }

    /// Whether an image of an earlier run is there, and whole.
    pub(super) fn has_image(&self, name: &str) -> bool {
        match self.mirror.is_remote() {
            true => self.there.contains(name),
            false => is_whole_jpeg(&self.path(name)),
        }
    }

    /// Copies a file that an earlier run left in object storage, if there is one, to this machine.
    pub(super) fn bring(&self, name: &str) -> Result<(), PrepareError> {
        if self.there.contains(name) {
            self.mirror.fetch(&self.path(name))?;
        }
        Ok(())
    }

    /// Gives up the copy of a file that is in object storage.
    pub(super) fn release(&self, name: &str) -> Result<(), PrepareError> {
        Ok(self.mirror.release(&self.path(name))?)
    }

    /// Runs `work`, of which object storage gets `at_work` files at the same time.
    ///
    /// # Errors
    /// Why a file could not be sent.
    pub(super) fn with_sending<T>(
        &self,
        at_work: usize,
        work: impl FnOnce(&Sending<'_, '_>) -> T,
    ) -> Result<T, PrepareError> {
        if !self.mirror.is_remote() {
            return Ok(work(&Sending { target: self, beside: None }));
        }
        Ok(beside(at_work, |jobs| work(&Sending { target: self, beside: Some(jobs) }))?)
    }
}

/// Takes the images and shards of a set, which stay in their folder or are sent to object storage.
pub(super) struct Sending<'env, 'run> {
    target: &'env Target,
    beside: Option<&'run Beside<'env, 'run>>,
}

impl Sending<'_, '_> {
    /// Whether something could not be sent, so that what is left to do is in vain.
    pub(super) fn has_failed(&self) -> bool {
        self.beside.is_some_and(Beside::has_failed)
    }

    /// Writes an image.
    pub(super) fn image(&self, name: &str, bytes: Vec<u8>) -> Result<(), PrepareError> {
        let (mirror, path) = (&self.target.mirror, self.target.path(name));
        match self.beside {
            Some(jobs) => jobs.push(move || mirror.write(&path, &bytes)),
            None => write_image(&path, &bytes)?,
        }
        Ok(())
    }

    /// Takes the files of a shard, the last of which says that it is whole.
    pub(super) fn shard(&self, files: [String; 2]) {
        let (mirror, paths) = (&self.target.mirror, files.map(|name| self.target.path(&name)));
        if let Some(jobs) = self.beside {
            jobs.push(move || {
                paths.iter().try_for_each(|path| {
                    mirror.publish(path)?;
                    mirror.release(path)
                })
            });
        }
    }
}
