//! Blood against the skull, the falx and the tentorium: epidural lenses and subdural crescents.

use hemora_ct::Label;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::math::{Point, dot, lerp, norm, scale, smoothstep, sub};
use crate::noise::Noise;
use crate::skull::VaultPoint;
use crate::tissue::{Sample, Tissue};

/// Radius (mm) that turns directions from the middle of the head into distances on the skull.
const HEAD_RADIUS: f32 = 75.0;
/// Planes of the coronal and lambdoid sutures, in unit coordinates along y.
const SUTURES: [f32; 2] = [-0.33, 0.62];

/// HU of a bleed: evenly fresh, or with older, darker parts.
#[derive(Debug, Clone)]
pub(crate) struct Clot {
    hu: f32,
    old_hu: f32,
    texture: Noise,
    /// mm along y at which old blood gives way to fresh blood, which sinks.
    settled: f32,
}

impl Clot {
    pub(crate) fn new(random: &mut ChaCha8Rng, old: f32) -> Self {
        let hu = random.random_range(56.0..78.0f32);
        let old = random.random_range(0.0..1.0f32) < old;
        let old_hu = if old { random.random_range(28.0..46.0f32) } else { hu - 4.0 };
        let grain = random.random_range(9.0..20.0);
        let texture = Noise::new(random, grain);
        Self { hu, old_hu, texture, settled: random.random_range(-30.0..30.0) }
    }

    pub(crate) fn hu(&self, p: Point) -> f32 {
        let texture = self.texture.at(p);
        let fresh = smoothstep(-14.0, 14.0, p[1] - self.settled + 9.0 * texture);
        lerp(self.old_hu, self.hu, fresh) + 2.2 * texture
    }
}

/// Blood between skull and brain.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    label: Label,
    centre: Point,
    tangents: [Point; 2],
    /// Half extents along the tangents, mm.
    extents: [f32; 2],
    /// Greatest thickness, mm.
    pub(crate) height: f32,
    /// Range of y (unit coordinates) that its sutures leave it.
    between: [f32; 2],
    edge: Noise,
    clot: Clot,
}

impl Collection {
    /// A lens between skull and dura, most often temporal.
    pub(crate) fn epidural(random: &mut ChaCha8Rng) -> Self {
        let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let mut range = |low: f32, high: f32| random.random_range(low..high);
        let centre = match range(0.0, 1.0) {
            pick if pick < 0.65 => [0.95, range(-0.15, 0.25), range(-0.15, 0.35)],
            pick if pick < 0.85 => [0.55, range(-0.85, -0.65), range(0.0, 0.4)],
            _ => [0.6, range(0.1, 0.4), range(0.55, 0.75)],
        };
        let extent = range(17.0, 40.0);
        let height = extent * range(0.3, 0.62);
        Self::new(
            random,
            Label::Epidural,
            [centre[0] * side, centre[1], centre[2]],
            [extent; 2],
            height,
        )
    }

    /// A crescent over one hemisphere.
    pub(crate) fn subdural(random: &mut ChaCha8Rng) -> Self {
        let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let mut range = |low: f32, high: f32| random.random_range(low..high);
        let centre = [0.8 * side, range(-0.45, 0.45), range(0.15, 0.6)];
        let extents = [range(38.0, 95.0), range(30.0, 58.0)];
        // Thin ones are the common and the difficult ones.
        let height = 3.0 + 13.0 * range(0.0, 1.0) * range(0.15, 1.0);
        Self::new(random, Label::Subdural, centre, extents, height)
    }

    fn new(
        random: &mut ChaCha8Rng,
        label: Label,
        centre: Point,
        extents: [f32; 2],
        height: f32,
    ) -> Self {
        let centre = scale(centre, 1.0 / norm(centre));
        let back = scale(centre, centre[1]);
        let along = sub([0.0, 1.0, 0.0], back);
        let along = scale(along, 1.0 / norm(along));
        let across = [
            centre[1] * along[2] - centre[2] * along[1],
            centre[2] * along[0] - centre[0] * along[2],
            centre[0] * along[1] - centre[1] * along[0],
        ];
        let between = match label {
            Label::Epidural if centre[1] < SUTURES[0] => [-2.0, SUTURES[0]],
            Label::Epidural if centre[1] < SUTURES[1] => SUTURES,
            _ => [-2.0, 2.0],
        };
        let old = if label == Label::Subdural { 0.4 } else { 0.1 };
        Self {
            label,
            centre,
            tangents: [along, across],
            extents,
            height,
            between,
            edge: Noise::new(random, 30.0),
            clot: Clot::new(random, old),
        }
    }

    /// mm of blood between skull and brain in the direction of `p`.
    pub(crate) fn thickness(
        &self,
        p: Point,
        vault: VaultPoint,
        above_floor: f32,
        above_tentorium: f32,
    ) -> f32 {
        if dot(vault.unit, self.centre) < 0.15 {
            return 0.0;
        }
        let [u, v] = [0, 1]
            .map(|axis| dot(vault.unit, self.tangents[axis]) * HEAD_RADIUS / self.extents[axis]);
        let mut level2 = u * u + v * v;
        if level2 > 1.2 {
            return 0.0;
        }
        level2 *= 1.0 + 0.1 * self.edge.at(p);
        let profile = if self.label == Label::Epidural {
            // Taut dura: a lens with sharp ends.
            1.0 - level2
        } else {
            (1.0 - level2 * level2) * (1.0 + 0.16 * self.edge.at(p))
        };
        let mm_inside = |value: f32, limit: f32| (value - limit) * HEAD_RADIUS;
        let y = vault.unit[1];
        let sutures = mm_inside(y, self.between[0]).min(-mm_inside(y, self.between[1]));
        let midline = vault.unit[0] * self.centre[0].signum() * HEAD_RADIUS;
        // Dura is fixed at the sutures, the midline, the floor and the tentorium.
        let free = smoothstep(0.0, 5.0, sutures)
            * smoothstep(2.0, 9.0, midline)
            * smoothstep(1.0, 7.0, above_floor)
            * smoothstep(0.0, 6.0, above_tentorium);
        let thickness = self.height * profile * free;
        if thickness < 0.7 { 0.0 } else { thickness }
    }

    pub(crate) fn blood(&self, p: Point) -> Sample {
        Sample::new(self.clot.hu(p), Tissue::Blood(self.label))
    }

    /// Direction (unit coordinates) of its thickest part.
    pub(crate) fn direction(&self) -> Point {
        self.centre
    }
}

/// Subdural blood along the falx or on the tentorium.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    along_falx: bool,
    side: f32,
    width: f32,
    /// Middle and half extent along the sheet (mm): y and z on the falx, x and y on the tentorium.
    middle: [f32; 2],
    extent: [f32; 2],
    edge: Noise,
    clot: Clot,
}

impl Sheet {
    pub(crate) fn new(random: &mut ChaCha8Rng) -> Self {
        let along_falx = random.random_bool(0.6);
        let side = if random.random_bool(0.5) { 1.0 } else { -1.0 };
        let mut range = |low: f32, high: f32| random.random_range(low..high);
        let (middle, extent) = if along_falx {
            ([range(-40.0, 50.0), range(42.0, 66.0)], [range(25.0, 45.0), range(20.0, 35.0)])
        } else {
            ([range(22.0, 34.0), range(34.0, 50.0)], [range(18.0, 28.0), range(16.0, 28.0)])
        };
        let width = range(2.2, 5.5);
        Self {
            along_falx,
            side,
            width,
            middle,
            extent,
            edge: Noise::new(random, 24.0),
            clot: Clot::new(random, 0.1),
        }
    }

    /// mm of blood on the sheet near `p`, and how far `p` is from the dura it lies on.
    fn layer(&self, p: Point, from_midline: f32, above_tentorium: f32) -> (f32, f32) {
        let (away, place) = if self.along_falx {
            (from_midline * self.side, [p[1], p[2]])
        } else {
            (above_tentorium, [p[0] * self.side, p[1]])
        };
        let [u, v] = [0, 1].map(|axis| (place[axis] - self.middle[axis]) / self.extent[axis]);
        let level2 = u * u + v * v;
        let width = self.width * (1.0 - level2 * level2) * (1.0 + 0.3 * self.edge.at(p));
        (width.max(0.0), away)
    }

    /// Blood at `p`, if any; `falx` tells whether the falx is there to lie on.
    pub(crate) fn blood(
        &self,
        p: Point,
        from_midline: f32,
        above_tentorium: f32,
        falx: bool,
    ) -> Option<Sample> {
        if self.along_falx && !falx {
            return None;
        }
        let (width, away) = self.layer(p, from_midline, above_tentorium);
        (away > 0.0 && away < width)
            .then(|| Sample::new(self.clot.hu(p), Tissue::Blood(Label::Subdural)))
    }

    /// How far brain at `p` was moved away from the sheet.
    pub(crate) fn displacement(&self, p: Point, from_midline: f32, above_tentorium: f32) -> Point {
        let (width, away) = self.layer(p, from_midline, above_tentorium);
        if width == 0.0 || away <= 0.0 {
            return [0.0; 3];
        }
        let moved = width * (-away / 25.0).exp();
        if self.along_falx { [self.side * moved, 0.0, 0.0] } else { [0.0, 0.0, moved] }
    }
}
