//! When a study is complete. Nothing in DICOM says so; several signals come close.

use std::time::{Duration, Instant};

use hemora_store::Settled;

use crate::config::SettleSection;

/// What is known of a study whose images arrive. Times are of the monotonic clock, so that a clock that
/// is set does not settle anything.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Signals {
    /// The first image that no revision holds yet.
    pub(crate) first: Instant,
    /// The last image.
    pub(crate) last: Instant,
    /// The end of the last association that brought images of it.
    pub(crate) closed: Option<Instant>,
    /// Associations that brought images of it and are open.
    pub(crate) open: usize,
    /// Whether the sender asked for storage commitment, and all that it named is held.
    pub(crate) committed: bool,
    /// How many images the source has, said twice in a row.
    pub(crate) source_has: Option<u64>,
    /// How many images are held.
    pub(crate) held: u64,
}

/// Whether a study is complete, and by which signal: the first that holds.
pub(crate) fn settled(now: Instant, signals: &Signals, rules: &SettleSection) -> Option<Settled> {
    let since = |then: Instant| now.saturating_duration_since(then);
    if signals.committed {
        return Some(Settled::Commitment);
    }
    if signals.source_has.is_some_and(|count| count > 0 && signals.held >= count) {
        return Some(Settled::Count);
    }
    let quiet_from = signals.closed.map_or(signals.last, |closed| closed.max(signals.last));
    if signals.open == 0 && since(quiet_from) >= rules.quiet {
        return Some(Settled::Quiet);
    }
    if signals.open > 0 && since(signals.last) >= rules.quiet_open {
        return Some(Settled::QuietOpen);
    }
    (since(signals.first) >= rules.longest).then_some(Settled::Longest)
}

/// How long nothing can change of itself.
pub(crate) fn wait(now: Instant, signals: &Signals, rules: &SettleSection) -> Duration {
    let until = |then: Instant, rule: Duration| (then + rule).saturating_duration_since(now);
    let quiet_from = signals.closed.map_or(signals.last, |closed| closed.max(signals.last));
    let quiet = match signals.open {
        0 => until(quiet_from, rules.quiet),
        _ => until(signals.last, rules.quiet_open),
    };
    quiet.min(until(signals.first, rules.longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn signals(start: Instant) -> Signals {
        Signals {
            first: start,
            last: start + 10 * SECOND,
            closed: Some(start + 11 * SECOND),
            open: 0,
            committed: false,
            source_has: None,
            held: 34,
        }
    }

    #[test]
    fn four_seconds_after_the_last_association() {
        let start = Instant::now();
        let (signals, rules) = (signals(start), SettleSection::default());
        assert_eq!(settled(start + 14 * SECOND, &signals, &rules), None);
        assert_eq!(wait(start + 14 * SECOND, &signals, &rules), SECOND);
        assert_eq!(settled(start + 15 * SECOND, &signals, &rules), Some(Settled::Quiet));
    }

    #[test]
    fn an_open_association_waits_longer_but_not_for_ever() {
        let start = Instant::now();
        let rules = SettleSection::default();
        let open = Signals { open: 1, closed: None, ..signals(start) };
        assert_eq!(settled(start + 39 * SECOND, &open, &rules), None);
        assert_eq!(settled(start + 40 * SECOND, &open, &rules), Some(Settled::QuietOpen));
        let trickle = Signals { last: start + 599 * SECOND, ..open };
        assert_eq!(settled(start + 599 * SECOND, &trickle, &rules), None);
        assert_eq!(settled(start + 600 * SECOND, &trickle, &rules), Some(Settled::Longest));
    }

    #[test]
    fn counts_and_commitment_settle_at_once() {
        let start = Instant::now();
        let rules = SettleSection::default();
        let now = start + 11 * SECOND;
        let counted = |source_has| Signals { source_has: Some(source_has), ..signals(start) };
        assert_eq!(settled(now, &counted(34), &rules), Some(Settled::Count));
        assert_eq!(settled(now, &counted(35), &rules), None);
        assert_eq!(settled(now, &counted(0), &rules), None);
        let committed = Signals { committed: true, open: 1, ..signals(start) };
        assert_eq!(settled(now, &committed, &rules), Some(Settled::Commitment));
    }
}
