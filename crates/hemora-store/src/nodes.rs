//! Several nodes of one folder: their names, and what becomes of one that has ended.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::sql::{Row, params};
use crate::time::{millis, millis_of};
use crate::{Recovery, Store, StoreError};

/// Folder of what each node has for itself.
pub(crate) const NODES: &str = "nodes";

/// How long a node says nothing before others look whether it has ended; it gives a sign every 3 s.
const SILENT: Duration = Duration::from_secs(12);

/// Characters of a name.
const LONGEST_NAME: usize = 64;

/// What was adopted from a node that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adopted {
    /// Name of the node.
    pub node: String,
    /// What it left.
    pub left: Recovery,
}

/// Fails for a name that no node can have: it is the name of a folder.
///
/// # Errors
/// [`StoreError::Unusable`] says which may be.
pub fn check_node_name(name: &str) -> Result<(), StoreError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let usable = (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(known);
    if usable && !name.starts_with('.') {
        return Ok(());
    }
    let why = format!(
        "{name:?} is not of 1 to {LONGEST_NAME} letters (A to Z), digits, `-`, `_` and `.`, the first not `.`"
    );
    Err(StoreError::Unusable { what: "the name of the node", why })
}

/// What one node of the data folder at `root` has for itself: a folder within.
pub fn own_folder(root: &Path, node: &str) -> PathBuf {
    root.join(NODES).join(node)
}

impl Store {
    /// Looks after nodes of the same database that have ended: files what they acknowledged, and ends their
    /// leases, so that their work is done by others. A node has ended if it has given no sign for a while and
    /// nobody holds its lock. Nothing is done where the database is one node's alone.
    ///
    /// # Errors
    /// [`StoreError`] of the disk or the database; what was not adopted is so the next time.
    pub fn adopt_from_dead_nodes(&self, now: DateTime<Utc>) -> Result<Vec<Adopted>, StoreError> {
        if self.server().is_none() {
            return Ok(Vec::new());
        }
        let mut adopted = Vec::new();
        let before = millis(self.by_shared_clock(now)) - millis_of(SILENT);
        let sql = "SELECT name FROM node WHERE name <> ?1 AND seen_at <= ?2 ORDER BY name";
        let name = |row: &Row<'_>| row.get::<_, String>(0);
        let parameters = params![self.folder.node(), before];
        for node in self.read(|connection| connection.rows(sql, parameters, name))? {
            check_node_name(&node)?;
            if let Some(left) = self.adopt_from(&node)? {
                adopted.push(Adopted { node, left });
            }
        }
        Ok(adopted)
    }

    /// What a silent node left; `None` if somebody holds its lock, as a node does that is only slow.
    fn adopt_from(&self, node: &str) -> Result<Option<Recovery>, StoreError> {
        let folder = self.folder.of_node(node);
        let mut left = Recovery::default();
        // Held until all is done, so that the node does not start in between.
        let _lock = if folder.inbox().is_dir() {
            let lock = match folder.lock() {
                Err(StoreError::Locked { .. }) => return Ok(None),
                held => held?,
            };
            self.inbox_of(folder).recover(&mut left)?;
            Some(lock)
        } else {
            None
        };
        left.leases_ended = self.end_leases(node)?;
        let node = node.to_owned();
        self.write(move |connection| {
            connection.execute("DELETE FROM node WHERE name = ?1", [node]).map(drop)
        })?;
        Ok(Some(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_of_a_folder_and_of_no_other() {
        for name in ["a", "node-1.ward_7", &"n".repeat(64)] {
            check_node_name(name).unwrap();
        }
        for name in ["", ".", "..", ".a", "a/b", "a b", "\u{e4}", &"n".repeat(65)] {
            assert!(check_node_name(name).is_err(), "{name}");
        }
    }
}
