//! Deliveries by C-STORE, with storage commitment where it is asked for.

use std::time::Duration;

use hemora_dimse::{CommitReport, Destination, Object, Reference, StoreOutcome, Timeouts};
use hemora_store::Delivery;

use crate::config::{Config, DicomDestination};
use crate::shared::Shared;
use crate::uids::fresh_uid;

/// How long a destination may take to commit itself on the association that asked.
const ON_ASSOCIATION: Duration = Duration::from_secs(5);

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

/// Sends one object; what the destination answered.
pub(super) fn send(
    shared: &Shared,
    to: &DicomDestination,
    delivery: &Delivery,
) -> Result<String, String> {
    let peer = dicom_destination(&shared.config, to)?;
    let object = Object::from_part10(&delivery.payload).map_err(|error| error.to_string())?;
    let reference = Reference {
        sop_class_uid: object.sop_class_uid.clone(),
        sop_instance_uid: object.sop_instance_uid.clone(),
    };
    let statuses = hemora_dimse::store(&peer, &[object]).map_err(|error| error.to_string())?;
    let status = match statuses.first().map(|status| &status.outcome) {
        Some(StoreOutcome::Stored) => "stored".to_owned(),
        Some(StoreOutcome::Warning(status, comment)) => {
            format!("stored, with warning {status:04X} {comment}")
        }
        Some(StoreOutcome::Failed(status, comment)) => {
            return Err(format!("{} answered {status:04X} {comment}", to.ae));
        }
        Some(StoreOutcome::NotAccepted) => {
            return Err(format!(
                "{} does not take this kind of object ({}): remove it from `send`",
                to.ae, reference.sop_class_uid
            ));
        }
        None => return Err(format!("{} did not answer", to.ae)),
    };
    match to.commitment {
        false => Ok(status),
        true => commit(shared, to, &peer, reference).map(|()| format!("{status}, committed")),
    }
}

fn commit(
    shared: &Shared,
    to: &DicomDestination,
    peer: &Destination,
    reference: Reference,
) -> Result<(), String> {
    let transaction = fresh_uid();
    shared.commitments.expect(&transaction);
    let asked = hemora_dimse::request_commitment(
        peer,
        &transaction,
        std::slice::from_ref(&reference),
        ON_ASSOCIATION,
    );
    // The report may have come to our server while the association was open.
    let wait = if matches!(asked, Ok(None)) { CALL_BACK } else { Duration::ZERO };
    let called_back = shared.commitments.wait(&transaction, wait, || !shared.stop.is_set());
    let report = asked.map_err(|error| format!("storage commitment: {error}"))?.or(called_back);
    let report = report.ok_or_else(|| {
        format!(
            "{} took the object and did not commit itself to keep it within {} s; it is sent again. Can \
             it call this node back as {}?",
            to.ae,
            CALL_BACK.as_secs(),
            shared.config.node.ae_title
        )
    })?;
    is_committed(&report, &reference)
        .map_err(|reason| format!("{} does not commit itself to keep the object: {reason}", to.ae))
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
