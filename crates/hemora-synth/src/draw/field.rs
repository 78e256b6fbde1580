//! Square fields of numbers: blurring, interpolation and smooth noise.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::artefact::{blur, kernel, nearly_normal};
use crate::math::lerp;

/// From this standard deviation (pixels) on, three box filters stand in for a Gaussian.
const BOXES_FROM: f32 = 2.0;

/// A square field of numbers, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) side: usize,
    pub(super) values: Vec<f32>,
}

impl Field {
    pub(super) fn new(side: usize) -> Self {
        Self { side, values: vec![0.0; side * side] }
    }

    /// Calls `value` with the row and column of each pixel.
    pub(super) fn from_fn(side: usize, mut value: impl FnMut(f32, f32) -> f32) -> Self {
        let mut values = Vec::with_capacity(side * side);
        for row in 0..side {
            for column in 0..side {
                values.push(value(row as f32, column as f32));
            }
        }
        Self { side, values }
    }

    /// 1 where `mask` holds, else 0.
    pub(super) fn from_mask(side: usize, mask: &[bool]) -> Self {
        Self { side, values: mask.iter().map(|&set| f32::from(u8::from(set))).collect() }
    }

    /// The value at a place between pixels; beyond the border that of the border.
    pub(super) fn at(&self, row: f32, column: f32) -> f32 {
        let last = (self.side - 1) as f32;
        let (row, column) = (row.clamp(0.0, last), column.clamp(0.0, last));
        let (top, left) = (row as usize, column as usize);
        let (bottom, right) = ((top + 1).min(self.side - 1), (left + 1).min(self.side - 1));
        let (down, across) = (row - top as f32, column - left as f32);
        let pick = |row: usize, column: usize| self.values[row * self.side + column];
        lerp(
            lerp(pick(top, left), pick(top, right), across),
            lerp(pick(bottom, left), pick(bottom, right), across),
            down,
        )
    }

    /// Blurred with a Gaussian of `sigma` pixels, wide ones nearly so.
    pub(super) fn blurred(mut self, sigma: f32) -> Self {
        if sigma < BOXES_FROM {
            blur(&mut self.values, self.side, &kernel(sigma));
            return self;
        }
        // A box that reaches r pixels has the variance r (r + 1) / 3, and variances add up.
        let variance = |reach: usize| (reach * (reach + 1)) as f32 / 3.0;
        let mut left = sigma * sigma;
        for boxes in (1..=3).rev() {
            let share = left / boxes as f32;
            let mut reach = (((12.0 * share + 1.0).sqrt() - 1.0) / 2.0) as usize;
            if (variance(reach + 1) - share).abs() < (variance(reach) - share).abs() {
                reach += 1;
            }
            self = self.boxed(reach);
            left = (left - variance(reach)).max(0.0);
        }
        self
    }

    /// The mean over a square that reaches `reach` pixels to each side; the border is repeated.
    pub(super) fn boxed(&self, reach: usize) -> Self {
        let side = self.side;
        let share = 1.0 / (2 * reach + 1) as f32;
        let mut across = vec![0.0; side * side];
        for (from, to) in self.values.chunks_exact(side).zip(across.chunks_exact_mut(side)) {
            let value = |index: usize| from[index.saturating_sub(reach).min(side - 1)];
            let mut sum: f32 = (0..=2 * reach).map(value).sum();
            for (index, to) in to.iter_mut().enumerate() {
                *to = sum * share;
                sum += value(index + 2 * reach + 1) - value(index);
            }
        }
        let row = |index: usize| {
            let index = index.saturating_sub(reach).min(side - 1);
            &across[index * side..][..side]
        };
        let mut sums = vec![0.0; side];
        for index in 0..=2 * reach {
            sums.iter_mut().zip(row(index)).for_each(|(sum, value)| *sum += value);
        }
        let mut values = Vec::with_capacity(side * side);
        for index in 0..side {
            values.extend(sums.iter().map(|sum| sum * share));
            let (entering, leaving) = (row(index + 2 * reach + 1), row(index));
            for ((sum, entering), leaving) in sums.iter_mut().zip(entering).zip(leaving) {
                *sum += entering - leaving;
            }
        }
        Self { side, values }
    }

    /// Smooth noise of mean 0 and standard deviation about 1, correlated over `sigma` pixels.
    pub(super) fn noise(random: &mut ChaCha8Rng, side: usize, sigma: f32) -> Self {
        // The coarse cells are blurred by 1.5, so that interpolation leaves no trace of them.
        let cell = (sigma / 1.5).max(1.0);
        let coarse_side = (side as f32 / cell).ceil() as usize + 2;
        if cell <= 1.0 {
            return Self { side, values: grain(random, side, side, sigma.max(0.3)) };
        }
        let coarse = grain(random, coarse_side, coarse_side, sigma / cell);
        let start: [f32; 2] = std::array::from_fn(|_| random.random_range(0.0..1.0));
        let columns: Vec<(usize, f32)> = (0..side)
            .map(|column| {
                let place = column as f32 / cell + start[1];
                (place as usize, place.fract())
            })
            .collect();
        let mut values = Vec::with_capacity(side * side);
        let mut line = vec![0.0; coarse_side];
        for row in 0..side {
            let place = row as f32 / cell + start[0];
            let upper = &coarse[place as usize * coarse_side..][..2 * coarse_side];
            for (index, value) in line.iter_mut().enumerate() {
                *value = lerp(upper[index], upper[index + coarse_side], place.fract());
            }
            values.extend(columns.iter().map(|&(at, t)| lerp(line[at], line[at + 1], t)));
        }
        Self { side, values }
    }
}

/// White noise blurred by `sigma` pixels, with standard deviation 1: `rows` × `columns` values.
pub(super) fn grain(random: &mut ChaCha8Rng, columns: usize, rows: usize, sigma: f32) -> Vec<f32> {
    let mut values: Vec<f32> = (0..rows * columns).map(|_| nearly_normal(random)).collect();
    let weights = kernel(sigma);
    blur(&mut values, columns, &weights);
    let kept: f32 = weights.iter().map(|weight| weight * weight).sum();
    values.iter_mut().for_each(|value| *value /= kept);
    values
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn wide_and_narrow_blurs_keep_the_sum_and_have_the_asked_spread() {
        for sigma in [0.8, 1.9, 2.0, 3.5, 6.0] {
            let mut point = Field::new(81);
            point.values[40 * 81 + 40] = 1.0;
            let blurred = point.blurred(sigma);
            let sum: f32 = blurred.values.iter().sum();
            assert!((sum - 1.0).abs() < 1e-3, "{sigma}: {sum}");
            let spread: f32 = (0..81 * 81)
                .map(|index| blurred.values[index] * ((index % 81) as f32 - 40.0).powi(2))
                .sum();
            assert!((spread.sqrt() / sigma - 1.0).abs() < 0.12, "{sigma}: {}", spread.sqrt());
        }
    }

    #[test]
    fn noise_is_standardised_and_smooth() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for sigma in [0.5, 1.2, 3.0, 8.0] {
            let noise = Field::noise(&mut random, 200, sigma);
            let count = noise.values.len() as f32;
            let variance = noise.values.iter().map(|value| value * value).sum::<f32>() / count;
            assert!((0.6..1.3).contains(&variance), "{sigma}: {variance}");
            let steps: f32 =
                noise.values.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum::<f32>()
                    / count;
            assert!(steps < 2.2 / (1.0 + sigma * sigma), "{sigma}: {steps}");
        }
    }

    #[test]
    fn places_between_pixels_are_interpolated() {
        let field = Field { side: 2, values: vec![0.0, 2.0, 4.0, 6.0] };
        assert_eq!(field.at(0.5, 0.5), 3.0);
        assert_eq!((field.at(-3.0, 0.0), field.at(9.0, 9.0)), (0.0, 6.0));
    }
}
