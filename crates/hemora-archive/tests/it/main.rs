//! Shares of an archive of phantoms: triaged, killed, tampered with, merged.

mod gone;
mod merge;
#[cfg(feature = "s3")]
mod object_storage;
mod resume;
mod support;
mod union;
