//! Durations as people write them (`4s`, `14d`).

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer};

/// Writes a duration as people do.
pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_duration(*value))
}

/// Reads one.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    humantime::parse_duration(&text).map_err(|error| {
        serde::de::Error::custom(format!(
            "{text:?} is no duration ({error}); write it as \"4s\", \"10m\", \"12h\", \"14d\" or \"10y\""
        ))
    })
}
