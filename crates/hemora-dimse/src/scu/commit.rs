//! Storage commitment: asks peers, and answers those who asked.

use std::time::{Duration, Instant};

use super::session::{Session, proposal, with_session};
use super::{Destination, ScuError};
use crate::association::Context;
use crate::command::{Command, elements, fields};
use crate::commitment::data::{REQUEST_COMMITMENT, encode_report, encode_request};
use crate::data_set::is_explicit;
use crate::pdu::Role;
use crate::server::{read_report, report_command};
use crate::uids::{STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, is_instance_name, is_uid};
use crate::{CommitReport, CommitRequest, Failure, Reference};

const SERVICE: &str = "storage commitment";

/// Asks for storage commitment (N-ACTION, PS3.4 §J.3.2) and waits as long as `wait` for the report on
/// the same association; `None`: the peer took the request on, and its report will come to our server.
///
/// # Errors
/// [`ScuError`] if the peer does not take the request on.
pub fn request_commitment(
    to: &Destination,
    transaction_uid: &str,
    instances: &[Reference],
    wait: Duration,
) -> Result<Option<CommitReport>, ScuError> {
    check_uids(transaction_uid, instances)?;
    let asked = CommitRequest {
        transaction_uid: transaction_uid.to_owned(),
        instances: instances.to_vec(),
    };
    with_session(to, vec![proposal(STORAGE_COMMITMENT)], vec![], |session| {
        let context = session.only_context(SERVICE)?;
        let explicit = is_explicit(&context.transfer_syntax) == Some(true);
        let request = Command::request(fields::ACTION, session.next_message())
            .with_uid(elements::REQUESTED_CLASS, STORAGE_COMMITMENT)
            .with_uid(elements::REQUESTED_INSTANCE, STORAGE_COMMITMENT_INSTANCE)
            .with_number(elements::ACTION_TYPE, REQUEST_COMMITMENT)
            .with_data_set();
        session.send(&context, &request, Some(&encode_request(&asked, explicit)))?;
        // The report may overtake the answer.
        let mut report = None;
        loop {
            let answer = session.next()?;
            if answer.field() != fields::EVENT_REPORT {
                session.check(SERVICE, &request, &answer)?;
                break;
            }
            report = take_report(session, &context, &answer, transaction_uid)?.or(report);
        }
        let until = Instant::now() + wait;
        while report.is_none() {
            // Whatever ends the association now, the request is taken on.
            let left = until.saturating_duration_since(Instant::now());
            let Ok(message) = session.next_within(left) else { break };
            if message.field() != fields::EVENT_REPORT {
                break;
            }
            report = take_report(session, &context, &message, transaction_uid)?;
        }
        Ok(report)
    })
}

/// Reads and answers a report; `None` if it is about another transaction, whose report is refused, so
/// that it comes to our server.
fn take_report(
    session: &mut Session<'_>,
    context: &Context,
    command: &Command,
    transaction_uid: &str,
) -> Result<Option<CommitReport>, ScuError> {
    let report = read_report(&mut session.association, context, command);
    let report = report.map_err(|error| session.failed(error))?.and_then(|report| {
        let is_it = report.transaction_uid == transaction_uid;
        is_it.then_some(report).ok_or_else(|| Failure::processing("another transaction's report"))
    });
    let result = report.as_ref().map(|_| ()).map_err(Failure::clone);
    session.send(context, &Command::response(command, &result), None)?;
    Ok(report.ok())
}

/// Sends the report of a storage commitment that a peer asked us for (N-EVENT-REPORT, PS3.4 §J.3.3),
/// over a new association in which we are the SCP.
///
/// # Errors
/// [`ScuError`] if the peer does not take it.
pub fn send_commit_report(to: &Destination, report: &CommitReport) -> Result<(), ScuError> {
    let failed = report.failed.iter().map(|(reference, _)| reference);
    check_uids(&report.transaction_uid, report.committed.iter().chain(failed))?;
    let role = Role { sop_class_uid: STORAGE_COMMITMENT.to_owned(), scu: false, scp: true };
    with_session(to, vec![proposal(STORAGE_COMMITMENT)], vec![role], |session| {
        let context = session.only_context(SERVICE)?;
        let explicit = is_explicit(&context.transfer_syntax) == Some(true);
        let request = report_command(session.next_message(), report);
        session.send(&context, &request, Some(&encode_report(report, explicit)))?;
        session.succeed(SERVICE, &request)
    })
}

fn check_uids<'a>(
    transaction_uid: &str,
    references: impl IntoIterator<Item = &'a Reference>,
) -> Result<(), ScuError> {
    let mut all = references.into_iter();
    let is_valid =
        |it: &Reference| is_uid(&it.sop_class_uid) && is_instance_name(&it.sop_instance_uid);
    if is_uid(transaction_uid) && all.all(is_valid) {
        return Ok(());
    }
    let message = format!("storage commitment {transaction_uid:?} names something that is no UID");
    Err(ScuError::Invalid(message))
}
