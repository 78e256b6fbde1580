//! What a server asks the program that it serves.

use std::net::SocketAddr;

use crate::{CommitReply, CommitReport, CommitRequest, Failure};

/// Who is at the other end of an association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Number of its connection, counted from 1 since the server's start; none has it again.
    pub association: u64,
    /// Name by which the peer calls itself: checked as an [`AeTitle`](crate::AeTitle).
    pub calling_ae: String,
    /// Name by which it calls this program: checked as an [`AeTitle`](crate::AeTitle).
    pub called_ae: String,
    /// Where it calls from.
    pub address: SocketAddr,
}

/// Why an association is refused: A-ASSOCIATE-RJ (PS3.8 §9.3.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Permanent: this program does not answer to that name.
    CalledAe,
    /// Permanent: that peer is not known.
    CallingAe,
    /// Transient: no room at present; the peer may try again later.
    Congestion,
}

/// How an association ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The peer released it: it has sent what it wanted to send.
    Released,
    /// The peer aborted it or went away.
    Aborted,
    /// The peer was silent or too slow, and was cut off.
    TimedOut,
    /// The peer broke the protocol, the handler panicked, or the server was stopped.
    Failed(String),
}

/// A peer is about to send an instance (C-STORE-RQ, PS3.7 §9.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreRequest {
    /// MessageID.
    pub message_id: u16,
    /// AffectedSOPClassUID: what the presentation context was negotiated for.
    pub sop_class_uid: String,
    /// AffectedSOPInstanceUID, or the name that an anonymous data set has in its place: 1 to 64 letters,
    /// digits, dots, `_` and `-`, the first a letter or digit.
    pub sop_instance_uid: String,
    /// Transfer syntax of the data set.
    pub transfer_syntax: String,
    /// Who asked for the instance by a C-MOVE, and the message by which it did.
    pub move_originator: Option<(String, Option<u16>)>,
}

/// What the server asks the program that it serves. Each association has a thread, which calls one
/// function at a time; a panic ends that association and no other.
pub trait Handler: Send + Sync + 'static {
    /// Whether a peer may open an association.
    ///
    /// # Errors
    /// Why not.
    fn open(&self, peer: &Peer) -> Result<(), Refusal>;

    /// Whether instances of this storage class are taken. Verification and storage commitment are
    /// the server's own.
    fn accepts(&self, abstract_syntax: &str) -> bool;

    /// An instance comes; its data set goes to the writer, byte for byte as it was sent.
    ///
    /// # Errors
    /// Why it is not taken; the peer is told as soon as it has sent its data.
    fn store(
        &self,
        peer: &Peer,
        request: &StoreRequest,
    ) -> Result<Box<dyn InstanceWriter + '_>, Failure>;

    /// A peer asks for storage commitment: which instances are kept for certain.
    fn commit(&self, peer: &Peer, request: &CommitRequest) -> CommitReply;

    /// A peer answers a storage commitment that this program asked for.
    fn commit_report(&self, peer: &Peer, report: &CommitReport);

    /// Whether a peer took the report of [`CommitReply::Now`]; if not, it has to be sent again by
    /// [`send_commit_report`](crate::send_commit_report).
    fn commit_answered(&self, _peer: &Peer, _transaction_uid: &str, _taken: bool) {}

    /// The association is over. Called once after each [`open`](Self::open) that allowed one.
    fn closed(&self, peer: &Peer, how: &Closed);
}

/// Takes the data set of one instance. Dropped without [`finish`](Self::finish), the instance never
/// arrived.
pub trait InstanceWriter {
    /// The next bytes of the data set, never none.
    ///
    /// # Errors
    /// Why they are not taken; nothing more is written then, and the peer is told.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure>;

    /// The data set is whole. The peer gets its answer when this returns.
    ///
    /// # Errors
    /// Why the instance is not kept.
    fn finish(self: Box<Self>) -> Result<(), Failure>;
}
