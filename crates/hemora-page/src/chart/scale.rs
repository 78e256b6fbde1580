//! A linear map with round ticks.

/// A linear map from data to picture coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// First and last data value.
    pub domain: [f64; 2],
    /// The picture coordinates they map to.
    pub range: [f64; 2],
}

impl Scale {
    /// Picture coordinate of a value; the middle if the domain is a single value.
    pub fn at(&self, value: f64) -> f64 {
        let [low, high] = self.domain;
        let [start, end] = self.range;
        let part = if high > low { (value - low) / (high - low) } else { 0.5 };
        start + part.clamp(0.0, 1.0) * (end - start)
    }

    /// Round values within the domain, at most `most` of them and at least one, steps of 1, 2 or 5
    /// times a power of ten and not below `smallest`.
    pub fn ticks(&self, most: usize, smallest: f64) -> Vec<f64> {
        let [low, high] = self.domain;
        if high <= low || !(high - low).is_finite() {
            return vec![low];
        }
        let rough = ((high - low) / most as f64).max(smallest);
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * power)
            .find(|step| *step >= rough * 0.999_999)
            .unwrap_or(10.0 * power);
        let first = (low / step).ceil();
        let ticks: Vec<f64> = (0..=most)
            .map(|index| (first + index as f64) * step + 0.0)
            .take_while(|tick| *tick <= high)
            .collect();
        if ticks.is_empty() { vec![low] } else { ticks }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_map_to_ends() {
        let scale = Scale { domain: [-20.0, 60.0], range: [100.0, 500.0] };
        assert_eq!([scale.at(-20.0), scale.at(20.0), scale.at(60.0)], [100.0, 300.0, 500.0]);
    }

    #[test]
    fn a_single_value_lies_in_the_middle() {
        let scale = Scale { domain: [7.0, 7.0], range: [0.0, 10.0] };
        assert_eq!(scale.at(7.0), 5.0);
        assert_eq!(scale.ticks(8, 1.0), [7.0]);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let scale = |low, high| Scale { domain: [low, high], range: [0.0, 1.0] };
        assert_eq!(
            scale(-12.0, 61.0).ticks(8, 1e-9),
            [-10.0, 0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]
        );
        assert_eq!(scale(1.0, 4.0).ticks(8, 1.0), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(scale(1e-300, 2e-300).ticks(5, 1e-9), [1e-300]);
        assert!(scale(-1e308, 1e308).ticks(5, 1e-9).iter().all(|tick| tick.is_finite()));
    }
}
