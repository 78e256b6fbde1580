//! Time in the database: milliseconds since 1970, UTC.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// As stored.
pub(crate) fn millis(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

/// From what is stored; a number that no date has becomes the nearest that one has.
pub(crate) fn at(millis: i64) -> DateTime<Utc> {
    let nearest = if millis < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_millis(millis).unwrap_or(nearest)
}

/// A length of time as stored.
pub(crate) fn millis_of(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX / 4)
}
