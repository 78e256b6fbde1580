//! Deliveries by MLLP: one message a connection, which is done when the receiver accepts it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use hemora_interop::{Ack, mllp, parse_ack};
use hemora_store::Delivery;

use super::connect::connect;
use crate::config::Hl7Destination;

/// How long the receiver may take for its whole acknowledgement.
const ANSWER: Duration = Duration::from_secs(30);

/// Longest acknowledgement, bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// Sends one message; what the receiver answered.
pub(super) fn send(to: &Hl7Destination, delivery: &Delivery) -> Result<String, String> {
    let message = std::str::from_utf8(&delivery.payload)
        .map_err(|_| "the message is not text; score the study again".to_owned())?;
    let mut stream = connect(&to.host)?;
    let failed = |error: std::io::Error| format!("{}: {error}", to.host);
    stream.set_write_timeout(Some(ANSWER)).map_err(failed)?;
    stream.write_all(&mllp::frame(message)).map_err(failed)?;
    let answer = read_answer(&mut stream).map_err(|error| format!("{}: {error}", to.host))?;
    let ack = parse_ack(&answer).map_err(|error| format!("{}: {error}", to.host))?;
    accepted(&ack, control_id(message))
}

fn read_answer(stream: &mut TcpStream) -> Result<Vec<u8>, String> {
    let end = Instant::now() + ANSWER;
    let mut decoder = mllp::Decoder::new(LONGEST_ANSWER);
    let mut buffer = [0; 4096];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(format!("no whole acknowledgement within {} s", ANSWER.as_secs()));
        }
        stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        let read = stream.read(&mut buffer).map_err(|error| error.to_string())?;
        if read == 0 {
            return Err("the connection ended before an acknowledgement".to_owned());
        }
        decoder.push(&buffer[..read]);
        if let Some(answer) = decoder.next_message().map_err(|error| error.to_string())? {
            return Ok(answer);
        }
    }
}

/// MSH-10 of a message of ours.
fn control_id(message: &str) -> &str {
    message.split('\r').next().and_then(|msh| msh.split('|').nth(9)).unwrap_or_default()
}

fn accepted(ack: &Ack, expected: &str) -> Result<String, String> {
    let Ack { code, control_id, text } = ack;
    let text = if text.is_empty() { String::new() } else { format!(": {text}") };
    if control_id != expected {
        return Err(format!("the receiver acknowledged another message, {control_id:?}"));
    }
    match code.is_accepted() {
        true => Ok(format!("accepted{text}")),
        false => Err(format!("the receiver answered {code:?}{text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hemora_interop::AckCode;

    #[test]
    fn only_an_acceptance_of_this_message_counts() {
        let message = "MSH|^~\\&|HEMORA||RIS||20261127||ORU^R01^ORU_R01|ABC|P|2.5.1\rPID|1\r";
        assert_eq!(control_id(message), "ABC");
        let ack = |code, control_id: &str| Ack {
            code,
            control_id: control_id.to_owned(),
            text: "why".to_owned(),
        };
        assert_eq!(accepted(&ack(AckCode::Accept, "ABC"), "ABC").unwrap(), "accepted: why");
        assert!(accepted(&ack(AckCode::CommitAccept, "ABC"), "ABC").is_ok());
        assert!(accepted(&ack(AckCode::Accept, "ABD"), "ABC").is_err());
        assert!(accepted(&ack(AckCode::Error, "ABC"), "ABC").unwrap_err().ends_with(": why"));
    }
}
