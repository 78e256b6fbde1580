//! What every program of Hemora needs, whatever it does: how it ends ([`ExitStatus`]), how one
//! program tells another of its progress ([`Event`]), files that are whole or not there
//! ([`write_whole`]), how many threads it may start ([`ThreadCount`]), texts that a terminal may show
//! ([`printable`]), and which share of a job is its own ([`WorkShard`]).

mod event;
mod exit;
mod files;
mod shard;
mod text;
mod threads;

pub use event::{Event, EventError};
pub use exit::ExitStatus;
pub use files::{WholeFile, hex, sha256_hex, write_bytes, write_json, write_whole};
pub use shard::{ParseShardError, WorkShard};
pub use text::{is_disturbing, printable};
pub use threads::ThreadCount;
