//! Backups, and what is made of them.
//!
//! A backup is a folder with `hemora.db`, `images.tsv` (SHA-256 of the data set, bytes of the file, path),
//! and, with [`BackupImages::Copies`], `studies/`. The table of images is written last: a backup without
//! it is not whole.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hemora_base::{hex, write_whole};
use rusqlite::backup::Backup;
use rusqlite::{Connection as Sqlite, OpenFlags};

use crate::folder::{make_private, sync_folder};
use crate::sql::{Connection, Row, params};
use crate::sqlite::{SCHEMA, connect};
use crate::studies::{count, hash, refresh};
use crate::{Store, StoreError};

/// Name of the table of images.
const IMAGES: &str = "images.tsv";

/// Pages of the database that are copied at a time.
const PAGES: i32 = 1024;

/// What a backup holds of the images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupImages {
    /// Their names, sizes and hashes: the images themselves are backed up by other means.
    Manifest,
    /// Copies too.
    Copies,
}

/// What a backup holds, and what it does not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BackedUp {
    /// Where the database is, if several nodes share it: then it is not in the backup.
    pub database_left: Option<String>,
}

/// What a restored data folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// Images that are there.
    pub images: u64,
    /// Images that the database knows and that are not there: they count as evicted.
    pub missing: Vec<PathBuf>,
}

struct Image {
    sha256: [u8; 32],
    bytes: u64,
    path: String,
}

fn images(connection: &Connection<'_>) -> Result<Vec<Image>, StoreError> {
    let sql = "SELECT sha256, bytes, path FROM instance WHERE evicted = 0 ORDER BY path";
    let read = |row: &Row<'_>| {
        let path: String = row.get("path")?;
        // A database from elsewhere names no file outside of the folder.
        let inside = path.starts_with("studies/") && !path.split('/').any(|part| part == "..");
        if !inside {
            return Err(StoreError::Damaged(format!("{path:?} is no path of an image")));
        }
        Ok(Image { sha256: hash(row, "sha256")?, bytes: count(row, "bytes")?, path })
    };
    connection.rows(sql, params![], read)
}

/// Copies an image, synced but for its name; false if it is gone.
fn copy(from: &Path, to: &Path) -> Result<bool, StoreError> {
    make_private(to.parent().unwrap_or(to))?;
    match fs::copy(from, to) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StoreError::io(to, error)),
    }
    let opened = fs::OpenOptions::new().write(true).open(to);
    let synced = opened.and_then(|file| file.sync_all());
    synced.map_err(|error| StoreError::io(to, error))?;
    Ok(true)
}

/// Makes the names of images last, and those of the folders that they are in.
fn sync_names(folder: &Path, images: &[Image]) -> Result<(), StoreError> {
    let mut folders = BTreeSet::new();
    for image in images {
        let above = Path::new(&image.path).ancestors().skip(1);
        folders.extend(above.map(|above| folder.join(above)));
    }
    folders.iter().filter(|folder| folder.is_dir()).try_for_each(|folder| sync_folder(folder))
}

/// Copies one database into another file.
fn copy_database(from: &Sqlite, to: &Path) -> Result<Sqlite, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut copy = connect(to, flags)?;
    // Within one state of the database: otherwise every write of the node would begin the copy anew.
    let snapshot = from.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Backup::new(&snapshot, &mut copy)?.run_to_completion(PAGES, Duration::ZERO, None)?;
    snapshot.finish()?;
    // One file, without a log beside it.
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    Ok(copy)
}

impl Store {
    /// Writes a backup into a folder, which must be new or empty, while the node works on. An image that
    /// is evicted meanwhile may lack in the copies; restoring says so. A database that several nodes share is
    /// not part of it: its server's own means (`pg_dump`) are for that.
    ///
    /// # Errors
    /// [`StoreError::Occupied`], or of the disk or the database.
    pub fn backup(&self, folder: &Path, images_too: BackupImages) -> Result<BackedUp, StoreError> {
        self.flush()?;
        make_private(folder)?;
        let failed = |error| StoreError::io(folder, error);
        if fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(StoreError::Occupied(folder.to_owned()));
        }
        let images = match self.server() {
            Some(_) => {
                // By which folder and database know each other.
                let name = crate::folder::DATABASE;
                copy(&self.folder.root().join(name), &folder.join(name))?;
                self.read(images)?
            }
            None => {
                let from = connect(&self.folder.database(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                let copied = copy_database(&from, &folder.join("hemora.db"))?;
                images(&Connection::Sqlite(&copied))?
            }
        };
        if images_too == BackupImages::Copies {
            for image in &images {
                copy(&self.folder.root().join(&image.path), &folder.join(&image.path))?;
            }
            sync_names(folder, &images)?;
        }
        let table = folder.join(IMAGES);
        let written = write_whole(&table, |file| {
            images.iter().try_for_each(|image| {
                writeln!(file, "{}\t{}\t{}", hex(&image.sha256), image.bytes, image.path)
            })
        });
        written.map_err(|error: std::io::Error| StoreError::io(&table, error))?;
        sync_folder(folder)?;
        Ok(BackedUp { database_left: self.server().map(str::to_owned) })
    }

    /// Makes a data folder of a backup. The folder must hold no database; images (`studies/`) may be
    /// there already, as from a file system's snapshot.
    ///
    /// # Errors
    /// [`StoreError::Backup`] if the backup is not whole, [`StoreError::Occupied`], or of the disk or the
    /// database.
    pub fn restore(backup: &Path, folder: &Path) -> Result<Restored, StoreError> {
        let bad =
            |what: &str| StoreError::Backup { backup: backup.to_owned(), what: what.to_owned() };
        if !backup.join(IMAGES).is_file() || !backup.join("hemora.db").is_file() {
            return Err(bad("it lacks hemora.db or images.tsv, which is written last"));
        }
        let database = folder.join("hemora.db");
        // A log that an earlier database left would be taken for that of this one.
        if database.exists() || folder.join("hemora.db-wal").exists() {
            return Err(StoreError::Occupied(folder.to_owned()));
        }
        make_private(folder)?;
        let from = connect(&backup.join("hemora.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        check(&from, backup)?;
        // Under its own name only when all of it is there.
        let partial = folder.join("hemora.db.partial");
        crate::folder::remove(&partial)?;
        let restored = copy_database(&from, &partial)?;
        let (mut report, mut gone) = (Restored::default(), Vec::new());
        let images = images(&Connection::Sqlite(&restored))?;
        for image in &images {
            let path = folder.join(&image.path);
            let whole = |path: &Path| fs::metadata(path).is_ok_and(|it| it.len() == image.bytes);
            if whole(&path) || (copy(&backup.join(&image.path), &path)? && whole(&path)) {
                report.images += 1;
            } else {
                report.missing.push(path);
                gone.push(image.path.clone());
            }
        }
        sync_names(folder, &images)?;
        mark_gone(&restored, &gone)?;
        drop(restored);
        fs::rename(&partial, &database).map_err(|error| StoreError::io(&database, error))?;
        sync_folder(folder)?;
        Ok(report)
    }
}

fn check(connection: &Sqlite, backup: &Path) -> Result<(), StoreError> {
    let found: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > SCHEMA {
        return Err(StoreError::Newer { folder: backup.to_owned(), found, known: SCHEMA });
    }
    let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if sound != "ok" {
        return Err(StoreError::Backup { backup: backup.to_owned(), what: sound });
    }
    Ok(())
}

fn mark_gone(connection: &Sqlite, paths: &[String]) -> Result<(), StoreError> {
    let transaction = connection.unchecked_transaction()?;
    let connection = Connection::Sqlite(&transaction);
    let mut studies = BTreeSet::new();
    for path in paths {
        let sql = "UPDATE instance SET evicted = 1 WHERE path = ?1 RETURNING study_uid";
        let read = |row: &Row<'_>| row.get::<_, String>(0);
        studies.extend(connection.rows(sql, params![path], read)?);
    }
    for study_uid in &studies {
        refresh(&connection, study_uid)?;
    }
    transaction.commit()?;
    Ok(())
}
