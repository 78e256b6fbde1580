//! Where the time of scoring goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hemora_model::ScoringWork;

/// Time that all cores spent on a kind of work.
#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    /// Does `work` and counts its time.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_add(nanoseconds, Ordering::Relaxed);
        done
    }

    fn seconds(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64 / 1e9
    }
}

/// The clocks of a run.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    pub decoding: Clock,
    pub inputs: Clock,
    pub networks: Clock,
}

impl Spent {
    pub(crate) fn work(&self) -> ScoringWork {
        ScoringWork {
            decoding_s: self.decoding.seconds(),
            inputs_s: self.inputs.seconds(),
            networks_s: self.networks.seconds(),
        }
    }
}
