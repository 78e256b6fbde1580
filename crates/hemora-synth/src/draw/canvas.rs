//! The picture that is drawn on, with the masks of what was drawn.

use hemora_ct::{Label, nearest_byte};
use rand_chacha::ChaCha8Rng;

use super::density::{Density, GREY_PER_HU};
use super::field::{Field, grain};
use super::head::HeadSlice;
use crate::math::lerp;

/// Pixels of a picture 256 wide from which on a drawn bleed counts.
const SMALLEST: f32 = 12.0;

/// The share of a pixel below which blood is left out.
const FAINTEST: f32 = 0.01;

/// How a shape is filled with blood.
#[derive(Debug)]
pub(super) struct Paint {
    /// How much of each pixel it fills, 0 to 1; may reach into bone, which stays as it is.
    pub(super) cover: Field,
    /// Width of the edge, pixels.
    pub(super) edge: f32,
    pub(super) density: Density,
    /// Whether it only ever brightens, as blood in CSF does.
    pub(super) brightens: bool,
}

/// A picture in the making.
#[derive(Debug)]
pub(super) struct Canvas<'head> {
    pub(super) head: &'head HeadSlice,
    /// Grey values; beyond 0 to 255 in the making.
    pub(super) grey: Field,
    /// Bit `label.index()` of each pixel.
    pub(super) bleeds: Vec<u8>,
}

impl<'head> Canvas<'head> {
    pub(super) fn new(head: &'head HeadSlice) -> Self {
        Self { head, grey: head.grey.clone(), bleeds: vec![0; head.inside.len()] }
    }

    /// Paints blood with the slice's own noise and marks where it fills half of a pixel or more.
    /// Leaves all as it was and returns false where that is too little.
    pub(super) fn bleed(&mut self, random: &mut ChaCha8Rng, label: Label, paint: Paint) -> bool {
        let mut alpha = paint.cover.blurred(paint.edge);
        // Blood that is there already stays, so that masks and picture agree.
        for (alpha, &bits) in alpha.values.iter_mut().zip(&self.bleeds) {
            if bits != 0 {
                *alpha = 0.0;
            }
        }
        let marked = self.head.pixels().filter(|&pixel| alpha.values[pixel] >= 0.5).count();
        if (marked as f32) < SMALLEST * self.head.scale * self.head.scale {
            return false;
        }
        self.fill(random, &alpha, &paint.density, paint.brightens);
        for pixel in self.head.pixels() {
            if alpha.values[pixel] >= 0.5 {
                self.bleeds[pixel] |= 1 << label.index();
            }
        }
        true
    }

    /// Paints what only looks like blood: the same without a mark.
    pub(super) fn look_alike(&mut self, random: &mut ChaCha8Rng, paint: Paint) -> bool {
        let alpha = paint.cover.blurred(paint.edge);
        let seen = self.head.pixels().any(|pixel| alpha.values[pixel] >= 0.3);
        if seen {
            self.fill(random, &alpha, &paint.density, paint.brightens);
        }
        seen
    }

    fn fill(&mut self, random: &mut ChaCha8Rng, alpha: &Field, density: &Density, brightens: bool) {
        let head = self.head;
        let texture = density.field(random, alpha, head.scale);
        let painted = |row: &[f32]| row.iter().any(|&alpha| alpha >= FAINTEST);
        let mut rows = alpha.values.chunks_exact(head.side);
        let first = rows.position(painted).unwrap_or(0);
        let count = rows.rposition(painted).map_or(1, |last| last + 2);
        let grain = grain(random, head.side, count, head.noise.sigma);
        let start = first * head.side;
        for (index, grain) in grain.into_iter().enumerate() {
            let pixel = start + index;
            let (alpha, grey) = (alpha.values[pixel], &mut self.grey.values[pixel]);
            if alpha < FAINTEST {
                continue;
            }
            let blood = texture.values[pixel] + head.noise.deviation * grain;
            let mixed = lerp(*grey, blood, alpha.min(1.0));
            // Bone and its edge are brighter than blood already.
            *grey = if brightens || !head.inside[pixel] { grey.max(mixed) } else { mixed };
        }
    }

    /// Changes the picture inside the skull by `hu` HU times `share`.
    pub(super) fn shade(&mut self, share: &Field, hu: f32) {
        for pixel in self.head.pixels().filter(|&pixel| self.bleeds[pixel] == 0) {
            self.grey.values[pixel] += hu * GREY_PER_HU * share.values[pixel];
        }
    }

    /// The 8-bit picture.
    pub(super) fn finished(&self) -> Vec<u8> {
        self.grey.values.iter().map(|value| nearest_byte(value.clamp(0.0, 255.0))).collect()
    }
}
