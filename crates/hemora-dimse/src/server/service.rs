//! One association from its request to its end.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use super::negotiate::{Negotiated, Refused, negotiate, rejection};
use super::requests::Requests;
use crate::association::{Association, AssociationError, last_words};
use crate::pdu::{self, Abort, AssociateReject, Pdu};
use crate::transport::{Transport, Wire};
use crate::{AeTitle, Closed, Handler, Limits, Peer, Refusal};

/// What a [`Server`](crate::Server) does for each peer, over any [`Transport`].
pub struct Service {
    called: Vec<AeTitle>,
    pub(super) limits: Limits,
    handler: Arc<dyn Handler>,
    open: AtomicUsize,
    pub(super) stopping: AtomicBool,
}

/// The peer broke the protocol, as an A-ABORT says it.
const PROVIDER: u8 = 2;

impl Service {
    /// A service that answers to the names `called`; with none, to any.
    pub fn new(called: Vec<AeTitle>, limits: Limits, handler: Arc<dyn Handler>) -> Self {
        let (open, stopping) = (AtomicUsize::new(0), AtomicBool::new(false));
        Self { called, limits, handler, open, stopping }
    }

    /// Associations that are open now.
    pub fn open_associations(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Serves the peer at the other end of `transport` until the association ends; returns once the
    /// peer has closed the connection or a moment has passed.
    pub fn serve(&self, transport: &mut dyn Transport, address: SocketAddr, association: u64) {
        let mut wire = Wire::new(transport, Instant::now() + self.limits.association);
        let Some((negotiated, longest_sent)) = self.negotiate(&mut wire) else { return };
        let peer = Peer {
            association,
            calling_ae: negotiated.calling.to_string(),
            called_ae: negotiated.called.to_string(),
            address,
        };
        let allowed = catch_unwind(AssertUnwindSafe(|| self.handler.open(&peer)));
        if let Err(refusal) = allowed.unwrap_or(Err(Refusal::Congestion)) {
            return last_words(&mut wire, &pdu::reject(rejection(refusal)));
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        let mut accepted = self.accept(wire, &negotiated, longest_sent);
        let (how, last) = match &mut accepted {
            Ok(association) => self.serve_requests(association, &peer),
            Err(error) => (self.how(error), None),
        };
        self.open.fetch_sub(1, Ordering::Relaxed);
        // What a handler does wrong here has no peer left to be told.
        let _ = catch_unwind(AssertUnwindSafe(|| self.handler.closed(&peer, &how)));
        match (accepted, last) {
            (Ok(mut association), Some(abort)) => association.abort(abort),
            (Ok(mut association), None) => association.linger(),
            (Err(_), _) => {}
        }
    }

    /// Refuses the peer for now, once it has said that it wants an association.
    pub(super) fn refuse(&self, transport: &mut dyn Transport) {
        let mut wire = Wire::new(transport, Instant::now() + self.limits.association);
        if let Some(_request) = self.read_request(&mut wire) {
            last_words(&mut wire, &pdu::reject(rejection(Refusal::Congestion)));
        }
    }

    /// Reads the request and answers what cannot become an association.
    fn negotiate(&self, wire: &mut Wire<'_>) -> Option<(Negotiated, u32)> {
        let request = self.read_request(wire)?;
        let accepts = |class: &str| self.handler.accepts(class);
        let result = catch_unwind(AssertUnwindSafe(|| {
            negotiate(&request, &self.called, &self.limits, accepts)
        }));
        let congestion = Err(Refused::Reject(rejection(Refusal::Congestion)));
        match result.unwrap_or(congestion) {
            Ok(negotiated) => return Some((negotiated, request.longest_data)),
            Err(Refused::Reject(reject)) => last_words(wire, &pdu::reject(reject)),
            Err(Refused::Abort(abort)) => last_words(wire, &pdu::abort(abort)),
        }
        None
    }

    fn read_request(&self, wire: &mut Wire<'_>) -> Option<pdu::AssociateRequest> {
        let reason = match Pdu::read(wire, self.limits.pdu) {
            Ok(Pdu::AssociateRequest(request)) => return Some(request),
            Ok(Pdu::Abort(_)) => return None,
            Ok(_) => 2,
            Err(error) => match AssociationError::from(error) {
                AssociationError::Violation(reason, _) => reason,
                // Whoever says nothing in time is not waited for.
                _ => return None,
            },
        };
        last_words(wire, &pdu::abort(Abort { source: PROVIDER, reason }));
        None
    }

    fn accept<'a>(
        &'a self,
        mut wire: Wire<'a>,
        negotiated: &Negotiated,
        longest_sent: u32,
    ) -> Result<Association<'a>, AssociationError> {
        let Negotiated { called, calling, accept, contexts } = negotiated;
        // The handler may have taken its time.
        wire.deadline = Instant::now() + self.limits.association;
        wire.write_all(&accept.encode(called, calling))?;
        Association::new(wire, contexts.clone(), longest_sent, &self.limits)
    }

    /// Serves until the end; how that came, and what the peer has to be told about it.
    fn serve_requests(
        &self,
        association: &mut Association<'_>,
        peer: &Peer,
    ) -> (Closed, Option<Abort>) {
        let mut requests = Requests::new(&*self.handler, peer, &self.limits);
        let result = catch_unwind(AssertUnwindSafe(|| requests.serve(association)));
        let ended = catch_unwind(AssertUnwindSafe(|| requests.end()));
        match result.and_then(|result| ended.map(|()| result)) {
            Ok(Ok(())) => (Closed::Released, None),
            Ok(Err(error)) => (self.how(&error), abort_for(&error)),
            Err(_) => {
                let what = "the handler panicked".to_owned();
                (Closed::Failed(what), Some(Abort { source: PROVIDER, reason: 0 }))
            }
        }
    }

    fn how(&self, error: &AssociationError) -> Closed {
        match error {
            _ if self.stopping.load(Ordering::Relaxed) => {
                Closed::Failed("the server was stopped".to_owned())
            }
            AssociationError::Closed | AssociationError::Aborted(_) => Closed::Aborted,
            AssociationError::TimedOut => Closed::TimedOut,
            error => Closed::Failed(error.to_string()),
        }
    }
}

/// What the peer is told about the end; nothing if it has ended the association itself.
fn abort_for(error: &AssociationError) -> Option<Abort> {
    match error {
        AssociationError::Aborted(_) | AssociationError::Rejected(AssociateReject { .. }) => None,
        AssociationError::Violation(reason, _) => Some(Abort { source: PROVIDER, reason: *reason }),
        _ => Some(Abort { source: PROVIDER, reason: 0 }),
    }
}
