//! Numbered schemas: each file is one step, and `user_version` says how many were taken.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::StoreError;

/// The steps, the first from an empty database.
const STEPS: &[&str] = &[
    include_str!("../schema/0001.sql"),
    include_str!("../schema/0002.sql"),
    include_str!("../schema/0003.sql"),
];

/// The schema that this program writes.
pub(crate) const SCHEMA: u32 = STEPS.len() as u32;

/// Refuses a database of a newer program before anything of it is changed.
pub(super) fn refuse_newer(connection: &Connection, folder: &Path) -> Result<(), StoreError> {
    let found = version(connection)?;
    if found > SCHEMA {
        return Err(StoreError::Newer { folder: folder.to_owned(), found, known: SCHEMA });
    }
    Ok(())
}

/// Takes the steps that are left, each whole or not at all.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let taken = version(connection)?;
    for (step, sql) in (1..).zip(STEPS).skip(taken as usize) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", step)?;
        transaction.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<u32, StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    u32::try_from(found).map_err(|_| StoreError::Damaged(format!("schema {found}")))
}
