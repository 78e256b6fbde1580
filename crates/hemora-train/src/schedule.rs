//! Learning-rate schedules.

/// One cycle (Smith & Topin 2018), cosine both ways as in PyTorch's `OneCycleLR`: from
/// `peak / 25` up to `peak` over the first `rise` of the steps, then down to `peak / 25 / 10⁴`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneCycle {
    /// Highest rate.
    pub peak: f64,
    /// Fraction of the steps on the way up, 0 to 1.
    pub rise: f64,
    /// Steps in all.
    pub steps: u64,
}

impl OneCycle {
    /// Rate for a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        let start = self.peak / 25.0;
        let end = start / 1e4;
        let top = self.rise * self.steps as f64 - 1.0;
        let last = self.steps as f64 - 1.0;
        let step = (step as f64).min(last);
        let cosine = |from: f64, to: f64, part: f64| {
            to + (from - to) / 2.0 * (1.0 + (std::f64::consts::PI * part).cos())
        };
        if step <= top {
            cosine(start, self.peak, if top > 0.0 { step / top } else { 1.0 })
        } else {
            let top = top.max(0.0);
            let room = last - top;
            cosine(self.peak, end, if room > 0.0 { (step - top) / room } else { 1.0 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_to_the_peak_and_falls_to_nothing() {
        let cycle = OneCycle { peak: 1e-3, rise: 0.25, steps: 100 };
        assert!((cycle.rate(0) - 4e-5).abs() < 1e-12);
        assert!((cycle.rate(24) - 1e-3).abs() < 1e-12);
        assert!((cycle.rate(99) - 4e-9).abs() < 1e-12);
        assert!(cycle.rate(12) < cycle.rate(20) && cycle.rate(30) > cycle.rate(60));
        // A run of one step must not divide by zero.
        assert!(OneCycle { steps: 1, ..cycle }.rate(0).is_finite());
    }
}
