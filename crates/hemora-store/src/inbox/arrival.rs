//! What is known of an instance as it arrives, and what became of it.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use hemora_io::Identity;

/// How an instance arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Whose it is.
    pub identity: Identity,
    /// Number of the association ([`crate::Store::open_association`]); 0 if none brought it.
    pub association: u64,
    /// AE title of the sender; 16 characters at most are kept through a crash (PS3.8 §9.3.2).
    pub calling_ae: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
}

/// What became of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New,
    /// The same data set is there already.
    Again,
    /// Another data set with this SOPInstanceUID is there: both are kept, this one is used from now on
    /// if it is of the same study, and the study and the audit say so.
    OtherBytes,
}

/// What opening a store had to put right.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovery {
    /// Instances that were acknowledged and are filed now.
    pub adopted: u64,
    /// Instances in the inbox that had been filed already.
    pub already_filed: u64,
    /// Files of instances that had not arrived whole; their senders never got an answer.
    pub discarded: u64,
    /// Files that say they are whole and are not, as a power loss leaves them that was faster than the
    /// disk. With [`crate::Durability::Power`] none of them was acknowledged.
    pub damaged: u64,
    /// Files that are whole and cannot be filed: they stay, under this name.
    pub unreadable: Vec<PathBuf>,
    /// Jobs and deliveries that the earlier node was at work on: they are free again.
    pub leases_ended: u64,
    /// Files removed whose eviction had begun.
    pub evictions_finished: u64,
}
