//! What storage commitment asks and answers (PS3.4 annex J).

pub(crate) mod data;

use crate::Failure;

/// An instance by its class and its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// ReferencedSOPClassUID.
    pub sop_class_uid: String,
    /// ReferencedSOPInstanceUID.
    pub sop_instance_uid: String,
}

/// A peer asks that instances be kept for certain (N-ACTION).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRequest {
    /// TransactionUID, by which the report is told from others.
    pub transaction_uid: String,
    /// What it asks about, in its order.
    pub instances: Vec<Reference>,
}

/// Answer to a [`CommitRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitReply {
    /// Taken on: whoever answers sends the report later, by [`send_commit_report`](crate::send_commit_report).
    Later,
    /// Taken on, and this is the report: it is sent on the same association, and
    /// [`Handler::commit_answered`](crate::Handler::commit_answered) hears whether the peer took it.
    Now(CommitReport),
    /// Not taken on.
    Refused(Failure),
}

/// Which instances are kept for certain (N-EVENT-REPORT).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitReport {
    /// TransactionUID of the request.
    pub transaction_uid: String,
    /// What is kept for certain.
    pub committed: Vec<Reference>,
    /// What is not, with the FailureReason (PS3.3 §C.14.1.1), such as [`NO_SUCH_INSTANCE`].
    pub failed: Vec<(Reference, u16)>,
}

/// FailureReason: a failure in processing.
pub const PROCESSING_FAILURE: u16 = 0x0110;
/// FailureReason: the instance is not there.
pub const NO_SUCH_INSTANCE: u16 = 0x0112;
/// FailureReason: the instance is there with another class.
pub const CLASS_CONFLICT: u16 = 0x0119;
