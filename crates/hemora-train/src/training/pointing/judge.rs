//! Whether the maximum of a map lies where a label does.

use hemora_ct::{Label, Plane, peak, resize};
use serde::{Deserialize, Serialize};

/// What tells where a label lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Origin {
    /// Annotated pixels.
    Masks,
    /// Regions in which the label lies somewhere.
    Boxes,
    /// Pixels into which a bleed was drawn.
    Drawn,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Masks => "masks",
            Self::Boxes => "boxes",
            Self::Drawn => "drawn",
        })
    }
}

/// Where a label lies in a square picture, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) origin: Origin,
    /// Height and width, pixels.
    pub(super) side: usize,
    /// Pixels in which the maximum is a hit, at least one.
    pub(super) pixels: Vec<bool>,
    /// Pixels outside `pixels` of which nobody knows whether they have the label; empty: none.
    pub(super) unknown: Vec<bool>,
}

/// What became of a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    /// Whether its maximum lies in the target.
    pub(super) hit: bool,
    /// How far the maximum lies from the nearest pixel of the target, as a part of the picture's side.
    pub(super) distance: f64,
    /// Whether it lies where the label is not known: a miss, but perhaps no wrong one.
    pub(super) on_unknown: bool,
    /// Overlap of the pixels with a probability of at least 0.5 with the target, where all pixels are
    /// known and the target is exact.
    pub(super) dice: Option<f64>,
}

impl Target {
    /// Where an annotation of a picture of `side` pixels says that a label lies: where it is present; or
    /// of an image that has it, the pixels in which it is not known, if these are less than half of the
    /// picture. `present` and `unknown` have one bit a label of each pixel.
    pub(super) fn annotated(
        side: usize,
        (present, unknown): (&[u8], &[u8]),
        label: Label,
        image_has_it: bool,
    ) -> Option<Self> {
        let has = |bits: &[u8]| -> Vec<bool> {
            bits.iter().map(|bits| bits & (1 << label.index()) != 0).collect()
        };
        let (present, unknown) = (has(present), has(unknown));
        if present.contains(&true) {
            return Some(Self { origin: Origin::Masks, side, pixels: present, unknown });
        }
        let within = unknown.iter().filter(|unknown| **unknown).count();
        let is_box = image_has_it && within > 0 && 2 * within < unknown.len();
        let (origin, pixels, unknown) = (Origin::Boxes, unknown, Vec::new());
        is_box.then_some(Self { origin, side, pixels, unknown })
    }

    /// Where a bleed was drawn: in pixels of which it covers at least half. `None` if there are none.
    pub(super) fn drawn(side: usize, covered: &[f32]) -> Option<Self> {
        let pixels: Vec<bool> = covered.iter().map(|part| *part >= 0.5).collect();
        let is_there = pixels.contains(&true);
        is_there.then_some(Self { origin: Origin::Drawn, side, pixels, unknown: Vec::new() })
    }

    /// Judges a map of log odds: its maximum as triage reports it, and what it covers after it is resized to
    /// the picture by linear interpolation.
    pub(super) fn judge(&self, map: &Plane) -> Verdict {
        let pixel = |at: f64, count: usize| {
            let pixel = (at + 0.5) / count as f64 * self.side as f64 - 0.5;
            (pixel.round().max(0.0) as usize).min(self.side - 1)
        };
        let [row, column] = peak(map).unwrap_or_default();
        let peak = pixel(row, map.rows) * self.side + pixel(column, map.columns);
        let map = resize(map, self.side, self.side);
        let is_exact = self.origin != Origin::Boxes && !self.unknown.contains(&true);
        Verdict {
            hit: self.pixels[peak],
            distance: self.distance(peak) / self.side as f64,
            on_unknown: !self.pixels[peak] && self.unknown.get(peak) == Some(&true),
            dice: is_exact.then(|| dice(&map.values, &self.pixels)),
        }
    }

    /// Pixels from a pixel to the nearest one of the target.
    fn distance(&self, from: usize) -> f64 {
        let place = |at: usize| [at / self.side, at % self.side];
        let [row, column] = place(from);
        let squared = |at: usize| {
            let [other_row, other_column] = place(at);
            other_row.abs_diff(row).pow(2) + other_column.abs_diff(column).pow(2)
        };
        let inside = self.pixels.iter().enumerate().filter(|(_, inside)| **inside);
        let nearest = inside.map(|(at, _)| squared(at)).min();
        (nearest.expect("a target has a pixel") as f64).sqrt()
    }
}

/// Dice coefficient of the pixels with log odds from 0 and those of a target that is not empty.
fn dice(log_odds: &[f32], target: &[bool]) -> f64 {
    let (mut both, mut sum) = (0usize, 0usize);
    for (odds, &target) in log_odds.iter().zip(target) {
        let found = *odds >= 0.0;
        both += usize::from(found && target);
        sum += usize::from(found) + usize::from(target);
    }
    2.0 * both as f64 / sum as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 8;
    const BIT: u8 = 1 << Label::Subdural as u8;

    /// A map of 8 × 8 that is -4 but for some pixels.
    fn map(pixels: &[(usize, usize, f32)]) -> Plane {
        let mut values = vec![-4.0; SIDE * SIDE];
        for (row, column, value) in pixels {
            values[row * SIDE + column] = *value;
        }
        Plane { rows: SIDE, columns: SIDE, values }
    }

    fn bits(pixels: &[(usize, usize)]) -> Vec<u8> {
        let mut bits = vec![0; SIDE * SIDE];
        pixels.iter().for_each(|(row, column)| bits[row * SIDE + column] = BIT);
        bits
    }

    fn target(present: &[(usize, usize)], unknown: &[(usize, usize)]) -> Option<Target> {
        let (present, unknown) = (bits(present), bits(unknown));
        Target::annotated(SIDE, (&present, &unknown), Label::Subdural, true)
    }

    #[test]
    fn a_maximum_on_the_label_hits_and_another_is_as_far_as_the_nearest_pixel() {
        let target = target(&[(2, 3), (2, 4)], &[]).unwrap();
        assert_eq!(target.origin, Origin::Masks);
        let hit = target.judge(&map(&[(2, 4, 1.0), (7, 7, 0.5)]));
        assert!(hit.hit && !hit.on_unknown);
        assert_eq!(hit.distance, 0.0);
        // One of the label's two pixels is found, and one beside them.
        assert_eq!(hit.dice, Some(0.5));
        let miss = target.judge(&map(&[(5, 0, 2.0), (2, 3, 1.0)]));
        assert!(!miss.hit);
        assert_eq!(miss.distance * SIDE as f64, 18f64.sqrt());
        assert_eq!(target.judge(&map(&[])).dice, Some(0.0));
        // Of another label nothing is said.
        let (present, unknown) = (bits(&[(2, 3)]), bits(&[]));
        assert_eq!(Target::annotated(SIDE, (&present, &unknown), Label::Epidural, true), None);
    }

    #[test]
    fn of_ties_the_first_counts_and_a_flat_map_points_at_a_corner() {
        let target = target(&[(0, 1), (6, 6)], &[]).unwrap();
        assert!(target.judge(&map(&[(0, 1, 1.0), (5, 5, 1.0)])).hit);
        assert!(!target.judge(&map(&[(5, 5, 1.0), (6, 6, 1.0)])).hit);
        let flat = target.judge(&map(&[]));
        assert!(!flat.hit);
        assert_eq!(flat.distance * SIDE as f64, 1.0);
    }

    #[test]
    fn a_coarse_map_is_laid_over_the_whole_picture() {
        // The cell of row 1 and column 0 of 2 × 2 fills the lower left quarter.
        let coarse = Plane { rows: 2, columns: 2, values: vec![-1.0, -1.0, 3.0, -1.0] };
        assert!(target(&[(6, 2)], &[]).unwrap().judge(&coarse).hit);
        let upper = target(&[(1, 7)], &[]).unwrap().judge(&coarse);
        assert!(!upper.hit && upper.distance > 0.5);
    }

    #[test]
    fn where_a_label_is_not_known_misses_are_marked_and_overlaps_are_not() {
        let target = target(&[(1, 1)], &[(4, 4)]).unwrap();
        let verdict = target.judge(&map(&[(4, 4, 1.0)]));
        assert!(!verdict.hit && verdict.on_unknown);
        assert_eq!(verdict.dice, None);
        assert!(!target.judge(&map(&[(4, 5, 1.0)])).on_unknown);
    }

    #[test]
    fn boxes_are_unknown_pixels_of_a_label_that_the_image_has() {
        let inside = [(3, 3), (3, 4), (4, 3), (4, 4)];
        let boxed = target(&[], &inside).unwrap();
        assert_eq!(boxed.origin, Origin::Boxes);
        let hit = boxed.judge(&map(&[(4, 3, 1.0)]));
        assert!(hit.hit && !hit.on_unknown);
        assert_eq!(hit.dice, None);
        assert!(!boxed.judge(&map(&[(5, 3, 1.0)])).hit);
        let unknown = bits(&inside);
        let nothing = bits(&[]);
        let of = |unknown: &[u8], has| {
            Target::annotated(SIDE, (&nothing, unknown), Label::Subdural, has)
        };
        assert_eq!(of(&unknown, false), None);
        assert_eq!(of(&nothing, true), None);
        // Half of the picture says nothing.
        let half = [[BIT; SIDE * SIDE / 2], [0; SIDE * SIDE / 2]].concat();
        assert_eq!(of(&half, true), None);
    }

    #[test]
    fn drawn_pixels_are_those_that_are_half_covered() {
        let mut covered = vec![0.0; SIDE * SIDE];
        covered[9] = 0.4;
        assert_eq!(Target::drawn(SIDE, &covered), None);
        covered[10] = 0.5;
        let drawn = Target::drawn(SIDE, &covered).unwrap();
        assert_eq!(drawn.origin, Origin::Drawn);
        let verdict = drawn.judge(&map(&[(1, 2, 1.0)]));
        assert_eq!((verdict.hit, verdict.dice), (true, Some(1.0)));
    }
}
