//! Tokens of programs, known by their hashes.

use chrono::{DateTime, Utc};

use super::users::check_name;
use crate::audit::{NewAudit, append};
use crate::sql::{Connection, Row, params};
use crate::time::{at, millis};
use crate::{Store, StoreError};

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Number.
    pub id: i64,
    /// Name of the program.
    pub name: String,
    /// What it may do.
    pub scope: String,
    /// When the token was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub used_at: Option<DateTime<Utc>>,
    /// When it was taken back; it is worth nothing since.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Columns of a token.
const COLUMNS: &str = "id, name, scope, created_at, used_at, revoked_at";

impl TokenRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            scope: row.get("scope")?,
            created_at: at(row.get("created_at")?),
            used_at: row.get::<_, Option<i64>>("used_at")?.map(at),
            revoked_at: row.get::<_, Option<i64>>("revoked_at")?.map(at),
        })
    }
}

/// Fails if another token that counts has the name: the audit tells programs apart by it.
fn refuse_second(connection: &Connection<'_>, name: &str) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM token WHERE name = ?1 AND revoked_at IS NULL";
    let found = connection.first(sql, [name], |_| Ok(()))?;
    found.map_or(Ok(()), |()| {
        let todo = "choose another name, or take that one back first";
        Err(StoreError::Exists { what: format!("a token {name:?}"), todo })
    })
}

impl Store {
    /// Makes a token; its number. The audit notes who did.
    ///
    /// # Errors
    /// [`StoreError::Exists`] if one of that name is not taken back, [`StoreError::BadValue`] for a name that
    /// none can have, or of the database.
    pub fn create_token(
        &self,
        hash: [u8; 32],
        name: &str,
        scope: &str,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        check_name("the token", name)?;
        let [name, scope, by] = [name, scope, by].map(str::to_owned);
        self.write(move |connection| {
            refuse_second(connection, &name)?;
            let sql = "INSERT INTO token (hash, name, scope, created_at) VALUES (?1, ?2, ?3, ?4)
                 RETURNING id";
            let parameters = params![hash, name, scope, millis(now)];
            let id: i64 = connection.one(sql, parameters, |row| row.get(0))?;
            let detail = format!("token {id} {name}: scope {scope}");
            let row = NewAudit { who: &by, what: "made a token", study: None, detail: &detail };
            append(connection, row, now)?;
            Ok(id)
        })
    }

    /// The token of a hash. Whether it was taken back is for the caller to see.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn token(&self, hash: [u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token WHERE hash = ?1");
        self.read(|connection| Ok(connection.rows(&sql, [hash], TokenRow::read)?.pop()))
    }

    /// All tokens, newest first, with those that were taken back.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token ORDER BY id DESC");
        self.read(|connection| connection.rows(&sql, params![], TokenRow::read))
    }

    /// Takes a token back, if it was not before; the audit notes who did.
    ///
    /// # Errors
    /// [`StoreError::NoToken`], or of the database.
    pub fn revoke_token(&self, id: i64, by: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        let by = by.to_owned();
        self.write(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM token WHERE id = ?1");
            let found = connection.rows(&sql, [id], TokenRow::read)?.pop();
            let token = found.ok_or(StoreError::NoToken(id))?;
            if token.revoked_at.is_some() {
                return Ok(());
            }
            let sql = "UPDATE token SET revoked_at = ?2 WHERE id = ?1";
            connection.execute(sql, params![id, millis(now)])?;
            let detail = format!("token {id} {}", token.name);
            let row =
                NewAudit { who: &by, what: "took a token back", study: None, detail: &detail };
            append(connection, row, now)
        })
    }

    /// Notes that a token was used. Nobody waits for that, and it may get lost.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub fn touch_token(&self, id: i64, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.write_later(move |connection| {
            let sql = "UPDATE token SET used_at = ?2
                 WHERE id = ?1 AND COALESCE(used_at, ?2) <= ?2";
            connection.execute(sql, params![id, millis(now)])?;
            Ok(())
        })
    }
}
