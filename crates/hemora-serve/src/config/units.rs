//! Durations and sizes as people write them (`4s`, `14d`, `20GiB`).

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

/// Sizes, exactly: the library's own form rounds to a tenth of a unit.
pub(super) mod size {
    use bytesize::ByteSize;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Units with their bytes, the largest first.
    const UNITS: [(&str, u64); 8] = [
        ("TiB", 1 << 40),
        ("TB", 1_000_000_000_000),
        ("GiB", 1 << 30),
        ("GB", 1_000_000_000),
        ("MiB", 1 << 20),
        ("MB", 1_000_000),
        ("KiB", 1 << 10),
        ("B", 1),
    ];

    /// Writes a size in the largest unit that divides it.
    pub(in super::super) fn serialize<S: Serializer>(
        value: &ByteSize,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        let whole = |(_, unit): &&(&str, u64)| value.0 > 0 && value.0.is_multiple_of(*unit);
        let (name, unit) = UNITS.iter().find(whole).unwrap_or(&("B", 1));
        to.collect_str(&format_args!("{}{name}", value.0 / unit))
    }

    /// Reads one.
    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<ByteSize, D::Error> {
        ByteSize::deserialize(from)
    }
}
