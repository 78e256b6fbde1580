//! Listens for associations.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use crate::{AeTitle, Handler, Limits};

/// A running server: one thread that listens, and one for each association.
pub struct Server {}

impl Server {
    /// Serves those who connect to `listener`. `called` are the names to which it answers; with none
    /// it answers to any.
    ///
    /// # Errors
    /// If no thread can be started or the listener's address cannot be read.
    pub fn start(
        _listener: TcpListener,
        _called: Vec<AeTitle>,
        _limits: Limits,
        _handler: Arc<dyn Handler>,
    ) -> std::io::Result<Self> {
        todo!()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        todo!()
    }

    /// Associations that are open now.
    pub fn open_associations(&self) -> usize {
        todo!()
    }

    /// Stops listening, lets open associations end for as long as `grace`, aborts the rest, and waits
    /// for all threads. A handler that is at work is waited for.
    pub fn stop(self, _grace: Duration) {
        todo!()
    }
}
