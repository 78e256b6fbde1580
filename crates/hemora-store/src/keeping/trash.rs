//! Files go after their rows: their names wait in the database meanwhile, so that a node which is killed
//! in between leaves no image that nothing leads to.

use std::fs;
use std::path::Path;

use crate::folder::{Folder, remove};
use crate::sql::{Connection, Row, params};
use crate::{Store, StoreError};

/// Files that are removed together, at most, while nobody writes.
const TOGETHER: i64 = 64;

/// Puts the images of a study into the trash.
pub(super) fn trash_study(connection: &Connection<'_>, study_uid: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO trash (path)
         SELECT path FROM instance WHERE study_uid = ?1 AND evicted = 0
         ON CONFLICT DO NOTHING";
    connection.execute(sql, [study_uid])?;
    Ok(())
}

/// Removes what shows the images of a study: what the engine remembers, artifacts, and the places of slices
/// in them.
pub(super) fn drop_seen(connection: &Connection<'_>, study_uid: &str) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM memory WHERE study_uid = ?1",
        "DELETE FROM artifact WHERE study_uid = ?1",
        "UPDATE result SET key_series = NULL, key_slice = NULL WHERE study_uid = ?1",
        "UPDATE study SET key_series = NULL, key_slice = NULL WHERE study_uid = ?1",
    ] {
        connection.execute(sql, [study_uid])?;
    }
    Ok(())
}

/// Removes what goes with the images of a study: what shows them, and bytes to send.
pub(super) fn drop_derived(connection: &Connection<'_>, study_uid: &str) -> Result<(), StoreError> {
    drop_seen(connection, study_uid)?;
    let sql = "SELECT DISTINCT payload FROM delivery
         WHERE study_uid = ?1 AND payload IS NOT NULL";
    let payloads = connection.rows(sql, [study_uid], |row| row.get::<_, Vec<u8>>(0))?;
    let sql = "UPDATE delivery SET payload = NULL WHERE study_uid = ?1";
    connection.execute(sql, [study_uid])?;
    let sql = "DELETE FROM payload WHERE sha256 = ?1
         AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.payload = ?1)";
    for payload in payloads {
        connection.execute(sql, [payload])?;
    }
    Ok(())
}

impl Store {
    /// Removes the files whose names are in the trash; how many.
    pub(crate) fn empty_trash(&self) -> Result<u64, StoreError> {
        let mut removed = 0;
        // Whoever has nothing to remove does not wait for the writer.
        while self.read(|connection| connection.any("SELECT 1 FROM trash LIMIT 1", params![]))? {
            let folder = self.folder.clone();
            removed += self.write(move |connection| remove_some(connection, &folder))?;
        }
        Ok(removed)
    }
}

/// Removes some files whose names are in the trash; how many. While the transaction lasts nobody, on whatever
/// node, gives a file its rows: an instance that comes again has them and stays, or sees that its file is gone
/// and puts it back.
fn remove_some(connection: &Connection<'_>, folder: &Folder) -> Result<u64, StoreError> {
    let path = |row: &Row<'_>| row.get::<_, String>(0);
    let paths = connection.rows("SELECT path FROM trash LIMIT ?1", [TOGETHER], path)?;
    let mut removed = 0;
    for path in &paths {
        let sql = "SELECT 1 FROM instance WHERE path = ?1 AND evicted = 0";
        if !connection.any(sql, [path])? {
            remove_image(folder, path)?;
            removed += 1;
        }
        connection.execute("DELETE FROM trash WHERE path = ?1", [path])?;
    }
    Ok(removed)
}

fn remove_image(folder: &Folder, path: &str) -> Result<(), StoreError> {
    let path = folder.root().join(path);
    // Nothing outside is ever removed, whatever the database says.
    if !path.starts_with(folder.studies()) {
        return Err(StoreError::Damaged(format!("{} is no image", path.display())));
    }
    remove(&path)?;
    // Goes with its last image; otherwise it is not empty, and stays.
    let _ = fs::remove_dir(path.parent().unwrap_or(Path::new("")));
    Ok(())
}
