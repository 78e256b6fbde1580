//! A small encoder of lossless JPEG (ITU-T T.81 annex H): 16 bits, predictor 1.

/// Encodes an image; every difference category has a code of five bits.
pub fn encode(rows: u16, columns: u16, pixels: &[u16]) -> Vec<u8> {
    let [rows_high, rows_low] = rows.to_be_bytes();
    let [columns_high, columns_low] = columns.to_be_bytes();
    let mut bytes = vec![0xFF, 0xD8];
    let frame = [16, rows_high, rows_low, columns_high, columns_low, 1, 1, 0x11, 0];
    bytes.extend([&[0xFF, 0xC3, 0, 11][..], &frame].concat());
    let mut table = vec![0; 17];
    table[5] = 17;
    table.extend(0..=16);
    bytes.extend([0xFF, 0xC4, 0, 2 + table.len() as u8]);
    bytes.extend(table);
    bytes.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0]);

    let mut bits = Bits::default();
    let columns = usize::from(columns);
    for (index, &pixel) in pixels.iter().enumerate() {
        let predicted = match (index / columns, index % columns) {
            (0, 0) => 0x8000,
            (_, 0) => pixels[index - columns],
            _ => pixels[index - 1],
        };
        let difference = i32::from(pixel.wrapping_sub(predicted) as i16);
        let category = 32 - difference.unsigned_abs().leading_zeros();
        bits.push(category, 5);
        if category < 16 {
            let value = if difference < 0 { difference - 1 } else { difference };
            bits.push(value as u32 & ((1 << category) - 1), category);
        }
    }
    bytes.extend(bits.finish());
    bytes.extend([0xFF, 0xD9]);
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            self.held = self.held << 1 | (value >> place & 1);
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held as u8);
                // A marker must not appear by chance.
                if self.held as u8 == 0xFF {
                    self.bytes.push(0);
                }
                (self.held, self.count) = (0, 0);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        while self.count != 0 {
            self.push(1, 1);
        }
        self.bytes
    }
}
