//! How the program is told to end.

use crate::node::NodeError;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Takes the signals by which the program is told to end (SIGINT, SIGTERM). Made before the node starts, so
/// that a node whose addresses are known can be told to end, too.
pub struct ToldToEnd {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl ToldToEnd {
    /// Takes the signals from now on.
    ///
    /// # Errors
    /// [`NodeError::Thread`] if the system does not let the program take them.
    pub fn listen() -> Result<Self, NodeError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(NodeError::Thread)?;
        let of = |kind| {
            let _inside = runtime.enter();
            signal(kind).map_err(NodeError::Thread)
        };
        let (interrupt, terminate) = (of(SignalKind::interrupt())?, of(SignalKind::terminate())?);
        Ok(Self { runtime, interrupt, terminate })
    }

    /// Waits for a signal, or until `ended`, which is asked five times a second.
    pub(crate) fn wait(self, ended: impl Fn() -> bool) {
        let Self { runtime, mut interrupt, mut terminate } = self;
        runtime.block_on(async {
            while !ended() {
                let look_again = tokio::time::sleep(Duration::from_millis(200));
                tokio::select! {
                    _ = interrupt.recv() => return,
                    _ = terminate.recv() => return,
                    () = look_again => {}
                }
            }
        });
    }
}
