//! How bright drawn blood is, and how unevenly.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::field::Field;

/// Grey values to one HU of the brain window.
pub(super) const GREY_PER_HU: f32 = 255.0 / 80.0;
/// Blood without contrast agent hardly ever saturates the brain window.
const BRIGHTEST: f32 = 78.0;

/// HU of blood and how they vary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Density {
    /// Mean HU within the mask.
    pub(super) hu: f32,
    /// Standard deviation (HU) of the smooth texture, and its width, pixels at a side of 256.
    pub(super) texture: [f32; 2],
    /// By how many HU the back is denser than the front, where cells have settled.
    pub(super) settled: f32,
}

impl Density {
    /// Fresh blood of `low` to `high` HU with a faint texture.
    pub(super) fn fresh(random: &mut ChaCha8Rng, low: f32, high: f32) -> Self {
        let hu = random.random_range(low..high);
        let texture = [random.random_range(0.8..3.5), random.random_range(2.0..7.0)];
        Self { hu, texture, settled: 0.0 }
    }

    /// Grey values over the whole picture, with the asked mean where `cover` is half or more.
    pub(super) fn field(&self, random: &mut ChaCha8Rng, cover: &Field, scale: f32) -> Field {
        let [strength, width] = self.texture;
        let mut field = Field::noise(random, cover.side, width * scale);
        field.values.iter_mut().for_each(|value| *value *= strength * GREY_PER_HU);
        let within = || (0..cover.values.len()).filter(|&pixel| cover.values[pixel] >= 0.5);
        let count = within().count().max(1) as f32;
        if self.settled != 0.0 {
            let rows = || within().map(|pixel| pixel / cover.side);
            let (top, bottom) = (rows().min().unwrap_or(0), rows().max().unwrap_or(0));
            let middle = (top + bottom) as f32 / 2.0;
            let step = self.settled * GREY_PER_HU / (bottom - top).max(1) as f32;
            // The level between plasma and cells is not sharp in a crescent.
            for (row, values) in field.values.chunks_exact_mut(cover.side).enumerate() {
                let along = (row as f32 - middle) * step * 1.6;
                let most = 0.5 * self.settled * GREY_PER_HU;
                values.iter_mut().for_each(|value| *value += along.clamp(-most, most));
            }
        }
        let mean = within().map(|pixel| field.values[pixel]).sum::<f32>() / count;
        let level = self.hu * GREY_PER_HU - mean;
        let most = BRIGHTEST.max(self.hu) * GREY_PER_HU;
        field.values.iter_mut().for_each(|value| *value = (*value + level).clamp(0.0, most));
        field
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn the_mean_is_as_asked_and_settled_blood_denser_below() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let cover = Field::from_fn(96, |row, column| {
            f32::from(u8::from((row - 60.0).hypot(column - 40.0) < 18.0))
        });
        for (hu, settled) in [(52.0, 0.0), (20.0, 0.0), (55.0, 16.0), (70.0, 0.0)] {
            let density = Density { hu, texture: [1.5, 4.0], settled };
            let field = density.field(&mut random, &cover, 0.5);
            let mean = |rows: std::ops::Range<usize>| {
                let within =
                    (rows.start * 96..rows.end * 96).filter(|&pixel| cover.values[pixel] > 0.0);
                let values: Vec<f32> = within.map(|pixel| field.values[pixel]).collect();
                values.iter().sum::<f32>() / values.len() as f32 / GREY_PER_HU
            };
            assert!((mean(0..96) - hu).abs() < 0.5, "{} HU for {hu}", mean(0..96));
            let below = mean(62..96) - mean(0..58);
            assert!((below - 0.7 * settled).abs() < 0.45 * settled + 1.5, "{below} for {settled}");
        }
    }
}
