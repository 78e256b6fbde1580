//! Items within PDUs: a type, a reserved byte, a length of 16 bits, and content.

use super::PduError;

/// Reads fields and items from the content of a PDU, within its bounds.
pub(super) struct Items<'a>(pub(super) &'a [u8]);

impl<'a> Items<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], PduError> {
        let cut = self.0.split_at_checked(count);
        let (taken, rest) =
            cut.ok_or(PduError::Malformed("an item is longer than what holds it"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, PduError> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn number(&mut self) -> Result<u16, PduError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// The next item: its type and its content.
    pub(super) fn item(&mut self) -> Result<(u8, &'a [u8]), PduError> {
        let kind = self.byte()?;
        self.byte()?;
        let length = self.number()?;
        Ok((kind, self.take(length.into())?))
    }
}

/// Appends an item whose content `write` makes.
pub(super) fn push_item(out: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend([kind, 0, 0, 0]);
    let start = out.len();
    write(out);
    let length = u16::try_from(out.len() - start).expect("what this program writes is short");
    out[start - 2..start].copy_from_slice(&length.to_be_bytes());
}

/// Appends an item that is a text.
pub(super) fn push_text(out: &mut Vec<u8>, kind: u8, text: &str) {
    push_item(out, kind, |out| out.extend(text.as_bytes()));
}
