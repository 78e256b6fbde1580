//! Who looks at which study: every look goes into the audit, once for as long as it lasts.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use hemora_store::{NewAudit, StoreError};

use crate::access::Asker;
use crate::shared::Shared;

/// Requests within so many minutes of the first are one look: a page asks again whenever something changes.
const ONE_LOOK: TimeDelta = TimeDelta::minutes(10);

/// Looks that are remembered. Where there are more, some are noted twice.
const MOST: usize = 10_000;

/// How much of a study is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Look {
    /// Parts of it are fetched, be it ahead of a look or by a program.
    Part(&'static str),
    /// The whole of it is shown.
    Whole,
}

/// Who looks, and at which study.
type Key = (String, String);

/// Looks of late: when each began, and whether the whole study was shown.
#[derive(Debug, Default)]
pub(crate) struct Looks(Mutex<HashMap<Key, (DateTime<Utc>, bool)>>);

impl Looks {
    /// Whether a look is to be noted: there was none of late, or parts of the study only.
    fn is_new(&self, who: &str, study_uid: &str, look: Look, now: DateTime<Utc>) -> bool {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = look == Look::Whole;
        let key = (who.to_owned(), study_uid.to_owned());
        let known = looks.get(&key).filter(|(at, _)| now - *at < ONE_LOOK);
        if known.is_some_and(|(_, was_whole)| *was_whole || !whole) {
            return false;
        }
        if looks.len() >= MOST {
            looks.retain(|_, (at, _)| now - *at < ONE_LOOK);
        }
        if looks.len() >= MOST {
            looks.clear();
        }
        looks.insert(key, (now, whole));
        true
    }

    /// Makes the next look a new one.
    fn forget(&self, who: &str, study_uid: &str) {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        looks.remove(&(who.to_owned(), study_uid.to_owned()));
    }
}

/// Notes that somebody looks at a revision of a study (0 where it has no result), before it is shown to them.
/// Users who see the whole of it have opened it.
pub(crate) fn note_look(
    shared: &Shared,
    asker: &Asker,
    study_uid: &str,
    revision: u32,
    look: Look,
) -> Result<(), StoreError> {
    let now = Utc::now();
    if asker.role.is_some() && look == Look::Whole {
        shared.store.note_opened(study_uid, &asker.name, revision, now)?;
    }
    if !shared.looks.is_new(&asker.name, study_uid, look, now) {
        return Ok(());
    }
    let (what, detail) = match look {
        Look::Part(part) => ("fetched", format!("{part} of revision {revision}")),
        Look::Whole => ("looked at", format!("revision {revision}")),
    };
    let row = NewAudit { who: &asker.name, what, study: Some(study_uid), detail: &detail };
    let noted = shared.store.audit(row, now);
    if noted.is_err() {
        shared.looks.forget(&asker.name, study_uid);
    }
    noted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_noted_once_while_it_lasts() {
        let looks = Looks::default();
        let start = Utc::now();
        let at = |minutes: i64, look| {
            looks.is_new("Anna", "1.2", look, start + TimeDelta::minutes(minutes))
        };
        let part = Look::Part("images");
        assert!(at(0, part));
        assert!(!at(1, part));
        assert!(at(2, Look::Whole), "more than parts");
        assert!(!at(3, part));
        assert!(!at(3, Look::Whole));
        assert!(at(12, part));
        assert!(looks.is_new("Bea", "1.2", part, start));
        assert!(looks.is_new("Anna", "1.3", part, start));
        for number in 0..MOST {
            looks.is_new("Eve", &number.to_string(), part, start);
        }
        assert!(looks.0.lock().unwrap().len() <= MOST);
    }
}
