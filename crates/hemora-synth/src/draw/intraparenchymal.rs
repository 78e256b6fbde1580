//! Blood within the brain: rough ellipsoids with oedema and mass effect.

use std::f32::consts::PI;

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Paint};
use super::density::Density;
use super::field::Field;
use super::head::HeadSlice;
use crate::math::smoothstep;

/// Smallest and largest radius, pixels at a side of 256.
const RADII: [f32; 2] = [2.5, 26.0];
/// Radius from which on blood pushes the brain around it.
const PUSHES: f32 = 7.0;

/// Where a bleed lies.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Site {
    /// Basal ganglia and thalamus.
    Deep,
    Anywhere,
    /// Near the surface, in front or at the temples.
    Contusion,
}

impl Canvas<'_> {
    /// Draws blood into the brain, at one place or in a cluster.
    pub(super) fn intraparenchymal(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let site = match random.random_range(0.0..1.0) {
            kind if kind < 0.3 && !head.base && !head.vertex => Site::Deep,
            kind if kind < 0.68 => Site::Anywhere,
            _ => Site::Contusion,
        };
        let most = if site == Site::Contusion { 13.0 } else { RADII[1] };
        let radius = RADII[0] * (most / RADII[0]).powf(random.random_range(0.0..1.0)) * head.scale;
        let Some(centre) = (0..40).find_map(|_| place(random, head, site, radius)) else {
            return false;
        };
        let several = random.random_bool(if site == Site::Contusion { 0.55 } else { 0.15 });
        let cover = if several {
            cluster(random, head, centre, radius)
        } else {
            rough_ellipse(random, head, centre, radius)
        };
        if radius > PUSHES * head.scale && !several {
            let share = random.random_range(0.25..0.55);
            self.push_from(centre, 0.8 * radius, share);
        }
        if random.random_bool(0.7) {
            self.oedema(random, &cover, radius);
        }
        let mut density = Density::fresh(random, 50.0, 74.0);
        // Large ones have clotted unevenly.
        density.texture[0] +=
            random.random_range(0.0..3.0f32) * (radius / (12.0 * head.scale)).min(1.0);
        if site == Site::Contusion {
            density.hu = random.random_range(46.0..66.0);
            density.texture[0] += random.random_range(0.0..5.0);
        } else if radius > 9.0 * head.scale && random.random_bool(0.15) {
            density.settled = random.random_range(8.0..22.0);
        }
        let edge = random.random_range(0.6..1.4f32).min(0.3 * radius / head.scale) * head.scale;
        self.bleed(
            random,
            Label::Intraparenchymal,
            Paint { cover, edge, density, brightens: false },
        )
    }

    /// Darkens the brain around `cover`.
    fn oedema(&mut self, random: &mut ChaCha8Rng, cover: &Field, radius: f32) {
        let head = self.head;
        let width = (random.random_range(1.5..6.0) * head.scale).min(0.9 * radius);
        let depth = random.random_range(3.0..10.0);
        let patches = Field::noise(random, head.side, 6.0 * head.scale);
        let mut share = cover.clone().blurred(width);
        for (pixel, share) in share.values.iter_mut().enumerate() {
            // CSF is as dark as water already.
            let brain = smoothstep(0.45, 0.85, head.soft.values[pixel] / head.brain);
            let patchy = (1.0 + 0.3 * patches.values[pixel]).clamp(0.2, 1.6);
            *share = (2.4 * *share * patchy).min(1.0) * brain;
        }
        self.shade(&share, -depth);
    }
}

/// A random centre, if brain lies there.
fn place(random: &mut ChaCha8Rng, head: &HeadSlice, site: Site, radius: f32) -> Option<[f32; 2]> {
    let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
    let mut range = |low: f32, high: f32| random.random_range(low..high);
    let (along, aside, deep) = match site {
        Site::Deep => (range(-0.25, 0.2), range(0.2, 0.48), 0.7 * radius),
        Site::Anywhere => {
            let out = range(0.0, 1.0).sqrt() * 0.92;
            let (sin, cos) = range(-PI, PI).sin_cos();
            (out * sin, out * cos, (0.75 * radius).max(6.0 * head.scale))
        }
        Site::Contusion => {
            let (along, aside) = if range(0.0, 1.0) < 0.55 {
                (range(-0.95, -0.5), range(0.05, 0.6))
            } else {
                (range(-0.45, 0.3), range(0.55, 0.95))
            };
            (along, aside, (0.6 * radius).max(2.5 * head.scale))
        }
    };
    let centre = head.frame.relative_pixel(along, side * aside);
    let depth = head.depth.at(centre[0], centre[1]);
    let near = site != Site::Contusion || depth < 13.0 * head.scale + radius;
    // Not in the middle of a ventricle or cistern.
    let brain = head.soft.at(centre[0], centre[1]) > 0.7 * head.brain;
    (depth > deep && near && brain).then_some(centre)
}

/// Several small ones around `centre`.
fn cluster(random: &mut ChaCha8Rng, head: &HeadSlice, centre: [f32; 2], radius: f32) -> Field {
    let mut cover = Field::new(head.side);
    for _ in 0..random.random_range(2..6) {
        let away = random.random_range(0.0..1.9f32) * radius.max(4.0 * head.scale);
        let (sin, cos) = random.random_range(-PI..PI).sin_cos();
        let centre = [centre[0] + away * sin, centre[1] + away * cos];
        let radius = (radius * random.random_range(0.25..0.75)).max(1.8 * head.scale);
        let one = rough_ellipse(random, head, centre, radius);
        cover.values.iter_mut().zip(&one.values).for_each(|(all, one)| *all = all.max(*one));
    }
    cover
}

/// An ellipse of greater half axis `radius` with a lumpy border.
pub(super) fn rough_ellipse(
    random: &mut ChaCha8Rng,
    head: &HeadSlice,
    centre: [f32; 2],
    radius: f32,
) -> Field {
    let lesser = radius * random.random_range(0.5..1.0);
    let (sin, cos) = random.random_range(0.0..PI).sin_cos();
    let lumps = Field::noise(random, head.side, (0.55 * lesser).max(1.5 * head.scale));
    let teeth = Field::noise(random, head.side, (0.18 * lesser).max(1.0 * head.scale));
    let rough = random.random_range(0.08..0.32);
    let mut cover = Field::new(head.side);
    for pixel in head.pixels() {
        let [row, column] = head.place(pixel);
        let (down, across) = (row - centre[0], column - centre[1]);
        if down.hypot(across) > 2.0 * radius + 2.0 {
            continue;
        }
        let (x, y) = ((across * cos + down * sin) / radius, (down * cos - across * sin) / lesser);
        let level = 1.0 - x.hypot(y) + rough * (lumps.values[pixel] + 0.35 * teeth.values[pixel]);
        // Pia and CSF part it from bone.
        let free = (head.depth.values[pixel] / head.scale - 1.5).clamp(0.0, 1.0);
        cover.values[pixel] = (level * lesser + 0.5).clamp(0.0, 1.0) * free;
    }
    cover
}
