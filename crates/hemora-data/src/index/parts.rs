//! The rows of finished chunks of an index, which a run that is killed leaves to the next.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use hemora_io::Source;
use hemora_objects::Mirror;

use super::file::{IndexError, IndexReader, write_index};
use super::lock::IndexLock;
use super::row::SliceRow;

/// The rows of each file or entry.
pub(super) type Known = BTreeMap<Source, Vec<SliceRow>>;

/// An index for each chunk, in the folder beside the index to be that is locked. In object storage there are no
/// locks: there two runs of the same files write the same.
pub(super) struct Parts<'a> {
    lock: IndexLock,
    mirror: &'a Mirror,
    /// Names of those that an earlier run left in object storage.
    left: HashSet<String>,
}

impl<'a> Parts<'a> {
    /// Those of an index, which is a file of `mirror`.
    pub(super) fn open(mirror: &'a Mirror, index: &Path) -> Result<Self, IndexError> {
        let lock = IndexLock::take(index)?;
        let left = mirror.objects(&lock.folder)?.into_iter().collect();
        Ok(Self { lock, mirror, left })
    }

    fn name(number: usize) -> String {
        format!("{number:06}.parquet")
    }

    pub(super) fn path(&self, number: usize) -> PathBuf {
        self.lock.folder.join(Self::name(number))
    }

    /// The rows of a chunk that a killed run had finished.
    pub(super) fn known(&self, number: usize) -> Result<Known, IndexError> {
        let (path, mut known) = (self.path(number), Known::new());
        if self.left.contains(&Self::name(number)) {
            self.mirror.fetch(&path)?;
        }
        if path.exists() {
            // Those that another version wrote are read again.
            for row in IndexReader::open_current(&path)?.into_iter().flatten() {
                let row = row?;
                known.entry(row.object()).or_default().push(row);
            }
        }
        Ok(known)
    }

    /// Writes the rows of a chunk. Where nothing of it `is_new`, a run that goes on finds the rows in the earlier
    /// index or part, and object storage need not have them.
    pub(super) fn write(
        &self,
        number: usize,
        rows: Vec<SliceRow>,
        is_new: bool,
    ) -> Result<(), IndexError> {
        let path = self.path(number);
        write_index(&path, None, |writer| rows.into_iter().try_for_each(|row| writer.push(row)))?;
        if is_new {
            self.mirror.publish(&path)?;
        }
        Ok(())
    }

    /// Removes all, when the index is whole.
    pub(super) fn remove(self) -> Result<(), IndexError> {
        let folder = &self.lock.folder;
        for name in self.mirror.objects(folder)? {
            self.mirror.remove(&folder.join(name))?;
        }
        let removed = std::fs::remove_dir_all(folder);
        removed.map_err(|source| IndexError::Io { path: folder.clone(), source })
    }
}
