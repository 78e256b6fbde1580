//! After a node has ended, however: the database follows the inbox.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use hemora_io::read_identity;

use super::arrival::{Arrival, Recovery};
use super::filing::{Inbox, Unfiled};
use super::mark::{Found, Mark, PREAMBLE, examine};
use super::pool::{Pool, Slot};
use crate::StoreError;
use crate::folder::remove;
use crate::sql::params;
use crate::studies::NewInstance;

/// Instances that are adopted together.
const TOGETHER: usize = 256;

impl Inbox {
    /// Looks at every file of the inbox, and at nothing else: there are at most as many as may be
    /// unfiled, and those of the pool.
    pub(crate) fn recover(&self, recovery: &mut Recovery) -> Result<(), StoreError> {
        let mut left: Vec<Unfiled> = Vec::new();
        for (number, path) in self.slots()? {
            self.pool.begin_after(number);
            self.recover_file(&path, recovery, &mut left)?;
        }
        // The order in which they came decides which of one UID is used.
        left.sort_by_key(|unfiled| unfiled.instance.received_at);
        recovery.adopted = left.len() as u64;
        for batch in left.chunks(TOGETHER) {
            self.file(batch)?;
        }
        self.folder.sync_folder(&self.folder.inbox())
    }

    fn slots(&self) -> Result<BTreeMap<u64, PathBuf>, StoreError> {
        let inbox = self.folder.inbox();
        let failed = |error| StoreError::io(&inbox, error);
        let mut slots = BTreeMap::new();
        for entry in fs::read_dir(&inbox).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Some(number) = entry.file_name().to_str().and_then(Pool::number) {
                slots.insert(number, entry.path());
            }
        }
        Ok(slots)
    }

    fn recover_file(
        &self,
        path: &Path,
        recovery: &mut Recovery,
        left: &mut Vec<Unfiled>,
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::io(path, error);
        let mut file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        if bytes == 0 {
            // Its name lasts once this recovery has synced the inbox.
            self.pool.give_back(Slot { path: path.to_owned(), lasts: true });
            return Ok(());
        }
        // Files are never emptied here, only unlinked: one that is filed has a second name.
        match examine(&mut file).map_err(failed)? {
            Found::Unmarked => {
                recovery.discarded += 1;
                remove(path)
            }
            Found::Damaged => {
                recovery.damaged += 1;
                remove(path)
            }
            Found::Whole(mark) => match Self::unfiled_of(path, mark) {
                Some(unfiled) if self.is_filed(&unfiled.instance)? => {
                    recovery.already_filed += 1;
                    remove(path)
                }
                Some(unfiled) => {
                    left.push(unfiled);
                    Ok(())
                }
                None => {
                    let name = path.file_stem().unwrap_or_default().to_string_lossy();
                    let aside = path.with_file_name(format!("unreadable-{name}.dcm"));
                    fs::rename(path, &aside).map_err(failed)?;
                    recovery.unreadable.push(aside);
                    Ok(())
                }
            },
        }
    }

    /// What is to be filed of a whole file, if its header can be read.
    fn unfiled_of(path: &Path, mark: Mark) -> Option<Unfiled> {
        let identity = read_identity(path).ok()?;
        let bytes = PREAMBLE as u64 + u64::from(mark.meta_bytes) + mark.data_bytes;
        let arrival = Arrival {
            identity,
            association: mark.association,
            calling_ae: mark.calling_ae,
            received_at: mark.received_at,
        };
        let instance = NewInstance::new(&arrival, mark.sha256, bytes).ok()?;
        Some(Unfiled { slot: path.to_owned(), instance })
    }

    fn is_filed(&self, instance: &NewInstance) -> Result<bool, StoreError> {
        let has_row = self.database.read(|connection| {
            let sql = "SELECT 1 FROM instance WHERE sop_uid = ?1 AND sha256 = ?2 AND evicted = 0";
            connection.any(sql, params![instance.sop_uid, instance.sha256])
        })?;
        Ok(has_row && self.folder.root().join(&instance.path).is_file())
    }
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
