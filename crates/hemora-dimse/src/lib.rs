//! DICOM network services: associations, C-ECHO, C-STORE, C-FIND and storage commitment.
//!
//! No database and no pixels: a [`Server`] passes on what peers send to a [`Handler`], byte for byte;
//! [`echo`], [`store`], [`request_commitment`] and [`count_instances`] ask services of others. One
//! thread an association; what a peer may take is in [`Limits`].
//!
//! PDUs ([`pdu`]) and command sets ([`Command`]) are parsed here and not by a library: a data set is
//! passed on in pieces as it arrives, whatever a header says about lengths.

mod ae;
mod association;
mod command;
mod commitment;
mod data_set;
mod failure;
mod handler;
mod limits;
mod meta;
pub mod pdu;
mod scu;
mod server;
mod text;
mod transport;
mod uids;

pub use ae::{AeTitle, AeTitleError};
pub use association::AssociationError;
pub use command::{Command, CommandError, fields};
pub use commitment::{
    CLASS_CONFLICT, CommitReply, CommitReport, CommitRequest, NO_SUCH_INSTANCE, PROCESSING_FAILURE,
    Reference,
};
pub use failure::Failure;
pub use handler::{Closed, Handler, InstanceWriter, Peer, Refusal, StoreRequest};
pub use limits::Limits;
pub use meta::file_meta;
pub use scu::{
    Destination, Object, ObjectError, ScuError, StoreOutcome, StoreStatus, Timeouts,
    count_instances, echo, request_commitment, send_commit_report, store,
};
pub use server::{Server, Service};
pub use transport::Transport;
