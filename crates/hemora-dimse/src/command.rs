//! Command sets (PS3.7 §6.3, annex E): group 0000, always in implicit VR little endian.

use std::collections::BTreeMap;

use crate::Failure;
use crate::text::trimmed;

/// What a command set asks or answers: the values of CommandField (0000,0100).
pub mod fields {
    /// C-STORE-RQ.
    pub const STORE: u16 = 0x0001;
    /// C-FIND-RQ.
    pub const FIND: u16 = 0x0020;
    /// C-ECHO-RQ.
    pub const ECHO: u16 = 0x0030;
    /// N-EVENT-REPORT-RQ.
    pub const EVENT_REPORT: u16 = 0x0100;
    /// N-ACTION-RQ.
    pub const ACTION: u16 = 0x0130;
    /// C-CANCEL-RQ, which has no response.
    pub const CANCEL: u16 = 0x0FFF;
    /// What is set in a response, beside the request's field.
    pub const RESPONSE: u16 = 0x8000;
}

/// Elements of command sets, by their number in group 0000.
pub(crate) mod elements {
    pub const GROUP_LENGTH: u16 = 0x0000;
    pub const AFFECTED_CLASS: u16 = 0x0002;
    pub const REQUESTED_CLASS: u16 = 0x0003;
    pub const COMMAND_FIELD: u16 = 0x0100;
    pub const MESSAGE_ID: u16 = 0x0110;
    pub const MESSAGE_ID_RESPONDED: u16 = 0x0120;
    pub const PRIORITY: u16 = 0x0700;
    pub const DATA_SET_TYPE: u16 = 0x0800;
    pub const STATUS: u16 = 0x0900;
    pub const ERROR_COMMENT: u16 = 0x0902;
    pub const AFFECTED_INSTANCE: u16 = 0x1000;
    pub const REQUESTED_INSTANCE: u16 = 0x1001;
    pub const EVENT_TYPE: u16 = 0x1002;
    pub const ACTION_TYPE: u16 = 0x1008;
    pub const MOVE_ORIGINATOR: u16 = 0x1030;
    pub const MOVE_ORIGINATOR_MESSAGE: u16 = 0x1031;
}

/// Value of CommandDataSetType without a data set; any other is with one.
const NO_DATA_SET: u16 = 0x0101;

/// Longest comment of an error (VR `LO`).
const LONGEST_COMMENT: usize = 64;

/// A command set: the field that every one has, and its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    field: u16,
    elements: BTreeMap<u16, Vec<u8>>,
}

/// Bytes that are no command set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// An element is longer than the rest, or the rest is shorter than an element.
    #[error("the command set ends within an element")]
    Truncated,
    /// An element of another group than 0000.
    #[error("group {0:04X} is in a command set, which has group 0000 alone")]
    Group(u16),
    /// An element that is there twice.
    #[error("element (0000,{0:04X}) is twice in a command set")]
    Twice(u16),
    /// An element that each command set has is not there, or has another length.
    #[error("a command set without a valid element (0000,{0:04X})")]
    Missing(u16),
}

impl Command {
    /// Parses a command set. Elements that this program does not know are kept; the group's length,
    /// which some makers write wrong, is not believed.
    ///
    /// # Errors
    /// [`CommandError`] says what contradicts the standard.
    pub fn parse(mut bytes: &[u8]) -> Result<Self, CommandError> {
        let mut elements = BTreeMap::new();
        while !bytes.is_empty() {
            let (header, rest) = bytes.split_first_chunk::<8>().ok_or(CommandError::Truncated)?;
            let [g0, g1, e0, e1, length @ ..] = *header;
            let group = u16::from_le_bytes([g0, g1]);
            if group != 0 {
                return Err(CommandError::Group(group));
            }
            let element = u16::from_le_bytes([e0, e1]);
            let length = usize::try_from(u32::from_le_bytes(length));
            let cut = length.ok().and_then(|length| rest.split_at_checked(length));
            let (value, rest) = cut.ok_or(CommandError::Truncated)?;
            if elements.insert(element, value.to_vec()).is_some() {
                return Err(CommandError::Twice(element));
            }
            bytes = rest;
        }
        let mut command = Self { field: 0, elements };
        let required = |element| command.number(element).ok_or(CommandError::Missing(element));
        let field = required(elements::COMMAND_FIELD)?;
        required(elements::DATA_SET_TYPE)?;
        command.field = field;
        Ok(command)
    }

    /// CommandField: one of [`fields`], as a rule.
    pub fn field(&self) -> u16 {
        self.field
    }

    /// MessageID of a request; 0 if it has none.
    pub fn message_id(&self) -> u16 {
        self.number(elements::MESSAGE_ID).unwrap_or(0)
    }

    /// Whether a data set follows.
    pub fn has_data_set(&self) -> bool {
        self.number(elements::DATA_SET_TYPE) != Some(NO_DATA_SET)
    }

    /// Status of a response.
    pub fn status(&self) -> Option<u16> {
        self.number(elements::STATUS)
    }

    /// A value of 16 bits; `None` also where it has another length.
    pub(crate) fn number(&self, element: u16) -> Option<u16> {
        let bytes = self.elements.get(&element)?.as_slice();
        Some(u16::from_le_bytes(bytes.try_into().ok()?))
    }

    /// A text without padding; empty where it is not there.
    pub(crate) fn text(&self, element: u16) -> String {
        self.elements.get(&element).map(|bytes| trimmed(bytes)).unwrap_or_default()
    }

    /// A request.
    pub(crate) fn request(field: u16, message_id: u16) -> Self {
        Self::without_data(field).with_number(elements::MESSAGE_ID, message_id)
    }

    /// A response to `request` that names what it was about.
    pub(crate) fn response(request: &Self, result: &Result<(), Failure>) -> Self {
        let mut response = Self::without_data(request.field | fields::RESPONSE)
            .with_number(elements::MESSAGE_ID_RESPONDED, request.message_id())
            .with_number(elements::STATUS, result.as_ref().map_or_else(|it| it.status, |()| 0));
        // N-ACTION names what is requested, and its response what is affected (PS3.7 §10.3.5).
        for (affected, requested) in [
            (elements::AFFECTED_CLASS, elements::REQUESTED_CLASS),
            (elements::AFFECTED_INSTANCE, elements::REQUESTED_INSTANCE),
        ] {
            let value = request.elements.get(&affected).or(request.elements.get(&requested));
            if let Some(value) = value.filter(|value| value.len() <= 64) {
                response.elements.insert(affected, value.clone());
            }
        }
        for copied in [elements::EVENT_TYPE, elements::ACTION_TYPE] {
            if let Some(number) = request.number(copied) {
                response = response.with_number(copied, number);
            }
        }
        if let Err(failure) = result {
            let letters = failure.comment.chars().take(LONGEST_COMMENT);
            let ascii =
                letters.map(|it| if matches!(it, ' '..='~') && it != '\\' { it } else { '?' });
            response = response.with_text(elements::ERROR_COMMENT, &ascii.collect::<String>());
        }
        response
    }

    fn without_data(field: u16) -> Self {
        let command = Self { field, elements: BTreeMap::new() };
        command
            .with_number(elements::COMMAND_FIELD, field)
            .with_number(elements::DATA_SET_TYPE, NO_DATA_SET)
    }

    /// Says that a data set follows.
    pub(crate) fn with_data_set(self) -> Self {
        self.with_number(elements::DATA_SET_TYPE, 0)
    }

    pub(crate) fn with_number(mut self, element: u16, value: u16) -> Self {
        self.elements.insert(element, value.to_le_bytes().to_vec());
        self
    }

    /// A UID is padded with a zero byte.
    pub(crate) fn with_uid(mut self, element: u16, uid: &str) -> Self {
        self.elements.insert(element, padded(uid, 0));
        self
    }

    pub(crate) fn with_text(mut self, element: u16, text: &str) -> Self {
        self.elements.insert(element, padded(text, b' '));
        self
    }

    /// The bytes of the command set, with its length.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for (element, value) in &self.elements {
            if *element != elements::GROUP_LENGTH {
                push(&mut content, *element, value);
            }
        }
        let mut out = Vec::with_capacity(content.len() + 12);
        push(&mut out, elements::GROUP_LENGTH, &(content.len() as u32).to_le_bytes());
        out.extend(content);
        out
    }
}

fn push(out: &mut Vec<u8>, element: u16, value: &[u8]) {
    out.extend([0, 0]);
    out.extend(element.to_le_bytes());
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value);
}

/// A value of even length.
pub(crate) fn padded(text: &str, padding: u8) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(padding);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Command {
        Command::request(fields::STORE, 7)
            .with_uid(elements::AFFECTED_CLASS, "1.2.840.10008.5.1.4.1.1.2")
            .with_uid(elements::AFFECTED_INSTANCE, "1.2.3")
            .with_data_set()
    }

    #[test]
    fn commands_are_read_as_they_are_written() {
        let bytes = store().encode();
        assert_eq!(bytes.len() % 2, 0);
        assert_eq!(u32::from_le_bytes(bytes[8..12].try_into().unwrap()) as usize, bytes.len() - 12);
        let read = Command::parse(&bytes).unwrap();
        assert_eq!(
            (read.field(), read.message_id(), read.has_data_set()),
            (fields::STORE, 7, true)
        );
        assert_eq!(read.text(elements::AFFECTED_INSTANCE), "1.2.3");
        assert_eq!(read.encode(), bytes);
    }

    #[test]
    fn a_response_answers_its_request() {
        let failure = Failure::new(0xA700, format!("Größe\\{}", "x".repeat(70)));
        let bytes = Command::response(&store(), &Err(failure)).encode();
        let read = Command::parse(&bytes).unwrap();
        assert_eq!(
            (read.field(), read.status(), read.has_data_set()),
            (0x8001, Some(0xA700), false)
        );
        assert_eq!(read.number(elements::MESSAGE_ID_RESPONDED), Some(7));
        assert_eq!(read.text(elements::AFFECTED_CLASS), "1.2.840.10008.5.1.4.1.1.2");
        let comment = read.text(elements::ERROR_COMMENT);
        assert!(comment.starts_with("Gr??e?xx") && comment.len() == 64, "{comment}");
        let ok = Command::response(&Command::request(fields::ECHO, 9), &Ok(()));
        assert_eq!((ok.field(), ok.status()), (0x8030, Some(0)));
    }

    #[test]
    fn what_is_no_command_set_is_an_error() {
        let bytes = store().encode();
        let first = |bytes: &[u8]| Command::parse(bytes).unwrap_err();
        assert_eq!(first(&bytes[..bytes.len() - 1]), CommandError::Truncated);
        assert_eq!(first(&[]), CommandError::Missing(0x0100));
        assert_eq!(first(&[&bytes[..], &bytes[..]].concat()), CommandError::Twice(0));
        assert_eq!(first(&[8, 0, 0x18, 0, 0, 0, 0, 0]), CommandError::Group(8));
        assert_eq!(first(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 1]), CommandError::Truncated);
        assert_eq!(first(&[0, 0, 0, 1, 1, 0, 0, 0, 1]), CommandError::Missing(0x0100));
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0xFF;
            let _ = Command::parse(&altered);
        }
    }
}
