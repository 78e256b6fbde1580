//! The ranked list, a page at a time.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::row::StudyRow;
use super::state::{Class, StudyState};
use crate::{Store, StoreError};

/// Which studies, and from where on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListQuery {
    /// Of this state only.
    pub state: Option<StudyState>,
    /// Of this class only.
    pub class: Option<Class>,
    /// Whose last image came then or later.
    pub since: Option<DateTime<Utc>>,
    /// With this in patient's name or ID, accession number, description or UID; case is ignored.
    pub text: Option<String>,
    /// At most so many, from 1 to [`ListQuery::LONGEST`]; 0 is as many as one page may have.
    pub limit: usize,
    /// After this place of the list.
    pub after: Option<Cursor>,
}

impl ListQuery {
    /// Rows that one page may have.
    pub const LONGEST: usize = 200;
}

/// A place of the list, which texts carry to the next query: no study that stays in its place is
/// skipped or shown twice, whatever comes in between.
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    group: i64,
    value: f64,
    study_uid: String,
}

/// Rows of the list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// In order.
    pub rows: Vec<StudyRow>,
    /// Where the next page begins, if there is more.
    pub next: Option<Cursor>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{:016x}-{}", self.group, self.value.to_bits(), self.study_uid)
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parse = || {
            let (group, rest) = text.split_once('-')?;
            let (value, study_uid) = rest.split_once('-')?;
            let value = f64::from_bits(u64::from_str_radix(value, 16).ok()?);
            let group = group.parse().ok()?;
            value.is_finite().then(|| Self { group, value, study_uid: study_uid.to_owned() })
        };
        let shortened = || text.chars().take(100).collect();
        parse().ok_or_else(|| StoreError::BadCursor(shortened()))
    }
}

impl Store {
    /// A page of the list: positive and unread by probability, then not sure and unread by probability,
    /// then the rest, newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn studies(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let _ = query;
        todo!()
    }
}
