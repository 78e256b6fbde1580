//! Sessions of users: a cookie with a secret, of which the node keeps the SHA-256.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::COOKIE as COOKIES;
use chrono::{DateTime, TimeDelta, Utc};
use hemora_store::{SessionRow, StoreError};

use super::Asker;
use super::secret::{fresh, hash_of};
use crate::shared::Shared;

/// Name of the cookie. Browsers take this prefix only with `Secure`, for this very host and all of its paths,
/// so no other host of a domain can set one. Chromium and Firefox hold http://127.0.0.1 and
/// http://localhost to be secure; Safari does not, and needs TLS.
pub(crate) const COOKIE: &str = "__Host-hemora";

/// Use is noted after so long, since each note is a write.
const NOTED_AFTER: Duration = Duration::from_secs(60);

/// A session that has begun.
pub(crate) struct NewSession {
    /// SHA-256 of its secret.
    pub(crate) id: [u8; 32],
    /// The cookie that is to be set.
    pub(crate) cookie: String,
    /// When it ends.
    pub(crate) ends_at: DateTime<Utc>,
}

/// Begins a session. Its secret is new at each login, so that one that was known before is worth nothing.
///
/// # Errors
/// Those of the store.
pub(crate) fn begin(
    node: &Shared,
    user: &str,
    now: DateTime<Utc>,
) -> Result<NewSession, StoreError> {
    let secret = fresh();
    let absolute = signed(node.config.http.sessions.absolute);
    let ends_at = now + absolute;
    let id = hash_of(&secret);
    node.store.begin_session(id, user, now, ends_at)?;
    let cookie = format!("{COOKIE}={secret}; Path=/; HttpOnly; Secure; SameSite=Strict");
    Ok(NewSession { id, cookie, ends_at })
}

/// The cookie that takes the cookie away.
pub(crate) fn ended() -> String {
    format!("{COOKIE}=; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=0")
}

/// SHA-256 of the session that a request brings.
pub(crate) fn cookie_of(headers: &HeaderMap) -> Option<[u8; 32]> {
    let texts = headers.get_all(COOKIES).into_iter().filter_map(|value| value.to_str().ok());
    let mut cookies = texts.flat_map(|text| text.split(';')).filter_map(|it| it.split_once('='));
    cookies.find(|(name, _)| name.trim() == COOKIE).map(|(_, secret)| hash_of(secret.trim()))
}

/// A session that has not ended.
///
/// # Errors
/// Those of the store.
pub(crate) fn live(
    node: &Shared,
    session: [u8; 32],
    now: DateTime<Utc>,
) -> Result<Option<SessionRow>, StoreError> {
    let idle = node.config.http.sessions.idle;
    Ok(node.store.session(session)?.filter(|row| lives(row, idle, now)))
}

fn lives(row: &SessionRow, idle: Duration, now: DateTime<Utc>) -> bool {
    !row.disabled && now < row.ends_at && now < row.used_at + signed(idle)
}

/// Whether the use of a session or token is to be noted again.
pub(crate) fn is_to_be_noted(
    node: &Shared,
    used_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> bool {
    let after = NOTED_AFTER.min(node.config.http.sessions.idle / 4);
    used_at.is_none_or(|used_at| now - used_at >= signed(after))
}

/// Whether a session or token still is one, for streams that outlive the request that began them.
pub(crate) fn still_may(node: &Shared, asker: &Asker) -> bool {
    let Some(session) = asker.session else { return true };
    match asker.scope {
        None => matches!(live(node, session, Utc::now()), Ok(Some(_))),
        Some(_) => {
            let row = node.store.token(session);
            matches!(row, Ok(Some(row)) if row.revoked_at.is_none())
        }
    }
}

fn signed(length: Duration) -> TimeDelta {
    TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_its_time_without_use_and_with_its_user() {
        let now = Utc::now();
        let minutes = TimeDelta::minutes;
        let row = |used: i64, ends: i64, disabled| SessionRow {
            user: "anna".to_owned(),
            role: "reader".to_owned(),
            disabled,
            created_at: now - minutes(60),
            used_at: now - minutes(used),
            ends_at: now + minutes(ends),
        };
        let idle = Duration::from_secs(30 * 60);
        assert!(lives(&row(29, 1, false), idle, now));
        assert!(!lives(&row(30, 1, false), idle, now), "not used");
        assert!(!lives(&row(0, 0, false), idle, now), "its time is over");
        assert!(!lives(&row(0, 1, true), idle, now), "the user is disabled");
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIES, text.parse().unwrap());
            cookie_of(&headers)
        };
        let wanted = Some(hash_of("secret"));
        assert_eq!(of("__Host-hemora=secret"), wanted);
        assert_eq!(of("theme=dark; __Host-hemora=secret; a=b"), wanted);
        assert_eq!(of("hemora=secret; x__Host-hemora=secret; __host-hemora=secret"), None);
        assert_eq!(of("__Host-hemora"), None);
    }
}
