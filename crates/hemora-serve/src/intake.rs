//! What the DICOM listener does with what peers send.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::ToSocketAddrs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use chrono::Utc;
use hemora_dimse::{
    Closed, CommitReply, CommitReport, CommitRequest, Failure, Handler, InstanceWriter, Peer,
    Refusal, StoreRequest, file_meta,
};
use hemora_io::{is_uid_like, read_identity};
use hemora_store::{Arrival, AssociationEnd, Draft, Kept, NewAssociation, StoreError};
use tracing::{info, warn};

use crate::config::KnownPeer;
use crate::shared::Shared;

/// Storage classes that are taken (PS3.4 B.5): images of CT, and what other programs make of them.
const STORAGE_CLASSES: [&str; 10] = [
    // CT Image
    "1.2.840.10008.5.1.4.1.1.2",
    // Enhanced CT Image
    "1.2.840.10008.5.1.4.1.1.2.1",
    // Legacy Converted Enhanced CT Image
    "1.2.840.10008.5.1.4.1.1.2.2",
    // Secondary Capture Image
    "1.2.840.10008.5.1.4.1.1.7",
    // Multi-frame True Color Secondary Capture Image
    "1.2.840.10008.5.1.4.1.1.7.4",
    // Basic Text SR
    "1.2.840.10008.5.1.4.1.1.88.11",
    // Enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.22",
    // Comprehensive SR
    "1.2.840.10008.5.1.4.1.1.88.33",
    // Comprehensive 3D SR
    "1.2.840.10008.5.1.4.1.1.88.34",
    // Key Object Selection Document
    "1.2.840.10008.5.1.4.1.1.88.59",
];

/// Takes what peers send into the store.
pub(crate) struct Intake {
    shared: Arc<Shared>,
    /// Number of each open association in the store, by its number in the server.
    numbers: Mutex<BTreeMap<u64, u64>>,
}

impl Intake {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, numbers: Mutex::default() }
    }

    fn number(&self, peer: &Peer) -> u64 {
        let numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.get(&peer.association).copied().unwrap_or_default()
    }
}

/// Whether a peer is one of those that are known; on this machine everybody is, if none is listed.
fn is_known(known: &[KnownPeer], peer: &Peer) -> bool {
    if known.is_empty() {
        return peer.address.ip().is_loopback();
    }
    known.iter().filter(|it| it.ae.trim() == peer.calling_ae).any(|it| {
        let addresses = (it.host.as_str(), 0).to_socket_addrs();
        addresses.is_ok_and(|mut all| all.any(|address| address.ip() == peer.address.ip()))
    })
}

impl Handler for Intake {
    fn open(&self, peer: &Peer) -> Result<(), Refusal> {
        if !is_known(&self.shared.config.dicom.known_peers, peer) {
            warn!(calling = %peer.calling_ae, address = %peer.address, "unknown peer refused");
            return Err(Refusal::CallingAe);
        }
        let association = NewAssociation {
            calling_ae: peer.calling_ae.clone(),
            called_ae: peer.called_ae.clone(),
            peer: peer.address.to_string(),
            tls_subject: None,
        };
        match self.shared.store.open_association(&association, Utc::now()) {
            Ok(number) => {
                let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
                numbers.insert(peer.association, number);
                self.shared.metrics.associations.inc();
                Ok(())
            }
            Err(error) => {
                warn!(%error, "an association is refused");
                Err(Refusal::Congestion)
            }
        }
    }

    fn accepts(&self, abstract_syntax: &str) -> bool {
        STORAGE_CLASSES.contains(&abstract_syntax)
    }

    fn store(
        &self,
        peer: &Peer,
        request: &StoreRequest,
    ) -> Result<Box<dyn InstanceWriter + '_>, Failure> {
        let refused = |failure: Failure| {
            self.shared.metrics.refused.inc();
            warn!(calling = %peer.calling_ae, reason = %failure, "an instance is not taken");
            failure
        };
        let draft = self.shared.store.draft().map_err(|error| refused(failure(&error)))?;
        let mut writer = Writer {
            intake: self,
            draft,
            request: request.clone(),
            calling_ae: peer.calling_ae.clone(),
            association: self.number(peer),
        };
        writer.put(b"DICM").map_err(refused)?;
        writer.put(&file_meta(request, &peer.calling_ae)).map_err(refused)?;
        Ok(Box::new(writer))
    }

    fn commit(&self, _peer: &Peer, request: &CommitRequest) -> CommitReply {
        let shared = &self.shared;
        let mut report = CommitReport {
            transaction_uid: request.transaction_uid.clone(),
            committed: Vec::new(),
            failed: Vec::new(),
        };
        // Of each study that is named: whether all that is named of it is held.
        let mut studies: BTreeMap<String, bool> = BTreeMap::new();
        for reference in &request.instances {
            match shared.store.instance(&reference.sop_instance_uid) {
                Ok(Some((study, row))) if row.sop_class == reference.sop_class_uid => {
                    studies.entry(study).or_insert(true);
                    report.committed.push(reference.clone());
                }
                Ok(Some((study, _))) => {
                    studies.insert(study, false);
                    report.failed.push((reference.clone(), hemora_dimse::CLASS_CONFLICT));
                }
                Ok(None) => {
                    report.failed.push((reference.clone(), hemora_dimse::NO_SUCH_INSTANCE));
                }
                Err(error) => return CommitReply::Refused(failure(&error)),
            }
        }
        // What is missing may be of any of them.
        if report.failed.is_empty() {
            studies.iter().filter(|(_, whole)| **whole).for_each(|(study, _)| {
                shared.arrivals.committed(study);
            });
        }
        CommitReply::Now(report)
    }

    fn commit_report(&self, peer: &Peer, report: &CommitReport) {
        if !self.shared.commitments.report(report) {
            warn!(calling = %peer.calling_ae, "a commitment report that nobody waits for");
        }
    }

    fn commit_answered(&self, peer: &Peer, transaction_uid: &str, taken: bool) {
        if !taken {
            // Where it listens is not known; it may ask again.
            warn!(calling = %peer.calling_ae, transaction_uid, "a commitment report was not taken");
        }
    }

    fn closed(&self, peer: &Peer, how: &Closed) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let number = numbers.remove(&peer.association).unwrap_or_default();
        drop(numbers);
        self.shared.metrics.associations.dec();
        let end = match how {
            Closed::Released => AssociationEnd::Released,
            Closed::TimedOut => AssociationEnd::TimedOut,
            Closed::Aborted | Closed::Failed(_) => AssociationEnd::Aborted,
        };
        if let Closed::Failed(reason) = how {
            warn!(calling = %peer.calling_ae, address = %peer.address, %reason, "an association failed");
        }
        if let Err(error) = self.shared.store.close_association(number, end, Utc::now()) {
            warn!(%error, "the end of an association is not noted");
        }
        self.shared.arrivals.closed(number, Instant::now());
    }
}

/// What a sender is told of a failure of the store.
fn failure(error: &StoreError) -> Failure {
    match error {
        StoreError::Full { .. } | StoreError::TooLarge { .. } => {
            Failure::out_of_resources(error.to_string())
        }
        StoreError::NotFiled { .. } => Failure::cannot_understand(error.to_string()),
        _ => Failure::processing(error.to_string()),
    }
}

/// Takes one instance.
struct Writer<'a> {
    intake: &'a Intake,
    draft: Draft,
    request: StoreRequest,
    calling_ae: String,
    association: u64,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.draft.write_all(bytes).map_err(|error| Failure::out_of_resources(error.to_string()))
    }

    fn keep(self) -> Result<(), Failure> {
        let shared = &self.intake.shared;
        let sealed = self.draft.seal().map_err(|error| failure(&error))?;
        let identity = read_identity(sealed.path())
            .map_err(|error| Failure::cannot_understand(error.to_string()))?;
        for (attribute, said, found) in [
            ("SOPInstanceUID", &self.request.sop_instance_uid, &identity.sop_instance_uid),
            ("SOPClassUID", &self.request.sop_class_uid, &identity.sop_class_uid),
        ] {
            // Archives without names write other words for a UID; senders then make one up for the command.
            if said != found && is_uid_like(found) {
                let comment =
                    format!("{attribute} is {found} in the object, {said} in the command");
                return Err(Failure::mismatch(comment));
            }
        }
        let study = identity.study_instance_uid.clone();
        let arrival = Arrival {
            identity,
            association: self.association,
            calling_ae: self.calling_ae,
            received_at: Utc::now(),
        };
        let kept = shared.store.keep(sealed, arrival).map_err(|error| failure(&error))?;
        match kept {
            Kept::Again => {}
            Kept::New | Kept::OtherBytes => {
                let association = Some(self.association).filter(|number| *number > 0);
                shared.arrivals.image(&study, association, Instant::now());
            }
        }
        if kept == Kept::OtherBytes {
            info!(study, "an image came again with other content; the newer one is used");
        }
        shared.metrics.stored.inc();
        Ok(())
    }
}

impl InstanceWriter for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.put(bytes)
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        let start = Instant::now();
        let shared = Arc::clone(&self.intake.shared);
        let calling = self.calling_ae.clone();
        let kept = self.keep();
        match &kept {
            Ok(()) => shared.metrics.store_seconds.observe(start.elapsed().as_secs_f64()),
            Err(reason) => {
                shared.metrics.refused.inc();
                warn!(%calling, %reason, "an instance is not taken");
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(calling: &str, address: [u8; 4]) -> Peer {
        Peer {
            association: 1,
            calling_ae: calling.to_owned(),
            called_ae: "HEMORA".to_owned(),
            address: (address, 40_000).into(),
        }
    }

    #[test]
    fn who_is_not_listed_is_not_known() {
        let listed = [KnownPeer { ae: "CT1".to_owned(), host: "10.1.2.3".to_owned() }];
        assert!(is_known(&[], &peer("ANY", [127, 0, 0, 1])));
        assert!(!is_known(&[], &peer("ANY", [10, 1, 2, 3])));
        assert!(is_known(&listed, &peer("CT1", [10, 1, 2, 3])));
        assert!(!is_known(&listed, &peer("CT2", [10, 1, 2, 3])));
        assert!(!is_known(&listed, &peer("CT1", [10, 1, 2, 4])));
        assert!(!is_known(&listed, &peer("CT1", [127, 0, 0, 1])));
    }
}
