//! What is derived from images and kept beside a result until they go: pictures, views, maps.

use std::collections::BTreeSet;

use super::jobs::Job;
use crate::sql::{Connection, params};
use crate::{Store, StoreError};

/// Something that is derived from the images of a revision. It is never replaced, and goes with the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// What it is, such as `view`.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Artifact {
    /// Name of the small picture of the key slice, which [`crate::StudyExtras::has_thumbnail`] is about.
    pub const THUMBNAIL: &str = "thumbnail";

    /// Adds it to the revision of a job.
    pub(super) fn insert(&self, connection: &Connection<'_>, job: &Job) -> Result<(), StoreError> {
        let sql = "INSERT INTO artifact (study_uid, revision, name, bytes) VALUES (?1, ?2, ?3, ?4)";
        let parameters = params![job.study_uid, job.revision, self.name, self.bytes];
        connection.execute(sql, parameters)?;
        Ok(())
    }
}

/// Fails if two have the same name.
pub(super) fn check_names(artifacts: &[Artifact]) -> Result<(), StoreError> {
    let mut names = BTreeSet::new();
    match artifacts.iter().find(|it| !names.insert(it.name.as_str())) {
        Some(twice) => {
            let why = format!("there are two of the name {:?}", twice.name);
            Err(StoreError::BadValue { what: "an artifact", why })
        }
        None => Ok(()),
    }
}

/// Removes the artifacts of revisions before the two newest results.
pub(super) fn drop_older(connection: &Connection<'_>, study_uid: &str) -> Result<(), StoreError> {
    let sql =
        "DELETE FROM artifact WHERE study_uid = ?1 AND revision < (SELECT revision FROM result
            WHERE study_uid = ?1 ORDER BY revision DESC LIMIT 1 OFFSET 1)";
    connection.execute(sql, [study_uid])?;
    Ok(())
}

impl Store {
    /// An artifact of a revision, or of the newest that has it, with the revision.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn artifact(
        &self,
        study_uid: &str,
        revision: Option<u32>,
        name: &str,
    ) -> Result<Option<(u32, Vec<u8>)>, StoreError> {
        let sql = "SELECT revision, bytes FROM artifact
             WHERE study_uid = ?1 AND (?2 IS NULL OR revision = ?2) AND name = ?3
             ORDER BY revision DESC LIMIT 1";
        self.read(|connection| {
            let parameters = params![study_uid, revision, name];
            connection.first(sql, parameters, |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }
}
