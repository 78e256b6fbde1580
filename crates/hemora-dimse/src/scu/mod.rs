//! Services that this program asks of others.

mod commit;
mod echo;
mod find;
mod object;
mod session;
mod store;

use std::io;
use std::time::Duration;

pub use commit::{request_commitment, send_commit_report};
pub use echo::echo;
pub use find::count_instances;
pub use object::{Object, ObjectError};
pub use store::{StoreOutcome, StoreStatus, store};

use crate::AeTitle;
use crate::association::AssociationError;

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
    /// To take the connection, at each address of the host; to answer the request for an association,
    /// and that for its release.
    pub connect: Duration,
    /// To read a message of ours, to begin its answer, and to end that, each.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(60) }
    }
}

/// Why a service of a peer did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ScuError {
    /// The host's name or the port is not understood.
    #[error("cannot find {host}: {source}; host:port is expected, such as 10.1.2.9:104")]
    Address {
        /// As it was given.
        host: String,
        /// Why not.
        source: io::Error,
    },
    /// Nobody takes the connection.
    #[error("cannot connect to {host}: {source}")]
    Connect {
        /// As it was given.
        host: String,
        /// Why not.
        source: io::Error,
    },
    /// The association did not come about, or ended before it was done.
    #[error("{ae} at {host}: {source}")]
    Association {
        /// The peer's name.
        ae: AeTitle,
        /// Its address.
        host: String,
        /// Why not.
        source: AssociationError,
    },
    /// The peer does not offer the service.
    #[error("{ae} does not offer {service}: it has to be switched on there")]
    NotOffered {
        /// The peer's name.
        ae: AeTitle,
        /// What was asked for.
        service: &'static str,
    },
    /// The peer answered that it did not do it.
    #[error("{ae} refuses {service} with status {status:04X}{}", after_colon(comment))]
    Refused {
        /// The peer's name.
        ae: AeTitle,
        /// What was asked for.
        service: &'static str,
        /// Status (PS3.7 annex C).
        status: u16,
        /// What the peer says about it; may be empty.
        comment: String,
    },
    /// What is to be sent cannot be sent to anybody.
    #[error("{0}")]
    Invalid(String),
}

fn after_colon(comment: &str) -> String {
    if comment.is_empty() { String::new() } else { format!(": {comment}") }
}
