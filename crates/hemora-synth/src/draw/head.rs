//! What a slice shows of the head: the inside of its skull, its midline, its brain and its noise.

use std::f32::consts::PI;
use std::sync::OnceLock;

use super::field::Field;
use super::mask::{closed, depth, filled, grown, largest, opened, shrunk};
use super::midline::{Frame, solidity};

/// Grey value from which on a pixel counts as bone: 77 HU.
const BONE: f32 = 245.0;
/// Share of the picture that the inside of the skull may fill.
const SHARE: std::ops::RangeInclusive<f64> = 0.08..=0.6;
/// Grey values that brain and CSF have, so that an inside full of air or muscle is refused.
const TISSUE: std::ops::Range<f32> = 8.0..215.0;
/// Below this the inside of the skull is dented by the petrous bones or the orbits.
const SOLID: f32 = 0.972;
/// From this distance between the middle of the inside and that of the skull's outline on, in radii
/// of the inside, the face is in the slice.
const OFF_CENTRE: f32 = 0.11;
/// Share of the skull's outline that its inside fills, below which the vault is cut obliquely.
const VERTEX: f64 = 0.62;

/// What [`SliceNoise::new`] finds in white noise that was blurred: the correlation of neighbours, the
/// width of the blur (pixels) and the share of the standard deviation. Calibrated on such noise.
const GRAINS: [[f32; 3]; 8] = [
    [-0.05, 0.25, 0.856],
    [0.0, 0.4, 0.844],
    [0.12, 0.5, 0.807],
    [0.255, 0.6, 0.751],
    [0.372, 0.7, 0.679],
    [0.493, 0.85, 0.595],
    [0.576, 1.0, 0.508],
    [0.616, 1.1, 0.461],
];

/// The geometry of a slice of a head in the brain window: the inside of a closed skull, the
/// midline, the level of its brain and of its noise.
#[derive(Debug, Clone)]
pub struct HeadSlice {
    pub(super) side: usize,
    /// Pixels to one pixel of a picture 256 wide.
    pub(super) scale: f32,
    /// Grey values, 0 to 255.
    pub(super) grey: Field,
    /// Grey values without noise.
    pub(super) soft: Field,
    /// Mean grey value of the inside some millimetres around.
    pub(super) surround: Field,
    pub(super) inside: Vec<bool>,
    /// Distance from bone, pixels; 0 outside.
    pub(super) depth: Field,
    pub(super) frame: Frame,
    /// Grey value of brain.
    pub(super) brain: f32,
    pub(super) noise: SliceNoise,
    /// Whether bone dents the inside, as it does near the skull base.
    pub(super) base: bool,
    /// Whether the slice passes through the vertex, where there is neither ventricle nor tentorium.
    pub(super) vertex: bool,
    pub(super) dark_middle: OnceLock<Vec<Vec<usize>>>,
}

/// The noise of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct SliceNoise {
    /// Standard deviation, grey values.
    pub(super) deviation: f32,
    /// Width (pixels) of the blur that gives white noise the same grain.
    pub(super) sigma: f32,
}

impl HeadSlice {
    /// Analyses `grey`, `side` × `side` values in the brain window (0 is 0 HU or less, 255 is 80 HU
    /// or more), the front of the head up. None where their number is another, the skull is not
    /// closed, or its inside is less than 8 % or more than 60 % of the picture or no brain.
    pub fn new(grey: &[u8], side: usize) -> Option<Self> {
        if side < 32 || side.checked_mul(side) != Some(grey.len()) {
            return None;
        }
        let scale = side as f32 / 256.0;
        let grey = Field { side, values: grey.iter().map(|&value| f32::from(value)).collect() };
        let (inside, outline) = inside(&grey, scale)?;
        let area = inside.iter().filter(|&&set| set).count();
        if !SHARE.contains(&(area as f64 / inside.len() as f64)) {
            return None;
        }
        let soft = grey.clone().blurred(1.5 * scale);
        let within = || inside.iter().zip(&soft.values).filter(|(inside, _)| **inside);
        let tissue = within().filter(|(_, value)| TISSUE.contains(value)).count();
        if (tissue as f64) < 0.8 * area as f64 {
            return None;
        }
        let brain =
            median(within().map(|(_, &value)| value).filter(|value| TISSUE.contains(value)))?;
        let depth = depth(&inside, side);
        let frame = Frame::new(&inside, &depth, &soft, scale);
        let surround = surround(&grey, &inside, 6.0 * scale);
        let noise = SliceNoise::new(&grey, &depth, 4.0 * scale);
        let (middle, outline_middle) = (middle(&inside, side), middle(&outline, side));
        let apart = (middle[0] - outline_middle[0]).hypot(middle[1] - outline_middle[1]);
        let radius = (area as f32 / PI).sqrt();
        let base = solidity(&inside, side) < SOLID || apart > OFF_CENTRE * radius;
        let outline_area = outline.iter().filter(|&&set| set).count();
        let vertex = !base && (area as f64) < VERTEX * outline_area as f64;
        Some(Self {
            side,
            scale,
            grey,
            soft,
            surround,
            inside,
            depth,
            frame,
            brain,
            noise,
            base,
            vertex,
            dark_middle: OnceLock::new(),
        })
    }

    /// Row and column of a pixel.
    pub(super) fn place(&self, pixel: usize) -> [f32; 2] {
        [(pixel / self.side) as f32, (pixel % self.side) as f32]
    }

    /// Place of a pixel in half lengths and half widths of the inside: to the back, to the right.
    pub(super) fn relative(&self, pixel: usize) -> [f32; 2] {
        let [row, column] = self.place(pixel);
        self.frame.relative(row, column)
    }

    /// Pixels inside the skull.
    pub(super) fn pixels(&self) -> impl Iterator<Item = usize> {
        (0..self.inside.len()).filter(|&pixel| self.inside[pixel])
    }

    /// Whether a place is inside the skull, at least `depth` pixels from bone.
    pub(super) fn holds(&self, row: f32, column: f32, depth: f32) -> bool {
        self.depth.at(row, column) > depth
    }
}

/// The largest space that the bone encloses, without its thin corners, and the bone with all that it
/// encloses.
fn inside(grey: &Field, scale: f32) -> Option<(Vec<bool>, Vec<bool>)> {
    let side = grey.side;
    let steps = ((2.0 * scale).round() as usize).max(1);
    let bone: Vec<bool> = grey.values.iter().map(|&value| value >= BONE).collect();
    let skull = largest(&closed(&bone, side, steps), side)?;
    let full = filled(&skull, side);
    let space: Vec<bool> = full.iter().zip(&skull).map(|(&full, &bone)| full && !bone).collect();
    // Narrow passages lead into the orbits and the air cells; what lies behind them is left out.
    let narrow = ((4.0 * scale).round() as usize).max(2);
    let core = largest(&shrunk(&space, side, narrow), side)?;
    let mut inside = grown(&core, side, narrow + steps);
    inside.iter_mut().zip(&space).for_each(|(inside, space)| *inside &= space);
    let inside = largest(&opened(&inside, side, steps), side)?;
    Some((inside, full))
}

/// Row and column of the middle of a mask.
fn middle(mask: &[bool], side: usize) -> [f32; 2] {
    let (mut rows, mut columns, mut count) = (0, 0, 0);
    for pixel in (0..mask.len()).filter(|&pixel| mask[pixel]) {
        rows += pixel / side;
        columns += pixel % side;
        count += 1;
    }
    [rows, columns].map(|sum| sum as f32 / count.max(1) as f32)
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.collect();
    let middle = values.len() / 2;
    (middle > 0).then(|| *values.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// The mean over the neighbourhood inside the skull alone.
fn surround(grey: &Field, inside: &[bool], sigma: f32) -> Field {
    let share = Field::from_mask(grey.side, inside);
    let mut sum = grey.clone();
    sum.values.iter_mut().zip(&share.values).for_each(|(value, share)| *value *= share);
    // Two boxes of reach r have the variance 2 r (r + 1) / 3; the shape does not matter here.
    let reach = (1.5 * sigma * sigma).sqrt().round() as usize;
    let (mut sum, share) = (sum.boxed(reach).boxed(reach), share.boxed(reach).boxed(reach));
    sum.values.iter_mut().zip(&share.values).for_each(|(value, share)| *value /= share.max(0.02));
    sum
}

impl SliceNoise {
    /// Measures where the picture is flat, deeper than `deep` pixels.
    fn new(grey: &Field, depth: &Field, deep: f32) -> Self {
        let mean = grey.boxed(2);
        let rest: Vec<f32> =
            grey.values.iter().zip(&mean.values).map(|(value, mean)| value - mean).collect();
        let squares =
            Field { side: grey.side, values: rest.iter().map(|rest| rest * rest).collect() };
        let local = squares.boxed(2);
        let mut flat: Vec<(f32, usize)> = (0..rest.len() - 1)
            .filter(|&pixel| depth.values[pixel] > deep)
            .map(|pixel| (local.values[pixel], pixel))
            .collect();
        if flat.is_empty() {
            return Self { deviation: 4.0, sigma: 0.6 };
        }
        // Half of the pixels: flat enough to hold no edges, many enough not to be the calmest alone.
        let kept = flat.len() / 2;
        flat.select_nth_unstable_by(kept, |one, other| one.0.total_cmp(&other.0));
        flat.truncate(kept.max(1));
        let count = flat.len() as f32;
        let variance =
            flat.iter().map(|&(_, pixel)| rest[pixel] * rest[pixel]).sum::<f32>() / count;
        let beside =
            flat.iter().map(|&(_, pixel)| rest[pixel] * rest[pixel + 1]).sum::<f32>() / count;
        let alike = beside / variance.max(1e-6);
        let above = GRAINS.iter().position(|grain| grain[0] > alike).unwrap_or(GRAINS.len() - 1);
        let [low, high] = [GRAINS[above.max(1) - 1], GRAINS[above.max(1)]];
        let t = ((alike - low[0]) / (high[0] - low[0])).clamp(0.0, 1.0);
        let [sigma, kept] = [1, 2].map(|part| low[part] + (high[part] - low[part]) * t);
        Self { deviation: variance.sqrt() / kept, sigma }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::draw::field::grain;
    use crate::draw::testing::head_picture;

    #[test]
    fn wrong_lengths_open_skulls_and_empty_pictures_are_refused() {
        let picture = head_picture(1, 128, 20);
        assert!(HeadSlice::new(&picture, 128).is_some());
        assert!(HeadSlice::new(&picture[1..], 128).is_none());
        assert!(HeadSlice::new(&picture, 127).is_none());
        assert!(HeadSlice::new(&[], 0).is_none());
        assert!(HeadSlice::new(&picture, usize::MAX).is_none());
        for level in [0, 100, 255] {
            assert!(HeadSlice::new(&[level; 128 * 128], 128).is_none());
        }
        let mut open = picture;
        open.chunks_exact_mut(128).for_each(|row| row[58..70].fill(90));
        assert!(HeadSlice::new(&open, 128).is_none());
    }

    #[test]
    fn the_inside_is_brain_and_not_bone() {
        let head = HeadSlice::new(&head_picture(3, 192, 22), 192).unwrap();
        assert!((70.0..150.0).contains(&head.brain), "{}", head.brain);
        let bone = head.pixels().filter(|&pixel| head.grey.values[pixel] >= BONE).count();
        assert!(bone * 100 < head.pixels().count(), "{bone}");
        assert!(head.relative(96 * 192 + 96).iter().all(|place| place.abs() < 0.4));
    }

    #[test]
    fn noise_is_measured() {
        let depth = Field { side: 160, values: vec![50.0; 160 * 160] };
        for (deviation, sigma) in [(3.0, 0.4), (12.0, 0.7)] {
            let mut random = ChaCha8Rng::seed_from_u64(5);
            let mut grey = Field { side: 160, values: grain(&mut random, 160, 160, sigma) };
            grey.values.iter_mut().for_each(|value| *value = 100.0 + deviation * *value);
            let found = SliceNoise::new(&grey, &depth, 4.0);
            assert!((found.deviation / deviation - 1.0).abs() < 0.2, "{found:?}");
            assert!((found.sigma - sigma).abs() < 0.2, "{found:?}");
        }
    }
}
