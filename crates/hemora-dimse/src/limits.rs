//! What a peer may take of this program.

use std::time::Duration;

/// Bounds on what peers may take, checked before memory is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Associations that may be open at once; peers beyond are told to come back.
    pub associations: usize,
    /// Of these, those of one network address.
    pub per_peer: usize,
    /// Longest P-DATA PDU that a peer may send, in bytes; peers are told (PS3.8 §D.1).
    pub pdu: u32,
    /// Longest data set of a C-STORE, in bytes.
    pub instance: u64,
    /// Longest command set, in bytes.
    pub command: usize,
    /// Longest data set that is kept in memory, as those of storage commitment, in bytes.
    pub data_set: usize,
    /// Presentation contexts that a peer may propose; the standard has ids for 128.
    pub contexts: usize,
    /// How long a peer may take from its connection to the end of its A-ASSOCIATE-RQ.
    pub association: Duration,
    /// How long an association may be silent between two messages.
    pub idle: Duration,
    /// How long a message with all its data may take from its first byte to its last, and how long
    /// a peer may take to read an answer. Not the time between two bytes: a peer that sends a byte now
    /// and then must not hold an association.
    pub store: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            associations: 32,
            per_peer: 8,
            pdu: 128 << 10,
            instance: 512 << 20,
            command: 64 << 10,
            data_set: 4 << 20,
            contexts: 128,
            association: Duration::from_secs(5),
            idle: Duration::from_secs(300),
            store: Duration::from_secs(300),
        }
    }
}
