//! Display windows: the part of the HU scale that is spread over black to white.

use serde::{Deserialize, Serialize};

/// A window, linear between `level − width/2` and `level + width/2` (HU).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Centre of the window in HU.
    pub level: f32,
    /// Width of the window in HU, greater than 0.
    pub width: f32,
}

impl Window {
    /// Brain tissue and fresh blood (docs/references.md#slice-preparation).
    pub const BRAIN: Window = Window { level: 40.0, width: 80.0 };
    /// Wider, so that thin extra-axial blood stands off the skull
    /// (docs/references.md#slice-preparation).
    pub const SUBDURAL: Window = Window { level: 80.0, width: 200.0 };
    /// Narrow, for early infarcts (docs/references.md#slice-preparation).
    pub const STROKE: Window = Window { level: 32.0, width: 8.0 };
    /// Narrow, for readers who look for early infarcts: wide enough that noise does not hide the image
    /// (Turner and Holdsworth, Br J Radiol 2011;84:1061).
    pub const STROKE_READING: Window = Window { level: 40.0, width: 40.0 };
    /// Skull (docs/references.md#slice-preparation).
    pub const BONE: Window = Window { level: 600.0, width: 2800.0 };
    /// Soft tissue (docs/references.md#slice-preparation).
    pub const SOFT: Window = Window { level: 40.0, width: 375.0 };

    /// HU at which the window turns black.
    #[inline(always)]
    pub fn low(self) -> f32 {
        self.level - self.width / 2.0
    }

    /// HU at which the window turns white.
    #[inline(always)]
    pub fn high(self) -> f32 {
        self.level + self.width / 2.0
    }

    /// Maps HU to 0–1, clamped. Not a number becomes 0.
    #[inline(always)]
    #[expect(clippy::manual_clamp, reason = "max first gives 0 for NaN, clamp would keep it")]
    pub fn to_unit(self, hu: f32) -> f32 {
        ((hu - self.low()) / self.width).max(0.0).min(1.0)
    }

    /// Maps HU to 8-bit grey, rounded to nearest.
    #[inline(always)]
    pub fn to_grey(self, hu: f32) -> u8 {
        nearest_byte(self.to_unit(hu) * 255.0)
    }
}

/// From here on single precision holds whole numbers alone, in its lowest bits. Adding it rounds to
/// the nearest whole number, halves to the even one. Casts and `round` are exact as well, but they
/// ask of every value whether it is in range, one at a time.
const WHOLE: f32 = (1 << 23) as f32;

/// A value between 0 and 255 rounded to nearest, halves up.
#[inline(always)]
pub fn nearest_byte(value: f32) -> u8 {
    let even = (value + WHOLE) - WHOLE;
    let up = if value - even >= 0.5 { 1.0 } else { 0.0 };
    (even + up + WHOLE).to_bits() as u8
}

/// A value between 0 and 255 without its fraction.
#[inline(always)]
pub fn cut_byte(value: f32) -> u8 {
    let even = (value + WHOLE) - WHOLE;
    let down = if even > value { 1.0 } else { 0.0 };
    (even - down + WHOLE).to_bits() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_those_of_rounding_and_casting() {
        for eighths in 0..=255 * 8 {
            let value = eighths as f32 / 8.0;
            for value in [value.next_down(), value, value.next_up()] {
                let value = value.clamp(0.0, 255.0);
                assert_eq!(nearest_byte(value), value.round() as u8, "{value}");
                assert_eq!(cut_byte(value), value as u8, "{value}");
            }
        }
    }

    #[test]
    fn brain_window_spans_0_to_80() {
        assert_eq!((Window::BRAIN.low(), Window::BRAIN.high()), (0.0, 80.0));
        assert_eq!(Window::BRAIN.to_unit(-1000.0), 0.0);
        assert_eq!(Window::BRAIN.to_unit(40.0), 0.5);
        assert_eq!(Window::BRAIN.to_unit(3000.0), 1.0);
        assert_eq!(Window::BRAIN.to_unit(f32::NAN), 0.0);
        assert_eq!(Window::BRAIN.to_grey(80.0), 255);
    }
}
