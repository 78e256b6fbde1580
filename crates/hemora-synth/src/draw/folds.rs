//! Subdural blood along the falx and the tentorium.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Paint};
use super::density::Density;
use super::field::Field;
use super::head::HeadSlice;
use crate::math::smoothstep;

impl Canvas<'_> {
    /// Draws subdural blood along part of the falx.
    pub(super) fn falx(&mut self, random: &mut ChaCha8Rng) -> bool {
        let [from, to] = falx_part(random, self.head);
        let thick = random.random_range(1.9..4.5) * self.head.scale;
        let cover = along_falx(random, self.head, [from, to], thick);
        self.fold(random, cover)
    }

    /// Draws subdural blood along one or both leaves of the tentorium, at times with the falx.
    pub(super) fn tentorium(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        if !tentorium_shows(head) {
            return false;
        }
        let right = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let Some(mut cover) = leaf(random, head, right) else { return false };
        if random.random_bool(0.35)
            && let Some(other) = leaf(random, head, -right)
        {
            join(&mut cover, &other);
        }
        if random.random_bool(0.3) {
            let thick = random.random_range(1.6..3.0) * head.scale;
            let start = random.random_range(0.3..0.5);
            join(&mut cover, &along_falx(random, head, [start, 0.98], thick));
        }
        self.fold(random, cover)
    }

    fn fold(&mut self, random: &mut ChaCha8Rng, cover: Field) -> bool {
        let density = Density::fresh(random, 50.0, 70.0);
        let edge = random.random_range(0.55..0.85) * self.head.scale;
        self.bleed(random, Label::Subdural, Paint { cover, edge, density, brightens: true })
    }
}

fn join(cover: &mut Field, other: &Field) {
    cover.values.iter_mut().zip(&other.values).for_each(|(one, other)| *one = one.max(*other));
}

/// Which part of the midline has a falx, in half lengths: where the ventricles show, the front and
/// the back alone.
pub(super) fn falx_part(random: &mut ChaCha8Rng, head: &HeadSlice) -> [f32; 2] {
    if head.base || !head.ventricles().is_empty() || random.random_bool(0.3) {
        return if random.random_bool(0.35) {
            [-0.97, random.random_range(-0.7..-0.45)]
        } else {
            [random.random_range(0.35..0.6), 0.98]
        };
    }
    let from = random.random_range(-0.97..0.2f32);
    let to = (from + random.random_range(0.5..1.6)).min(0.98);
    [from, to]
}

/// A band along the falx, flat on one side, `thick` pixels at its thickest.
pub(super) fn along_falx(
    random: &mut ChaCha8Rng,
    head: &HeadSlice,
    part: [f32; 2],
    thick: f32,
) -> Field {
    let scale = head.scale;
    let right = if random.random_bool(0.5) { 1.0 } else { -1.0 };
    let waves = Field::noise(random, head.side, 9.0 * scale);
    let ripples = Field::noise(random, head.side, 3.0 * scale);
    let [from, to] = part.map(|end| end * head.frame.half[0]);
    // Ends at the skull stay blunt, others taper.
    let taper = |end: f32, at: f32| {
        if end.abs() > 0.9 * head.frame.half[0] { 1.0 } else { smoothstep(0.0, 14.0 * scale, at) }
    };
    let mut cover = Field::new(head.side);
    for pixel in head.pixels() {
        let [row, column] = head.place(pixel);
        let [along, aside] = head.frame.place(row, column);
        if along < from || along > to || aside.abs() > 12.0 * scale {
            continue;
        }
        let ends = taper(from, along - from) * taper(to, to - along);
        let away = (aside - head.frame.falx(along)) * right + 0.35 * thick.min(2.5 * scale);
        let waves = 1.0 + 0.28 * waves.values[pixel] + 0.1 * ripples.values[pixel];
        let width = thick * ends * waves.max(0.15);
        cover.values[pixel] = (width - away + 0.5).min(away + 0.5).clamp(0.0, 1.0);
    }
    cover
}

/// Whether the slice passes below the bodies of the lateral ventricles and not above them.
fn tentorium_shows(head: &HeadSlice) -> bool {
    let middle = |part: &Vec<usize>| {
        let sum = part
            .iter()
            .map(|&pixel| head.relative(pixel))
            .fold([0.0; 2], |sum, place| [sum[0] + place[0], sum[1] + place[1]]);
        sum.map(|sum| sum / part.len() as f32)
    };
    let high =
        || head.ventricles().iter().map(middle).any(|[at, out]| at > -0.1 && out.abs() > 0.12);
    let cistern = || {
        let mut parts = head.dark_middle().iter().map(middle);
        parts.any(|[at, out]| out.abs() < 0.2 && (-0.35..0.45).contains(&at))
    };
    head.base || (!head.vertex && !high() && cistern())
}

/// A leaf of the tentorium, from beside the midbrain outward and back; None where CSF is in its way.
fn leaf(random: &mut ChaCha8Rng, head: &HeadSlice, right: f32) -> Option<Field> {
    let scale = head.scale;
    let mut range = |low: f32, high: f32| random.random_range(low..high);
    let ends = [
        head.frame.relative_pixel(range(0.08, 0.24), right * range(0.14, 0.26)),
        head.frame.relative_pixel(range(0.26, 0.42), right * range(0.36, 0.5)),
        head.frame.relative_pixel(range(0.5, 0.72), right * range(0.5, 0.72)),
    ];
    let thick = range(2.2, 4.8) * scale;
    let start = range(0.0, 0.25);
    let stop = range(0.75, 1.0);
    let waves = Field::noise(random, head.side, 7.0 * scale);
    let curve: Vec<[f32; 2]> = (0..=24)
        .map(|index| {
            let t = start + (stop - start) * index as f32 / 24.0;
            let weights = [(1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t];
            [0, 1].map(|axis| (0..3).map(|end| weights[end] * ends[end][axis]).sum())
        })
        .collect();
    let dark = |p: &&[f32; 2]| head.soft.at(p[0], p[1]) < 0.75 * head.brain;
    if curve.iter().filter(dark).count() > 3 {
        return None;
    }
    let reach = 3.0 * thick;
    let bounds = [0, 1].map(|axis| {
        let values = curve.iter().map(|p| p[axis]);
        [values.clone().fold(f32::MAX, f32::min) - reach, values.fold(f32::MIN, f32::max) + reach]
    });
    let mut cover = Field::new(head.side);
    for pixel in head.pixels() {
        let place = head.place(pixel);
        if (0..2).any(|axis| place[axis] < bounds[axis][0] || place[axis] > bounds[axis][1]) {
            continue;
        }
        let (nearest, at) = (0..curve.len())
            .map(|at| ((place[0] - curve[at][0]).hypot(place[1] - curve[at][1]), at))
            .min_by(|one, other| one.0.total_cmp(&other.0))
            .expect("the curve has points");
        let [_, aside] = head.frame.place(place[0], place[1]);
        let [_, curve_aside] = head.frame.place(curve[at][0], curve[at][1]);
        let lateral = (aside - curve_aside) * right > 0.0;
        let t = at as f32 / 24.0;
        let width = thick * (1.0 - (2.0 * t - 1.0).powi(2)).max(0.0).sqrt();
        let width = width * (1.0 + 0.25 * waves.values[pixel]).max(0.2);
        // The leaf slopes outward through the slice: sharp toward the middle, hazy outward.
        cover.values[pixel] = if lateral {
            (1.0 - (nearest - 0.5 * width) / (0.6 * thick)).clamp(0.0, 1.0) * width.min(1.0)
        } else {
            (0.35 * width - nearest + 0.5).clamp(0.0, 1.0)
        };
    }
    Some(cover)
}
