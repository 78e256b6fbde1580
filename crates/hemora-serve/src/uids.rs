//! UIDs by chance.

/// A UID that nobody had before (PS3.5 B.2).
pub(crate) fn fresh_uid() -> String {
    format!("2.25.{}", uuid::Uuid::new_v4().as_u128())
}
