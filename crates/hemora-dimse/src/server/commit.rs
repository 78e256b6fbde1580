//! Storage commitment in both roles (PS3.4 annex J): peers ask us, or answer what we asked.

use super::requests::{Requests, pass_over};
use crate::association::{Association, AssociationError, Context};
use crate::command::{Command, elements, fields};
use crate::commitment::data::{
    REQUEST_COMMITMENT, encode_report, event_type, parse_report, parse_request,
};
use crate::data_set::is_explicit;
use crate::uids::{STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE};
use crate::{CommitReply, CommitReport, Failure};

/// A report that was sent and not answered.
pub(super) struct Pending {
    pub message_id: u16,
    pub transaction_uid: String,
}

/// Reports that may wait for their answers at once; more are not sent here.
const MOST_PENDING: usize = 8;

/// Statuses of PS3.7 annex C: no such SOP class, instance, event and action, resource limitation.
const NO_SUCH_CLASS: u16 = 0x0118;
const NO_SUCH_INSTANCE: u16 = 0x0112;
const NO_SUCH_EVENT: u16 = 0x0113;
const NO_SUCH_ACTION: u16 = 0x0123;
const RESOURCE_LIMITATION: u16 = 0x0213;

/// N-ACTION: a peer asks that instances be kept for certain.
pub(super) fn action(
    requests: &mut Requests<'_>,
    association: &mut Association<'_>,
    context: &Context,
    command: &Command,
) -> Result<(), AssociationError> {
    let action = command.number(elements::ACTION_TYPE);
    let about = command.text(elements::REQUESTED_INSTANCE);
    let checked = check(context, &about).and_then(|()| match action {
        Some(REQUEST_COMMITMENT) => Ok(()),
        _ => Err(Failure::new(NO_SUCH_ACTION, "storage commitment has action 1 alone")),
    });
    let request = read(association, context, command, checked, parse_request)?;
    let reply = match request {
        Ok(request) => requests.handler.commit(requests.peer, &request),
        Err(failure) => CommitReply::Refused(failure),
    };
    let (result, report) = match reply {
        CommitReply::Later => (Ok(()), None),
        CommitReply::Now(report) => (Ok(()), Some(report)),
        CommitReply::Refused(failure) => (Err(failure), None),
    };
    association.send(context.id, &Command::response(command, &result), None)?;
    match report {
        Some(report) => send_report(requests, association, context, report),
        None => Ok(()),
    }
}

/// Sends a report on the association on which it was asked for.
fn send_report(
    requests: &mut Requests<'_>,
    association: &mut Association<'_>,
    context: &Context,
    report: CommitReport,
) -> Result<(), AssociationError> {
    if requests.pending.len() == MOST_PENDING {
        requests.handler.commit_answered(requests.peer, &report.transaction_uid, false);
        return Ok(());
    }
    requests.last_message = requests.last_message.wrapping_add(1);
    let message_id = requests.last_message;
    let data_set = encode_report(&report, is_explicit(&context.transfer_syntax) == Some(true));
    let command = report_command(message_id, &report);
    let transaction_uid = report.transaction_uid;
    requests.pending.push(Pending { message_id, transaction_uid });
    association.send(context.id, &command, Some(&data_set))
}

/// N-EVENT-REPORT-RQ of a report.
pub(crate) fn report_command(message_id: u16, report: &CommitReport) -> Command {
    Command::request(fields::EVENT_REPORT, message_id)
        .with_uid(elements::AFFECTED_CLASS, STORAGE_COMMITMENT)
        .with_uid(elements::AFFECTED_INSTANCE, STORAGE_COMMITMENT_INSTANCE)
        .with_number(elements::EVENT_TYPE, event_type(report))
        .with_data_set()
}

/// The peer's answer to a report.
pub(super) fn answered(requests: &mut Requests<'_>, command: &Command) {
    let responded = command.number(elements::MESSAGE_ID_RESPONDED);
    let is_answered = |report: &Pending| Some(report.message_id) == responded;
    if command.field() != fields::EVENT_REPORT | fields::RESPONSE {
        return;
    }
    if let Some(at) = requests.pending.iter().position(is_answered) {
        let report = requests.pending.remove(at);
        let taken = command.status() == Some(0);
        requests.handler.commit_answered(requests.peer, &report.transaction_uid, taken);
    }
}

/// N-EVENT-REPORT: a peer answers what we asked it for. It is told that the report has arrived once
/// the handler has it.
pub(super) fn event(
    requests: &mut Requests<'_>,
    association: &mut Association<'_>,
    context: &Context,
    command: &Command,
) -> Result<(), AssociationError> {
    let report = read_report(association, context, command)?;
    let result = report.map(|report| requests.handler.commit_report(requests.peer, &report));
    association.send(context.id, &Command::response(command, &result), None)
}

/// Reads the report of an N-EVENT-REPORT; the failure is what the peer has to be told.
pub(crate) fn read_report(
    association: &mut Association<'_>,
    context: &Context,
    command: &Command,
) -> Result<Result<CommitReport, Failure>, AssociationError> {
    let about = command.text(elements::AFFECTED_INSTANCE);
    let checked =
        check(context, &about).and_then(|()| match command.number(elements::EVENT_TYPE) {
            Some(1 | 2) => Ok(()),
            _ => Err(Failure::new(NO_SUCH_EVENT, "storage commitment has events 1 and 2 alone")),
        });
    read(association, context, command, checked, parse_report)
}

/// Whether a message is about storage commitment.
fn check(context: &Context, instance: &str) -> Result<(), Failure> {
    if context.abstract_syntax != STORAGE_COMMITMENT {
        return Err(Failure::new(NO_SUCH_CLASS, "this context is not for storage commitment"));
    }
    if instance != STORAGE_COMMITMENT_INSTANCE {
        return Err(Failure::new(NO_SUCH_INSTANCE, "not the instance of storage commitment"));
    }
    Ok(())
}

/// Reads and parses the data set of a message that passed its checks; passes over that of another.
fn read<T>(
    association: &mut Association<'_>,
    context: &Context,
    command: &Command,
    checked: Result<(), Failure>,
    parse: impl FnOnce(&[u8], bool) -> Result<T, Failure>,
) -> Result<Result<T, Failure>, AssociationError> {
    let explicit = is_explicit(&context.transfer_syntax);
    let (Some(explicit), Ok(()), true) = (explicit, &checked, command.has_data_set()) else {
        pass_over(association, context, command)?;
        let failure = checked.err();
        return Ok(Err(failure.unwrap_or_else(|| Failure::processing("there is no data set"))));
    };
    let data_set = association.data_set(context.id)?;
    let too_long = || Failure::new(RESOURCE_LIMITATION, "the data set is longer than is taken");
    Ok(data_set.ok_or_else(too_long).and_then(|bytes| parse(&bytes, explicit)))
}
