//! Settings of a site, with who set them and why.

use chrono::{DateTime, Utc};

use crate::{Store, StoreError};

/// A value that a setting had from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// JSON.
    pub value: String,
    /// Who set it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl Store {
    /// The value of a setting now, if it was ever set.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn setting(&self, name: &str) -> Result<Option<Setting>, StoreError> {
        let _ = name;
        todo!()
    }

    /// Sets a setting to a JSON value; the audit says who and why.
    ///
    /// # Errors
    /// [`StoreError::BadValue`] if it is no JSON or nobody says why, or of the database.
    pub fn set_setting(
        &self,
        name: &str,
        value: &str,
        who: &str,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let _ = (name, value, who, why, now);
        todo!()
    }

    /// Every value that a setting had, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn setting_history(&self, name: &str) -> Result<Vec<Setting>, StoreError> {
        let _ = name;
        todo!()
    }
}
