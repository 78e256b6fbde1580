//! What the scanner adds: its sharpness, noise, streaks and the head holder.

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use crate::PhantomOptions;
use crate::math::{Point, bell, smoothstep};
use crate::noise::Noise;

/// Thickness (mm) and pixel spacing (mm) to which the noise level refers.
const REFERENCE: [f32; 2] = [5.0, 0.46];

/// One scanner and its settings.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    /// Standard deviation of the noise in the head, HU.
    noise: f32,
    /// Standard deviation of the grain and of the point spread, mm.
    grain: f32,
    blur: f32,
    /// HU of the band and streaks between the petrous bones.
    streaks: f32,
    streak_noise: Noise,
    /// HU and direction of streaks from motion.
    motion: f32,
    motion_noise: Noise,
    motion_angle: f32,
    holder: Holder,
    /// Calibration error, HU.
    pub(crate) offset: f32,
    /// Height of the table's origin (mm) and where the scan starts beneath the skull base (mm).
    pub(crate) table: f32,
    pub(crate) start: f32,
}

/// The trough that the head lies in.
#[derive(Debug, Clone)]
struct Holder {
    hu: f32,
    radius: f32,
    bottom: f32,
    thickness: f32,
    /// Ends (mm from the skull base) beyond which there is none.
    top: f32,
}

impl Scanner {
    pub(crate) fn new(random: &mut ChaCha8Rng, options: &PhantomOptions) -> Self {
        let mut range = |low: f32, high: f32| random.random_range(low..high);
        let dose = range(2.4, 5.6);
        let thin = (REFERENCE[0] / options.slice_thickness as f32).sqrt().clamp(0.7, 2.4);
        // Larger pixels average more grain.
        let pixels = |spacing: f32| (1.0 + (spacing / 1.1).powi(2)).sqrt();
        let coarse = pixels(REFERENCE[1]) / pixels(options.spacing as f32);
        let holder = Holder {
            hu: range(90.0, 420.0),
            radius: range(100.0, 150.0),
            bottom: range(103.0, 126.0),
            thickness: range(1.5, 5.0),
            top: range(10.0, 130.0),
        };
        let motion = range(-6.0, 1.4).max(0.0);
        let streaks = range(2.0, 9.0);
        let motion_angle = range(0.0, 3.1);
        let (grain, blur) = (range(0.32, 0.6), range(0.35, 0.6));
        let (offset, table, start) = (range(-1.5, 1.5), range(-200.0, 300.0), range(-66.0, -46.0));
        Self {
            noise: dose * thin * coarse,
            grain,
            blur,
            streaks,
            streak_noise: Noise::new(random, 9.0),
            motion,
            motion_noise: Noise::new(random, 11.0),
            motion_angle,
            holder,
            offset,
            table,
            start,
        }
    }

    /// HU of the head holder at a point in the patient (mm), or of the air around it.
    pub(crate) fn surroundings(&self, patient: Point) -> f32 {
        let holder = &self.holder;
        if patient[2] > holder.top || patient[1] < holder.bottom - holder.radius {
            return -1000.0;
        }
        let y = patient[1] - (holder.bottom - holder.radius);
        let away = ((patient[0] * patient[0] + y * y).sqrt() - holder.radius).abs();
        if away < holder.thickness / 2.0 { holder.hu } else { -1000.0 }
    }

    /// HU that beam hardening and motion add at a point of the head.
    pub(crate) fn streaks(&self, head: Point) -> f32 {
        let mut hu = 0.0;
        let between = bell(head[2] + 14.0, 12.0);
        if between > 0.05 && head[0].abs() < 75.0 {
            let band = -1.2 * bell(head[1] - 10.0, 9.0) * bell(head[0], 30.0);
            let fan = self.streak_noise.at([head[0] * 0.06, head[1], head[2] * 0.6]);
            let reach = bell(head[1] - 15.0, 30.0) * smoothstep(75.0, 45.0, head[0].abs());
            hu += self.streaks * between * (band + 0.55 * fan * reach);
        }
        if self.motion > 0.0 {
            let (sin, cos) = self.motion_angle.sin_cos();
            let across = head[0] * cos + head[1] * sin;
            let along = head[1] * cos - head[0] * sin;
            hu += self.motion * self.motion_noise.at([across, along * 0.05, head[2]]);
        }
        hu
    }

    /// Gives an image of `columns` width and `spacing` mm its sharpness and grain.
    pub(crate) fn expose(
        &self,
        image: &mut [f32],
        columns: usize,
        spacing: f32,
        random: &mut ChaCha8Rng,
    ) {
        blur(image, columns, &kernel(self.blur / spacing));
        let mut grain: Vec<f32> = (0..image.len()).map(|_| nearly_normal(random)).collect();
        let weights = kernel(self.grain / spacing);
        blur(&mut grain, columns, &weights);
        // Blurring takes power away: the sum of squared weights along each axis.
        let kept: f32 = weights.iter().map(|weight| weight * weight).sum();
        let amplitude = self.noise / kept;
        for (pixel, grain) in image.iter_mut().zip(&grain) {
            *pixel += amplitude * grain;
        }
    }
}

/// Mean 0, standard deviation 1: the sum of four uniform values.
pub(crate) fn nearly_normal(random: &mut ChaCha8Rng) -> f32 {
    let bits = random.next_u64();
    let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
    // Four uniform values on 0..65535 have mean 131070 and variance 4 × 65536² / 12.
    (sum as f32 - 131_070.0) / (65_536.0 / 3f32.sqrt())
}

/// Weights of a Gaussian with `sigma` pixels, of odd length, with sum 1.
pub(crate) fn kernel(sigma: f32) -> Vec<f32> {
    let reach = (3.0 * sigma).ceil().clamp(0.0, 40.0) as i32;
    let mut weights: Vec<f32> =
        (-reach..=reach).map(|x| (-0.5 * (x as f32 / sigma.max(1e-3)).powi(2)).exp()).collect();
    let sum: f32 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// Convolves an image with `weights` along both axes; its border is repeated.
pub(crate) fn blur(image: &mut [f32], columns: usize, weights: &[f32]) {
    let reach = weights.len() / 2;
    if reach == 0 {
        return;
    }
    let mut padded = vec![0f32; columns + 2 * reach];
    for row in image.chunks_exact_mut(columns) {
        padded[..reach].fill(row[0]);
        padded[reach..reach + columns].copy_from_slice(row);
        padded[reach + columns..].fill(row[columns - 1]);
        for (index, pixel) in row.iter_mut().enumerate() {
            let window = &padded[index..index + weights.len()];
            *pixel = window.iter().zip(weights).map(|(value, weight)| value * weight).sum();
        }
    }
    let source = image.to_vec();
    let last = image.len() / columns - 1;
    for (row, target) in image.chunks_exact_mut(columns).enumerate() {
        target.fill(0.0);
        for (tap, weight) in weights.iter().enumerate() {
            let from = (row + tap).saturating_sub(reach).min(last);
            for (pixel, value) in target.iter_mut().zip(&source[from * columns..][..columns]) {
                *pixel += weight * value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn noise_has_the_asked_strength_and_keeps_the_mean() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let scanner = Scanner::new(&mut random, &PhantomOptions::default());
        let mut image = vec![40f32; 128 * 128];
        scanner.expose(&mut image, 128, 0.46, &mut random);
        let mean = image.iter().sum::<f32>() / image.len() as f32;
        let variance = image.iter().map(|hu| (hu - mean).powi(2)).sum::<f32>() / image.len() as f32;
        assert!((mean - 40.0).abs() < 0.4, "{mean}");
        assert!((variance.sqrt() / scanner.noise - 1.0).abs() < 0.1);
    }

    #[test]
    fn blurring_a_point_gives_the_kernel_and_keeps_its_sum() {
        let mut image = vec![0f32; 21 * 21];
        image[10 * 21 + 10] = 1.0;
        let weights = kernel(1.0);
        blur(&mut image, 21, &weights);
        assert!((image.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let centre = weights[weights.len() / 2];
        assert!((image[10 * 21 + 10] - centre * centre).abs() < 1e-6);
    }
}
