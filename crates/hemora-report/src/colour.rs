//! The colours of the activation map.

/// Nine equidistant colours of matplotlib's *inferno*: lightness grows evenly with the value, so
/// the order survives colour blindness and grey printing.
const INFERNO: [[u8; 3]; 9] = [
    [0, 0, 4],
    [31, 12, 72],
    [85, 15, 109],
    [136, 34, 106],
    [186, 54, 85],
    [227, 89, 51],
    [249, 140, 10],
    [249, 201, 50],
    [252, 255, 164],
];

/// Opacity at full activation; below 1, so that the brain stays visible.
const OPACITY: f32 = 0.65;

/// Activation below which the map is clear, so that it does not veil the whole brain.
const CLEAR: f32 = 0.15;

/// Clamped to 0–1; not a number becomes 0.
pub(crate) fn unit(value: f32) -> f32 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) }
}

/// Colour of an activation 0–1.
pub(crate) fn inferno(activation: f32) -> [u8; 3] {
    let position = unit(activation) * (INFERNO.len() - 1) as f32;
    let index = (position as usize).min(INFERNO.len() - 2);
    let rest = position - index as f32;
    std::array::from_fn(|channel| {
        let (from, to) = (INFERNO[index][channel], INFERNO[index + 1][channel]);
        (f32::from(from) + rest * (f32::from(to) - f32::from(from))).round() as u8
    })
}

/// Opacity 0–1 of an activation 0–1: clear up to a floor, then growing evenly.
pub(crate) fn opacity(activation: f32) -> f32 {
    unit((activation - CLEAR) / (1.0 - CLEAR)) * OPACITY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lightness_and_opacity_grow_with_activation() {
        let light = |rgb: [u8; 3]| {
            0.2126 * f32::from(rgb[0]) + 0.7152 * f32::from(rgb[1]) + 0.0722 * f32::from(rgb[2])
        };
        for step in 1..=100 {
            let (low, high) = ((step - 1) as f32 / 100.0, step as f32 / 100.0);
            assert!(light(inferno(high)) >= light(inferno(low)), "at {high}");
            assert!(opacity(high) >= opacity(low));
        }
        assert_eq!(inferno(0.5), [186, 54, 85]);
        assert_eq!(opacity(0.1), 0.0);
        assert_eq!(inferno(f32::NAN), INFERNO[0]);
        assert_eq!(opacity(f32::NAN), 0.0);
    }
}
