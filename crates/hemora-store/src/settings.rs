//! Settings of a site, with who set them and why.

use chrono::{DateTime, Utc};

use crate::audit::{NewAudit, append};
use crate::sql::{Row, params};
use crate::time::{at, millis};
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

impl Setting {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            value: row.get("value")?,
            who: row.get("who")?,
            why: row.get("why")?,
            at: at(row.get("at")?),
        })
    }
}

impl Store {
    /// The value of a setting now, if it was ever set.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn setting(&self, name: &str) -> Result<Option<Setting>, StoreError> {
        let sql =
            "SELECT value, who, why, at FROM setting WHERE name = ?1 ORDER BY id DESC LIMIT 1";
        self.read(|connection| Ok(connection.rows(sql, [name], Setting::read)?.pop()))
    }

    /// Sets a setting to a JSON value; the audit says who and why.
    ///
    /// # Errors
    /// [`StoreError::BadValue`] if it is no JSON or nobody says who or why, or of the database.
    pub fn set_setting(
        &self,
        name: &str,
        value: &str,
        who: &str,
        why: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let bad = |why: String| Err(StoreError::BadValue { what: "the setting", why });
        if let Err(error) = serde_json::from_str::<serde_json::Value>(value) {
            return bad(format!("{name} is no JSON: {error}"));
        }
        if who.trim().is_empty() || why.trim().is_empty() {
            return bad(format!("{name} is set by {who:?} because {why:?}; say who and why"));
        }
        let [name, value, who, why] = [name, value, who, why].map(str::to_owned);
        self.change(move |connection| {
            let sql = "INSERT INTO setting (name, value, who, why, at) VALUES (?1, ?2, ?3, ?4, ?5)";
            connection.execute(sql, params![name, value, who, why, millis(now)])?;
            let detail = format!("{name} = {value}: {why}");
            append(
                connection,
                NewAudit { who: &who, what: "set", study: None, detail: &detail },
                now,
            )
        })
    }

    /// Every value that a setting had, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn setting_history(&self, name: &str) -> Result<Vec<Setting>, StoreError> {
        let sql = "SELECT value, who, why, at FROM setting WHERE name = ?1 ORDER BY id";
        self.read(|connection| connection.rows(sql, [name], Setting::read))
    }
}
