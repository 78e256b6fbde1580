//! Storage commitments that this node asked for and whose report comes later.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hemora_dimse::CommitReport;

/// Reports that are waited for, by their transactions.
#[derive(Debug, Default)]
pub(crate) struct Commitments {
    reports: Mutex<BTreeMap<String, Option<CommitReport>>>,
    came: Condvar,
}

impl Commitments {
    /// A transaction whose report may come from now on.
    pub(crate) fn expect(&self, transaction: &str) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.insert(transaction.to_owned(), None);
    }

    /// A report came. Nobody is told of one that nobody waits for.
    pub(crate) fn report(&self, report: &CommitReport) -> bool {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(slot) = reports.get_mut(&report.transaction_uid) else { return false };
        *slot = Some(report.clone());
        self.came.notify_all();
        true
    }

    /// Waits for a report, at most so long and in steps between which `go_on` is asked. The transaction
    /// is not expected any more afterwards.
    pub(crate) fn wait(
        &self,
        transaction: &str,
        longest: Duration,
        go_on: impl Fn() -> bool,
    ) -> Option<CommitReport> {
        let end = Instant::now() + longest;
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let came = reports.get(transaction).is_some_and(Option::is_some);
            let left = end.saturating_duration_since(Instant::now());
            if came || left.is_zero() || !go_on() {
                return reports.remove(transaction).flatten();
            }
            let step = left.min(Duration::from_millis(500));
            let waited = self.came.wait_timeout(reports, step);
            reports = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_waited_for_is_taken() {
        let commitments = Commitments::default();
        let report = |transaction: &str| CommitReport {
            transaction_uid: transaction.to_owned(),
            committed: Vec::new(),
            failed: Vec::new(),
        };
        assert!(!commitments.report(&report("1")));
        commitments.expect("1");
        assert!(commitments.report(&report("1")));
        assert_eq!(commitments.wait("1", Duration::ZERO, || true), Some(report("1")));
        assert!(!commitments.report(&report("1")), "it was taken");
        commitments.expect("2");
        assert_eq!(commitments.wait("2", Duration::from_secs(60), || false), None);
    }
}
