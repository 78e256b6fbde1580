//! What peers ask within an association, and what they are answered.

use std::time::Instant;

use super::commit::{self, Pending};
use crate::association::{Association, AssociationError, Context};
use crate::command::{Command, elements, fields};
use crate::uids::is_instance_name;
use crate::{Failure, Handler, Limits, Peer, StoreRequest};

/// 0211: unrecognised operation (PS3.7 §C.5.21).
const UNRECOGNISED_OPERATION: u16 = 0x0211;
/// 0117: invalid SOP instance (PS3.7 §C.5.4).
const INVALID_INSTANCE: u16 = 0x0117;

/// The requests of one association.
pub(super) struct Requests<'a> {
    pub handler: &'a dyn Handler,
    pub peer: &'a Peer,
    pub limits: &'a Limits,
    /// Reports that the peer has not answered yet.
    pub pending: Vec<Pending>,
    /// MessageID of the last request of ours.
    pub last_message: u16,
}

impl<'a> Requests<'a> {
    pub fn new(handler: &'a dyn Handler, peer: &'a Peer, limits: &'a Limits) -> Self {
        Self { handler, peer, limits, pending: Vec::new(), last_message: 0 }
    }

    /// Answers one request after another until the peer asks for the release, which is granted.
    pub fn serve(&mut self, association: &mut Association<'_>) -> Result<(), AssociationError> {
        loop {
            let Some((context, command)) = association.next(Instant::now() + self.limits.idle)?
            else {
                return association.answer_release();
            };
            match command.field() {
                fields::ECHO => self.answer(association, &context, &command, Ok(()))?,
                fields::STORE => self.store(association, &context, &command)?,
                fields::ACTION => commit::action(self, association, &context, &command)?,
                fields::EVENT_REPORT => commit::event(self, association, &context, &command)?,
                // The answer to a report, or to nothing that was asked.
                field if field & fields::RESPONSE != 0 => {
                    pass_over(association, &context, &command)?;
                    commit::answered(self, &command);
                }
                // Nothing that is asked here takes long enough to be cancelled.
                fields::CANCEL => pass_over(association, &context, &command)?,
                field => {
                    let comment = format!("no service for command {field:04X}");
                    let failure = Failure::new(UNRECOGNISED_OPERATION, comment);
                    self.answer(association, &context, &command, Err(failure))?;
                }
            }
        }
    }

    /// The association is over: reports that were not answered did not arrive.
    pub fn end(&mut self) {
        for report in self.pending.drain(..) {
            self.handler.commit_answered(self.peer, &report.transaction_uid, false);
        }
    }

    /// Answers with `result` and takes nothing of what the message holds.
    pub fn answer(
        &self,
        association: &mut Association<'_>,
        context: &Context,
        command: &Command,
        result: Result<(), Failure>,
    ) -> Result<(), AssociationError> {
        pass_over(association, context, command)?;
        association.send(context.id, &Command::response(command, &result), None)
    }

    /// C-STORE (PS3.7 §9.1.1): the bytes go to the handler's writer as they come.
    fn store(
        &self,
        association: &mut Association<'_>,
        context: &Context,
        command: &Command,
    ) -> Result<(), AssociationError> {
        let request = store_request(context, command);
        let taken = request.and_then(|request| {
            if self.handler.accepts(&request.sop_class_uid) {
                self.handler.store(self.peer, &request)
            } else {
                Err(Failure::class_not_supported("no instances of this class are taken"))
            }
        });
        let mut writer = match taken {
            Ok(writer) if command.has_data_set() => Ok(writer),
            Ok(_) => Err(Failure::cannot_understand("a C-STORE without a data set")),
            Err(failure) => Err(failure),
        };
        let most = self.limits.instance;
        let mut count = 0;
        if command.has_data_set() {
            association.data(context.id, |bytes| {
                count += bytes.len() as u64;
                let Ok(open) = &mut writer else { return };
                let written = if count > most {
                    Err(Failure::out_of_resources(format!("longer than {most} bytes")))
                } else {
                    open.write(bytes)
                };
                if let Err(failure) = written {
                    writer = Err(failure);
                }
            })?;
        }
        let result = writer.and_then(|writer| writer.finish());
        association.send(context.id, &Command::response(command, &result), None)
    }
}

/// Passes over the data set of a message.
pub(super) fn pass_over(
    association: &mut Association<'_>,
    context: &Context,
    command: &Command,
) -> Result<(), AssociationError> {
    if command.has_data_set() { association.data(context.id, |_| {}) } else { Ok(()) }
}

/// What a C-STORE says about its instance, checked.
fn store_request(context: &Context, command: &Command) -> Result<StoreRequest, Failure> {
    let sop_class_uid = command.text(elements::AFFECTED_CLASS);
    let sop_instance_uid = command.text(elements::AFFECTED_INSTANCE);
    if sop_class_uid != context.abstract_syntax {
        let comment = "the class is not that of the presentation context";
        return Err(Failure::class_not_supported(comment));
    }
    if !is_instance_name(&sop_instance_uid) {
        return Err(Failure::new(INVALID_INSTANCE, "AffectedSOPInstanceUID is no UID"));
    }
    let originator = command.text(elements::MOVE_ORIGINATOR);
    let message = command.number(elements::MOVE_ORIGINATOR_MESSAGE);
    Ok(StoreRequest {
        message_id: command.message_id(),
        sop_class_uid,
        sop_instance_uid,
        transfer_syntax: context.transfer_syntax.clone(),
        move_originator: (!originator.is_empty()).then_some((originator, message)),
    })
}
