//! Bleeds drawn into slices of real heads.

use hemora_ct::LABEL_COUNT;

/// What may be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DrawOptions {
    /// Probability of a bleed.
    pub bleed: f64,
    /// Probability of something that looks like blood.
    pub look_alike: f64,
}

/// The geometry of a slice.
pub struct HeadSlice {
    grey: Vec<u8>,
    side: usize,
}

/// A slice with what was drawn.
pub struct DrawnSlice {
    /// The picture.
    pub grey: Vec<u8>,
    /// Bits of each pixel.
    pub bleeds: Vec<u8>,
    /// Whether something that looks like blood was drawn.
    pub look_alikes: bool,
}

impl HeadSlice {
    /// Of a slice.
    pub fn new(grey: &[u8], side: usize) -> Option<Self> {
        (grey.len() == side * side).then(|| Self { grey: grey.to_vec(), side })
    }

    /// Draws.
    pub fn draw(&self, rng: &mut impl rand::Rng, options: &DrawOptions) -> Option<DrawnSlice> {
        use rand::RngExt;
        let (mut grey, mut bleeds) = (self.grey.clone(), vec![0; self.grey.len()]);
        let bleed = rng.random::<f64>() < options.bleed;
        let start = rng.random_range(self.side / 4..self.side / 2);
        for row in start..start + self.side / 6 {
            for column in start..start + self.side / 5 {
                grey[row * self.side + column] = 200;
                bleeds[row * self.side + column] = if bleed { 1 << 4 | 1 << 5 } else { 0 };
            }
        }
        Some(DrawnSlice { grey, bleeds, look_alikes: !bleed })
    }
}

impl DrawnSlice {
    /// Labels, in label order.
    pub fn labels(&self) -> [bool; LABEL_COUNT] {
        let bits = self.bleeds.iter().fold(0, |all, bits| all | bits);
        std::array::from_fn(|label| bits >> label & 1 == 1)
    }
}
