//! What the scanner gets wrong: beam hardening, motion and streaks of metal.

use std::f32::consts::{PI, TAU};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::draw::canvas::Canvas;
use crate::draw::density::GREY_PER_HU;
use crate::draw::field::Field;
use crate::math::{bell, lerp, smoothstep};

/// Directions of the streaks that are told apart.
const RAYS: usize = 360;

impl Canvas<'_> {
    /// A dark band with a bright border between the petrous bones.
    pub(super) fn beam_hardening(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        if !head.base {
            return false;
        }
        let at = random.random_range(-0.1..0.35) * head.frame.half[0];
        let width = random.random_range(3.0..9.0) * head.scale;
        let dark = random.random_range(6.0..18.0);
        let bright = random.random_range(4.0..14.0);
        let behind = if random.random_bool(0.5) { 1.6 } else { -1.6 } * width;
        let tilt = random.random_range(-0.12..0.12f32);
        let fan = Field::noise(random, head.side, 5.0 * head.scale);
        let mut share = Field::new(head.side);
        for pixel in head.pixels() {
            let [row, column] = head.place(pixel);
            let [along, aside] = head.frame.place(row, column);
            let along = along - at - tilt * aside;
            // The band is even across and frays along it.
            let frays = 1.0 + 0.25 * fan.at(row, column / 3.0);
            let reach = smoothstep(0.95, 0.5, aside.abs() / head.frame.half[1]);
            let hu = bright * bell(along - behind, 0.7 * width) - dark * bell(along, width);
            share.values[pixel] = hu * frays * reach;
        }
        self.shade(&share, 1.0);
        true
    }

    /// A faint second picture beside the first, or a smear.
    pub(super) fn motion(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let (sin, cos) = random.random_range(0.0..TAU).sin_cos();
        let reach = random.random_range(1.0..3.2) * head.scale;
        let turn = random.random_range(-0.02..0.02f32);
        let share = random.random_range(0.2..0.42);
        let copies = if random.random_bool(0.5) { 1 } else { 3 };
        let before = self.grey.clone();
        let middle = head.side as f32 / 2.0;
        let mut moved = Field::new(head.side);
        for copy in 1..=copies {
            let part = copy as f32 / copies as f32;
            let (down, across, turn) = (reach * sin * part, reach * cos * part, turn * part);
            for (pixel, value) in moved.values.iter_mut().enumerate() {
                let [row, column] = head.place(pixel);
                let from_row = row - down + turn * (column - middle);
                let from_column = column - across - turn * (row - middle);
                *value += before.at(from_row, from_column) / copies as f32;
            }
        }
        for (grey, moved) in self.grey.values.iter_mut().zip(&moved.values) {
            *grey = lerp(*grey, *moved, share);
        }
        true
    }

    /// Dark and bright rays from a point at the skull or within it.
    pub(super) fn metal(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let angle: f32 = random.random_range(-PI..PI);
        // Clips and coils lie within, plates and dental work at the rim.
        let out: f32 = if random.random_bool(0.3) { 0.3 } else { 1.05 };
        let centre = head.frame.relative_pixel(out * angle.sin(), out * angle.cos());
        let strength = random.random_range(8.0..32.0) * GREY_PER_HU;
        let radius = random.random_range(1.0..3.0) * head.scale;
        let mut rays: Vec<f32> = vec![0.0; RAYS];
        for _ in 0..random.random_range(10..30) {
            let at = random.random_range(0..RAYS);
            let width = random.random_range(1.8..9.0f32);
            let height = random.random_range(-1.0..1.0f32);
            for (index, ray) in rays.iter_mut().enumerate() {
                let away = index.abs_diff(at);
                *ray += height * bell(away.min(RAYS - away) as f32, width);
            }
        }
        let far = random.random_range(30.0..110.0) * head.scale;
        for pixel in 0..head.inside.len() {
            let [row, column] = head.place(pixel);
            let (down, across) = (row - centre[0], column - centre[1]);
            let away = down.hypot(across);
            let turn = (down.atan2(across) / TAU + 1.0).fract() * RAYS as f32;
            let (one, next) = (turn as usize % RAYS, (turn as usize + 1) % RAYS);
            let ray = lerp(rays[one], rays[next], turn.fract());
            let grey = &mut self.grey.values[pixel];
            // Air stays black and bone white: both are far beyond the window.
            if *grey > 3.0 && head.grey.values[pixel] < 254.0 {
                *grey += strength * ray * (-away / far).exp();
            }
            *grey = grey.max(255.0 * (radius + 0.5 - away).clamp(0.0, 1.0));
        }
        true
    }
}
