//! The minimal lower layer protocol (HL7 v2.5.1 appendix C.3): how a message is told from the next on a
//! connection.

/// Begins a message.
const START: u8 = 0x0b;
/// Ends it, together with [`RETURN`].
const END: u8 = 0x1c;
const RETURN: u8 = 0x0d;

/// A message in its frame.
pub fn frame(message: &str) -> Vec<u8> {
    let mut frame = Vec::with_capacity(message.len() + 3);
    frame.push(START);
    frame.extend_from_slice(message.as_bytes());
    frame.extend_from_slice(&[END, RETURN]);
    frame
}

/// Why bytes from a connection are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MllpError {
    /// A message, or what stands before one, does not end.
    #[error("more than {limit} bytes without the end of a message; close the connection")]
    TooLong {
        /// Most bytes allowed.
        limit: usize,
    },
}

/// Takes messages from the bytes of a connection, in whatever pieces they come.
#[derive(Debug, Clone)]
pub struct Decoder {
    limit: usize,
    /// What was received and is not yet taken.
    bytes: Vec<u8>,
    /// How far `bytes` was searched for an end.
    searched: usize,
    /// Bytes between messages since the last one, which mean nothing.
    ignored: usize,
}

impl Decoder {
    /// A decoder of messages of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, bytes: Vec::new(), searched: 0, ignored: 0 }
    }

    /// Adds bytes that were received. Give no more than one read at a time, and take all messages with
    /// [`next_message`](Self::next_message) before the next: what is held is at most the limit and one read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole message without its frame; `None` if more bytes are needed.
    ///
    /// # Errors
    /// [`MllpError::TooLong`] if no message ends within the limit.
    pub fn next_message(&mut self) -> Result<Option<Vec<u8>>, MllpError> {
        let too_long = MllpError::TooLong { limit: self.limit };
        let start = self.bytes.iter().position(|byte| *byte == START);
        let before = start.unwrap_or(self.bytes.len());
        self.bytes.drain(..before);
        if before > 0 {
            self.searched = 0;
        }
        self.ignored += before;
        if self.ignored > self.limit {
            return Err(too_long);
        }
        let from = self.searched.max(1);
        let found = self.bytes.get(from..).and_then(|rest| {
            rest.windows(2).position(|pair| pair == [END, RETURN]).map(|at| from + at)
        });
        let Some(end) = found else {
            // The last byte may be the first of the two that end a message.
            self.searched = self.bytes.len().saturating_sub(1);
            return if self.bytes.len() > self.limit + 3 { Err(too_long) } else { Ok(None) };
        };
        if end - 1 > self.limit {
            return Err(too_long);
        }
        let message = self.bytes[1..end].to_vec();
        self.bytes.drain(..end + 2);
        (self.searched, self.ignored) = (0, 0);
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_whole_in_whatever_pieces_they_come() {
        let stream =
            [b"\r\n".to_vec(), frame("MSH|a\rMSA|AA"), frame(""), frame("x\x1cy")].concat();
        for size in [1, 2, 3, 7, stream.len()] {
            let mut decoder = Decoder::new(64);
            let mut messages = Vec::new();
            for piece in stream.chunks(size) {
                decoder.push(piece);
                while let Some(message) = decoder.next_message().unwrap() {
                    messages.push(String::from_utf8(message).unwrap());
                }
            }
            assert_eq!(messages, ["MSH|a\rMSA|AA", "", "x\x1cy"], "pieces of {size}");
            assert!(decoder.bytes.is_empty());
        }
    }

    #[test]
    fn what_does_not_end_is_refused() {
        let mut fits = Decoder::new(8);
        fits.push(&frame("12345678"));
        assert_eq!(fits.next_message().unwrap().unwrap(), b"12345678");
        let mut whole = Decoder::new(8);
        whole.push(&frame("123456789"));
        assert_eq!(whole.next_message(), Err(MllpError::TooLong { limit: 8 }));
        for endless in [b"\x0b".to_vec(), Vec::new()] {
            let mut decoder = Decoder::new(8);
            decoder.push(&endless);
            let refused = (0..20).any(|_| {
                decoder.push(b"x");
                decoder.next_message().is_err()
            });
            assert!(refused, "{endless:?}");
        }
    }
}
