//! One image to one network input, with what was drawn for it applied.

use hemora_ct::{InputRecipe, Plane, Window, resize};
use rand::Rng;

use crate::augment::{Drawn, Erasure};
use crate::memory::InMemorySet;
use crate::warp::warp;

/// Working memory of one thread, reused from image to image.
#[derive(Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    plane: Vec<f32>,
    blurred: Vec<f32>,
    random: Vec<u8>,
}

/// Where inputs come from: a set, a recipe, and what [`InMemorySet::planes_for`] gave for both.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) set: &'a InMemorySet,
    pub(crate) recipe: &'a InputRecipe,
    pub(crate) planes: &'a [usize],
}

impl Inputs<'_> {
    /// Writes the input `[channels, size, size]` of an image to `target`. With nothing drawn the
    /// values are those of [`InputRecipe::input_from_windowed`] for the same plane.
    pub(crate) fn render(
        self,
        index: usize,
        drawn: &Drawn,
        rng: &mut impl Rng,
        scratch: &mut Scratch,
        target: &mut [f32],
    ) {
        let (side, size) = (self.set.working_size(), self.recipe.size);
        let area = size * size;
        for (first, &plane) in self.planes.iter().enumerate() {
            // Channels of the same plane differ in their statistics alone: sample it once.
            if self.planes[..first].contains(&plane) {
                continue;
            }
            let Scratch { bytes, plane: values, blurred, random } = scratch;
            let bytes = match self.set.hu(index) {
                Some(hu) => {
                    let [added, factor] = drawn.window.unwrap_or([0.0, 1.0]);
                    let Window { level, width } = self.recipe.channels[first].window;
                    let window = Window { level: level + added, width: width * factor };
                    bytes.clear();
                    bytes.extend(hu.iter().map(|&hu| window.to_grey(hu.into())));
                    bytes.as_slice()
                }
                None => self.set.plane(index, plane),
            };
            match &drawn.warp {
                Some(from) => {
                    values.resize(area, 0.0);
                    warp(bytes, side, &drawn.table, from, size, values);
                }
                None => {
                    let image = bytes.iter().map(|byte| drawn.table[*byte as usize]).collect();
                    *values =
                        resize(&Plane { rows: side, columns: side, values: image }, size, size)
                            .values;
                }
            }
            blur(values, size, drawn.blur_sigma, blurred);
            add_noise(values, drawn.noise, rng, random);
            if let Some(erasure) = &drawn.erase {
                erase(values, size, erasure);
            }
            if let Some(widths) = drawn.border {
                blacken(values, size, widths);
            }
            for channel in
                (first..self.planes.len()).filter(|&channel| self.planes[channel] == plane)
            {
                let (mean, std) = (self.recipe.mean[channel], self.recipe.std[channel]);
                let output = &mut target[channel * area..(channel + 1) * area];
                for (output, value) in output.iter_mut().zip(&*values) {
                    *output = (value - mean) / std;
                }
            }
        }
    }
}

/// Gaussian blur with replicated borders, rows then columns.
fn blur(values: &mut [f32], size: usize, sigma: f64, scratch: &mut Vec<f32>) {
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
fn add_noise(values: &mut [f32], std: f32, rng: &mut impl Rng, random: &mut Vec<u8>) {
    if std <= 0.0 {
        return;
    }
    random.resize(values.len() * 4, 0);
    rng.fill_bytes(random);
    // The sum of four uniform bytes is nearly normal; its variance is 4 (256² − 1) / 12.
    let factor = std / (f64::from(4 * (65536 - 1)) / 12.0).sqrt() as f32;
    for (value, bytes) in values.iter_mut().zip(random.chunks_exact(4)) {
        if *value > 0.0 && *value < 1.0 {
            let sum: i32 = bytes.iter().map(|byte| i32::from(*byte)).sum();
            *value = (*value + (sum - 510) as f32 * factor).clamp(0.0, 1.0);
        }
    }
}

fn erase(values: &mut [f32], size: usize, erasure: &Erasure) {
    let pixels = |axis: usize| {
        let start = (erasure.start[axis] * size as f64).round() as usize;
        let end = ((erasure.start[axis] + erasure.size[axis]) * size as f64).round() as usize;
        start.min(size)..end.min(size)
    };
    for row in values.chunks_exact_mut(size).take(pixels(0).end).skip(pixels(0).start) {
        row[pixels(1)].fill(erasure.value);
    }
}

fn blacken(values: &mut [f32], size: usize, widths: [f64; 4]) {
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
    use super::*;
    use crate::Augment;
    use hemora_ct::Window;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn set(side: usize) -> InMemorySet {
        let bytes = (0..side * side).map(|at| (at * 7 % 251 + at / side) as u8).collect();
        InMemorySet::from_windowed(side, vec!["a".into()], vec![[false; 6]], bytes).unwrap()
    }

    fn input(set: &InMemorySet, recipe: &InputRecipe, augment: &Augment, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let drawn = augment.draw(&mut rng);
        let mut target = vec![f32::NAN; recipe.channels.len() * recipe.size * recipe.size];
        let planes = set.planes_for(recipe).unwrap();
        let mut scratch = Scratch::default();
        let inputs = Inputs { set, recipe, planes: &planes };
        inputs.render(0, &drawn, &mut rng, &mut scratch, &mut target);
        target
    }

    fn expected(set: &InMemorySet, recipe: &InputRecipe) -> Vec<f32> {
        let side = set.working_size();
        let values = set.plane(0, 0).iter().map(|byte| f32::from(*byte) / 255.0).collect();
        recipe.input_from_windowed(&Plane { rows: side, columns: side, values })
    }

    #[test]
    fn without_augmentation_the_input_is_the_recipes() {
        let mut recipe = InputRecipe::grey(48, Window::BRAIN);
        recipe.mean = vec![0.1, 0.2, 0.3];
        recipe.std = vec![0.5, 0.25, 1.0];
        for side in [48, 64, 200] {
            let set = set(side);
            assert_eq!(input(&set, &recipe, &Augment::off(), 1), expected(&set, &recipe));
        }
    }

    #[test]
    fn a_warp_that_hardly_moves_agrees_with_the_recipe() {
        let recipe = InputRecipe::grey(64, Window::BRAIN);
        let set = set(64);
        let augment = Augment { shift: 1e-7, ..Augment::off() };
        let warped = input(&set, &recipe, &augment, 1);
        for (value, expected) in warped.iter().zip(expected(&set, &recipe)) {
            assert!((value - expected).abs() < 1e-3, "{value} {expected}");
        }
    }

    #[test]
    fn noise_has_its_deviation_and_leaves_black_and_white() {
        let mut values = vec![0.5f32; 40_000];
        values[0] = 0.0;
        values[1] = 1.0;
        add_noise(&mut values, 0.05, &mut ChaCha8Rng::seed_from_u64(9), &mut Vec::new());
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
