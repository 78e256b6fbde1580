//! A scale of grey in which every grey is equally frequent (`hist_scaled`,
//! docs/references.md#slice-preparation, steps 10–11).

use std::ops::RangeInclusive;

/// HU that are told apart in a pooled sample; values beyond count as the end values.
const RANGE: RangeInclusive<i32> = -32768..=32767;

/// How often each whole HU occurs in a pooled sample of images.
///
/// Counts are whole numbers, so the order in which images are added does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HuCounts {
    counts: Vec<u64>,
}

impl Default for HuCounts {
    fn default() -> Self {
        Self { counts: vec![0; RANGE.count()] }
    }
}

impl HuCounts {
    /// Adds pixels, HU rounded to whole numbers.
    pub fn add(&mut self, hu: &[f32]) {
        for &hu in hu {
            self.counts[(i32::from(whole_hu(hu)) - RANGE.start()) as usize] += 1;
        }
    }

    /// Adds what another sample counted.
    pub fn merge(&mut self, other: &HuCounts) {
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count += other;
        }
    }

    /// The frequency bins: of all pixels in ascending order, those at 0.001, (i + 0.5)/100 for i
    /// from 0 to 99, and 0.999 of their number, each value once
    /// (docs/references.md#slice-preparation, step 10). Empty without pixels.
    pub fn breaks(&self) -> Vec<f32> {
        let total: u64 = self.counts.iter().sum();
        let mut parts = vec![0.001];
        parts.extend((0..100).map(|bin| (f64::from(bin) + 0.5) / 100.0));
        parts.push(0.999);
        let mut breaks = Vec::new();
        let mut below = 0u64;
        let mut counted = RANGE.zip(&self.counts);
        let mut current = None;
        for part in parts {
            let place = (total as f64 * part) as u64;
            while below <= place {
                let Some((hu, count)) = counted.next() else { break };
                below += count;
                current = Some(hu as f32);
            }
            if let Some(hu) = current.filter(|hu| breaks.last() != Some(hu)) {
                breaks.push(hu);
            }
        }
        breaks.truncate(if total == 0 { 0 } else { breaks.len() });
        breaks
    }
}

/// HU as a whole number: to nearest, halves away from 0; saturates, and not a number becomes 0.
pub fn whole_hu(hu: f32) -> i16 {
    // Most are whole already, and rounding is a call of a library function.
    let whole = hu as i16;
    if f32::from(whole) == hu { whole } else { hu.round() as i16 }
}

/// Breaks that make no scale.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} frequency bins; expected 2 to 256 ascending whole HU between −32768 and 32767 (a pooled \
     sample of one grey gives too few)"
)]
pub struct FrequencyError(pub usize);

/// HU to 0–1, piecewise linear from breaks to equal steps, clamped
/// (docs/references.md#slice-preparation, step 11).
#[derive(Debug, Clone, PartialEq)]
pub struct FrequencyScale {
    breaks: Vec<f32>,
    /// The scale at every whole HU from the first break to the last, and what it grows by to the
    /// next.
    steps: Vec<[f32; 2]>,
}

impl FrequencyScale {
    /// A scale from [`HuCounts::breaks`] or a file.
    ///
    /// # Errors
    /// [`FrequencyError`] unless the breaks are 2 to 256 ascending whole numbers of HU.
    pub fn new(breaks: Vec<f32>) -> Result<Self, FrequencyError> {
        let whole = |hu: &f32| hu.fract() == 0.0 && RANGE.contains(&(*hu as i32));
        let ascending = breaks.windows(2).all(|pair| pair[0] < pair[1]);
        if !(2..=256).contains(&breaks.len()) || !ascending || !breaks.iter().all(whole) {
            return Err(FrequencyError(breaks.len()));
        }
        let intervals = breaks.len() - 1;
        let mut steps = Vec::new();
        for (index, pair) in breaks.windows(2).enumerate() {
            let width = (pair[1] - pair[0]) as usize;
            let step = |at: usize| index as f64 + at as f64 / width as f64;
            steps.extend((0..width).map(|at| (step(at) / intervals as f64) as f32));
        }
        steps.push(1.0);
        let next = steps[1..].iter().copied().chain([1.0]);
        let steps = steps.iter().zip(next).map(|(&step, next)| [step, next - step]).collect();
        Ok(Self { breaks, steps })
    }

    /// The breaks, HU, ascending.
    pub fn breaks(&self) -> &[f32] {
        &self.breaks
    }

    /// Maps HU to 0–1. Not a number becomes 0.
    #[inline(always)]
    pub fn to_unit(&self, hu: f32) -> f32 {
        // `max` first: it makes 0 of what is not a number.
        let at = (hu - self.breaks[0]).max(0.0).min((self.steps.len() - 1) as f32);
        // Breaks are whole numbers, so the scale is a straight line between whole HU.
        let below = at as u32;
        let [step, growth] = self.steps[below as usize];
        step + growth * (at - below as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_are_the_pixels_at_the_quantiles() {
        let mut pixels: Vec<f32> =
            (0..4000).map(|at| ((at * at) % 1777) as f32 - 900.0).chain([-1024.0; 900]).collect();
        let (mut one, mut other) = (HuCounts::default(), HuCounts::default());
        one.add(&pixels[..2000]);
        other.add(&pixels[2000..]);
        other.merge(&one);
        pixels.sort_by(f32::total_cmp);
        let parts = (0..100).map(|bin| (f64::from(bin) + 0.5) / 100.0);
        let parts = [0.001].into_iter().chain(parts).chain([0.999]);
        let mut expected: Vec<f32> = parts.map(|part| pixels[(4900.0 * part) as usize]).collect();
        expected.dedup();
        assert_eq!(other.breaks(), expected);
        assert!(HuCounts::default().breaks().is_empty());
    }

    #[test]
    fn the_scale_has_equal_steps_between_breaks() {
        let scale = FrequencyScale::new(vec![-1000.0, 0.0, 40.0, 41.0, 100.0]).unwrap();
        for (hu, expected) in [
            (-5000.0, 0.0),
            (-1000.0, 0.0),
            (-500.0, 0.125),
            (20.0, 0.375),
            (40.5, 0.625),
            (100.0, 1.0),
            (3000.0, 1.0),
            (f32::NAN, 0.0),
        ] {
            assert!((scale.to_unit(hu) - expected).abs() < 1e-6, "{hu}");
        }
    }

    #[test]
    fn breaks_that_make_no_scale_are_refused() {
        for breaks in [vec![], vec![1.0], vec![2.0, 1.0], vec![0.5, 1.0], vec![0.0, 1e9]] {
            let count = breaks.len();
            assert_eq!(FrequencyScale::new(breaks), Err(FrequencyError(count)));
        }
        assert!(FrequencyScale::new((0..300).map(|hu| hu as f32).collect()).is_err());
        assert!(FrequencyScale::new(vec![0.0, f32::NAN]).is_err());
    }
}
