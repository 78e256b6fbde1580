//! C-STORE: sends instances.

use super::session::{Session, comment, with_session};
use super::{Destination, Object, ScuError};
use crate::association::Context;
use crate::command::{Command, elements, fields};
use crate::pdu::ContextProposal;
use crate::uids::{is_instance_name, is_uid};

/// What a peer answered for one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStatus {
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// What became of it.
    pub outcome: StoreOutcome,
}

/// What became of an instance that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreOutcome {
    /// Stored.
    Stored,
    /// Stored, with a warning (status Bxxx, 0001, 0107 or 0116) and the peer's comment.
    Warning(u16, String),
    /// Not stored: status and the peer's comment.
    Failed(u16, String),
    /// Not sent: the peer takes no instances of this class in this transfer syntax.
    NotAccepted,
}

impl StoreOutcome {
    /// Whether the peer has the instance.
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Stored | Self::Warning(..))
    }

    /// By the classes of statuses (PS3.7 annex C).
    fn of(status: u16, comment: String) -> Self {
        match status {
            0 => Self::Stored,
            0x0001 | 0x0107 | 0x0116 | 0xB000..=0xBFFF => Self::Warning(status, comment),
            _ => Self::Failed(status, comment),
        }
    }
}

/// Presentation contexts that an association can have: odd numbers up to 255.
const MOST_CONTEXTS: usize = 128;

/// C-STORE (PS3.7 §9.1.1) of all objects over one association, each in the transfer syntax that it
/// has; the outcomes are in their order.
///
/// # Errors
/// [`ScuError`] if the association ends before each has its answer: how far it came is then unknown
/// and all have to be sent again.
pub fn store(to: &Destination, objects: &[Object]) -> Result<Vec<StoreStatus>, ScuError> {
    let contexts = contexts(objects)?;
    if contexts.is_empty() {
        return Ok(Vec::new());
    }
    with_session(to, contexts, vec![], |session| {
        let sent = objects.iter().map(|object| {
            let accepted = session.association.contexts().iter().find(|context| {
                context.abstract_syntax == object.sop_class_uid
                    && context.transfer_syntax == object.transfer_syntax
            });
            let outcome = match accepted.cloned() {
                Some(context) => send(session, &context, object)?,
                None => StoreOutcome::NotAccepted,
            };
            Ok(StoreStatus { sop_instance_uid: object.sop_instance_uid.clone(), outcome })
        });
        sent.collect()
    })
}

/// A context for each class and transfer syntax.
fn contexts(objects: &[Object]) -> Result<Vec<ContextProposal>, ScuError> {
    let mut contexts: Vec<ContextProposal> = Vec::new();
    for object in objects {
        let Object { sop_class_uid, sop_instance_uid, transfer_syntax, .. } = object;
        let is_valid =
            is_uid(sop_class_uid) && is_uid(transfer_syntax) && is_instance_name(sop_instance_uid);
        if !is_valid {
            let message = format!(
                "cannot send an object whose class {sop_class_uid:?}, name {sop_instance_uid:?} or \
                 transfer syntax {transfer_syntax:?} is no UID"
            );
            return Err(ScuError::Invalid(message));
        }
        let is_proposed = contexts.iter().any(|context| {
            context.abstract_syntax == *sop_class_uid
                && context.transfer_syntaxes.contains(transfer_syntax)
        });
        if is_proposed {
            continue;
        }
        if contexts.len() == MOST_CONTEXTS {
            let message = "objects of more than 128 classes and transfer syntaxes: send fewer";
            return Err(ScuError::Invalid(message.to_owned()));
        }
        contexts.push(ContextProposal {
            id: (contexts.len() * 2 + 1) as u8,
            abstract_syntax: sop_class_uid.clone(),
            transfer_syntaxes: vec![transfer_syntax.clone()],
        });
    }
    Ok(contexts)
}

fn send(
    session: &mut Session<'_>,
    context: &Context,
    object: &Object,
) -> Result<StoreOutcome, ScuError> {
    const MEDIUM: u16 = 0;
    let request = Command::request(fields::STORE, session.next_message())
        .with_uid(elements::AFFECTED_CLASS, &object.sop_class_uid)
        .with_uid(elements::AFFECTED_INSTANCE, &object.sop_instance_uid)
        .with_number(elements::PRIORITY, MEDIUM)
        .with_data_set();
    session.send(context, &request, Some(&object.data_set))?;
    let answer = session.next()?;
    let status = session.status_of(&request, &answer)?;
    Ok(StoreOutcome::of(status, comment(&answer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_stored_and_failures_are_not() {
        for status in [0, 1, 0x0107, 0x0116, 0xB000, 0xB007] {
            assert!(StoreOutcome::of(status, String::new()).is_stored(), "{status:04X}");
        }
        for status in [0xA700, 0xA900, 0xC000, 0x0110, 0x0122, 0xFE00] {
            assert!(!StoreOutcome::of(status, String::new()).is_stored(), "{status:04X}");
        }
    }

    #[test]
    fn each_class_and_syntax_has_one_context() {
        let object = |class: &str, syntax: &str| Object {
            sop_class_uid: class.to_owned(),
            sop_instance_uid: "1.2.3".to_owned(),
            transfer_syntax: syntax.to_owned(),
            data_set: Vec::new(),
        };
        let objects = [object("1.1", "1.2"), object("1.1", "1.3"), object("1.1", "1.2")];
        let ids: Vec<_> = contexts(&objects).unwrap().iter().map(|context| context.id).collect();
        assert_eq!(ids, [1, 3]);
        let many: Vec<_> = (0..129).map(|it| object(&format!("1.{it}"), "1.2")).collect();
        assert!(contexts(&many[..128]).is_ok());
        assert!(contexts(&many).unwrap_err().to_string().contains("128"));
        assert!(contexts(&[object("1.1", "")]).is_err());
    }
}
