//! The ventricular system: lateral ventricles with their horns, third and fourth ventricle, and
//! the calcifications beside them that look like blood.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::math::{Point, ellipsoid, folded, lerp, norm, sub};
use crate::noise::Noise;
use crate::tissue::{Sample, Tissue, Ventricle};

/// Course of the lateral ventricle on the left: points (mm) and radii (mm), frontal horn to
/// occipital horn.
const COURSE: [([f32; 3], f32); 7] = [
    ([13.5, -35.0, 17.0], 1.6),
    ([9.0, -22.0, 20.5], 3.4),
    ([5.5, -5.0, 25.0], 3.7),
    ([9.5, 13.0, 31.0], 4.0),
    ([20.0, 30.0, 27.0], 4.8),
    ([26.0, 37.0, 17.0], 5.4),
    ([25.0, 61.0, 12.0], 1.4),
];
/// The temporal horn, from the atrium on.
const TEMPORAL: [([f32; 3], f32); 3] =
    [([26.0, 37.0, 17.0], 4.6), ([34.0, 21.0, -2.0], 1.7), ([31.0, -3.0, -12.0], 1.3)];
/// Heights shrink by this much before distances are taken: sections are taller than wide.
const FLATTENING: f32 = 0.72;

/// Ventricles and their calcifications.
#[derive(Debug, Clone)]
pub(crate) struct Ventricles {
    /// Radius relative to a young adult's, per side: right, left.
    pub(crate) size: [f32; 2],
    course: [[([f32; 3], f32); 7]; 2],
    third_half_width: f32,
    fourth: f32,
    wall: Noise,
    plexus: [f32; 2],
    plexus_hu: f32,
    pineal: f32,
    pineal_at: Point,
}

impl Ventricles {
    pub(crate) fn new(random: &mut ChaCha8Rng, atrophy: f32) -> Self {
        let size = lerp(0.7, 1.7, atrophy) * random.random_range(0.85..1.2);
        let mut vary = |spread: f32| random.random_range(-spread..spread);
        let sizes = [size * (1.0 + vary(0.15)), size * (1.0 + vary(0.15))];
        let mut course = [COURSE; 2];
        for side in &mut course {
            for (point, radius) in side.iter_mut() {
                for value in point.iter_mut() {
                    *value += vary(1.2);
                }
                *radius *= 1.0 + vary(0.15);
            }
            // Occipital horns differ most from person to person.
            side[6].0[1] += vary(6.0);
        }
        let mut calcified = |low: f32, high: f32| random.random_range(low..high).max(0.0);
        Self {
            size: sizes,
            course,
            third_half_width: calcified(0.5, 1.2) * size.max(0.8) * 1.6,
            fourth: calcified(0.8, 1.2),
            plexus: [calcified(-2.0, 3.6), calcified(-2.0, 3.6)],
            plexus_hu: calcified(90.0, 320.0),
            pineal: calcified(-1.0, 3.2),
            pineal_at: [calcified(0.0, 1.4) - 0.7, 25.0, 7.0],
            wall: Noise::new(random, 14.0),
        }
    }

    /// Makes all ventricles wider by `factor`, as blood in them does.
    pub(crate) fn dilate(&mut self, factor: f32) {
        self.size.iter_mut().for_each(|size| *size *= factor);
        self.third_half_width *= factor;
        self.fourth *= factor.sqrt();
    }

    /// The lowest point of a lateral ventricle of a lying patient along `down`, mm. `side` is 0 on
    /// the right, 1 on the left.
    pub(crate) fn lowest(&self, side: usize, down: Point) -> f32 {
        let sign = if side == 1 { 1.0 } else { -1.0 };
        self.course[side]
            .iter()
            .map(|&([x, y, z], radius)| {
                crate::math::dot([sign * x, y, z], down) + radius * self.size[side]
            })
            .fold(f32::MIN, f32::max)
    }

    /// The nearest ventricle and the depth inside of it (mm, negative outside), or nothing far
    /// from all of them.
    pub(crate) fn at(&self, p: Point) -> Option<(Ventricle, f32)> {
        if p[0].abs() > 52.0 || !(-60.0..76.0).contains(&p[1]) || !(-42.0..50.0).contains(&p[2]) {
            return None;
        }
        let fourth = {
            let narrow = self.fourth * lerp(1.0, 0.6, ((p[1] - 28.0) / 12.0).clamp(0.0, 1.0));
            ellipsoid(p, [0.0, 33.0, -21.0], [7.5 * narrow, 5.0 * self.fourth, 9.5])
        };
        let third = ellipsoid(p, [0.0, 4.0, 7.5], [self.third_half_width, 14.0, 10.0]);
        let side = usize::from(p[0] > 0.0);
        let lateral = self.lateral(folded(p), side) + 0.5 * self.wall.at(p);
        // The septum pellucidum parts the two sides.
        let lateral = lateral.min(p[0].abs() - 0.7);
        let (mut part, mut depth) =
            (if side == 1 { Ventricle::Left } else { Ventricle::Right }, lateral);
        if third > depth {
            (part, depth) = (Ventricle::Third, third);
        }
        if fourth > depth {
            (part, depth) = (Ventricle::Fourth, fourth);
        }
        Some((part, depth))
    }

    fn lateral(&self, left: Point, side: usize) -> f32 {
        let size = self.size[side];
        let chain = |nodes: &[([f32; 3], f32)]| {
            nodes
                .windows(2)
                .map(|ends| {
                    let flat = |p: Point| [p[0], p[1], p[2] * FLATTENING];
                    let (distance, t) =
                        crate::math::segment(flat(left), flat(ends[0].0), flat(ends[1].0));
                    lerp(ends[0].1, ends[1].1, t) * size - distance
                })
                .fold(f32::MIN, f32::max)
        };
        chain(&self.course[side]).max(chain(&TEMPORAL))
    }

    /// Calcified pineal gland or choroid plexus at `p`, if any.
    pub(crate) fn calcification(&self, p: Point) -> Option<Sample> {
        let near_plexus = norm(sub(folded(p), [24.0, 36.0, 18.0]));
        let near_pineal = norm(sub(p, self.pineal_at));
        let plexus = self.plexus[usize::from(p[0] > 0.0)];
        let grain = || 30.0 * self.wall.at([p[0] * 4.0, p[1] * 4.0, p[2] * 4.0]);
        if near_plexus < plexus || near_pineal < self.pineal {
            return Some(Sample::new(self.plexus_hu + grain(), Tissue::Calcification));
        }
        None
    }

    /// Soft choroid plexus, a little denser than brain, in the atria.
    pub(crate) fn plexus_tissue(&self, p: Point) -> bool {
        norm(sub(folded(p), [24.0, 35.0, 18.5])) < 3.4 + 0.8 * self.wall.at(p)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_part_is_where_it_belongs() {
        for seed in 0..10 {
            let ventricles = Ventricles::new(&mut ChaCha8Rng::seed_from_u64(seed), 0.7);
            let inside =
                |p| ventricles.at(p).filter(|(_, depth)| *depth > 0.0).map(|(part, _)| part);
            assert_eq!(inside([9.0, -20.0, 20.5]), Some(Ventricle::Left), "seed {seed}");
            assert_eq!(inside([-9.0, -20.0, 20.5]), Some(Ventricle::Right), "seed {seed}");
            assert_eq!(inside([0.0, 4.0, 7.0]), Some(Ventricle::Third), "seed {seed}");
            assert_eq!(inside([0.0, 33.0, -21.0]), Some(Ventricle::Fourth), "seed {seed}");
            assert_eq!(inside([45.0, 0.0, 30.0]), None, "seed {seed}");
        }
    }

    #[test]
    fn dilated_ventricles_contain_the_narrow_ones() {
        let narrow = Ventricles::new(&mut ChaCha8Rng::seed_from_u64(4), 0.2);
        let mut wide = narrow.clone();
        wide.dilate(1.5);
        let depth = |v: &Ventricles, p| v.at(p).map_or(-1.0, |(_, depth)| depth);
        for p in [[9.0, -20.0, 20.0], [0.0, 4.0, 7.0], [0.0, 33.0, -21.0], [26.0, 38.0, 17.0]] {
            assert!(depth(&wide, p) >= depth(&narrow, p), "{p:?}");
        }
    }
}
