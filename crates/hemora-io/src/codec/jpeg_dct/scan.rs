//! The blocks of one scan (ITU-T T.81 F.2 and G.2).

use super::huffman::{Bits, Codes, Reason};

/// One 8 × 8 block of quantized coefficients, row by row.
pub(super) type Block = [i16; 64];

/// Where the coefficients of the zigzag order stand in a block.
pub(super) const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// What a scan header says of the coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Selection {
    /// First coefficient in zigzag order.
    pub(super) first: usize,
    /// Last coefficient, at most 63.
    pub(super) last: usize,
    /// Bit position of the scan before; 0 if this is the first scan of these coefficients.
    pub(super) high: u8,
    /// Bit position that this scan reaches, at most 13.
    pub(super) low: u8,
}

/// Decodes block after block of one scan.
pub(super) struct Scan<'a> {
    pub(super) selection: Selection,
    pub(super) progressive: bool,
    pub(super) dc: Option<&'a Codes>,
    pub(super) ac: Option<&'a Codes>,
    /// DC value of the block before.
    predicted: i32,
    /// Blocks, this one included, without further coefficients of this scan.
    end_of_band: u32,
}

const NO_TABLE: Reason = "a scan without its Huffman table";
const BEYOND: Reason = "coefficients beyond the end of a block";

impl<'a> Scan<'a> {
    pub(super) fn new(
        selection: Selection,
        progressive: bool,
        dc: Option<&'a Codes>,
        ac: Option<&'a Codes>,
    ) -> Self {
        Self { selection, progressive, dc, ac, predicted: 0, end_of_band: 0 }
    }

    /// Forgets what went before, as a restart marker asks for.
    pub(super) fn restart(&mut self) {
        (self.predicted, self.end_of_band) = (0, 0);
    }

    pub(super) fn block(&mut self, bits: &mut Bits<'_>, block: &mut Block) -> Result<(), Reason> {
        let Selection { first, high, .. } = self.selection;
        match (self.progressive, first, high) {
            (false, ..) => {
                self.dc_value(bits, block)?;
                self.sequential(bits, block)
            }
            (true, 0, 0) => self.dc_value(bits, block),
            (true, 0, _) => {
                block[0] |= (bits.take(1)? << self.selection.low) as i16;
                Ok(())
            }
            (true, _, 0) => self.first_of_band(bits, block),
            (true, ..) => self.refine_band(bits, block),
        }
    }

    fn dc_value(&mut self, bits: &mut Bits<'_>, block: &mut Block) -> Result<(), Reason> {
        let category = bits.value(self.dc.ok_or(NO_TABLE)?)?;
        self.predicted = self.predicted.wrapping_add(bits.signed(category)?);
        block[0] = (self.predicted << self.selection.low) as i16;
        Ok(())
    }

    fn sequential(&self, bits: &mut Bits<'_>, block: &mut Block) -> Result<(), Reason> {
        let codes = self.ac.ok_or(NO_TABLE)?;
        let mut index = 1;
        while index < 64 {
            let value = bits.value(codes)?;
            let (run, category) = (usize::from(value >> 4), value & 15);
            match (run, category) {
                (15, 0) => index += 16,
                (_, 0) => break,
                _ => {
                    index += run;
                    let place = *ZIGZAG.get(index).ok_or(BEYOND)?;
                    block[place] = bits.signed(category)? as i16;
                    index += 1;
                }
            }
        }
        Ok(())
    }

    fn first_of_band(&mut self, bits: &mut Bits<'_>, block: &mut Block) -> Result<(), Reason> {
        if self.end_of_band > 0 {
            self.end_of_band -= 1;
            return Ok(());
        }
        let codes = self.ac.ok_or(NO_TABLE)?;
        let Selection { first, last, low, .. } = self.selection;
        let mut index = first;
        while index <= last {
            let value = bits.value(codes)?;
            let (run, category) = (value >> 4, value & 15);
            match (run, category) {
                (15, 0) => index += 16,
                (run, 0) => {
                    self.end_of_band = end_of_band(bits, run)? - 1;
                    break;
                }
                _ => {
                    index += usize::from(run);
                    if index > last {
                        return Err(BEYOND);
                    }
                    block[ZIGZAG[index]] = (bits.signed(category)? << low) as i16;
                    index += 1;
                }
            }
        }
        Ok(())
    }

    /// One more bit of the coefficients that are not 0 yet, and new ones among the others
    /// (T.81 G.1.2.3).
    fn refine_band(&mut self, bits: &mut Bits<'_>, block: &mut Block) -> Result<(), Reason> {
        let codes = self.ac.ok_or(NO_TABLE)?;
        let Selection { first, last, low, .. } = self.selection;
        let step = 1i16 << low;
        let mut index = first;
        while self.end_of_band == 0 && index <= last {
            let value = bits.value(codes)?;
            let (mut zeros, category) = (value >> 4, value & 15);
            let new = match category {
                0 if zeros < 15 => {
                    self.end_of_band = end_of_band(bits, zeros)?;
                    break;
                }
                0 => 0,
                1 if bits.take(1)? == 1 => step,
                1 => -step,
                _ => return Err("a refinement by more than one bit"),
            };
            while index <= last {
                let place = &mut block[ZIGZAG[index]];
                index += 1;
                if *place != 0 {
                    refine(bits, place, step)?;
                } else if zeros == 0 {
                    *place = new;
                    break;
                } else {
                    zeros -= 1;
                }
            }
        }
        if self.end_of_band > 0 {
            for &place in &ZIGZAG[index..last + 1] {
                if block[place] != 0 {
                    refine(bits, &mut block[place], step)?;
                }
            }
            self.end_of_band -= 1;
        }
        Ok(())
    }
}

/// How many blocks end here, this one included.
fn end_of_band(bits: &mut Bits<'_>, run: u8) -> Result<u32, Reason> {
    Ok((1 << run) + bits.take(run.into())? as u32)
}

fn refine(bits: &mut Bits<'_>, place: &mut i16, step: i16) -> Result<(), Reason> {
    if bits.take(1)? == 1 && *place & step == 0 {
        *place = place.wrapping_add(if *place > 0 { step } else { -step });
    }
    Ok(())
}
