//! Learning-rate schedules.

use serde::Serialize;

/// A schedule by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    /// The same rate throughout.
    Constant,
    /// Up over `--rise` of the steps, then down to nothing.
    OneCycle,
    /// Down to nothing along a cosine.
    Cosine,
}

/// The learning rate of every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The same rate throughout.
    Constant(f64),
    /// One cycle.
    OneCycle(OneCycle),
    /// From `peak` to 0 along half a cosine (Loshchilov & Hutter 2017), as in PyTorch's
    /// `CosineAnnealingLR`.
    Cosine {
        /// Rate of the first step.
        peak: f64,
        /// Steps in all.
        steps: u64,
    },
}

impl Schedule {
    /// The schedule of a name over `steps` steps.
    pub fn new(name: ScheduleName, peak: f64, rise: f64, steps: u64) -> Self {
        match name {
            ScheduleName::Constant => Schedule::Constant(peak),
            ScheduleName::OneCycle => Schedule::OneCycle(OneCycle { peak, rise, steps }),
            ScheduleName::Cosine => Schedule::Cosine { peak, steps },
        }
    }

    /// Rate for a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        match *self {
            Schedule::Constant(rate) => rate,
            Schedule::OneCycle(cycle) => cycle.rate(step),
            Schedule::Cosine { peak, steps } => {
                let part = (step as f64 / steps.max(1) as f64).min(1.0);
                peak / 2.0 * (1.0 + (std::f64::consts::PI * part).cos())
            }
        }
    }
}

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
    #[test]
    fn schedules_by_name() {
        let schedule = |name| Schedule::new(name, 0.5, 0.2, 10);
        assert_eq!(schedule(ScheduleName::Constant).rate(7), 0.5);
        let cosine = schedule(ScheduleName::Cosine);
        assert_eq!(cosine.rate(0), 0.5);
        assert!((cosine.rate(5) - 0.25).abs() < 1e-12);
        assert!(cosine.rate(10) < 1e-12 && cosine.rate(11) < 1e-12);
        let cycle = OneCycle { peak: 0.5, rise: 0.2, steps: 10 };
        assert_eq!(schedule(ScheduleName::OneCycle).rate(3), cycle.rate(3));
    }
}
