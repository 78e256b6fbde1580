//! What a peer sends in one association, from its request to its end; with a first byte that is even,
//! the request is left out and stands for one that is accepted.
#![no_main]

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Instant;

use hemora_dimse::{
    Closed, CommitReply, CommitReport, CommitRequest, Failure, Handler, InstanceWriter, Limits,
    NO_SUCH_INSTANCE, Peer, Refusal, Service, StoreRequest, Transport, file_meta,
};
use hemora_fuzz::prepare;
use libfuzzer_sys::fuzz_target;

/// A request for verification (1), CT images (3) and storage commitment (5 explicit, 7 implicit).
const REQUEST: &[u8] = include_bytes!("../seeds/association/request");

static SERVICE: LazyLock<(Service, Arc<Balance>)> = LazyLock::new(|| {
    let balance = Arc::new(Balance::default());
    let limits = Limits { instance: 1 << 12, command: 1 << 12, ..Limits::default() };
    (Service::new(Vec::new(), limits, balance.clone()), balance)
});

fuzz_target!(init: prepare(), |data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let request = if first % 2 == 0 { REQUEST } else { &[] };
    // The pieces in which the bytes arrive.
    let piece = usize::from(first / 2) + 1;
    let mut transport = Bytes { parts: [request, bytes], piece, ended: false };
    let (service, balance) = &*SERVICE;
    service.serve(&mut transport, SocketAddr::from((Ipv4Addr::LOCALHOST, 1)), 1);
    assert_eq!(service.open_associations(), 0);
    assert_eq!(*balance.0.lock().expect("no panic"), 0, "opened as often as closed");
});

struct Bytes<'a> {
    parts: [&'a [u8]; 2],
    piece: usize,
    ended: bool,
}

impl Transport for Bytes<'_> {
    fn read(&mut self, into: &mut [u8], _: Instant) -> io::Result<usize> {
        let part = usize::from(self.parts[0].is_empty());
        let count = self.parts[part].len().min(into.len()).min(self.piece);
        let (read, rest) = self.parts[part].split_at(count);
        into[..count].copy_from_slice(read);
        self.parts[part] = rest;
        Ok(count)
    }

    fn write_all(&mut self, bytes: &[u8], _: Instant) -> io::Result<()> {
        assert!(!bytes.is_empty() && !self.ended);
        Ok(())
    }

    fn end_writing(&mut self) {
        self.ended = true;
    }
}

/// Associations that were opened and not closed.
#[derive(Default)]
struct Balance(Mutex<i32>);

impl Handler for Balance {
    fn open(&self, peer: &Peer) -> Result<(), Refusal> {
        if peer.calling_ae == "STRANGER" {
            return Err(Refusal::CallingAe);
        }
        *self.0.lock().expect("no panic") += 1;
        Ok(())
    }

    fn accepts(&self, abstract_syntax: &str) -> bool {
        abstract_syntax.starts_with("1.2.840.10008.5.1.4.1.1.")
    }

    fn store(
        &self,
        peer: &Peer,
        request: &StoreRequest,
    ) -> Result<Box<dyn InstanceWriter + '_>, Failure> {
        let meta = file_meta(request, &peer.calling_ae);
        assert!(meta.len() % 2 == 0);
        Ok(Box::new(Count(0)))
    }

    fn commit(&self, _: &Peer, request: &CommitRequest) -> CommitReply {
        let transaction_uid = request.transaction_uid.clone();
        let (kept, lost) = request.instances.split_at(request.instances.len() / 2);
        let failed = lost.iter().map(|it| (it.clone(), NO_SUCH_INSTANCE)).collect();
        CommitReply::Now(CommitReport { transaction_uid, committed: kept.to_vec(), failed })
    }

    fn commit_report(&self, _: &Peer, report: &CommitReport) {
        assert!(!report.transaction_uid.is_empty());
    }

    fn closed(&self, _: &Peer, _: &Closed) {
        *self.0.lock().expect("no panic") -= 1;
    }
}

struct Count(usize);

impl InstanceWriter for Count {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        assert!(!bytes.is_empty());
        self.0 += bytes.len();
        assert!(self.0 <= 1 << 12);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        Ok(())
    }
}
