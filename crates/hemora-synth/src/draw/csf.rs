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
const LARGEST: f32 = 0.22;
/// From this size on a compact dark part is a lateral ventricle and no sulcus.
const LARGE: f32 = 115.0;

impl HeadSlice {
    /// The ventricles, each as its pixels; none at the vertex.
    pub(super) fn ventricles(&self) -> Vec<Vec<usize>> {
        if self.vertex {
            return Vec::new();
        }
        let found = self.dark_middle().iter().filter(|part| self.is_ventricle(part));
        let found: Vec<Vec<usize>> = found.cloned().collect();
        // Wide sulci of a shrunken brain come in small winding parts alone.
        if !self.base && !found.iter().any(|part| self.is_large(part)) {
            return Vec::new();
        }
        let all = found.iter().map(Vec::len).sum::<usize>() as f32;
        if all > LARGEST * self.pixels().count() as f32 { Vec::new() } else { found }
    }

    /// The wide dark parts of the middle: ventricles and cisterns, each as its pixels.
    pub(super) fn dark_middle(&self) -> &[Vec<usize>] {
        self.dark_middle.get_or_init(|| self.find_dark_middle())
    }

    fn find_dark_middle(&self) -> Vec<Vec<usize>> {
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
        let mut parts = mask::parts(&open, side);
        parts.retain(|part| part.len() as f32 > SMALLEST * scale * scale);
        parts
    }

    /// Mean place of a part and its extents along and across the midline, all relative.
    fn outline(&self, part: &[usize]) -> ([f32; 2], [f32; 2]) {
        let mut sum = [0.0; 2];
        let mut low = [f32::MAX; 2];
        let mut high = [f32::MIN; 2];
        for &pixel in part {
            let place = self.relative(pixel);
            for axis in 0..2 {
                sum[axis] += place[axis];
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        (sum.map(|sum| sum / part.len() as f32), [high[0] - low[0], high[1] - low[1]])
    }

    fn is_large(&self, part: &[usize]) -> bool {
        let (_, [long, wide]) = self.outline(part);
        let [half_length, half_width] = self.frame.half;
        let frame = long * half_length * wide * half_width;
        part.len() as f32 > (LARGE * self.scale * self.scale).max(0.27 * frame)
    }

    fn is_ventricle(&self, part: &[usize]) -> bool {
        let ([along, aside], [long, wide]) = self.outline(part);
        let [long, wide] = [long * self.frame.half[0], wide * self.frame.half[1]];
        if self.base {
            // Near the base, the fourth ventricle; in front of it are cisterns.
            return aside.abs() < 0.2 && (0.0..0.5).contains(&along) && part.len() < 900;
        }
        let median = aside.abs() < 0.13;
        // The fissure in front and behind, and the flat cistern behind the midbrain.
        let fissure = median && !(-0.42..0.42).contains(&along);
        let cistern = median && along > 0.05 && wide > 1.7 * long;
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
        if form < 0.55 {
            settle(random, &mut cover, &pixels, head);
        } else if form < 0.8 {
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
    let level = rows[(rows.len() as f32 * random.random_range(0.45..0.97)) as usize] as f32;
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
