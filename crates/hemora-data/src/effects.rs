//! What happens to the values of a channel after it was sampled: blur, noise, erasures, borders.

use rand::{Rng, RngExt};

use crate::augment::Erasure;

/// Gaussian blur with replicated borders, rows then columns.
pub(crate) fn blur(values: &mut [f32], size: usize, sigma: f64, scratch: &mut Vec<f32>) {
    // Below a tenth of a pixel the neighbours' weights vanish.
    if sigma < 0.1 {
        return;
    }
    let radius = (3.0 * sigma).ceil() as isize;
    let weight = |offset: isize| (-0.5 * (offset as f64 / sigma).powi(2)).exp();
    let total: f64 = (-radius..=radius).map(weight).sum();
    let taps: Vec<(isize, f32)> =
        (-radius..=radius).map(|offset| (offset, (weight(offset) / total) as f32)).collect();
    let near =
        |at: usize, offset: isize| (at as isize + offset).clamp(0, size as isize - 1) as usize;
    scratch.clear();
    for row in values.chunks_exact(size) {
        for column in 0..size {
            let tap = |(offset, weight): &(isize, f32)| row[near(column, *offset)] * weight;
            scratch.push(taps.iter().map(tap).sum());
        }
    }
    for (row, target) in values.chunks_exact_mut(size).enumerate() {
        target.fill(0.0);
        for (offset, weight) in &taps {
            let source = &scratch[near(row, *offset) * size..][..size];
            for (value, pixel) in target.iter_mut().zip(source) {
                *value += pixel * weight;
            }
        }
    }
}

/// Adds noise where the window is not at its ends: air and bone have none within it.
pub(crate) fn add_noise(values: &mut [f32], std: f32, rng: &mut impl Rng) {
    if std <= 0.0 {
        return;
    }
    // Only the seed is drawn from `rng`: four bytes a pixel would take longer than all the rest.
    let mut state = rng.random();
    // The sum of four uniform bytes is nearly normal; its variance is 4 (256² − 1) / 12.
    let factor = std / (f64::from(4 * (65536 - 1)) / 12.0).sqrt() as f32;
    for pair in values.chunks_mut(2) {
        let drawn = split_mix(&mut state);
        for (value, bytes) in pair.iter_mut().zip([drawn as u32, (drawn >> 32) as u32]) {
            // Bytes side by side are added two at a time.
            let halves = (bytes & 0x00ff_00ff) + (bytes >> 8 & 0x00ff_00ff);
            let sum = ((halves >> 16) + (halves & 0xffff)) as i32;
            let noisy = (*value + (sum - 510) as f32 * factor).clamp(0.0, 1.0);
            *value = if *value > 0.0 && *value < 1.0 { noisy } else { *value };
        }
    }
}

/// The next number of a small generator (Steele et al. 2014, "Fast splittable pseudorandom number
/// generators").
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ *state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Fills a rectangle.
pub(crate) fn erase(values: &mut [f32], size: usize, erasure: &Erasure) {
    let pixels = |axis: usize| {
        let start = (erasure.start[axis] * size as f64).round() as usize;
        let end = ((erasure.start[axis] + erasure.size[axis]) * size as f64).round() as usize;
        start.min(size)..end.min(size)
    };
    for row in values.chunks_exact_mut(size).take(pixels(0).end).skip(pixels(0).start) {
        row[pixels(1)].fill(erasure.value);
    }
}

/// Fills the borders, their widths left, top, right and bottom as parts of the side, with black.
pub(crate) fn blacken(values: &mut [f32], size: usize, widths: [f64; 4]) {
    let [left, top, right, bottom] =
        widths.map(|width| ((width * size as f64).round() as usize).min(size));
    for (index, row) in values.chunks_exact_mut(size).enumerate() {
        if index < top || index >= size - bottom {
            row.fill(0.0);
        } else {
            row[..left].fill(0.0);
            row[size - right..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn noise_has_its_deviation_and_leaves_black_and_white() {
        let mut values = vec![0.5f32; 40_000];
        values[0] = 0.0;
        values[1] = 1.0;
        add_noise(&mut values, 0.05, &mut ChaCha8Rng::seed_from_u64(9));
        assert_eq!(values[..2], [0.0, 1.0]);
        let inner = &values[2..];
        let mean = inner.iter().sum::<f32>() / inner.len() as f32;
        let variance = inner.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / inner.len() as f32;
        assert!((mean - 0.5).abs() < 0.002, "{mean}");
        assert!((variance.sqrt() - 0.05).abs() < 0.002, "{variance}");
    }

    #[test]
    fn blur_keeps_the_sum_and_spreads_a_point_as_a_gaussian() {
        let mut values = vec![0.0f32; 21 * 21];
        values[10 * 21 + 10] = 1.0;
        blur(&mut values, 21, 1.0, &mut Vec::new());
        assert!((values.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        // exp(−1/2) from the centre to the next pixel, on either axis.
        assert!((values[10 * 21 + 11] / values[10 * 21 + 10] - 0.606_530_7).abs() < 1e-4);
        assert!((values[11 * 21 + 10] / values[10 * 21 + 10] - 0.606_530_7).abs() < 1e-4);
    }

    #[test]
    fn erasures_and_borders_touch_their_pixels_alone() {
        let mut values = vec![0.5; 100];
        erase(&mut values, 10, &Erasure { start: [0.2, 0.5], size: [0.1, 0.3], value: 0.9 });
        let erased: Vec<usize> = (0..100).filter(|&at| values[at] == 0.9).collect();
        assert_eq!(erased, [25, 26, 27]);
        blacken(&mut values, 10, [0.1, 0.2, 0.3, 0.0]);
        for (at, value) in values.iter().enumerate() {
            let black = at % 10 < 1 || at % 10 >= 7 || at / 10 < 2;
            assert_eq!(*value == 0.0, black, "{at}");
        }
    }
}
