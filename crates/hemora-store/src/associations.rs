//! Who brought what: the associations of the DICOM network.

use chrono::{DateTime, Utc};

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
        let _ = (association, now);
        todo!()
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
        let _ = (id, how, now);
        todo!()
    }
}
