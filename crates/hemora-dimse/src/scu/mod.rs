//! Services that this program asks of others.

use std::time::Duration;

use crate::{AeTitle, CommitReport, Reference};

/// A peer that this program calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Its name.
    pub ae: AeTitle,
    /// Its address, `host:port`.
    pub host: String,
    /// Name by which this program calls itself.
    pub calling: AeTitle,
    /// How long it may take.
    pub timeouts: Timeouts,
}

/// How long a called peer may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// To take the connection (for each address of the host) and to answer the association request.
    pub connect: Duration,
    /// To read a message of ours, and to answer it, each.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(60) }
    }
}

/// Why a service of a peer did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ScuError {}

/// An instance to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// SOPClassUID.
    pub sop_class_uid: String,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// Transfer syntax of the data set.
    pub transfer_syntax: String,
    /// The data set, without preamble and meta header.
    pub data_set: Vec<u8>,
}

impl Object {
    /// Takes apart a Part 10 file in memory: classes and names from its meta header.
    ///
    /// # Errors
    /// [`ObjectError`] says what is missing.
    pub fn from_part10(_file: &[u8]) -> Result<Self, ObjectError> {
        todo!()
    }
}

/// Bytes that are no Part 10 file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {}

/// What a peer answered for one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// What became of it.
    pub outcome: StoreOutcome,
}

/// What became of an instance that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOutcome {
    /// Stored.
    Stored,
    /// Stored, with a warning (status Bxxx, 0001, 0107 or 0116) and the peer's comment.
    Warning(u16, String),
    /// Not stored: status and the peer's comment.
    Failed(u16, String),
    /// Not sent: the peer takes no instances of this class in this transfer syntax.
    NotAccepted,
}

impl StoreOutcome {
    /// Whether the peer has the instance.
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Stored | Self::Warning(..))
    }
}

/// C-ECHO: whether the peer answers, and how long it took to.
///
/// # Errors
/// [`ScuError`] says what stands in the way.
pub fn echo(_to: &Destination) -> Result<Duration, ScuError> {
    todo!()
}

/// C-STORE of all objects over one association; the outcomes are in their order.
///
/// # Errors
/// [`ScuError`] if the association ends before each has its answer: how far it came is then unknown
/// and all have to be sent again.
pub fn store(_to: &Destination, _objects: &[Object]) -> Result<Vec<StoreStatus>, ScuError> {
    todo!()
}

/// Asks for storage commitment (N-ACTION) and waits as long as `wait` for the report on the same
/// association; `None`: the peer took the request on, and its report will come to our server.
///
/// # Errors
/// [`ScuError`] if the peer does not take the request on.
pub fn request_commitment(
    _to: &Destination,
    _transaction_uid: &str,
    _instances: &[Reference],
    _wait: Duration,
) -> Result<Option<CommitReport>, ScuError> {
    todo!()
}

/// Sends the report of a storage commitment that a peer asked us for (N-EVENT-REPORT), over a new
/// association in which we are the SCP.
///
/// # Errors
/// [`ScuError`] if the peer does not take it.
pub fn send_commit_report(_to: &Destination, _report: &CommitReport) -> Result<(), ScuError> {
    todo!()
}

/// Asks an archive (C-FIND, study root) how many instances a study has; `None` if it does not know
/// the study or does not count.
///
/// # Errors
/// [`ScuError`] if it does not answer.
pub fn count_instances(_at: &Destination, _study_uid: &str) -> Result<Option<u32>, ScuError> {
    todo!()
}
