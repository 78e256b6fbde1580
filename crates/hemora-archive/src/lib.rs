//! Triage of an archive: shares of an index that any number of machines work on, and what makes them one
//! result again.
//!
//! [`ShareTriage`] scores the studies of one share, a chunk of whole studies at a time, and keeps its tables in
//! a folder that all shares of a job have in common. [`merge`](merge()) checks that all shares are there and of
//! one job, and makes one table of studies, one of slices and one ranked page of them.
//!
//! What a share holds depends on the index and the share's number alone. A share that was killed goes on after
//! its last whole chunk, and its tables are those of a share that was not killed, byte by byte; merged tables do
//! not depend on the number of shares.

mod chunk;
mod error;
mod images;
mod job;
mod manifest;
mod merge;
mod part;
mod pictured;
mod plan;
mod rank;
mod share;
mod store;
mod tables;

pub use error::ArchiveError;
pub use job::{Job, JobOptions};
pub use manifest::{Counts, MergedManifest, ShareManifest, TableRef};
pub use merge::merge;
pub use share::{ShareOutcome, ShareTriage};
