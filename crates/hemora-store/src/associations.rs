//! Who brought what: the associations of the DICOM network.

use chrono::{DateTime, Utc};

use crate::sql::{Connection, params};
use crate::time::millis;
use crate::{Store, StoreError};

/// An association that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewAssociation {
    /// AE title of the peer.
    pub calling_ae: String,
    /// AE title that it called.
    pub called_ae: String,
    /// Its address.
    pub peer: String,
    /// Subject of its certificate.
    pub tls_subject: Option<String>,
}

/// How an association ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssociationEnd {
    /// By A-RELEASE.
    Released,
    /// By A-ABORT, or the connection was lost.
    Aborted,
    /// The peer was silent for too long.
    TimedOut,
}

impl AssociationEnd {
    fn as_str(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Aborted => "aborted",
            Self::TimedOut => "timed out",
        }
    }
}

/// A node has ended: the associations that it had open ended with it, nobody knows when.
pub(crate) fn end_associations(connection: &Connection<'_>, node: &str) -> Result<(), StoreError> {
    let sql = "UPDATE association SET how = 'node ended' WHERE how IS NULL AND node = ?1";
    connection.execute(sql, [node])?;
    Ok(())
}

impl Store {
    /// Notes an association that was accepted; its number, for [`crate::Arrival::association`].
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn open_association(
        &self,
        association: &NewAssociation,
        now: DateTime<Utc>,
    ) -> Result<u64, StoreError> {
        let NewAssociation { calling_ae, called_ae, peer, tls_subject } = association.clone();
        let node = self.folder.node().to_owned();
        let id = self.write(move |connection| {
            let sql =
                "INSERT INTO association (calling_ae, called_ae, peer, tls_subject, opened_at, node)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id";
            let parameters = params![calling_ae, called_ae, peer, tls_subject, millis(now), node];
            connection.one(sql, parameters, |row| row.get::<_, i64>(0))
        })?;
        u64::try_from(id).map_err(|_| StoreError::Damaged(format!("association {id}")))
    }

    /// Notes the end of an association.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn close_association(
        &self,
        id: u64,
        how: AssociationEnd,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            let sql = "UPDATE association SET closed_at = ?2, how = ?3
                 WHERE id = ?1 AND how IS NULL";
            let id = i64::try_from(id).unwrap_or(i64::MAX);
            connection.execute(sql, params![id, millis(now), how.as_str()])?;
            Ok(())
        })
    }

    /// Whether an association of another node that brought images of a study is open.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn is_open_elsewhere(&self, study_uid: &str) -> Result<bool, StoreError> {
        let sql = "SELECT 1 FROM instance JOIN association ON association.id = association_id
             WHERE study_uid = ?1 AND how IS NULL AND node <> ?2 LIMIT 1";
        self.read(|connection| connection.any(sql, params![study_uid, self.folder.node()]))
    }
}
