//! A-ASSOCIATE-RQ and A-ASSOCIATE-AC (PS3.8 §9.3.2, §9.3.3; user information: PS3.7 annex D).

use super::PduError;
use super::items::{Items, push_item, push_text};
use crate::AeTitle;
use crate::text::trimmed as text;
use crate::uids::{APPLICATION_CONTEXT, IMPLEMENTATION_CLASS, IMPLEMENTATION_VERSION};

/// What a peer proposes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssociateRequest {
    /// A bit for each version of the protocol; bit 0 is the only one that there is.
    pub protocol_version: u16,
    /// Name of the called entity as it was sent, without padding.
    pub called_ae: String,
    /// Name of the calling entity as it was sent, without padding.
    pub calling_ae: String,
    /// Application context name.
    pub application_context: String,
    /// Presentation contexts in their order.
    pub contexts: Vec<ContextProposal>,
    /// Longest P-DATA PDU that the peer takes, in bytes; 0: any.
    pub longest_data: u32,
    /// Role selections (PS3.7 §D.3.3.4).
    pub roles: Vec<Role>,
}

/// What a peer accepts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssociateAccept {
    /// Answers to the presentation contexts.
    pub contexts: Vec<ContextAnswer>,
    /// Longest P-DATA PDU that the peer takes, in bytes; 0: any.
    pub longest_data: u32,
    /// Role selections.
    pub roles: Vec<Role>,
}

/// A presentation context that is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextProposal {
    /// An odd number.
    pub id: u8,
    /// What it is for.
    pub abstract_syntax: String,
    /// In which encodings.
    pub transfer_syntaxes: Vec<String>,
}

/// Answer to a proposed presentation context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextAnswer {
    /// Number of the context.
    pub id: u8,
    /// Whether it is accepted.
    pub result: ContextResult,
    /// The transfer syntax that was chosen; of no meaning unless accepted.
    pub transfer_syntax: String,
}

/// Whether a presentation context is accepted, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextResult {
    /// Accepted.
    Accepted,
    /// The service is not offered.
    AbstractSyntaxUnknown,
    /// None of its transfer syntaxes is understood.
    TransferSyntaxesUnknown,
    /// Refused without a reason that this program could use, with the number that was sent.
    Other(u8),
}

impl ContextResult {
    fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Accepted,
            3 => Self::AbstractSyntaxUnknown,
            4 => Self::TransferSyntaxesUnknown,
            other => Self::Other(other),
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::AbstractSyntaxUnknown => 3,
            Self::TransferSyntaxesUnknown => 4,
            Self::Other(number) => number,
        }
    }
}

/// Which roles the requestor of an association has for a SOP class: without a word it is the SCU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The SOP class.
    pub sop_class_uid: String,
    /// Whether the requestor is SCU.
    pub scu: bool,
    /// Whether it is SCP.
    pub scp: bool,
}

const APPLICATION_CONTEXT_ITEM: u8 = 0x10;
const CONTEXT_PROPOSAL: u8 = 0x20;
const CONTEXT_ANSWER: u8 = 0x21;
const ABSTRACT_SYNTAX: u8 = 0x30;
const TRANSFER_SYNTAX: u8 = 0x40;
const USER_INFORMATION: u8 = 0x50;
const MAXIMUM_LENGTH: u8 = 0x51;
const IMPLEMENTATION_CLASS_UID: u8 = 0x52;
const ROLE_SELECTION: u8 = 0x54;
const IMPLEMENTATION_VERSION_NAME: u8 = 0x55;

impl AssociateRequest {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, PduError> {
        let mut items = Items(bytes);
        let mut request = Self { protocol_version: items.number()?, ..Self::default() };
        items.take(2)?;
        request.called_ae = text(items.take(AeTitle::LONGEST)?);
        request.calling_ae = text(items.take(AeTitle::LONGEST)?);
        items.take(32)?;
        while !items.is_empty() {
            match items.item()? {
                (APPLICATION_CONTEXT_ITEM, content) => request.application_context = text(content),
                (CONTEXT_PROPOSAL, content) => request.contexts.push(proposal(content)?),
                (USER_INFORMATION, content) => {
                    user_information(content, &mut request.longest_data, &mut request.roles)?;
                }
                // What later editions add may be passed over (PS3.8 §9.3.1).
                _ => {}
            }
        }
        Ok(request)
    }

    pub(crate) fn encode(&self, called: &AeTitle, calling: &AeTitle) -> Vec<u8> {
        associate(1, called.padded(), calling.padded(), |out| {
            for context in &self.contexts {
                push_item(out, CONTEXT_PROPOSAL, |out| {
                    out.extend([context.id, 0, 0, 0]);
                    push_text(out, ABSTRACT_SYNTAX, &context.abstract_syntax);
                    for syntax in &context.transfer_syntaxes {
                        push_text(out, TRANSFER_SYNTAX, syntax);
                    }
                });
            }
            push_user_information(out, self.longest_data, &self.roles);
        })
    }
}

impl AssociateAccept {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, PduError> {
        let mut items = Items(bytes);
        // Version and names are not tested here (PS3.8 §9.3.3).
        items.take(4 + 2 * AeTitle::LONGEST + 32)?;
        let mut accept = Self::default();
        while !items.is_empty() {
            match items.item()? {
                (CONTEXT_ANSWER, content) => accept.contexts.push(answer(content)?),
                (USER_INFORMATION, content) => {
                    user_information(content, &mut accept.longest_data, &mut accept.roles)?;
                }
                _ => {}
            }
        }
        Ok(accept)
    }

    /// The names are those of the request (PS3.8 §9.3.3).
    pub(crate) fn encode(&self, called: &AeTitle, calling: &AeTitle) -> Vec<u8> {
        associate(2, called.padded(), calling.padded(), |out| {
            for context in &self.contexts {
                push_item(out, CONTEXT_ANSWER, |out| {
                    out.extend([context.id, 0, context.result.number(), 0]);
                    push_text(out, TRANSFER_SYNTAX, &context.transfer_syntax);
                });
            }
            push_user_information(out, self.longest_data, &self.roles);
        })
    }
}

fn proposal(content: &[u8]) -> Result<ContextProposal, PduError> {
    let mut items = Items(content);
    let id = items.byte()?;
    items.take(3)?;
    let mut abstract_syntax = None;
    let mut transfer_syntaxes = Vec::new();
    while !items.is_empty() {
        match items.item()? {
            (ABSTRACT_SYNTAX, content) => abstract_syntax = Some(text(content)),
            (TRANSFER_SYNTAX, content) => transfer_syntaxes.push(text(content)),
            _ => {}
        }
    }
    let abstract_syntax =
        abstract_syntax.ok_or(PduError::Malformed("a presentation context for nothing"))?;
    Ok(ContextProposal { id, abstract_syntax, transfer_syntaxes })
}

fn answer(content: &[u8]) -> Result<ContextAnswer, PduError> {
    let mut items = Items(content);
    let id = items.byte()?;
    items.byte()?;
    let result = ContextResult::from_number(items.byte()?);
    items.byte()?;
    let mut transfer_syntax = String::new();
    while !items.is_empty() {
        if let (TRANSFER_SYNTAX, content) = items.item()? {
            transfer_syntax = text(content);
        }
    }
    Ok(ContextAnswer { id, result, transfer_syntax })
}

fn user_information(
    content: &[u8],
    longest_data: &mut u32,
    roles: &mut Vec<Role>,
) -> Result<(), PduError> {
    let mut items = Items(content);
    while !items.is_empty() {
        match items.item()? {
            (MAXIMUM_LENGTH, content) => {
                let bytes = content.try_into();
                let bytes =
                    bytes.map_err(|_| PduError::Malformed("a maximum length of not 4 bytes"))?;
                *longest_data = u32::from_be_bytes(bytes);
            }
            (ROLE_SELECTION, content) => {
                let mut fields = Items(content);
                let length = fields.number()?;
                let sop_class_uid = text(fields.take(length.into())?);
                let [scu, scp] = [fields.byte()? == 1, fields.byte()? == 1];
                roles.push(Role { sop_class_uid, scu, scp });
            }
            _ => {}
        }
    }
    Ok(())
}

fn push_user_information(out: &mut Vec<u8>, longest_data: u32, roles: &[Role]) {
    push_item(out, USER_INFORMATION, |out| {
        push_item(out, MAXIMUM_LENGTH, |out| out.extend(longest_data.to_be_bytes()));
        push_text(out, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_CLASS);
        for role in roles {
            push_item(out, ROLE_SELECTION, |out| {
                // Checked to be UIDs, of 64 characters at most.
                out.extend((role.sop_class_uid.len() as u16).to_be_bytes());
                out.extend(role.sop_class_uid.as_bytes());
                out.extend([u8::from(role.scu), u8::from(role.scp)]);
            });
        }
        push_text(out, IMPLEMENTATION_VERSION_NAME, IMPLEMENTATION_VERSION);
    });
}

fn associate(
    kind: u8,
    called: [u8; AeTitle::LONGEST],
    calling: [u8; AeTitle::LONGEST],
    items: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    let mut out = vec![kind, 0, 0, 0, 0, 0, 0, 1, 0, 0];
    out.extend(called);
    out.extend(calling);
    out.extend([0; 32]);
    push_text(&mut out, APPLICATION_CONTEXT_ITEM, APPLICATION_CONTEXT);
    items(&mut out);
    let length = (out.len() - 6) as u32;
    out[2..6].copy_from_slice(&length.to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pdu::Pdu;

    fn names() -> [AeTitle; 2] {
        ["HEMORA", "CT 1"].map(|name| name.parse().unwrap())
    }

    fn role() -> Role {
        Role { sop_class_uid: "1.2.840.10008.1.20.1".to_owned(), scu: false, scp: true }
    }

    fn request() -> AssociateRequest {
        let context = |id, syntaxes: &[&str]| ContextProposal {
            id,
            abstract_syntax: format!("1.2.{id}"),
            transfer_syntaxes: syntaxes.iter().map(|&it| it.to_owned()).collect(),
        };
        AssociateRequest {
            protocol_version: 1,
            called_ae: "HEMORA".to_owned(),
            calling_ae: "CT 1".to_owned(),
            application_context: APPLICATION_CONTEXT.to_owned(),
            contexts: vec![context(1, &["1.2.840.10008.1.2"]), context(255, &[])],
            longest_data: 16384,
            roles: vec![role()],
        }
    }

    #[test]
    fn associations_are_read_as_they_are_written() {
        let [called, calling] = names();
        let bytes = request().encode(&called, &calling);
        let read = Pdu::read(&mut &*bytes, 0).unwrap();
        assert_eq!(read, Pdu::AssociateRequest(request()));

        let answer = |id, result| ContextAnswer { id, result, transfer_syntax: "1.2".to_owned() };
        let accept = AssociateAccept {
            contexts: vec![
                answer(1, ContextResult::Accepted),
                answer(3, ContextResult::AbstractSyntaxUnknown),
                answer(5, ContextResult::TransferSyntaxesUnknown),
                answer(7, ContextResult::Other(1)),
            ],
            longest_data: 0,
            roles: vec![role()],
        };
        let bytes = accept.encode(&called, &calling);
        assert_eq!(Pdu::read(&mut &*bytes, 0).unwrap(), Pdu::AssociateAccept(accept));
    }

    #[test]
    fn an_association_cut_short_or_altered_is_an_error_or_another_but_no_panic() {
        let [called, calling] = names();
        let bytes = request().encode(&called, &calling);
        for end in 6..bytes.len() {
            let mut cut = bytes[..end].to_vec();
            cut[2..6].copy_from_slice(&((end - 6) as u32).to_be_bytes());
            let _ = Pdu::read(&mut &*cut, 0);
        }
        for at in 6..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] = 0xFF;
            let _ = Pdu::read(&mut &*altered, 0);
        }
    }
}
