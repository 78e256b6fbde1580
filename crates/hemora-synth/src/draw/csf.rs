//! The ventricles of a slice, and blood in them.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Paint};
use super::density::Density;
use super::field::Field;
use super::head::HeadSlice;
use super::mask;
use crate::math::smoothstep;

/// Smallest ventricle, pixels at a side of 256, and the largest share of the inside that all fill.
const SMALLEST: f32 = 40.0;
const LARGEST: f32 = 0.16;

impl HeadSlice {
    /// The parts of the dark middle that may be ventricles, each as its pixels.
    pub(super) fn ventricles(&self) -> Vec<Vec<usize>> {
        let (side, scale) = (self.side, self.scale);
        let middle = |pixel: usize| {
            let [along, aside] = self.relative(pixel);
            (-0.6..0.68).contains(&along) && aside.abs() < 0.52
        };
        let dark: Vec<bool> = (0..self.inside.len())
            .map(|pixel| {
                self.inside[pixel]
                    && self.soft.values[pixel] < 0.66 * self.brain
                    && self.depth.values[pixel] > 15.0 * scale
                    && middle(pixel)
            })
            .collect();
        // Sulci and fissures are thinner than ventricles.
        let steps = (1.3 * scale).round().max(1.0) as usize;
        let open = mask::opened(&dark, side, steps);
        let area = self.pixels().count() as f32;
        let found: Vec<Vec<usize>> = mask::parts(&open, side)
            .into_iter()
            .filter(|part| part.len() as f32 > SMALLEST * scale * scale)
            .filter(|part| self.is_ventricle(part))
            .collect();
        let all = found.iter().map(Vec::len).sum::<usize>() as f32;
        if all > LARGEST * area { Vec::new() } else { found }
    }

    fn is_ventricle(&self, part: &[usize]) -> bool {
        let places: Vec<[f32; 2]> = part.iter().map(|&pixel| self.relative(pixel)).collect();
        let count = places.len() as f32;
        let [along, aside] = [0, 1].map(|axis| places.iter().map(|p| p[axis]).sum::<f32>() / count);
        let extent = |axis: usize| {
            let values = places.iter().map(|p| p[axis] * self.frame.half[axis]);
            values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
        };
        if self.base {
            // Near the base, the fourth ventricle; in front of it are cisterns.
            return aside.abs() < 0.2 && (0.0..0.5).contains(&along) && part.len() < 900;
        }
        let median = aside.abs() < 0.13;
        // The fissure in front and behind, and the flat cistern behind the midbrain.
        let fissure = median && !(-0.42..0.42).contains(&along);
        let cistern = median && along > 0.05 && extent(1) > 1.7 * extent(0);
        !fissure && !cistern
    }
}

impl Canvas<'_> {
    /// Draws blood into the ventricles: settled, casting or a clot.
    pub(super) fn intraventricular(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let mut parts = head.ventricles();
        if parts.is_empty() {
            return false;
        }
        if parts.len() > 1 && random.random_bool(0.45) {
            let kept = random.random_range(0..parts.len());
            parts = vec![parts.swap_remove(kept)];
        }
        let pixels: Vec<usize> = parts.concat();
        let wide = mask::grown(&mask::from_pixels(&pixels, head.side), head.side, 1);
        let mut cover = Field::new(head.side);
        for pixel in head.pixels().filter(|&pixel| wide[pixel]) {
            let dark = smoothstep(0.95, 0.7, head.soft.values[pixel] / head.brain);
            cover.values[pixel] = dark.max(0.2);
        }
        let form = random.random_range(0.0..1.0);
        if form < 0.5 {
            settle(random, &mut cover, &pixels, head);
        } else if form < 0.72 {
            clot(random, &mut cover, &pixels, head);
        }
        let mut density = Density::fresh(random, 46.0, 76.0);
        density.texture[0] *= 1.4;
        let edge = random.random_range(0.6..1.0) * head.scale;
        self.bleed(random, Label::Intraventricular, Paint { cover, edge, density, brightens: true })
    }
}

/// Keeps what lies below a level: the patient lies on the back, larger rows are lower.
fn settle(random: &mut ChaCha8Rng, cover: &mut Field, pixels: &[usize], head: &HeadSlice) {
    let mut rows: Vec<usize> = pixels.iter().map(|pixel| pixel / head.side).collect();
    rows.sort_unstable();
    let level = rows[(rows.len() as f32 * random.random_range(0.35..0.88)) as usize] as f32;
    let ripples = Field::noise(random, head.side, 8.0 * head.scale);
    let sharp = random.random_range(0.5..3.0) * head.scale;
    for (pixel, cover) in cover.values.iter_mut().enumerate() {
        let row = (pixel / head.side) as f32 + 1.2 * head.scale * ripples.values[pixel];
        *cover *= smoothstep(level - sharp, level + sharp, row);
    }
}

/// Keeps a lump around a random place of the ventricles.
fn clot(random: &mut ChaCha8Rng, cover: &mut Field, pixels: &[usize], head: &HeadSlice) {
    let [row, column] = head.place(pixels[random.random_range(0..pixels.len())]);
    let radius = random.random_range(4.0..16.0) * head.scale;
    let lumps = Field::noise(random, head.side, 4.0 * head.scale);
    for (pixel, cover) in cover.values.iter_mut().enumerate() {
        let [at_row, at_column] = head.place(pixel);
        let away = (at_row - row).hypot(at_column - column) / radius;
        *cover *= smoothstep(1.25, 0.85, away + 0.25 * lumps.values[pixel]);
    }
}
