//! Deliveries by C-STORE, with storage commitment where it is asked for.

use std::time::Duration;

use hemora_dimse::{CommitReport, Destination, Object, Reference, StoreOutcome, Timeouts};
use hemora_store::Delivery;

use crate::config::{Config, DicomDestination};
use crate::shared::Shared;
use crate::uids::fresh_uid;

/// How long a destination may take to commit itself on the association that asked. Most call back instead,
/// and some only when that association is over.
const ON_ASSOCIATION: Duration = Duration::from_millis(300);

/// How long it may take to call back.
const CALL_BACK: Duration = Duration::from_secs(60);

/// A destination as the network calls it.
pub(crate) fn dicom_destination(
    config: &Config,
    destination: &DicomDestination,
) -> Result<Destination, String> {
    Ok(Destination {
        ae: destination.ae.parse().map_err(|error| format!("{error}"))?,
        host: destination.host.clone(),
        calling: config.node.ae_title.parse().map_err(|error| format!("{error}"))?,
        timeouts: Timeouts::default(),
    })
}

/// Sends objects over one association; what the destination answered for each.
pub(super) fn send(
    shared: &Shared,
    to: &DicomDestination,
    due: &[Delivery],
) -> Vec<Result<String, String>> {
    let peer = match dicom_destination(&shared.config, to) {
        Ok(peer) => peer,
        Err(problem) => return vec![Err(problem); due.len()],
    };
    let mut outcomes: Vec<Result<String, String>> = Vec::with_capacity(due.len());
    // Each object with its place among the outcomes.
    let (mut places, mut objects) = (Vec::new(), Vec::new());
    for delivery in due {
        match Object::from_part10(&delivery.payload) {
            Ok(object) => {
                places.push(outcomes.len());
                objects.push(object);
                outcomes.push(Err(format!("{} did not answer", to.ae)));
            }
            Err(error) => outcomes.push(Err(error.to_string())),
        }
    }
    let statuses = match hemora_dimse::store(&peer, &objects) {
        Ok(statuses) => statuses,
        Err(error) => {
            places.iter().for_each(|&place| outcomes[place] = Err(error.to_string()));
            return outcomes;
        }
    };
    let mut stored = Vec::new();
    for ((&place, object), status) in places.iter().zip(&objects).zip(&statuses) {
        outcomes[place] = answer(to, object, &status.outcome);
        if outcomes[place].is_ok() {
            let sop_class_uid = object.sop_class_uid.clone();
            let sop_instance_uid = object.sop_instance_uid.clone();
            stored.push((place, Reference { sop_class_uid, sop_instance_uid }));
        }
    }
    if to.commitment && !stored.is_empty() {
        let references: Vec<Reference> = stored.iter().map(|(_, it)| it.clone()).collect();
        let report = commit(shared, to, &peer, &references);
        for (place, reference) in stored {
            let committed = report.as_ref().map_err(Clone::clone);
            let committed = committed.and_then(|report| {
                is_committed(report, &reference).map_err(|reason| {
                    format!("{} does not commit itself to keep the object: {reason}", to.ae)
                })
            });
            let status = std::mem::replace(&mut outcomes[place], Ok(String::new()));
            outcomes[place] = committed.and(status).map(|status| format!("{status}, committed"));
        }
    }
    outcomes
}

fn answer(
    to: &DicomDestination,
    object: &Object,
    outcome: &StoreOutcome,
) -> Result<String, String> {
    match outcome {
        StoreOutcome::Stored => Ok("stored".to_owned()),
        StoreOutcome::Warning(status, comment) => {
            Ok(format!("stored, with warning {status:04X} {comment}"))
        }
        StoreOutcome::Failed(status, comment) => {
            Err(format!("{} answered {status:04X} {comment}", to.ae))
        }
        StoreOutcome::NotAccepted => Err(format!(
            "{} does not take this kind of object ({}): remove it from `send`",
            to.ae, object.sop_class_uid
        )),
    }
}

fn commit(
    shared: &Shared,
    to: &DicomDestination,
    peer: &Destination,
    references: &[Reference],
) -> Result<CommitReport, String> {
    let transaction = fresh_uid();
    shared.commitments.expect(&transaction);
    let asked = hemora_dimse::request_commitment(peer, &transaction, references, ON_ASSOCIATION);
    // The report may have come to our server while the association was open.
    let wait = if matches!(asked, Ok(None)) { CALL_BACK } else { Duration::ZERO };
    let called_back = shared.commitments.wait(&transaction, wait, || !shared.stop.is_set());
    let report = asked.map_err(|error| format!("storage commitment: {error}"))?.or(called_back);
    report.ok_or_else(|| {
        format!(
            "{} took the object and did not commit itself to keep it within {} s; it is sent again. Can \
             it call this node back as {}?",
            to.ae,
            CALL_BACK.as_secs(),
            shared.config.node.ae_title
        )
    })
}

fn is_committed(report: &CommitReport, reference: &Reference) -> Result<(), String> {
    if report.committed.contains(reference) {
        return Ok(());
    }
    let failed = report.failed.iter().find(|(failed, _)| failed == reference);
    Err(failed.map_or_else(
        || "its report does not name it".to_owned(),
        |(_, reason)| format!("reason {reason:04X}"),
    ))
}
