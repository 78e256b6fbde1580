//! Learning-rate schedules.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// A schedule by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    /// The same rate throughout.
    Constant,
    /// Lowered by `--decay` every `--decay-every` epochs.
    Step,
    /// Down to nothing along a cosine, with `--restart-every` again and again.
    Cosine,
    /// Up over `--rise` of the steps, then down to nothing.
    OneCycle,
    /// Lowered by `--decay` when the validation score has not grown for `--plateau` epochs.
    Plateau,
}

/// What a schedule is made from; each reads what concerns it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScheduleOptions {
    /// Which schedule.
    pub name: ScheduleName,
    /// Highest rate.
    pub peak: f64,
    /// Fraction of the steps in which the rate of one cycle rises.
    pub rise: f64,
    /// Factor of each fall.
    pub decay: f64,
    /// Epochs from fall to fall.
    pub decay_every: u64,
    /// Epochs at the highest rate before the cosine.
    pub hold: u64,
    /// Epochs of the first cosine; `None` for one over the whole run.
    pub restart_every: Option<u64>,
    /// How many times longer each cosine is than the one before.
    pub restart_growth: u64,
}

/// The learning rate of every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// The same rate throughout.
    Constant(f64),
    /// Lowered again and again, as in PyTorch's `StepLR`.
    Step {
        /// Rate of the first step.
        peak: f64,
        /// Factor of each fall.
        decay: f64,
        /// Steps from fall to fall.
        every: u64,
    },
    /// One cycle.
    OneCycle(OneCycle),
    /// From `peak` to 0 along half a cosine (Loshchilov & Hutter 2017), as in PyTorch's
    /// `CosineAnnealingLR`.
    Cosine {
        /// Rate of the first step.
        peak: f64,
        /// Steps at that rate before the cosine.
        hold: u64,
        /// Steps of the cosine.
        steps: u64,
    },
    /// Such cosines one after the other, as in PyTorch's `CosineAnnealingWarmRestarts`.
    Restarts {
        /// Rate of the first step of each.
        peak: f64,
        /// Steps at that rate before the first.
        hold: u64,
        /// Steps of the first.
        first: u64,
        /// How many times longer each is than the one before, at least 1.
        growth: u64,
    },
}

impl Schedule {
    /// The schedule of a run of `steps` steps, `per_epoch` of them an epoch.
    pub fn new(options: &ScheduleOptions, steps: u64, per_epoch: u64) -> Self {
        let ScheduleOptions { peak, rise, decay, .. } = *options;
        let epochs = |count: u64| count.saturating_mul(per_epoch).max(1);
        let hold = options.hold.saturating_mul(per_epoch);
        match options.name {
            ScheduleName::Constant | ScheduleName::Plateau => Schedule::Constant(peak),
            ScheduleName::Step => {
                Schedule::Step { peak, decay, every: epochs(options.decay_every) }
            }
            ScheduleName::OneCycle => Schedule::OneCycle(OneCycle { peak, rise, steps }),
            ScheduleName::Cosine => match options.restart_every {
                None => Schedule::Cosine { peak, hold, steps: steps.saturating_sub(hold) },
                Some(every) => Schedule::Restarts {
                    peak,
                    hold,
                    first: epochs(every),
                    growth: options.restart_growth.max(1),
                },
            },
        }
    }

    /// Rate for a step, counted from 0.
    pub fn rate(&self, step: u64) -> f64 {
        let half_cosine = |peak: f64, part: f64| peak / 2.0 * (1.0 + (PI * part).cos());
        match *self {
            Schedule::Constant(rate) => rate,
            Schedule::Step { peak, decay, every } => {
                peak * decay.powi(i32::try_from(step / every).unwrap_or(i32::MAX))
            }
            Schedule::OneCycle(cycle) => cycle.rate(step),
            Schedule::Cosine { peak, hold, steps } => {
                let since = step.saturating_sub(hold);
                half_cosine(peak, (since as f64 / steps.max(1) as f64).min(1.0))
            }
            Schedule::Restarts { peak, hold, first, growth } => {
                let (mut since, mut length) = (step.saturating_sub(hold), first);
                while since >= length {
                    since -= length;
                    length = length.saturating_mul(growth);
                }
                half_cosine(peak, since as f64 / length as f64)
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
        let cosine =
            |from: f64, to: f64, part: f64| to + (from - to) / 2.0 * (1.0 + (PI * part).cos());
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
        let mut options = ScheduleOptions {
            name: ScheduleName::Constant,
            peak: 0.5,
            rise: 0.2,
            decay: 0.1,
            decay_every: 2,
            hold: 0,
            restart_every: None,
            restart_growth: 2,
        };
        // Ten steps, two an epoch.
        let mut rates = |name, restart_every| {
            options = ScheduleOptions { name, restart_every, ..options };
            let schedule = Schedule::new(&options, 10, 2);
            (0..12).map(|step| schedule.rate(step)).collect::<Vec<_>>()
        };
        assert_eq!(rates(ScheduleName::Constant, None)[7], 0.5);
        assert_eq!(rates(ScheduleName::Plateau, None)[7], 0.5);
        let cycle = OneCycle { peak: 0.5, rise: 0.2, steps: 10 };
        assert_eq!(rates(ScheduleName::OneCycle, None)[3], cycle.rate(3));
        let near = |found: &[f64], expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
            }
        };
        let step = rates(ScheduleName::Step, None);
        near(&step[2..9], &[0.5, 0.5, 0.05, 0.05, 0.05, 0.05, 0.005]);
        let cosine = rates(ScheduleName::Cosine, None);
        near(&[cosine[0], cosine[5], cosine[10], cosine[11]], &[0.5, 0.25, 0.0, 0.0]);
        // One epoch, then two, then four: 2, 4 and 8 steps.
        let restarts = rates(ScheduleName::Cosine, Some(1));
        near(
            &restarts[..7],
            &[0.5, 0.25, 0.5, 0.426_776_695_296_637, 0.25, 0.073_223_304_703_363, 0.5],
        );
        near(&[restarts[10]], &[0.25]);
        // Two epochs at the peak first, as the winner's ten.
        options = ScheduleOptions { name: ScheduleName::Cosine, hold: 2, ..options };
        let held = |restart_every| {
            let schedule = Schedule::new(&ScheduleOptions { restart_every, ..options }, 10, 2);
            [0, 3, 4, 5, 6, 7, 10].map(|step| schedule.rate(step))
        };
        near(&held(Some(1))[..5], &[0.5, 0.5, 0.5, 0.25, 0.5]);
        near(&[held(None)[1], held(None)[5], held(None)[6]], &[0.5, 0.25, 0.0]);
    }
}
