//! Augmentation: the options, and one drawing of them for one image.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::blend::Blend;
use crate::draw::Draw;
use crate::warp::SourceFromTarget;

/// How training images are varied. A range `r` means uniform between −r and r; a probability is
/// between 0 and 1; 0 turns a step off. The presets [`Augment::off`], [`Augment::default`] and
/// [`Augment::winner`] have names ([`Augment::named`]), and a file changes one of them
/// ([`Augment::from_toml`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Probability of a left-right mirror image.
    pub flip: f64,
    /// Range of the rotation, degrees, at most 180.
    pub rotate_degrees: f64,
    /// Range of the size: factor 1 ± this, below 1.
    pub scale: f64,
    /// Range of the shift on either axis, as a part of the image's side, at most 1.
    pub shift: f64,
    /// Range of the shear, degrees, at most 45.
    pub shear_degrees: f64,
    /// Probability of cutting out a random square and enlarging it.
    pub crop: f64,
    /// Smallest and largest side of that square, as a part of the image's side.
    pub crop_side: [f64; 2],
    /// Range added to the levels of the windows, HU, at most 1000; needs a set in HU.
    pub window_level: f64,
    /// Range of the factor of the widths of the windows, 1 ± this, below 1; needs a set in HU.
    pub window_width: f64,
    /// Range added to the values (0–1): stands in for another window level.
    pub brightness: f64,
    /// Range of the factor about 0.5, 1 ± this, below 1: stands in for another window width.
    pub contrast: f64,
    /// Range of the logarithm of an exponent, at most 2.
    pub gamma: f64,
    /// Largest standard deviation of Gaussian noise, on values 0–1, at most 1.
    pub noise: f64,
    /// Probability of a Gaussian blur.
    pub blur: f64,
    /// Largest sigma of the blur, pixels of the network's input, at most 8.
    pub blur_sigma: f64,
    /// Probability of erasing a random rectangle to a random grey.
    pub erase: f64,
    /// Smallest and largest area of that rectangle, as a part of the image.
    pub erase_area: [f64; 2],
    /// Probability of black borders, as of images that were cut or padded.
    pub border: f64,
    /// Largest width of a border, as a part of the image's side, at most 0.5.
    pub border_width: f64,
    /// Probability of the channels in the opposite order: of neighbouring slices, upside down.
    pub swap_channels: f64,
    /// Bleeds of other slices, blended into slices without any.
    pub blend: Blend,
    /// Bleeds drawn into slices without any.
    pub draw: Draw,
}

/// An option out of bounds.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("augmentation `{option}` is {value}; expected {expected}")]
pub struct AugmentError {
    /// The option.
    pub option: &'static str,
    /// What it is.
    pub value: String,
    /// What it may be.
    pub expected: &'static str,
}

impl Augment {
    /// Checks values that came from a file.
    ///
    /// # Errors
    /// [`AugmentError`] names the option that is out of bounds.
    pub fn check(&self) -> Result<(), AugmentError> {
        let bounded = [
            ("flip", self.flip, 1.0, "a probability, 0 to 1"),
            ("rotate_degrees", self.rotate_degrees, 180.0, "0 to 180"),
            ("scale", self.scale, 0.9, "0 to 0.9"),
            ("shift", self.shift, 1.0, "0 to 1"),
            ("shear_degrees", self.shear_degrees, 45.0, "0 to 45"),
            ("crop", self.crop, 1.0, "a probability, 0 to 1"),
            ("window_level", self.window_level, 1000.0, "0 to 1000 HU"),
            ("window_width", self.window_width, 0.9, "0 to 0.9"),
            ("brightness", self.brightness, 1.0, "0 to 1"),
            ("contrast", self.contrast, 0.9, "0 to 0.9"),
            ("gamma", self.gamma, 2.0, "0 to 2"),
            ("noise", self.noise, 1.0, "0 to 1"),
            ("blur", self.blur, 1.0, "a probability, 0 to 1"),
            ("blur_sigma", self.blur_sigma, 8.0, "0 to 8"),
            ("erase", self.erase, 1.0, "a probability, 0 to 1"),
            ("border", self.border, 1.0, "a probability, 0 to 1"),
            ("border_width", self.border_width, 0.5, "0 to 0.5"),
            ("swap_channels", self.swap_channels, 1.0, "a probability, 0 to 1"),
        ];
        for (option, value, most, expected) in bounded {
            if !(0.0..=most).contains(&value) {
                return Err(AugmentError { option, value: value.to_string(), expected });
            }
        }
        let ranges = [("crop_side", self.crop_side), ("erase_area", self.erase_area)];
        for (option, [low, high]) in ranges {
            if !(low > 0.0 && low <= high && high <= 1.0) {
                let expected = "a smallest and a largest part, above 0 and at most 1";
                return Err(AugmentError { option, value: format!("[{low}, {high}]"), expected });
            }
        }
        self.blend.check()?;
        self.draw.check()
    }

    /// Draws what happens to one image. The options must have passed [`Augment::check`].
    pub(crate) fn draw(&self, rng: &mut impl Rng) -> Drawn {
        Drawn {
            warp: self.draw_warp(rng),
            table: self.draw_table(rng),
            blur_sigma: if chance(rng, self.blur) { unit(rng) * self.blur_sigma } else { 0.0 },
            noise: if self.noise > 0.0 { (unit(rng) * self.noise) as f32 } else { 0.0 },
            erase: chance(rng, self.erase).then(|| self.draw_erasure(rng)),
            border: chance(rng, self.border)
                .then(|| std::array::from_fn(|_| unit(rng) * self.border_width)),
            window: self.jitters_windows().then(|| {
                [spread(rng, self.window_level) as f32, 1.0 + spread(rng, self.window_width) as f32]
            }),
            // Last, and only where it is asked for, so that it moves no other draw.
            swapped: self.swap_channels > 0.0 && chance(rng, self.swap_channels),
        }
    }

    /// Whether windows vary, for which HU must be known.
    pub(crate) fn jitters_windows(&self) -> bool {
        self.window_level > 0.0 || self.window_width > 0.0
    }

    fn draw_warp(&self, rng: &mut impl Rng) -> Option<SourceFromTarget> {
        let flip = chance(rng, self.flip);
        let angle = spread(rng, self.rotate_degrees).to_radians();
        let scale = 1.0 + spread(rng, self.scale);
        let shift = [spread(rng, self.shift), spread(rng, self.shift)];
        let shear = spread(rng, self.shear_degrees).to_radians().tan();
        let (side, centre) = if chance(rng, self.crop) {
            let side = between(rng, self.crop_side);
            let room = (1.0 - side) / 2.0;
            (side, [spread(rng, room), spread(rng, room)])
        } else {
            (1.0, [0.0; 2])
        };
        let still = !flip && angle == 0.0 && scale == 1.0 && shift == [0.0; 2];
        if still && shear == 0.0 && side == 1.0 {
            return None;
        }
        // Target to source: undo the shift, the scale and the rotation, then shear and mirror, all
        // about the centre, and place the result in the square that was cut out.
        let (sin, cos) = angle.sin_cos();
        let turned = [[cos / scale, sin / scale], [-sin / scale, cos / scale]];
        let mirror = if flip { -1.0 } else { 1.0 };
        let matrix = [
            std::array::from_fn(|axis| mirror * side * (turned[0][axis] + shear * turned[1][axis])),
            turned[1].map(|value| side * value),
        ];
        let offset = std::array::from_fn(|axis: usize| {
            let [x, y]: [f64; 2] = matrix[axis];
            centre[axis] - x * shift[0] - y * shift[1]
        });
        Some(SourceFromTarget { matrix, offset })
    }

    /// The value of each byte. Black and white keep their values: at the ends of a window stand air
    /// and bone, which another window would not bring back.
    fn draw_table(&self, rng: &mut impl Rng) -> [f32; 256] {
        let added = spread(rng, self.brightness);
        let factor = 1.0 + spread(rng, self.contrast);
        let exponent = spread(rng, self.gamma).exp();
        std::array::from_fn(|byte| {
            let value = byte as f64 / 255.0;
            if byte == 0 || byte == 255 || (added == 0.0 && factor == 1.0 && exponent == 1.0) {
                // Divided in single precision, so that the identity is exact.
                return byte as f32 / 255.0;
            }
            ((value.powf(exponent) - 0.5) * factor + 0.5 + added).clamp(0.0, 1.0) as f32
        })
    }

    fn draw_erasure(&self, rng: &mut impl Rng) -> Erasure {
        let area = between(rng, self.erase_area);
        // Height to width between 3:10 and 10:3, as in the paper.
        let aspect = spread(rng, (10f64 / 3.0).ln()).exp();
        let size = [(area * aspect).sqrt().min(1.0), (area / aspect).sqrt().min(1.0)];
        let start = size.map(|length| unit(rng) * (1.0 - length));
        Erasure { start, size, value: unit(rng) as f32 }
    }
}

/// What happens to one image.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drawn {
    /// `None`: the image stays where it is.
    pub(crate) warp: Option<SourceFromTarget>,
    /// Value of each byte, 0–1.
    pub(crate) table: [f32; 256],
    /// Pixels of the network's input; 0: none.
    pub(crate) blur_sigma: f64,
    /// Standard deviation; 0: none.
    pub(crate) noise: f32,
    pub(crate) erase: Option<Erasure>,
    /// Width of the black border on the left, top, right and bottom, parts of the side.
    pub(crate) border: Option<[f64; 4]>,
    /// What is added to the windows' levels, HU, and the factor of their widths.
    pub(crate) window: Option<[f32; 2]>,
    /// Whether the channels stand in the opposite order.
    pub(crate) swapped: bool,
}

impl Drawn {
    /// Nothing happens.
    pub(crate) fn nothing() -> Self {
        Self {
            warp: None,
            table: std::array::from_fn(|byte| byte as f32 / 255.0),
            blur_sigma: 0.0,
            noise: 0.0,
            erase: None,
            border: None,
            window: None,
            swapped: false,
        }
    }
}

/// A rectangle set to one value; start and size are `[row, column]`, parts of the side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Erasure {
    pub(crate) start: [f64; 2],
    pub(crate) size: [f64; 2],
    pub(crate) value: f32,
}

fn unit(rng: &mut impl Rng) -> f64 {
    rng.random::<f64>()
}

fn chance(rng: &mut impl Rng, probability: f64) -> bool {
    unit(rng) < probability
}

fn between(rng: &mut impl Rng, [low, high]: [f64; 2]) -> f64 {
    low + (high - low) * unit(rng)
}

fn spread(rng: &mut impl Rng, range: f64) -> f64 {
    range * (2.0 * unit(rng) - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn off_draws_nothing() {
        for seed in 0..50 {
            let drawn = Augment::off().draw(&mut ChaCha8Rng::seed_from_u64(seed));
            assert_eq!(drawn, Drawn::nothing());
        }
    }

    #[test]
    fn draws_stay_in_range() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let augment = Augment { flip: 0.0, shift: 0.0, ..Augment::default() };
        for _ in 0..200 {
            let drawn = augment.draw(&mut rng);
            let matrix = drawn.warp.unwrap().matrix;
            let size = 1.0 / (matrix[0][0] * matrix[1][1] - matrix[0][1] * matrix[1][0]).sqrt();
            assert!((0.85..=1.15).contains(&size), "{size}");
            let angle = matrix[0][1].atan2(matrix[0][0]).to_degrees();
            assert!(angle.abs() <= 20.0, "{angle}");
            assert_eq!((drawn.table[0], drawn.table[255]), (0.0, 1.0));
            assert!(drawn.table.iter().all(|value| (0.0..=1.0).contains(value)));
            assert!((0.0..=0.02).contains(&drawn.noise));
            if let Some(erasure) = drawn.erase {
                let area = erasure.size[0] * erasure.size[1];
                assert!((0.0199..0.2001).contains(&area), "{area}");
                assert!((0..2).all(|axis| erasure.start[axis] + erasure.size[axis] <= 1.0 + 1e-9));
            }
        }
    }

    #[test]
    fn windows_vary_only_when_asked_and_leave_other_draws_alone() {
        let draw = |augment: &Augment| augment.draw(&mut ChaCha8Rng::seed_from_u64(4));
        let plain = draw(&Augment::default());
        let augment = Augment { window_level: 10.0, window_width: 0.2, ..Augment::default() };
        let varied = draw(&augment);
        let [level, width] = varied.window.unwrap();
        assert!(level.abs() <= 10.0 && level != 0.0 && (0.8..=1.2).contains(&width));
        assert_eq!(Drawn { window: None, ..varied }, plain);
    }

    #[test]
    fn a_crop_stays_within_the_image() {
        let augment = Augment { crop: 1.0, ..Augment::off() };
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for _ in 0..100 {
            let warp = augment.draw(&mut rng).warp.unwrap();
            let side = warp.matrix[0][0];
            assert!((0.6..=0.99).contains(&side) && warp.matrix[1][1] == side);
            assert!(warp.offset.iter().all(|offset| offset.abs() + side / 2.0 <= 0.5 + 1e-9));
        }
    }

    #[test]
    fn options_out_of_bounds_are_named() {
        Augment::default().check().unwrap();
        Augment::off().check().unwrap();
        Augment::winner().check().unwrap();
        let check = |augment: Augment| augment.check().unwrap_err().option;
        assert_eq!(check(Augment { flip: 1.5, ..Augment::off() }), "flip");
        assert_eq!(check(Augment { scale: 1.0, ..Augment::off() }), "scale");
        assert_eq!(check(Augment { window_width: 1.0, ..Augment::off() }), "window_width");
        assert_eq!(check(Augment { noise: f64::NAN, ..Augment::off() }), "noise");
        assert_eq!(check(Augment { crop_side: [0.0, 1.0], ..Augment::off() }), "crop_side");
        assert_eq!(check(Augment { erase_area: [0.5, 0.2], ..Augment::off() }), "erase_area");
    }
}
