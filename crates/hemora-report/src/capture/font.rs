//! Letters: Noto Sans Mono (SIL Open Font License), already drawn, so that the same words are the same
//! pixels everywhere.

use noto_sans_mono_bitmap::{
    FontWeight, RasterHeight, RasterizedChar, get_raster, get_raster_width,
};

/// Height of a line of letters, and how they are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Font {
    height: RasterHeight,
    weight: FontWeight,
}

impl Font {
    pub(super) const SMALL: Self = Self::new(RasterHeight::Size16, FontWeight::Regular);
    pub(super) const PLAIN: Self = Self::new(RasterHeight::Size20, FontWeight::Regular);
    pub(super) const BOLD: Self = Self::new(RasterHeight::Size20, FontWeight::Bold);
    pub(super) const LARGE: Self = Self::new(RasterHeight::Size32, FontWeight::Bold);

    const fn new(height: RasterHeight, weight: FontWeight) -> Self {
        Self { height, weight }
    }

    /// Height of a line in pixels.
    pub(super) fn height(self) -> usize {
        self.height.val()
    }

    /// Width of `text` in pixels: all letters are of one width.
    pub(super) fn width(self, text: &str) -> usize {
        text.chars().count() * self.letter_width()
    }

    fn letter_width(self) -> usize {
        get_raster_width(self.weight, self.height)
    }

    /// `text` cut to what fits into `width` pixels, with the cut shown.
    pub(super) fn fit(self, text: &str, width: usize) -> String {
        let room = width / self.letter_width();
        if text.chars().count() <= room {
            return text.to_owned();
        }
        let kept: String = text.chars().take(room.saturating_sub(3)).collect();
        format!("{}...", kept.trim_end())
    }

    /// A letter; those that the font lacks are question marks.
    pub(super) fn letter(self, letter: char) -> Option<RasterizedChar> {
        let of = |letter| get_raster(letter, self.weight, self.height);
        of(letter).or_else(|| of('?'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_to_fit() {
        let font = Font::PLAIN;
        let width = font.width("abcdefghij");
        assert_eq!(font.fit("abcdefghij", width), "abcdefghij");
        assert_eq!(font.fit("abcdefghijk", width), "abcdefg...");
        assert_eq!(font.fit("abc defghijk", font.width("abcdefg")), "abc...");
        assert!(Font::LARGE.letter('ü').is_some());
        assert_eq!(font.letter('王').unwrap().pixels(), font.letter('?').unwrap().pixels());
    }
}
