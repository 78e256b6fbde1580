//! Pixel padding: what stands for “no value” around the scanned circle (PS3.3 C.7.5.1.1.2).

use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use crate::StoredFormat;

/// HU of what padding becomes.
const AIR: f32 = -1000.0;

/// The stored values that PixelPaddingValue and PixelPaddingRangeLimit declare to be padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Padding {
    lowest: i32,
    highest: i32,
}

impl Padding {
    /// The declared padding, if any. Its sign is that of the pixels, whatever its VR says.
    pub(crate) fn declared(attributes: &Attributes<'_>, stored: StoredFormat) -> Option<Self> {
        let value = |tag| {
            let word = attributes.word(tag)?;
            Some(if stored.signed { i32::from(word as i16) } else { i32::from(word) })
        };
        let first = value(tags::PIXEL_PADDING_VALUE)?;
        let limit = value(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(first);
        Some(Self { lowest: first.min(limit), highest: first.max(limit) })
    }

    /// Whether a word as it stands in the file, or what its stored bits mean, is padding: padding
    /// often lies outside of what BitsStored can hold.
    pub(crate) fn contains(self, words: [i32; 2]) -> bool {
        words.iter().any(|word| (self.lowest..=self.highest).contains(word))
    }
}

/// Turns padding that reaches the image's edge into air where it would show as something else.
///
/// Padding below air stays as it is: every window shows it black. Padding that is not connected to
/// the edge stays too: files declare 0 as padding that have 0 in the brain, or the value at which
/// metal saturates.
pub(crate) fn to_air(
    hu: &mut [f32],
    rows: usize,
    columns: usize,
    is_padding: impl Fn(usize) -> bool,
) {
    let visible = |hu: &[f32], index: usize| hu[index] > AIR && is_padding(index);
    let mut open = Vec::new();
    let reach = |hu: &mut [f32], index: usize, open: &mut Vec<usize>| {
        if visible(hu, index) {
            hu[index] = AIR;
            open.push(index);
        }
    };
    let last = (rows - 1) * columns;
    for column in 0..columns {
        reach(hu, column, &mut open);
        reach(hu, last + column, &mut open);
    }
    for row in 0..rows {
        reach(hu, row * columns, &mut open);
        reach(hu, row * columns + columns - 1, &mut open);
    }
    while let Some(index) = open.pop() {
        let column = index % columns;
        if column > 0 {
            reach(hu, index - 1, &mut open);
        }
        if column + 1 < columns {
            reach(hu, index + 1, &mut open);
        }
        if index >= columns {
            reach(hu, index - columns, &mut open);
        }
        if index + columns < hu.len() {
            reach(hu, index + columns, &mut open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_padding_that_reaches_the_edge_becomes_air() {
        let mut hu = vec![
            3071.0, 3071.0, -1024.0, -1024.0, //
            3071.0, 40.0, 40.0, 40.0, //
            -2000.0, 40.0, 3071.0, 40.0, //
            40.0, 40.0, 40.0, 40.0,
        ];
        let before = hu.clone();
        let padding: Vec<bool> = hu.iter().map(|&hu| hu == 3071.0 || hu == -2000.0).collect();
        to_air(&mut hu, 4, 4, |index| padding[index]);
        let mut expected = before;
        for index in [0, 1, 4] {
            expected[index] = -1000.0;
        }
        assert_eq!(hu, expected);
    }
}
