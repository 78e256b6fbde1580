//! How others learn that the list changed: a number that grows.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A number that grows with every change of studies, jobs or deliveries.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    count: Mutex<u64>,
    grown: Condvar,
}

impl Changes {
    /// Says that something changed.
    pub(crate) fn note(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.grown.notify_all();
    }

    /// The number now.
    pub(crate) fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the number is not `seen`, at most `longest`; the number then.
    pub(crate) fn wait(&self, seen: u64, longest: Duration) -> u64 {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.grown.wait_timeout_while(count, longest, |count| *count == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
