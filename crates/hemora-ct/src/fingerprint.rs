//! What an image looks like, in 256 bits: images that look alike differ in few of them.

use std::fmt;
use std::str::FromStr;

use crate::{Plane, Slice, Window, resize};

/// Rows of the reduced image, and comparisons in each.
const SIDE: usize = 16;
/// Words of 64 bits.
const WORDS: usize = SIDE * SIDE / 64;
/// An image with fewer bits set shows next to nothing.
const TELLING: u32 = 24;
/// A smaller step between neighbours of the reduced image, of the range 0–1, is noise.
const STEP: f32 = 0.01;

/// Whether a windowed image grows brighter from each of 16 × 16 places to the next on the right
/// (the “difference hash” of image search). Neighbouring slices of 5 mm differ in dozens of bits,
/// the same slice stored twice or shown in a slightly other window in a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u64; WORDS]);

impl Fingerprint {
    /// Of an image in a window, values 0–1.
    pub fn of(windowed: &Plane) -> Self {
        Self::of_small(&resize(windowed, SIDE, SIDE + 1))
    }

    /// Of a slice in a window.
    pub fn of_slice(slice: &Slice, window: Window) -> Self {
        Self::of_small(&slice.windowed_at(window, SIDE, SIDE + 1))
    }

    fn of_small(small: &Plane) -> Self {
        let mut words = [0; WORDS];
        for (row, values) in small.values.chunks_exact(SIDE + 1).enumerate() {
            for (column, pair) in values.windows(2).enumerate() {
                let bit = row * SIDE + column;
                words[bit / 64] |= u64::from(pair[1] - pair[0] > STEP) << (bit % 64);
            }
        }
        Self(words)
    }

    /// The four words of 64 bits.
    pub fn words(self) -> [u64; WORDS] {
        self.0
    }

    /// Bits that differ, 0 to 256.
    pub fn distance(self, other: Self) -> u32 {
        self.0.iter().zip(other.0).map(|(one, other)| (one ^ other).count_ones()).sum()
    }

    /// Whether it tells images apart: one with few bits set is of air or nearly so, and resembles
    /// all of its kind.
    pub fn is_telling(self) -> bool {
        self.steps() >= TELLING
    }

    /// Bits that are set.
    fn steps(self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }
}

impl fmt::Display for Fingerprint {
    /// 64 hexadecimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(formatter, "{word:016x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || "a fingerprint has 64 hexadecimal digits".to_owned();
        if text.len() != 16 * WORDS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut words = [0; WORDS];
        for (word, digits) in words.iter_mut().zip(text.as_bytes().chunks(16)) {
            let digits = str::from_utf8(digits).map_err(|_| wrong())?;
            *word = u64::from_str_radix(digits, 16).map_err(|_| wrong())?;
        }
        Ok(Self(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright disc, moved and dimmed.
    fn disc(shift: f32, light: f32) -> Plane {
        let value = |index: usize| {
            let (row, column) = ((index / 128) as f32, (index % 128) as f32);
            let radius = ((row - 64.0).powi(2) + (column - 64.0 - shift).powi(2)).sqrt();
            light * (1.0 - radius / 50.0).max(0.0) + 0.1 * (row / 9.0).sin().abs()
        };
        Plane { rows: 128, columns: 128, values: (0..128 * 128).map(value).collect() }
    }

    #[test]
    fn alike_images_differ_in_few_bits() {
        let one = Fingerprint::of(&disc(0.0, 0.9));
        assert!(one.is_telling());
        assert_eq!(one.distance(one), 0);
        assert!(one.distance(Fingerprint::of(&disc(0.0, 0.8))) <= 6);
        assert!(one.distance(Fingerprint::of(&disc(40.0, 0.9))) > 40);
        let empty = Fingerprint::of(&Plane { rows: 3, columns: 5, values: vec![0.4; 15] });
        assert_eq!((empty.steps(), empty.is_telling()), (0, false));
        let disc = disc(0.0, 0.9);
        let hu = disc.values.iter().map(|value| value * 80.0).collect();
        let slice = Slice::new(disc.rows, disc.columns, hu, None).unwrap();
        let windowed = Fingerprint::of(&slice.windowed(Window::BRAIN));
        assert_eq!(Fingerprint::of_slice(&slice, Window::BRAIN), windowed);
    }

    #[test]
    fn digits_round_trip() {
        let one = Fingerprint::of(&disc(0.0, 0.9));
        assert_eq!(one.to_string().parse(), Ok(one));
        for wrong in ["", "0", &"g".repeat(64), &"+".repeat(64)] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
