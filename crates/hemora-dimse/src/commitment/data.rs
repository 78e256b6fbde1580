//! Data sets of storage commitment (PS3.4 §J.3.2, §J.3.3).

use super::{CommitReport, CommitRequest, PROCESSING_FAILURE, Reference};
use crate::Failure;
use crate::data_set::{DataSet, Writer, tags};
use crate::uids::{is_instance_name, is_uid};

/// ActionTypeID: request storage commitment.
pub const REQUEST_COMMITMENT: u16 = 1;
/// EventTypeID: all instances are kept.
pub const ALL_KEPT: u16 = 1;
/// EventTypeID: some are not.
pub const SOME_FAILED: u16 = 2;

/// 0115: invalid argument value (PS3.7 §C.5.3).
const INVALID_ARGUMENT: u16 = 0x0115;

/// Data set of the N-ACTION.
pub fn encode_request(request: &CommitRequest, explicit: bool) -> Vec<u8> {
    let mut writer = Writer::new(explicit);
    writer.uid(tags::TRANSACTION_UID, &request.transaction_uid);
    writer.sequence(tags::REFERENCED_SEQUENCE, &request.instances, write_reference);
    writer.into_bytes()
}

/// Data set of the N-EVENT-REPORT.
pub fn encode_report(report: &CommitReport, explicit: bool) -> Vec<u8> {
    let mut writer = Writer::new(explicit);
    writer.uid(tags::TRANSACTION_UID, &report.transaction_uid);
    if !report.failed.is_empty() {
        writer.sequence(tags::FAILED_SEQUENCE, &report.failed, |item, (reference, reason)| {
            write_reference(item, reference);
            item.number(tags::FAILURE_REASON, *reason);
        });
    }
    if !report.committed.is_empty() {
        writer.sequence(tags::REFERENCED_SEQUENCE, &report.committed, write_reference);
    }
    writer.into_bytes()
}

/// EventTypeID of a report.
pub fn event_type(report: &CommitReport) -> u16 {
    if report.failed.is_empty() { ALL_KEPT } else { SOME_FAILED }
}

fn write_reference(item: &mut Writer, reference: &Reference) {
    item.uid(tags::REFERENCED_CLASS, &reference.sop_class_uid);
    item.uid(tags::REFERENCED_INSTANCE, &reference.sop_instance_uid);
}

/// Reads the data set of an N-ACTION; the failure is what the peer is told.
pub fn parse_request(bytes: &[u8], explicit: bool) -> Result<CommitRequest, Failure> {
    let data_set = parse(bytes, explicit)?;
    let items = items(&data_set, tags::REFERENCED_SEQUENCE)?;
    let instances: Vec<_> = items.iter().map(reference).collect::<Result<_, _>>()?;
    if instances.is_empty() {
        return Err(invalid("no instance is named"));
    }
    Ok(CommitRequest { transaction_uid: transaction_uid(&data_set)?, instances })
}

/// Reads the data set of an N-EVENT-REPORT; the failure is what the peer is told.
pub fn parse_report(bytes: &[u8], explicit: bool) -> Result<CommitReport, Failure> {
    let data_set = parse(bytes, explicit)?;
    let committed = items(&data_set, tags::REFERENCED_SEQUENCE)?;
    let failed = items(&data_set, tags::FAILED_SEQUENCE)?;
    let reason =
        |item: &DataSet<'_>| item.number(tags::FAILURE_REASON).unwrap_or(PROCESSING_FAILURE);
    Ok(CommitReport {
        transaction_uid: transaction_uid(&data_set)?,
        committed: committed.iter().map(reference).collect::<Result<_, _>>()?,
        failed: failed
            .iter()
            .map(|item| Ok((reference(item)?, reason(item))))
            .collect::<Result<_, Failure>>()?,
    })
}

fn parse(bytes: &[u8], explicit: bool) -> Result<DataSet<'_>, Failure> {
    DataSet::parse(bytes, explicit).map_err(|error| invalid(error.to_string()))
}

fn items<'a>(data_set: &DataSet<'a>, tag: u32) -> Result<Vec<DataSet<'a>>, Failure> {
    data_set.items(tag).map_err(|error| invalid(error.to_string()))
}

fn transaction_uid(data_set: &DataSet<'_>) -> Result<String, Failure> {
    let uid = data_set.text(tags::TRANSACTION_UID);
    if is_uid(&uid) { Ok(uid) } else { Err(invalid("no valid TransactionUID")) }
}

fn reference(item: &DataSet<'_>) -> Result<Reference, Failure> {
    let [sop_class_uid, sop_instance_uid] =
        [tags::REFERENCED_CLASS, tags::REFERENCED_INSTANCE].map(|tag| item.text(tag));
    if is_uid(&sop_class_uid) && is_instance_name(&sop_instance_uid) {
        Ok(Reference { sop_class_uid, sop_instance_uid })
    } else {
        Err(invalid("an item without valid UIDs"))
    }
}

fn invalid(comment: impl Into<String>) -> Failure {
    Failure::new(INVALID_ARGUMENT, comment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NO_SUCH_INSTANCE;

    fn reference(number: u8) -> Reference {
        Reference { sop_class_uid: "1.2".to_owned(), sop_instance_uid: format!("1.2.{number}") }
    }

    #[test]
    fn requests_and_reports_are_read_as_they_are_written() {
        let request = CommitRequest {
            transaction_uid: "2.25.1".to_owned(),
            instances: vec![reference(1), reference(2)],
        };
        let report = CommitReport {
            transaction_uid: "2.25.1".to_owned(),
            committed: vec![reference(1)],
            failed: vec![(reference(2), NO_SUCH_INSTANCE)],
        };
        for explicit in [false, true] {
            let bytes = encode_request(&request, explicit);
            assert_eq!(parse_request(&bytes, explicit).as_ref(), Ok(&request));
            let bytes = encode_report(&report, explicit);
            assert_eq!(parse_report(&bytes, explicit).as_ref(), Ok(&report));
        }
        assert_eq!(event_type(&report), SOME_FAILED);
    }

    #[test]
    fn what_names_nothing_is_refused_as_an_invalid_argument() {
        let request = |transaction: &str, instances| {
            let transaction_uid = transaction.to_owned();
            encode_request(&CommitRequest { transaction_uid, instances }, true)
        };
        let mut odd = reference(1);
        odd.sop_instance_uid = "../1".to_owned();
        for bytes in [
            request("2.25.1", vec![]),
            request("", vec![reference(1)]),
            request("2.25.1", vec![odd]),
            b"garbage".to_vec(),
        ] {
            assert_eq!(parse_request(&bytes, true).unwrap_err().status, INVALID_ARGUMENT);
        }
    }
}
