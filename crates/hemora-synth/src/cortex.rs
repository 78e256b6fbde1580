//! The folded cortex: sulci as sheets of fluid that lead into the brain, grey matter along them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::math::{Point, lerp, scale, smoothstep, sub};
use crate::noise::Noise;

/// Where a point lies in the folded cortex.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fold {
    /// In the fluid over the brain or in a sulcus.
    Csf,
    /// In brain; the share of grey matter, 0 to 1.
    Brain(f32),
}

/// The folding of one brain.
#[derive(Debug, Clone)]
pub(crate) struct Cortex {
    folds: Noise,
    side_folds: Noise,
    widths: Noise,
    bends: Noise,
    depths: Noise,
    /// Half the width of a sulcus, mm.
    half_width: f32,
    /// Fluid between brain and skull, mm.
    pub(crate) gap: f32,
    thickness: f32,
}

impl Cortex {
    pub(crate) fn new(random: &mut ChaCha8Rng, atrophy: f32) -> Self {
        let wavelength = random.random_range(20.0..26.0);
        Self {
            folds: Noise::new(random, wavelength),
            side_folds: Noise::new(random, 17.0),
            widths: Noise::new(random, 38.0),
            bends: Noise::new(random, 27.0),
            depths: Noise::new(random, 33.0),
            half_width: lerp(0.25, 1.6, atrophy * atrophy) * random.random_range(0.8..1.2),
            gap: lerp(0.2, 1.9, atrophy * atrophy) * random.random_range(0.8..1.2),
            thickness: random.random_range(2.6..3.6),
        }
    }

    /// The cortex at `p`, `depth` mm beneath the surface and in direction `unit` from the middle
    /// of the head; sulci are `swell` mm wider to either side. `medial` surfaces face the falx.
    pub(crate) fn at(&self, p: Point, unit: Point, medial: bool, depth: f32, swell: f32) -> Fold {
        if depth < 0.0 {
            return Fold::Csf;
        }
        if depth > 30.0 {
            return Fold::Brain(0.0);
        }
        // The same direction is the same fold at any depth, so sulci run inwards; they lean a bit.
        let place = if medial { [p[0].signum() * 20.0, p[1], p[2]] } else { scale(unit, 74.0) };
        let shallow = sub(p, place);
        let bend = depth * (0.3 + 0.16 * self.bends.at(p));
        let across = depth * 0.16 * self.bends.at([shallow[2], shallow[0], p[1]]);
        let place = [place[0] + bend, place[1] - bend + across, place[2] + bend - across];
        let extent = (17.0 + 5.0 * self.depths.at(place)).max(4.0);
        let width = (self.half_width * (1.0 + 0.55 * self.widths.at(place))).max(0.0) + swell;
        let mm_per_unit = 0.19 * self.folds.wavelength;
        let mut away = self.folds.at(place).abs() * mm_per_unit;
        // Side branches are short.
        let branch = self.side_folds.at(place).abs() * 0.19 * self.side_folds.wavelength;
        if depth < extent * 0.5 {
            away = away.min(branch + 0.25 * depth);
        }
        // The fluid ends before the grey matter does.
        let reach = depth / (0.75 * extent);
        let closing = (1.0 - reach * reach).max(0.0);
        if away < width * closing {
            return Fold::Csf;
        }
        let from_sulcus = away - width * closing + (0.35 * (depth - 0.7 * extent)).max(0.0);
        let from_surface = depth.min(from_sulcus);
        Fold::Brain(smoothstep(self.thickness + 0.9, self.thickness - 0.9, from_surface))
    }
}
