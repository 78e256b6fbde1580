//! Which studies arrive at present, and over which associations. In memory only: after a restart every
//! study that has no revision of all its images is held to have arrived just then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::settle::Signals;

/// The studies that arrive.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    studies: BTreeMap<String, Arriving>,
    /// Grows with every change, so that a wait misses none.
    version: u64,
}

#[derive(Debug)]
struct Arriving {
    first: Instant,
    last: Instant,
    closed: Option<Instant>,
    open: BTreeSet<u64>,
    committed: bool,
    /// What the source said last, and what it said twice in a row.
    counts: (Option<u64>, Option<u64>),
    images: u64,
}

impl Arriving {
    fn new(now: Instant) -> Self {
        Self {
            first: now,
            last: now,
            closed: None,
            open: BTreeSet::new(),
            committed: false,
            counts: (None, None),
            images: 0,
        }
    }
}

impl Arrivals {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        state.version += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// An image came over an association; none for what was there at the start.
    pub(crate) fn image(&self, study: &str, association: Option<u64>, now: Instant) {
        self.change(|state| {
            let new = || Arriving::new(now);
            let arriving = state.studies.entry(study.to_owned()).or_insert_with(new);
            arriving.last = now;
            arriving.images += 1;
            // What was asked and answered before this image says nothing of it.
            arriving.committed = false;
            arriving.open.extend(association);
        });
    }

    /// An association is over.
    pub(crate) fn closed(&self, association: u64, now: Instant) {
        self.change(|state| {
            for arriving in state.studies.values_mut() {
                if arriving.open.remove(&association) {
                    arriving.closed = Some(now);
                }
            }
        });
    }

    /// The sender asked for commitment, and all that it named of the study is held.
    pub(crate) fn committed(&self, study: &str) {
        self.change(|state| {
            if let Some(arriving) = state.studies.get_mut(study) {
                arriving.committed = true;
            }
        });
    }

    /// The source says how many images it has.
    pub(crate) fn source_has(&self, study: &str, count: u64) {
        self.change(|state| {
            if let Some(arriving) = state.studies.get_mut(study) {
                let (before, _) = arriving.counts;
                // It may be receiving the study itself: only what it says twice counts.
                arriving.counts = (Some(count), (before == Some(count)).then_some(count));
            }
        });
    }

    /// The study has a revision of everything that came until `seen` images.
    pub(crate) fn settled(&self, study: &str, seen: u64) {
        self.change(|state| {
            if state.studies.get(study).is_some_and(|arriving| arriving.images == seen) {
                state.studies.remove(study);
            }
        });
    }

    /// What is known of each; `held` is left to whoever asks.
    pub(crate) fn signals(&self) -> Vec<(String, Signals, u64)> {
        let state = self.lock();
        let signals = |(study, arriving): (&String, &Arriving)| {
            let signals = Signals {
                first: arriving.first,
                last: arriving.last,
                closed: arriving.closed,
                open: arriving.open.len(),
                committed: arriving.committed,
                source_has: arriving.counts.1,
                held: 0,
            };
            (study.clone(), signals, arriving.images)
        };
        state.studies.iter().map(signals).collect()
    }

    /// A number that grows with every change.
    pub(crate) fn version(&self) -> u64 {
        self.lock().version
    }

    /// Waits for a change since `version`, at most so long.
    pub(crate) fn wait(&self, version: u64, longest: Duration) {
        let state = self.lock();
        let same = |state: &mut State| state.version == version;
        let waited = self.changed.wait_timeout_while(state, longest, same);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Ends every wait.
    pub(crate) fn wake(&self) {
        self.change(|_| {});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(arrivals: &Arrivals) -> (Signals, u64) {
        let all = arrivals.signals();
        let [(_, signals, seen)] = all.as_slice() else { panic!("{all:?}") };
        (signals.clone(), *seen)
    }

    #[test]
    fn associations_that_end_are_no_longer_open() {
        let (arrivals, now) = (Arrivals::default(), Instant::now());
        for association in [1, 1, 2] {
            arrivals.image("s", Some(association), now);
        }
        assert_eq!(only(&arrivals).0.open, 2);
        arrivals.closed(1, now);
        arrivals.closed(3, now);
        assert_eq!(only(&arrivals).0.open, 1);
        arrivals.closed(2, now + Duration::from_secs(1));
        let (signals, _) = only(&arrivals);
        assert_eq!((signals.open, signals.closed), (0, Some(now + Duration::from_secs(1))));
    }

    #[test]
    fn an_image_that_comes_while_the_study_settles_is_not_forgotten() {
        let (arrivals, now) = (Arrivals::default(), Instant::now());
        arrivals.image("s", None, now);
        let (_, seen) = only(&arrivals);
        arrivals.image("s", None, now);
        arrivals.settled("s", seen);
        let (_, seen) = only(&arrivals);
        arrivals.settled("s", seen);
        assert!(arrivals.signals().is_empty());
    }

    #[test]
    fn the_source_must_say_its_count_twice() {
        let (arrivals, now) = (Arrivals::default(), Instant::now());
        arrivals.image("s", None, now);
        let said = |count| {
            arrivals.source_has("s", count);
            only(&arrivals).0.source_has
        };
        assert_eq!([said(5), said(7), said(7), said(8)], [None, None, Some(7), None]);
        arrivals.committed("s");
        assert!(only(&arrivals).0.committed);
        arrivals.image("s", None, now);
        assert!(!only(&arrivals).0.committed);
    }
}
