//! Who is connected: bounded, and reachable when the server stops.

use std::collections::BTreeMap;
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Peers beyond the bounds who are told so at the same time; more are not answered.
const REFUSALS: usize = 16;

/// The connections that have a thread.
pub(super) struct Slots {
    associations: usize,
    per_peer: usize,
    state: Mutex<State>,
    left: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    connections: BTreeMap<u64, Connection>,
}

struct Connection {
    /// The same socket as its thread's.
    stream: TcpStream,
    address: IpAddr,
    place: Place,
}

/// What a connection may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Association,
    /// The bounds are reached: it will hear so.
    Refusal,
}

/// A connection's place, free again when this is dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    number: u64,
    pub place: Place,
}

impl Slots {
    pub fn new(associations: usize, per_peer: usize) -> Self {
        Self { associations, per_peer, state: Mutex::default(), left: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection; `None` if there is not even room for a refusal.
    pub fn take(
        self: &Arc<Self>,
        stream: &TcpStream,
        address: IpAddr,
        number: u64,
    ) -> Option<Slot> {
        let stream = stream.try_clone().ok()?;
        let mut state = self.state();
        let of = |place, from: Option<IpAddr>| {
            let all = state.connections.values();
            all.filter(|it| it.place == place && from.is_none_or(|ip| ip == it.address)).count()
        };
        let is_full = of(Place::Association, None) >= self.associations
            || of(Place::Association, Some(address)) >= self.per_peer;
        let place = match is_full {
            false => Place::Association,
            true if of(Place::Refusal, None) < REFUSALS => Place::Refusal,
            true => return None,
        };
        state.connections.insert(number, Connection { stream, address, place });
        Some(Slot { slots: Arc::clone(self), number, place })
    }

    /// From now on nobody has to be let in.
    pub fn close(&self) {
        self.state().closed = true;
    }

    pub fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Waits until all connections have left; whether they have.
    pub fn wait_empty(&self, at_most: Duration) -> bool {
        let is_open = |state: &mut State| !state.connections.is_empty();
        let waited = self.left.wait_timeout_while(self.state(), at_most, is_open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.connections.is_empty()
    }

    /// Ends what the threads of all connections wait for.
    pub fn shut_down(&self, how: Shutdown) {
        for connection in self.state().connections.values() {
            // Fails where the peer has gone already.
            let _ = connection.stream.shutdown(how);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.state().connections.remove(&self.number);
        self.slots.left.notify_all();
    }
}
