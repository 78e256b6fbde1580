//! Vessels as dense as blood outside them: venous sinuses and an artery.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::draw::canvas::{Canvas, Paint};
use crate::draw::density::Density;
use crate::draw::field::Field;
use crate::draw::mask;
use crate::math::smoothstep;

impl Canvas<'_> {
    /// A triangle at the back end of the midline: the superior sagittal sinus or the torcula.
    pub(super) fn posterior_sinus(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let near = mask::grown(&head.inside, head.side, 2);
        let height = random.random_range(4.0..9.0) * head.scale;
        let width = random.random_range(0.35..0.7) * height;
        let lumps = Field::noise(random, head.side, 3.0 * head.scale);
        let mut cover = Field::new(head.side);
        for pixel in (0..near.len()).filter(|&pixel| near[pixel]) {
            let [row, column] = head.place(pixel);
            let [along, aside] = head.frame.place(row, column);
            // The bone of the midline in front would do as well.
            if along < 0.6 * head.frame.half[0] {
                continue;
            }
            let aside = (aside - head.frame.falx(along)).abs();
            let half = width * (1.0 - head.depth.values[pixel] / height);
            cover.values[pixel] = (half - aside + 0.4 * lumps.values[pixel]).clamp(0.0, 1.0);
        }
        self.vessel(random, cover)
    }

    /// A strip along the inner table beside the back of the posterior fossa.
    pub(super) fn transverse_sinus(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let near = mask::grown(&head.inside, head.side, 2);
        let first = if random.random_bool(0.6) { 1.0 } else { -1.0 };
        let sides = if random.random_bool(0.4) { [first, -first] } else { [first, first] };
        let thick = random.random_range(2.2..4.5) * head.scale;
        let from = random.random_range(0.15..0.7f32);
        let to = from + random.random_range(0.25..0.6f32);
        let waves = Field::noise(random, head.side, 9.0 * head.scale);
        let mut cover = Field::new(head.side);
        for pixel in (0..near.len()).filter(|&pixel| near[pixel]) {
            let [along, aside] = head.relative(pixel);
            if along.hypot(aside) < 0.6 || !sides.contains(&aside.signum()) {
                continue;
            }
            // The angle from the back, outward.
            let angle = aside.abs().atan2(along);
            let ends = smoothstep(from, from + 0.12, angle) * smoothstep(to, to - 0.12, angle);
            let thick = thick * ends * (1.0 + 0.2 * waves.values[pixel]);
            if thick > 0.5 {
                cover.values[pixel] = (thick - head.depth.values[pixel] + 0.5).clamp(0.0, 1.0);
            }
        }
        self.vessel(random, cover)
    }

    /// A dot where the middle cerebral or the basilar artery passes through the slice.
    pub(super) fn dense_artery(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let (along, aside) = if random.random_bool(0.3) {
            (random.random_range(-0.12..0.08), random.random_range(-0.03..0.03))
        } else {
            (random.random_range(-0.4..-0.08), side * random.random_range(0.2..0.6))
        };
        let centre = head.frame.relative_pixel(along, aside);
        if !head.holds(centre[0], centre[1], 5.0 * head.scale) {
            return false;
        }
        let mut cover = Field::new(head.side);
        let radius = random.random_range(0.9..1.9) * head.scale;
        self.dot(random, &mut cover, centre, radius);
        self.vessel(random, cover)
    }

    fn vessel(&mut self, random: &mut ChaCha8Rng, cover: Field) -> bool {
        let density = Density::fresh(random, 50.0, 66.0);
        let edge = random.random_range(0.5..0.9) * self.head.scale;
        self.look_alike(random, Paint { cover, edge, density, brightens: true })
    }
}
