//! What a receiver answers (HL7 v2.5.1 §2.9).

use super::escape::unescape;

/// Longest text of an answer that is kept, characters.
const TEXT_LIMIT: usize = 500;

/// What a receiver says of a message (table 0008).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckCode {
    /// AA: processed.
    Accept,
    /// AE: an error; the receiver could not use it.
    Error,
    /// AR: refused.
    Reject,
    /// CA: safely stored, an answer of the application may follow.
    CommitAccept,
    /// CE: not stored because of an error.
    CommitError,
    /// CR: not stored because it was refused.
    CommitReject,
}

impl AckCode {
    /// Whether the message has arrived and need not be sent again.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Accept | Self::CommitAccept)
    }

    fn of(code: &str) -> Option<Self> {
        Some(match code {
            "AA" => Self::Accept,
            "AE" => Self::Error,
            "AR" => Self::Reject,
            "CA" => Self::CommitAccept,
            "CE" => Self::CommitError,
            "CR" => Self::CommitReject,
            _ => return None,
        })
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// What is said of the message.
    pub code: AckCode,
    /// MSH-10 of the message that is answered.
    pub control_id: String,
    /// Why, in the receiver's words (MSA-3, else the texts of ERR); empty if it says nothing. At most 500
    /// characters, none of which control a terminal.
    pub text: String,
}

/// Why an answer says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// It does not begin with MSH and the five separators.
    #[error("the answer does not begin with an MSH segment; is the peer an HL7 v2 listener?")]
    NotHl7,
    /// It has no MSA segment.
    #[error("the answer has no MSA segment, so it acknowledges nothing")]
    NoMsa,
    /// MSA-1 is not of table 0008.
    #[error("the acknowledgement code is {0:?}, expected AA, AE, AR, CA, CE or CR")]
    Code(String),
}

/// Reads an answer without its frame. Bytes that are no UTF-8 are replaced: what counts is ASCII.
///
/// # Errors
/// [`AckError`] if it is no acknowledgement.
pub fn parse_ack(message: &[u8]) -> Result<Ack, AckError> {
    let message = String::from_utf8_lossy(message);
    // Some receivers end segments as text files do.
    let mut segments = message.split(['\r', '\n']).map(str::trim).filter(|it| !it.is_empty());
    let header = segments.next().unwrap_or_default();
    let mut separators = header.strip_prefix("MSH").ok_or(AckError::NotHl7)?.chars();
    let field = separators.next().ok_or(AckError::NotHl7)?;
    let mut separator = || separators.next().filter(|it| *it != field).ok_or(AckError::NotHl7);
    let others = [separator()?, separator()?, separator()?, separator()?];
    let mut answer: Option<Vec<&str>> = None;
    let mut errors = Vec::new();
    for segment in segments {
        let fields: Vec<&str> = segment.split(field).collect();
        match fields[0] {
            "MSA" if answer.is_none() => answer = Some(fields),
            "ERR" => errors.extend([7, 8].iter().filter_map(|at| fields.get(*at).copied())),
            _ => {}
        }
    }
    let answer = answer.ok_or(AckError::NoMsa)?;
    let value = |at: usize| unescape(answer.get(at).copied().unwrap_or_default().trim(), others);
    let code = value(1);
    let Some(code) = AckCode::of(&code) else {
        return Err(AckError::Code(code.chars().take(20).collect()));
    };
    let mut text = value(3);
    if text.is_empty() {
        errors.retain(|error| !error.trim().is_empty());
        text = unescape(&errors.join("; "), others);
    }
    let text = crate::text::line(&text).chars().take(TEXT_LIMIT).collect();
    Ok(Ack { code, control_id: value(2).chars().take(TEXT_LIMIT).collect(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "MSH|^~\\&|RIS|R|HEMORA|H|20260101||ACK^R01^ACK|7|P|2.5.1";

    #[test]
    fn answers_are_read() {
        let ack = parse_ack(format!("{HEADER}\rMSA|AA|ID7\r").as_bytes()).unwrap();
        let expected = Ack { code: AckCode::Accept, control_id: "ID7".into(), text: String::new() };
        assert_eq!(ack, expected);
        let refused = format!(
            "{HEADER}\r\nMSA|AE|ID7\r\nERR||PID^1|101^Missing^HL70357|E||||no \\T\\ PID-3\r\n"
        );
        let ack = parse_ack(refused.as_bytes()).unwrap();
        assert_eq!((ack.code, ack.text.as_str()), (AckCode::Error, "no & PID-3"));
        let codes = ["AA", "AE", "AR", "CA", "CE", "CR"];
        let accepted = codes.map(|code| {
            parse_ack(format!("{HEADER}\rMSA|{code}|1|why").as_bytes()).unwrap().code.is_accepted()
        });
        assert_eq!(accepted, [true, false, false, true, false, false]);
    }

    #[test]
    fn separators_are_those_of_the_message() {
        let ack = parse_ack(b"MSH#*~!&#RIS\rMSA#AR#9#a!F!b\rMSA#AA#9\r").unwrap();
        assert_eq!((ack.code, ack.text.as_str()), (AckCode::Reject, "a|b"));
    }

    #[test]
    fn what_is_no_answer_is_said() {
        assert_eq!(parse_ack(b""), Err(AckError::NotHl7));
        assert_eq!(parse_ack(b"HTTP/1.1 400 Bad Request\r\n"), Err(AckError::NotHl7));
        assert_eq!(parse_ack(b"MSH|^~"), Err(AckError::NotHl7));
        assert_eq!(parse_ack(HEADER.as_bytes()), Err(AckError::NoMsa));
        let other = format!("{HEADER}\rMSA|OK|1");
        assert_eq!(parse_ack(other.as_bytes()), Err(AckError::Code("OK".into())));
        let long = format!("{HEADER}\rMSA|AE|1|\u{1b}[2J{}", "x".repeat(9999));
        let text = parse_ack(long.as_bytes()).unwrap().text;
        assert_eq!(text.chars().count(), 500);
        assert!(!text.contains('\u{1b}'));
    }
}
