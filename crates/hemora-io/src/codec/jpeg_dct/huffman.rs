//! Huffman codes (ITU-T T.81 annex C) and the bits of an entropy-coded segment.

/// Codes of up to this length are looked up in one step.
const FAST: u32 = 9;

/// A Huffman table: codes to the values that they stand for.
#[derive(Debug, Clone)]
pub(super) struct Codes {
    /// By the next `FAST` bits: the code's length (0 if it is longer) and its value.
    fast: Vec<(u8, u8)>,
    /// By length − 1: the first code of no such length, aligned to 16 bits.
    limits: [u32; 16],
    /// By length − 1: what to add to a code to get the index of its value.
    offsets: [i32; 16],
    values: Vec<u8>,
}

impl Codes {
    /// The table of a DHT segment: how many codes each length has, and their values in order.
    /// `None` if there are more codes than such lengths can have.
    pub(super) fn new(counts: [u8; 16], values: &[u8]) -> Option<Self> {
        let mut fast = vec![(0, 0); 1 << FAST];
        let (mut limits, mut offsets) = ([0; 16], [0; 16]);
        let (mut code, mut index) = (0u32, 0usize);
        for (length, &count) in (1u32..).zip(&counts) {
            let place = length as usize - 1;
            offsets[place] = index as i32 - code as i32;
            for _ in 0..count {
                let &value = values.get(index)?;
                if code >> length != 0 {
                    return None;
                }
                if length <= FAST {
                    let begin = (code << (FAST - length)) as usize;
                    fast[begin..begin + (1 << (FAST - length))].fill((length as u8, value));
                }
                (code, index) = (code + 1, index + 1);
            }
            limits[place] = code << (16 - length);
            code <<= 1;
        }
        Some(Self { fast, limits, offsets, values: values.to_vec() })
    }
}

/// The bits of an entropy-coded segment, without the stuffed bytes, up to the next marker.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
    held: u64,
    count: u32,
    /// How many of the lowest held bits stand after the end.
    beyond: u32,
}

/// What is wrong with an entropy-coded segment.
pub(super) type Reason = &'static str;

const CUT_OFF: Reason = "the entropy-coded data end too early";

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position, held: 0, count: 0, beyond: 0 }
    }

    /// Where the segment's marker stands; whole bytes that are still held count as read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    fn fill(&mut self) {
        while self.count <= 48 {
            let next = match self.bytes.get(self.position..) {
                Some([0xFF, 0, ..]) => {
                    self.position += 2;
                    Some(0xFF)
                }
                Some([0xFF, ..]) | Some([]) | None => None,
                Some([byte, ..]) => {
                    self.position += 1;
                    Some(*byte)
                }
            };
            self.held = self.held << 8 | u64::from(next.unwrap_or(0));
            self.count += 8;
            self.beyond += if next.is_none() { 8 } else { 0 };
        }
    }

    fn peek(&mut self, count: u32) -> u32 {
        if self.count < count {
            self.fill();
        }
        (self.held >> (self.count - count)) as u32 & ((1 << count) - 1)
    }

    fn skip(&mut self, count: u32) -> Result<(), Reason> {
        self.count -= count;
        if self.count < self.beyond { Err(CUT_OFF) } else { Ok(()) }
    }

    /// The next bits as an unsigned number; `count` is at most 16.
    pub(super) fn take(&mut self, count: u32) -> Result<i32, Reason> {
        let value = self.peek(count);
        self.skip(count)?;
        Ok(value as i32)
    }

    /// A signed number of a magnitude category (T.81 F.2.2.1, EXTEND).
    pub(super) fn signed(&mut self, category: u8) -> Result<i32, Reason> {
        if category > 16 {
            return Err("a magnitude category above 16");
        }
        if category == 0 {
            return Ok(0);
        }
        let value = self.take(category.into())?;
        let half = 1 << (category - 1);
        Ok(if value < half { value - (1 << category) + 1 } else { value })
    }

    /// The next Huffman code's value.
    pub(super) fn value(&mut self, codes: &Codes) -> Result<u8, Reason> {
        let next = self.peek(16);
        let (length, value) = codes.fast[(next >> (16 - FAST)) as usize];
        if length > 0 {
            self.skip(length.into())?;
            return Ok(value);
        }
        let longer = (FAST + 1..=16).find(|&length| next < codes.limits[length as usize - 1]);
        let length = longer.ok_or("a bit pattern that is no Huffman code")?;
        self.skip(length)?;
        let index = (next >> (16 - length)) as i32 + codes.offsets[length as usize - 1];
        usize::try_from(index)
            .ok()
            .and_then(|index| codes.values.get(index))
            .copied()
            .ok_or("a bit pattern that is no Huffman code")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_every_length_are_read_and_stuffing_is_left_out() {
        // 0, 10, 110, …: one code of each length, the last of 16 bits.
        let codes = Codes::new([1; 16], &(1..=16).collect::<Vec<u8>>()).unwrap();
        // 16 bits: 1111_1111 1111_1110 as FF 00 FE, then 0 and 110.
        let mut bits = Bits::new(&[0xFF, 0, 0xFE, 0b0110_0000, 0xFF, 0xD9], 0);
        assert_eq!(bits.value(&codes), Ok(16));
        assert_eq!(bits.value(&codes), Ok(1));
        assert_eq!(bits.value(&codes), Ok(3));
        assert_eq!(bits.take(4), Ok(0));
        assert_eq!(bits.take(1), Err(CUT_OFF));
        assert_eq!(bits.position(), 4);
    }

    #[test]
    fn too_many_codes_of_a_length_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Codes::new(counts, &[1, 2, 3]).is_none());
        assert!(Codes::new([1; 16], &[1, 2]).is_none());
    }

    #[test]
    fn magnitudes_extend_to_both_signs() {
        let mut bits = Bits::new(&[0b0001_1110], 0);
        assert_eq!(bits.signed(3), Ok(-7));
        assert_eq!(bits.signed(3), Ok(7));
        assert_eq!(bits.signed(0), Ok(0));
        assert!(bits.signed(17).is_err());
    }
}
