//! Calcium: the falx, the choroid plexus, the pineal gland and the basal ganglia.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::draw::canvas::{Canvas, Paint};
use crate::draw::density::Density;
use crate::draw::field::Field;
use crate::draw::folds::{along_falx, falx_part};
use crate::math::smoothstep;

impl Canvas<'_> {
    /// A thin, broken bright line along part of the falx.
    pub(super) fn calcified_falx(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        if head.base {
            return false;
        }
        let part = falx_part(random, head);
        let thick = random.random_range(0.7..1.6) * head.scale;
        let mut cover = along_falx(random, head, part, thick);
        // Calcium comes in pieces.
        let pieces = Field::noise(random, head.side, 6.0 * head.scale);
        let most = random.random_range(-1.2..0.3);
        for (cover, piece) in cover.values.iter_mut().zip(&pieces.values) {
            *cover *= smoothstep(most - 0.3, most + 0.3, *piece);
        }
        self.calcium(random, cover, 75.0, 180.0)
    }

    /// A dot, round or long, in one or both atria.
    pub(super) fn choroid_plexus(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let ventricles = head.ventricles();
        if head.base || ventricles.is_empty() {
            return false;
        }
        let along = random.random_range(0.16..0.34);
        let aside = random.random_range(0.26..0.42);
        let mut cover = Field::new(head.side);
        let both = random.random_bool(0.75);
        let first = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        for right in [first, -first].into_iter().take(1 + usize::from(both)) {
            // In the back of a ventricle of this side where there is one.
            let behind = ventricles
                .iter()
                .flatten()
                .map(|&pixel| (head.relative(pixel), pixel))
                .filter(|([at, out], _)| *at > 0.05 && *at < 0.45 && *out * right > 0.12)
                .max_by(|(one, _), (other, _)| one[0].total_cmp(&other[0]));
            let centre = match behind {
                Some((_, pixel)) => {
                    let [row, column] = head.place(pixel);
                    [row - random.random_range(1.0..4.0) * head.scale, column]
                }
                None => head
                    .frame
                    .relative_pixel(along + random.random_range(-0.03..0.03), right * aside),
            };
            let radius = random.random_range(1.0..3.2) * head.scale;
            self.dot(random, &mut cover, centre, radius);
        }
        self.calcium(random, cover, 80.0, 240.0)
    }

    /// A dot in the midline behind the third ventricle.
    pub(super) fn pineal(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        if head.base || head.vertex {
            return false;
        }
        let along = random.random_range(0.04..0.2) * head.frame.half[0];
        let centre =
            head.frame.pixel(along, head.frame.falx(along) + random.random_range(-1.0..1.0));
        let radius = random.random_range(0.9..2.3) * head.scale;
        let mut cover = Field::new(head.side);
        self.dot(random, &mut cover, centre, radius);
        self.calcium(random, cover, 80.0, 220.0)
    }

    /// Faint, uneven patches on both sides, much alike.
    pub(super) fn basal_ganglia(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        if head.base || head.vertex || head.dark_middle().is_empty() {
            return false;
        }
        let along = random.random_range(-0.16..0.02);
        let aside = random.random_range(0.2..0.34);
        let radius = random.random_range(1.5..5.0) * head.scale;
        let mut cover = Field::new(head.side);
        for right in [1.0, -1.0] {
            let along = along + random.random_range(-0.02..0.02);
            let aside = aside + random.random_range(-0.02..0.02);
            let centre = head.frame.relative_pixel(along, right * aside);
            let radius = radius * random.random_range(0.7..1.1);
            self.dot(random, &mut cover, centre, radius);
        }
        let grains = Field::noise(random, head.side, 1.3 * head.scale);
        for (cover, grain) in cover.values.iter_mut().zip(&grains.values) {
            *cover *= (0.65 + 0.35 * grain).clamp(0.1, 1.0);
        }
        self.calcium(random, cover, 58.0, 110.0)
    }

    /// Adds a rounded spot to `cover`.
    pub(super) fn dot(
        &self,
        random: &mut ChaCha8Rng,
        cover: &mut Field,
        centre: [f32; 2],
        radius: f32,
    ) {
        let long = random.random_range(1.0..1.9f32);
        let (sin, cos) = random.random_range(0.0..3.1f32).sin_cos();
        let lumps = Field::noise(random, cover.side, 1.6 * self.head.scale);
        for pixel in self.head.pixels() {
            let [row, column] = self.head.place(pixel);
            let (down, across) = (row - centre[0], column - centre[1]);
            if down.hypot(across) > 2.0 * long * radius + 2.0 {
                continue;
            }
            let (x, y) = ((across * cos + down * sin) / long, down * cos - across * sin);
            let away = x.hypot(y) * (1.0 + 0.2 * lumps.values[pixel]);
            cover.values[pixel] = cover.values[pixel].max((radius - away + 0.5).clamp(0.0, 1.0));
        }
    }

    fn calcium(&mut self, random: &mut ChaCha8Rng, cover: Field, low: f32, high: f32) -> bool {
        let mut density = Density::fresh(random, low, high);
        density.texture = [0.1 * density.hu, 2.0];
        let edge = random.random_range(0.45..0.85) * self.head.scale;
        self.look_alike(random, Paint { cover, edge, density, brightens: true })
    }
}
