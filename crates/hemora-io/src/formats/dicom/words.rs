//! Stored values of at most 16 bits to HU, a block of pixels at a time in vectors: this is where reading a file
//! spends its time.

use hemora_ct::widest;

use super::modality::ModalityTransform;
use crate::codec::StoredPixels;

/// Pixels of a block, which stays in the nearest cache.
const BLOCK: usize = 1024;

/// What the bits of a pixel mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// By how much the stored bits lie below the highest of 32.
    pub(super) left: u32,
    /// How many of 32 bits the stored ones leave.
    pub(super) right: u32,
    pub(super) meaning: Meaning,
}

/// What the stored bits are.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    Unsigned,
    Signed,
    /// Twelve bits without a sign that were wrapped at 4096 and lack 1000
    /// ([`ModalityTransform::intercept_is_wrong`]).
    Wrapped,
}

/// HU of all pixels.
pub(super) fn words_to_hu(
    stored: &StoredPixels<'_>,
    words: Words,
    transform: &ModalityTransform,
) -> Vec<f32> {
    let size = stored.bytes_per_pixel;
    let mut values = Vec::with_capacity(stored.bytes.len() / size);
    widest(
        #[inline(always)]
        || {
            let (mut raw, mut whole, mut hu) = ([0u32; BLOCK], [0i32; BLOCK], [0f32; BLOCK]);
            for bytes in stored.bytes.chunks(BLOCK * size) {
                let count = bytes.len() / size;
                read(bytes, size, stored.big_endian, &mut raw[..count]);
                words.values(&raw[..count], &mut whole[..count]);
                transform.map_words(&whole[..count], &mut hu[..count]);
                values.extend_from_slice(&hu[..count]);
            }
        },
    );
    values
}

/// The bytes of each pixel as a number.
#[inline(always)]
fn read(bytes: &[u8], size: usize, big_endian: bool, raw: &mut [u32]) {
    let (pairs, fours) = (bytes.as_chunks::<2>().0, bytes.as_chunks::<4>().0);
    match (size, big_endian) {
        (1, _) => raw.iter_mut().zip(bytes).for_each(
            #[inline(always)]
            |(raw, &byte)| *raw = byte.into(),
        ),
        (2, false) => raw.iter_mut().zip(pairs).for_each(
            #[inline(always)]
            |(raw, &pair)| *raw = u16::from_le_bytes(pair).into(),
        ),
        (2, true) => raw.iter_mut().zip(pairs).for_each(
            #[inline(always)]
            |(raw, &pair)| *raw = u16::from_be_bytes(pair).into(),
        ),
        (_, false) => raw.iter_mut().zip(fours).for_each(
            #[inline(always)]
            |(raw, &four)| *raw = u32::from_le_bytes(four),
        ),
        (_, true) => raw.iter_mut().zip(fours).for_each(
            #[inline(always)]
            |(raw, &four)| *raw = u32::from_be_bytes(four),
        ),
    }
}

impl Words {
    #[inline(always)]
    fn values(self, raw: &[u32], values: &mut [i32]) {
        let Self { left, right, meaning } = self;
        let pairs = values.iter_mut().zip(raw);
        match meaning {
            Meaning::Unsigned => pairs.for_each(
                #[inline(always)]
                |(value, raw)| *value = ((raw << left) >> right) as i32,
            ),
            Meaning::Signed => pairs.for_each(
                #[inline(always)]
                |(value, raw)| *value = ((raw << left) as i32) >> right,
            ),
            Meaning::Wrapped => pairs.for_each(
                #[inline(always)]
                |(value, raw)| *value = ((((raw << left) >> right) + 1000) % 4096) as i32,
            ),
        }
    }
}
