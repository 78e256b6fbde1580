//! From the first byte of an instance to its place among the studies.
//!
//! ```text
//! draft ──seal──▶ sealed ──mark + sync──▶ acknowledged ──link, sync, rows, unlink──▶ filed
//! ```
//!
//! An instance has its place among the studies (a second name of the same file) before its rows are
//! committed, and keeps its name in the inbox until they are: wherever the node is killed, either the
//! inbox or a row leads to it, and no row leads nowhere.

mod arrival;
mod draft;
mod filing;
mod keep;
mod mark;
mod pool;
mod recover;

pub use arrival::{Arrival, Kept, Recovery};
pub use draft::{Draft, Sealed};
pub(crate) use filing::{Inbox, start};
