//! A study is complete for now: a revision of it.

use chrono::{DateTime, Utc};

use super::state::words;
use crate::{Store, StoreError};

/// Why a study is held to be complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The count that the source tells is reached.
    Count,
    /// The sender asked for storage commitment.
    Commitment,
    /// Every association that carried it is closed, and it was quiet.
    Quiet,
    /// It was quiet with an association still open.
    QuietOpen,
    /// The longest time is over: it may be incomplete.
    Longest,
    /// A request that stored the whole ended.
    Request,
    /// Somebody asks to score it again.
    Rescore,
}

words! { Settled, "reason for settling",
    Count = "count",
    Commitment = "commitment",
    Quiet = "quiet",
    QuietOpen = "quiet, association open",
    Longest = "longest time",
    Request = "request",
    Rescore = "rescore",
}

/// A settled state of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Number, from 1.
    pub revision: u32,
    /// Why it was settled.
    pub why: Settled,
    /// When.
    pub at: DateTime<Utc>,
    /// Instances that it includes.
    pub instances: u64,
    /// SHA-256 of which instances it includes.
    pub instance_set: [u8; 32],
    /// Whether this call made it; not if the instances are those of the revision before.
    pub is_new: bool,
}

impl Store {
    /// Makes the next revision of a study from the instances that it has, with one scoring job in place
    /// of that of an earlier revision. Nothing happens if they are those of the last revision.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn settle(
        &self,
        study_uid: &str,
        why: Settled,
        now: DateTime<Utc>,
    ) -> Result<Revision, StoreError> {
        let _ = (study_uid, why, now);
        todo!()
    }

    /// Has a study scored again: its dead job again, or else as a new revision of the present instances.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn rescore(
        &self,
        study_uid: &str,
        who: &str,
        now: DateTime<Utc>,
    ) -> Result<Revision, StoreError> {
        let _ = (study_uid, who, now);
        todo!()
    }

    /// The revisions of a study, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn revisions(&self, study_uid: &str) -> Result<Vec<Revision>, StoreError> {
        let _ = study_uid;
        todo!()
    }
}
