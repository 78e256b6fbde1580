//! What a receiver of HL7 messages answers: frames in pieces of any size, and acknowledgements.
#![no_main]

use hemora_interop::{mllp::Decoder, parse_ack};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 12;

fuzz_target!(|data: &[u8]| {
    let _ = parse_ack(data);
    let Some((&size, stream)) = data.split_first() else { return };
    let mut decoder = Decoder::new(LIMIT);
    for piece in stream.chunks(usize::from(size).max(1)) {
        decoder.push(piece);
        loop {
            match decoder.next_message() {
                Ok(Some(message)) => {
                    assert!(message.len() <= LIMIT);
                    if let Ok(ack) = parse_ack(&message) {
                        assert!(!ack.text.chars().any(char::is_control));
                    }
                }
                Ok(None) => break,
                Err(_) => return,
            }
        }
    }
});
