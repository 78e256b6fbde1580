//! The order of studies: the most suspicious first, as triage ranks them.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use hemora_model::StudyResult;

/// The place of a study among others: the less, the more suspicious.
#[derive(Debug, Clone)]
pub(crate) struct Rank {
    pub(crate) any: f32,
    pub(crate) study: String,
    pub(crate) patient: String,
}

impl Rank {
    pub(crate) fn of(study: &StudyResult) -> Self {
        Self {
            any: study.probabilities.any,
            study: study.study_instance_uid.clone(),
            patient: study.patient_id.clone(),
        }
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_any = other.any.total_cmp(&self.any);
        by_any
            .then_with(|| self.study.cmp(&other.study))
            .then_with(|| self.patient.cmp(&other.patient))
    }
}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rank {}

/// The most suspicious of the studies so far.
#[derive(Debug)]
pub(crate) struct Leaders {
    most: usize,
    ranks: BTreeSet<Rank>,
}

impl Leaders {
    /// At most `most` studies.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, ranks: BTreeSet::new() }
    }

    /// Takes a study in, which may put another out.
    pub(crate) fn add(&mut self, rank: Rank) {
        self.ranks.insert(rank);
        if self.ranks.len() > self.most {
            self.ranks.pop_last();
        }
    }

    /// Whether a study is among them.
    pub(crate) fn has(&self, rank: &Rank) -> bool {
        self.ranks.contains(rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(any: f32, study: &str) -> Rank {
        Rank { any, study: study.to_owned(), patient: String::new() }
    }

    #[test]
    fn the_most_suspicious_lead_and_of_equals_the_lower_uid() {
        let mut leaders = Leaders::new(2);
        for (any, study) in [(0.5, "1.3"), (0.2, "1.1"), (0.5, "1.2"), (0.4, "1.4")] {
            leaders.add(rank(any, study));
        }
        assert!(leaders.has(&rank(0.5, "1.2")) && leaders.has(&rank(0.5, "1.3")));
        leaders.add(rank(0.9, "1.5"));
        assert!(!leaders.has(&rank(0.5, "1.3")) && leaders.has(&rank(0.9, "1.5")));
        let mut none = Leaders::new(0);
        none.add(rank(1.0, "1"));
        assert!(!none.has(&rank(1.0, "1")));
    }
}
