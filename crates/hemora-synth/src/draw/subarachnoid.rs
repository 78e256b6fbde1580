//! Blood in the subarachnoid space: in sulci, fissures and cisterns.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, Paint};
use super::density::Density;
use super::field::Field;
use super::head::HeadSlice;
use super::mask;
use crate::math::smoothstep;

/// Nearest to bone that it is drawn, pixels at a side of 256.
const FROM_BONE: f32 = 3.0;
/// Share of bone and air in the neighbourhood from which on a place may be mastoid or skull base.
const BONY: [f32; 2] = [0.22, 0.34];
/// Pixels of a picture 256 wide below which a dark place is noise.
const SPECK: f32 = 11.0;
/// Grey values of bone and of air.
const AIR_TO_BONE: [f32; 2] = [1.0, 245.0];

impl Canvas<'_> {
    /// Draws blood into the dark, thin spaces of a region; where the brain is tight, along sulci
    /// too narrow to be seen.
    pub(super) fn subarachnoid(&mut self, random: &mut ChaCha8Rng) -> bool {
        let head = self.head;
        let region = region(random, head);
        let allowed = allowed(head);
        let fine = head.grey.clone().blurred(0.8 * head.scale);
        let mut cover = Field::new(head.side);
        for pixel in head.pixels() {
            let share = region.values[pixel] * allowed.values[pixel];
            if share <= 0.0 {
                continue;
            }
            let darker = head.surround.values[pixel] - fine.values[pixel];
            // The darker of two scales: noise is dark in one pixel, a sulcus in several.
            let steady = head.surround.values[pixel] - head.soft.values[pixel];
            let grain = head.noise.deviation;
            let dark = smoothstep(5.0 + 0.5 * grain, 18.0 + 0.5 * grain, darker)
                * smoothstep(3.0 + 0.3 * grain, 11.0 + 0.4 * grain, steady);
            cover.values[pixel] = share * dark;
        }
        let mut density = Density::fresh(random, 42.0, 66.0);
        density.texture = [random.random_range(2.0..5.0), random.random_range(3.0..8.0)];
        let mut edge = random.random_range(0.4..0.75) * head.scale;
        if keep_lines(&mut cover, head.scale) < 40.0 * head.scale * head.scale {
            if head.base || random.random_bool(0.3) {
                return false;
            }
            narrow_sulci(random, head, &region, &allowed, &mut cover);
            // Brain on both sides of a narrow sulcus shares its pixels.
            density.hu = random.random_range(42.0..54.0);
            edge += 0.35 * head.scale;
        }
        let cover = Field {
            values: cover.values.iter().map(|value| (1.5 * value).min(1.0)).collect(),
            ..cover
        };
        self.bleed(random, Label::Subarachnoid, Paint { cover, edge, density, brightens: true })
    }
}

/// Drops specks, which are noise rather than sulci; returns the sum of what is left.
fn keep_lines(cover: &mut Field, scale: f32) -> f32 {
    let seen: Vec<bool> = cover.values.iter().map(|&value| value > 0.3).collect();
    let mut kept = mask::parts(&seen, cover.side);
    kept.retain(|part| part.len() as f32 >= SPECK * scale * scale);
    let kept = mask::from_pixels(&kept.concat(), cover.side);
    let kept = mask::grown(&kept, cover.side, 1);
    cover.values.iter_mut().zip(kept).filter(|(_, kept)| !kept).for_each(|(value, _)| *value = 0.0);
    cover.values.iter().sum()
}

/// Where the blood has spread: a patch of the surface, the base around the midbrain, or a side.
fn region(random: &mut ChaCha8Rng, head: &HeadSlice) -> Field {
    let scale = head.scale;
    let mut range = |low: f32, high: f32| random.random_range(low..high);
    let kind = range(0.0, 1.0);
    let side = if range(0.0, 1.0) < 0.5 { 1.0 } else { -1.0 };
    let (centre, radii) = if kind < 0.6 {
        let (sin, cos) = range(-3.1, 3.1).sin_cos();
        (head.frame.relative_pixel(0.8 * sin, 0.8 * cos), [range(15.0, 55.0), range(12.0, 40.0)])
    } else if kind < 0.82 {
        let centre = head.frame.relative_pixel(range(-0.3, 0.1), range(-0.15, 0.15));
        (centre, [range(22.0, 50.0), range(22.0, 50.0)])
    } else {
        let centre = head.frame.relative_pixel(range(-0.3, 0.3), side * 0.5);
        (centre, [range(50.0, 80.0), range(30.0, 50.0)])
    };
    let border = Field::noise(random, head.side, 8.0 * scale);
    let patchy = Field::noise(random, head.side, 10.0 * scale);
    let thin = random.random_range(-1.8..-0.1);
    let mut region = Field::new(head.side);
    for pixel in head.pixels() {
        let [row, column] = head.place(pixel);
        let [along, aside] = head.frame.place(row, column);
        let [centre_along, centre_aside] = head.frame.place(centre[0], centre[1]);
        let away = ((along - centre_along) / (radii[0] * scale))
            .hypot((aside - centre_aside) / (radii[1] * scale));
        // Some sulci of a region fill and others do not.
        let filled = smoothstep(thin - 0.3, thin + 0.3, patchy.values[pixel]);
        let within = smoothstep(1.1, 0.8, away + 0.2 * border.values[pixel]);
        region.values[pixel] = within * filled;
    }
    region
}

/// Where the space may be: away from bone, from air cells and from the ventricles.
fn allowed(head: &HeadSlice) -> Field {
    let [air, bone] = AIR_TO_BONE;
    let hard: Vec<bool> =
        head.grey.values.iter().map(|&value| value < air || value >= bone).collect();
    let hard = Field::from_mask(head.side, &hard).boxed((6.0 * head.scale).round() as usize);
    // Near the base, the wide dark parts are the cisterns, where the blood is.
    let wide = if head.base { head.ventricles() } else { head.dark_middle().to_vec() };
    let ventricles = mask::from_pixels(&wide.concat(), head.side);
    let ventricles = mask::grown(&ventricles, head.side, (3.0 * head.scale).round() as usize);
    let mut allowed = Field::new(head.side);
    // Where slit ventricles would be as thin as sulci.
    let slit = |pixel: usize| {
        let [along, aside] = head.relative(pixel);
        !head.base && !head.vertex && aside.abs() < 0.2 && (-0.35..0.08).contains(&along)
    };
    for pixel in head.pixels().filter(|&pixel| !ventricles[pixel] && !slit(pixel)) {
        let from_bone = head.depth.values[pixel] / head.scale;
        allowed.values[pixel] = smoothstep(BONY[1], BONY[0], hard.values[pixel])
            * smoothstep(FROM_BONE - 0.5, FROM_BONE + 0.5, from_bone);
    }
    allowed
}

/// Adds winding lines near the surface, as wide apart as gyri.
fn narrow_sulci(
    random: &mut ChaCha8Rng,
    head: &HeadSlice,
    region: &Field,
    allowed: &Field,
    cover: &mut Field,
) {
    let scale = head.scale;
    let winding = Field::noise(random, head.side, 4.5 * scale);
    let strength = random.random_range(0.6..1.0);
    let deepest = random.random_range(12.0..22.0) * scale;
    let wide = random.random_range(0.22..0.4);
    for pixel in head.pixels() {
        let depth = head.depth.values[pixel];
        let line = smoothstep(wide, 0.4 * wide, winding.values[pixel].abs());
        let band = smoothstep(deepest, 0.6 * deepest, depth);
        let share = strength * line * band * region.values[pixel] * allowed.values[pixel];
        cover.values[pixel] = cover.values[pixel].max(share);
    }
}
