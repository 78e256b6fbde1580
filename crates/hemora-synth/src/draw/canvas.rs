//! The picture that is drawn on, with the masks of what was drawn.

use hemora_ct::{Label, nearest_byte};
use rand_chacha::ChaCha8Rng;

use super::density::{Density, GREY_PER_HU};
use super::field::{Field, grain};
use super::head::HeadSlice;
use crate::math::lerp;

/// Pixels of a picture 256 wide from which on a drawn bleed counts.
const SMALLEST: f32 = 12.0;

/// From this many HU on blood is fresh, and must be brighter than what it covers by as many HU as
/// `BRIGHTER`, mean over its mask: beside an oblique skull or in another window it may not show.
pub(super) const FRESH: f32 = 40.0;
const BRIGHTER: f32 = 5.0;
/// What is seen at all: the mean change (HU) times the root of the pixels at a side of 256, to which noise and
/// the pattern of the brain are alike (Rose 1948). A spot of 3 mm of fresh blood has about as much; what has
/// less is found neither by people nor by networks, and would be a label of nothing.
const SEEN: f32 = 70.0;
/// The share of a pixel below which blood is left out.
const FAINTEST: f32 = 0.01;

/// How far from bone (pixels at a side of 256) its edge is still seen.
const RIM: f32 = 2.5;

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
    /// Returns false and marks nothing where that is too little or too faint to be seen.
    pub(super) fn bleed(&mut self, random: &mut ChaCha8Rng, label: Label, paint: Paint) -> bool {
        let mut alpha = paint.cover.blurred(paint.edge);
        // Blood that is there already stays, so that masks and picture agree.
        for (alpha, &bits) in alpha.values.iter_mut().zip(&self.bleeds) {
            if bits != 0 {
                *alpha = 0.0;
            }
        }
        let marked: Vec<usize> =
            self.head.pixels().filter(|&pixel| alpha.values[pixel] >= 0.5).collect();
        if (marked.len() as f32) < SMALLEST * self.head.scale * self.head.scale {
            return false;
        }
        let sum = |grey: &Field| marked.iter().map(|&pixel| grey.values[pixel]).sum::<f32>();
        let before = sum(&self.grey);
        self.fill(random, &alpha, &paint.density, paint.brightens);
        let brighter = (sum(&self.grey) - before) / marked.len() as f32 / GREY_PER_HU;
        let is_faint = paint.density.hu >= FRESH && brighter < BRIGHTER;
        let seen = brighter.abs() * (marked.len() as f32).sqrt() / self.head.scale;
        if is_faint || seen < SEEN {
            return false;
        }
        marked.iter().for_each(|&pixel| self.bleeds[pixel] |= 1 << label.index());
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
            // The first pixels inside the table are partly bone, and stay so.
            let bone = if head.depth.values[pixel] < RIM * head.scale {
                let above = head.grey.values[pixel] - head.brain - head.noise.deviation;
                (above / (255.0 - head.brain)).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let mixed = lerp(*grey, lerp(blood, 255.0, bone), alpha.min(1.0));
            // Bone is brighter than blood already.
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
