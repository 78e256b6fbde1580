//! Whether a slice's values can be Hounsfield units of a head.

use crate::Slice;
use crate::clean::count_each;

/// Why the values of a slice can hardly be the HU of a head CT: a wrong rescale, or no head.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HuProblem {
    /// Every CT of a head shows air around it.
    #[error("no air: only {:.1} % of the pixels are below -300 HU", 100.0 * .0)]
    NoAir(f32),
    /// So much tissue without bone.
    #[error("no bone: only {:.1} % of the pixels are above 300 HU", 100.0 * .0)]
    NoBone(f32),
    /// The median of what is not air is far from brain.
    #[error("the median of what is not air is {0:.0} HU, expected -150 to 300 HU")]
    Median(f32),
    /// Brighter than any matter on the widest scale of CT.
    #[error("values of up to {0:.0} HU, and no CT has more than 32767 HU")]
    TooBright(f32),
}

/// Less dense than anything of a head, HU.
const AIR: f32 = -300.0;
/// Denser than anything soft, HU.
const BONE: f32 = 300.0;
/// Denser than lung and fat, mm of partial volume included: not air, HU.
const NOT_AIR: f32 = -200.0;
/// Least fraction of air. Real slices have half of their pixels in air; a head that fills the
/// image still has air beside its corners.
const LEAST_AIR: f32 = 0.005;
/// A slice is judged by its tissue only if this fraction of it is no air: near the vertex and
/// above it, a slice may be all bone, all skin, or nothing.
const SECTION: f32 = 0.25;
/// Least fraction of bone in such a section; real ones have 2 % or more.
const LEAST_BONE: f32 = 0.002;
/// Medians of such sections are −2 to 275 HU in 199 real slices.
const MEDIANS: std::ops::RangeInclusive<f32> = -150.0..=300.0;

/// The highest HU that 16 bits with a sign hold, as the extended scales of the makers do.
const HIGHEST: f32 = 32767.0;
/// What brain, blood and water are within, HU.
const SOFT: std::ops::RangeInclusive<f32> = 0.0..=120.0;
/// Least fraction of such tissue in a slice that shows a head: 10 cm² in a field of 25 cm.
const LEAST_SOFT: f32 = 0.016;

/// Whether a slice shows something of a head at all: soft tissue and bone. Slices above the vertex do
/// not, so this is a question to all slices of a series.
pub fn shows_head(slice: &Slice) -> bool {
    let hu = slice.hu();
    let fraction = |count: u32| count as f32 / hu.len() as f32;
    let [soft, bone] = count_each(
        hu,
        #[inline(always)]
        |hu| [hu >= *SOFT.start() && hu <= *SOFT.end(), hu > BONE && hu <= HIGHEST],
    );
    fraction(soft) >= LEAST_SOFT && fraction(bone) >= LEAST_BONE
}

/// What speaks against the values of `slice` being HU of a head; empty for a plausible slice.
///
/// The limits are wide: of 247 real head CT slices from several scanners none is flagged, among
/// them slices above the vertex and in the neck.
pub fn hu_problems(slice: &Slice) -> Vec<HuProblem> {
    let hu = slice.hu();
    let fraction = |count: u32| count as f32 / hu.len() as f32;
    let [air, body, bone, too_bright, below, up_to] = count_each(
        hu,
        #[inline(always)]
        |hu| {
            let is_body = hu > NOT_AIR;
            let below = is_body & (hu < *MEDIANS.start());
            [hu < AIR, is_body, hu > BONE, hu > HIGHEST, below, is_body & (hu <= *MEDIANS.end())]
        },
    );
    let (air, bone) = (fraction(air), fraction(bone));
    let mut problems = Vec::new();
    if too_bright > 0 {
        problems.push(HuProblem::TooBright(hu.iter().copied().fold(HIGHEST, f32::max)));
    }
    if air < LEAST_AIR {
        problems.push(HuProblem::NoAir(air));
    }
    if fraction(body) < SECTION {
        return problems;
    }
    if bone < LEAST_BONE {
        problems.push(HuProblem::NoBone(bone));
    }
    // Counting says whether the median is within its limits; only one that is not is looked for.
    let middle = body / 2;
    if below > middle || up_to <= middle {
        let mut body: Vec<f32> = hu.iter().copied().filter(|&hu| hu > NOT_AIR).collect();
        let median = *body.select_nth_unstable_by(middle as usize, f32::total_cmp).1;
        problems.push(HuProblem::Median(median));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disc of brain in a ring of bone in air, 64 × 64.
    fn head(change: impl Fn(f32) -> f32) -> Slice {
        let hu = (0..64 * 64).map(|index| {
            let (row, column) = ((index / 64) as f32 - 31.5, (index % 64) as f32 - 31.5);
            change(match row.hypot(column) {
                ..20.0 => 35.0,
                ..23.0 => 900.0,
                _ => -1000.0,
            })
        });
        Slice::new(64, 64, hu.collect(), None).unwrap()
    }

    #[test]
    fn a_head_and_slices_with_little_of_it_are_plausible() {
        assert_eq!(hu_problems(&head(|hu| hu)), []);
        assert_eq!(hu_problems(&head(|_| -1000.0)), []);
        assert_eq!(hu_problems(&head(|hu| if hu > 800.0 { 900.0 } else { -1000.0 })), []);
    }

    #[test]
    fn values_above_the_scale_are_doubted_in_any_slice() {
        let words = head(|hu| if hu < 0.0 { 63_000.0 } else { hu });
        let problems = hu_problems(&words);
        assert!(problems.contains(&HuProblem::TooBright(63_000.0)), "{problems:?}");
        // One pixel in a slice that is all air otherwise.
        let mut hu = vec![-1000.0; 64 * 64];
        hu[70] = 40_000.0;
        let slice = Slice::new(64, 64, hu, None).unwrap();
        assert_eq!(hu_problems(&slice), [HuProblem::TooBright(40_000.0)]);
        assert_eq!(hu_problems(&head(|hu| if hu > 800.0 { 30_000.0 } else { hu })), []);
    }

    #[test]
    fn a_head_shows_and_air_bone_and_water_do_not() {
        assert!(shows_head(&head(|hu| hu)));
        let others: [fn(f32) -> f32; 4] =
            [|_| -1000.0, |_| 0.0, |hu| hu.min(100.0), |hu| hu - 1000.0];
        for change in others {
            assert!(!shows_head(&head(change)));
        }
    }

    #[test]
    fn wrong_rescales_are_told_apart() {
        assert!(matches!(hu_problems(&head(|hu| hu + 1024.0))[..], [HuProblem::NoAir(_), ..]));
        assert!(matches!(hu_problems(&head(|hu| hu * 0.1))[..], [HuProblem::NoAir(_), ..]));
        assert!(matches!(hu_problems(&head(|hu| hu * 10.0))[..], [HuProblem::Median(350.0)]));
        let no_bone = hu_problems(&head(|hu| hu.min(100.0)));
        assert_eq!(no_bone, [HuProblem::NoBone(0.0)]);
        let text = no_bone[0].to_string();
        assert_eq!(text, "no bone: only 0.0 % of the pixels are above 300 HU");
        // Air that was stored modulo 4096 and is not repaired stands above every bone.
        let wrapped = head(|hu| if hu < 0.0 { hu + 4096.0 } else { hu });
        assert!(matches!(hu_problems(&wrapped)[..], [HuProblem::NoAir(_), HuProblem::Median(_)]));
    }
}
