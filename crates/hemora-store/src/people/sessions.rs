//! Sessions of users, known by the hash of what the browser holds.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::users::{find, key};
use crate::audit::{NewAudit, append};
use crate::sql::{Connection, Row, params};
use crate::time::{at, millis, millis_of};
use crate::{Store, StoreError};

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Name of the user.
    pub user: String,
    /// What they may do now.
    pub role: String,
    /// Whether they may not log in.
    pub disabled: bool,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    pub used_at: DateTime<Utc>,
    /// When it ends, whatever happens.
    pub ends_at: DateTime<Utc>,
}

impl SessionRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            user: row.get("name")?,
            role: row.get("role")?,
            disabled: row.get("disabled")?,
            created_at: at(row.get("created_at")?),
            used_at: at(row.get("used_at")?),
            ends_at: at(row.get("ends_at")?),
        })
    }
}

fn begin(
    connection: &Connection<'_>,
    id_hash: [u8; 32],
    user: &str,
    now: DateTime<Utc>,
    ends_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let user = find(connection, user)?.ok_or_else(|| StoreError::NoUser(user.to_owned()))?;
    // They may have been disabled while their password was checked.
    if user.disabled {
        let why = format!("the user {:?} is disabled", user.name);
        return Err(StoreError::BadValue { what: "the session", why });
    }
    let sql = "INSERT INTO session (id_hash, \"user\", created_at, used_at, ends_at)
         VALUES (?1, ?2, ?3, ?3, ?4)";
    let (now_millis, ends_at) = (millis(now), millis(ends_at));
    let parameters = params![id_hash, key(&user.name), now_millis, ends_at];
    connection.execute(sql, parameters)?;
    see(connection, &key(&user.name), now)?;
    append(
        connection,
        NewAudit { who: &user.name, what: "logged in", study: None, detail: "" },
        now,
    )
}

/// Notes that a user was seen.
fn see(connection: &Connection<'_>, key: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    let sql = "UPDATE \"user\" SET seen_at = ?2 WHERE key = ?1 AND COALESCE(seen_at, ?2) <= ?2";
    connection.execute(sql, params![key, millis(now)])?;
    Ok(())
}

/// Sessions that have ended by themselves: now, and the last use that is too long ago.
const ENDED: &str = "ends_at <= ?1 OR used_at <= ?2";

impl Store {
    /// Begins a session of a user; the audit notes it.
    ///
    /// # Errors
    /// [`StoreError::NoUser`], [`StoreError::BadValue`] if the user is disabled, or of the database.
    pub fn begin_session(
        &self,
        id_hash: [u8; 32],
        user: &str,
        now: DateTime<Utc>,
        ends_at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let user = user.to_owned();
        self.write(move |connection| begin(connection, id_hash, &user, now, ends_at))
    }

    /// A session, with what its user may do now. Whether its time is over is for the caller to say.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn session(&self, id_hash: [u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        let sql = "SELECT name, role, disabled, session.created_at AS created_at, used_at, ends_at
             FROM session JOIN \"user\" ON \"user\".key = session.\"user\" WHERE id_hash = ?1";
        self.read(|connection| Ok(connection.rows(sql, [id_hash], SessionRow::read)?.pop()))
    }

    /// Notes that a session was used, and its user seen. Nobody waits for that, and it may get lost.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    pub fn touch_session(&self, id_hash: [u8; 32], now: DateTime<Utc>) -> Result<(), StoreError> {
        self.write_later(move |connection| {
            let sql = "UPDATE session SET used_at = CASE WHEN used_at < ?2 THEN ?2 ELSE used_at END
                 WHERE id_hash = ?1 RETURNING \"user\"";
            let user = |row: &Row<'_>| row.get::<_, String>(0);
            let users = connection.rows(sql, params![id_hash, millis(now)], user)?;
            users.iter().try_for_each(|key| see(connection, key, now))
        })
    }

    /// Ends a session, if there is one; the audit notes that its user logged out.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn end_session(&self, id_hash: [u8; 32], now: DateTime<Utc>) -> Result<(), StoreError> {
        self.write(move |connection| {
            let sql = "SELECT name FROM session JOIN \"user\" ON \"user\".key = session.\"user\"
                 WHERE id_hash = ?1";
            let name = |row: &Row<'_>| row.get::<_, String>(0);
            let users = connection.rows(sql, [id_hash], name)?;
            let sql = "DELETE FROM session WHERE id_hash = ?1";
            connection.execute(sql, [id_hash])?;
            users.iter().try_for_each(|who| {
                let row = NewAudit { who, what: "logged out", study: None, detail: "" };
                append(connection, row, now)
            })
        })
    }

    /// Removes sessions whose time is over, or that nobody used for `idle`; how many. The audit notes each.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn drop_ended_sessions(
        &self,
        now: DateTime<Utc>,
        idle: Duration,
    ) -> Result<u64, StoreError> {
        let limits = [millis(now), millis(now).saturating_sub(millis_of(idle))];
        let sql = format!(
            "SELECT name, ends_at <= ?1 AS over FROM session JOIN \"user\" ON \"user\".key = session.\"user\"
             WHERE {ENDED} ORDER BY used_at"
        );
        let read = |row: &Row<'_>| Ok((row.get::<_, String>("name")?, row.get("over")?));
        // Whoever asks again and again does not wait for the writer.
        if self.read(|connection| connection.rows(&sql, limits, read))?.is_empty() {
            return Ok(0);
        }
        self.write(move |connection| {
            for (who, over) in connection.rows(&sql, limits, read)? {
                let detail = if over { "its time was over" } else { "it was not used" };
                let row = NewAudit { who: &who, what: "session ended", study: None, detail };
                append(connection, row, now)?;
            }
            let sql = format!("DELETE FROM session WHERE {ENDED}");
            Ok(connection.execute(&sql, limits)? as u64)
        })
    }
}
