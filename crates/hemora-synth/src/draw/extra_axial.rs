//! Blood against the inner table: epidural lenses and subdural crescents of the convexity.

use std::f32::consts::{FRAC_PI_2, PI};

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::canvas::{Canvas, FRESH, Paint};
use super::density::Density;
use super::field::Field;
use super::head::HeadSlice;
use super::mask;
use crate::math::smoothstep;

/// Thickness (pixels at a side of 256) from which on blood pushes brain inward.
const PUSHES: f32 = 4.0;

impl Canvas<'_> {
    /// Draws an epidural lens.
    pub(super) fn epidural(&mut self, random: &mut ChaCha8Rng) -> bool {
        let Some(thickness) = lens(random, self.head) else { return false };
        let mut density = Density::fresh(random, 50.0, 76.0);
        if random.random_bool(0.25) {
            // Still bleeding: unclotted, darker parts.
            density.hu = random.random_range(46.0..62.0);
            density.texture = [random.random_range(4.0..8.0), 9.0];
        }
        self.along_table(random, Label::Epidural, &thickness, density)
    }

    /// Draws a subdural crescent along the convexity.
    pub(super) fn crescent(&mut self, random: &mut ChaCha8Rng) -> bool {
        let density = subdural_density(random);
        // Old blood has had the time to gather; a thin dark rim would be CSF.
        let least = if density.hu < FRESH { 6.0 } else { 2.8 };
        let thickness = crescent(random, self.head, least);
        self.along_table(random, Label::Subdural, &thickness, density)
    }

    /// Draws blood that reaches `thickness` pixels inward from the inner table.
    fn along_table(
        &mut self,
        random: &mut ChaCha8Rng,
        label: Label,
        thickness: &Field,
        density: Density,
    ) -> bool {
        let head = self.head;
        let scale = head.scale;
        // Into the bone a little, so that no dark seam is left between it and the blood.
        let near = mask::grown(&head.inside, head.side, (3.0 * scale).round() as usize);
        let mut cover = Field::new(head.side);
        let mut thickest = 0f32;
        for (pixel, cover) in cover.values.iter_mut().enumerate() {
            let thick = thickness.values[pixel];
            if near[pixel] && thick > 0.0 {
                // Within bone the depth is 0: there the share alone thins out the ends.
                let share = (thick / 1.2).min(1.0);
                *cover = share * (thick - head.depth.values[pixel] + 0.5).clamp(0.0, 1.0);
                thickest = thickest.max(thick);
            }
        }
        // Near the base, bone on all sides leaves brain nowhere to go.
        if thickest > PUSHES * scale && !head.base && random.random_bool(0.8) {
            self.push_inward(thickness);
        }
        // Old blood has membranes and slopes; fresh blood has a sharper edge.
        let soft = if density.hu < FRESH { 0.5 } else { 0.0 };
        let edge = (random.random_range(0.6..1.2) + soft) * scale;
        self.bleed(random, label, Paint { cover, edge, density, brightens: false })
    }
}

/// Mostly fresh, often mixed, in one of ten old and as dark as brain or darker.
fn subdural_density(random: &mut ChaCha8Rng) -> Density {
    match random.random_range(0.0..1.0) {
        kind if kind < 0.6 => Density::fresh(random, 50.0, 75.0),
        kind if kind < 0.9 => Density {
            hu: random.random_range(44.0..62.0),
            texture: [random.random_range(4.0..9.0), random.random_range(6.0..12.0)],
            settled: random.random_range(0.0..20.0),
        },
        _ => Density {
            hu: random.random_range(15.0..FRESH),
            texture: [random.random_range(0.8..3.0), 8.0],
            settled: random.random_range(0.0..10.0),
        },
    }
}

/// Thickness of a lens over a random place of the inner table.
fn lens(random: &mut ChaCha8Rng, head: &HeadSlice) -> Option<Field> {
    let rim: Vec<usize> = head.pixels().filter(|&pixel| head.depth.values[pixel] <= 1.6).collect();
    let slope = head.depth.clone().blurred(3.0 * head.scale);
    let (at, inward) = (0..20).find_map(|_| {
        let pixel = rim.get(random.random_range(0..rim.len().max(1)))?;
        let [row, column] = head.place(*pixel);
        let down = slope.at(row + 2.0, column) - slope.at(row - 2.0, column);
        let across = slope.at(row, column + 2.0) - slope.at(row, column - 2.0);
        let length = down.hypot(across);
        let inward = [down / length, across / length];
        // On a spur of bone, brain does not lie further in.
        let deep = 12.0 * head.scale;
        let clear = head.holds(row + inward[0] * deep, column + inward[1] * deep, 0.6 * deep);
        (length > 0.5 && clear).then_some(([row, column], inward))
    })?;
    let scale = head.scale;
    let half = 7.0 * (44.0f32 / 7.0).powf(random.random_range(0.0..1.0)) * scale;
    let radius = 1.1 * (head.frame.half[0] + head.frame.half[1]) / 2.0;
    // Thicker than the arc of the skull is high, so that the inner border bulges inward.
    let arc = half * half / (2.0 * radius);
    let low = (1.45 * arc).max(0.24 * half).max(2.8 * scale);
    // Not through all of a narrow fossa.
    let deepest = (0..30).map(|step| {
        let step = step as f32 * 1.5 * scale;
        head.depth.at(at[0] + inward[0] * step, at[1] + inward[1] * step)
    });
    let room = 0.55 * deepest.fold(0.0, f32::max);
    let high = (0.62 * half).max(low + 1.0).min(22.0 * scale).max(low + 0.1);
    let height = random.random_range(low..high).min(room);
    let skew = random.random_range(-0.25..0.25f32);
    let rough = Field::noise(random, head.side, 7.0 * scale);
    let sharp = random.random_range(0.85..1.15f32);
    let middle = [at[0] + inward[0] * radius, at[1] + inward[1] * radius];
    Some(Field::from_fn(head.side, |row, column| {
        let (down, across) = (row - at[0], column - at[1]);
        if down.hypot(across) > 1.2 * half + height {
            return 0.0;
        }
        let (down, across) = (row - middle[0], column - middle[1]);
        let out = -(down * inward[0] + across * inward[1]);
        let aside = down * inward[1] - across * inward[0];
        let angle = aside.atan2(out);
        if angle.abs() > FRAC_PI_2 {
            return 0.0;
        }
        let t = angle * radius / half;
        let shape = (1.0 - t * t).max(0.0).powf(sharp) * (1.0 + skew * t);
        let bumps = 0.06 * height + 0.3 * scale;
        let rough = rough.values[row as usize * head.side + column as usize];
        (height * shape + bumps * rough * shape.min(1.0)).max(0.0)
    }))
}

/// Thickness of a crescent along one side, seldom along both, at the thickest place `least` pixels of
/// a picture 256 wide or more.
fn crescent(random: &mut ChaCha8Rng, head: &HeadSlice, least: f32) -> Field {
    let scale = head.scale;
    let sides = [random.random_bool(0.5), random.random_bool(0.1)];
    let mut arcs = Vec::new();
    for on_right in [sides[0], !sides[0]].into_iter().take(1 + usize::from(sides[1])) {
        let middle = if on_right { 0.0 } else { PI } + random.random_range(-0.9..0.9f32);
        let half = random.random_range(0.5..1.6f32);
        let height = least * (14.0f32 / least).powf(random.random_range(0.0..1.0f32)) * scale;
        // Long thick ones are common, short thick ones would be lenses.
        let most = if head.base { 6.0 } else { 9.0 * half };
        let height = height.min(most * scale).max(least * scale);
        let power = random.random_range(0.35..0.8f32);
        let lean = random.random_range(-0.5..0.5f32);
        arcs.push((on_right, middle, half, height, power, lean));
    }
    let waves = Field::noise(random, head.side, 12.0 * scale);
    let ripples = Field::noise(random, head.side, 5.0 * scale);
    Field::from_fn(head.side, |row, column| {
        let [along, aside] = head.frame.relative(row, column);
        // Near the base, spurs of bone reach far in; blood follows the vault.
        if head.base && along.hypot(aside) < 0.6 {
            return 0.0;
        }
        let pixel = row as usize * head.side + column as usize;
        let angle = along.atan2(aside);
        let mut thick = 0f32;
        for &(on_right, middle, half, height, power, lean) in &arcs {
            let side = if on_right { aside } else { -aside };
            let turn = angle - middle;
            let t = (turn - (turn / (2.0 * PI)).round() * 2.0 * PI) / half;
            if t.abs() >= 1.0 || side <= 0.0 {
                continue;
            }
            let shape = (1.0 - t * t).powf(power) * (1.0 + lean * t);
            let varied = 1.0 + 0.25 * waves.values[pixel] + 0.05 * ripples.values[pixel];
            // The falx ends it.
            let stop = smoothstep(0.02, 0.14, side);
            thick = thick.max(height * shape * varied.max(0.2) * stop);
        }
        thick
    })
}
