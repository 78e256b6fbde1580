//! PostgreSQL: a database that several nodes share.
//!
//! What one node holds by being alone with its file, nodes here hold by a lock of the server: whoever writes
//! takes it first and gives it back with the end of the transaction, so that all writes of all nodes come one
//! after the other, as they do from the one thread of a node with SQLite. The chain of the audit, the order
//! of arrival and what is worked out anew after each change rest on that.

mod migrate;
mod server;
mod session;
mod statement;
mod watch;

pub(crate) use server::Server;
pub(crate) use session::{Session, cell};
pub(crate) use watch::Watch;
