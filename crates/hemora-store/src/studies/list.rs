//! The ranked list, a page at a time.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::row::{COLUMNS, StudyRow};
use super::state::{Class, StudyState};
use crate::sql::{Row, params};
use crate::time::millis;
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
    /// then the rest, newest first. What was kept a moment ago may not be among them yet
    /// ([`Store::flush`]).
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn studies(&self, query: &ListQuery) -> Result<Page, StoreError> {
        // Said only where there is a place, so that the index finds it.
        let place = match &query.after {
            Some(_) => "AND (rank_group, rank_value, study_uid) > (?5, ?6, ?7)",
            None => "",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM study
             WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR class = ?2)
                AND (?3 IS NULL OR last_at >= ?3) AND (?4 IS NULL OR instr(search, ?4) > 0)
                {place}
             ORDER BY rank_group, rank_value, study_uid LIMIT ?8"
        );
        let limit = match query.limit {
            0 => ListQuery::LONGEST,
            limit => limit.min(ListQuery::LONGEST),
        };
        let text = query.text.as_ref().map(|text| text.trim().to_lowercase());
        let after = query.after.as_ref();
        let parameters = params![
            query.state.map(StudyState::as_str),
            query.class.map(Class::as_str),
            query.since.map(millis),
            text.filter(|text| !text.is_empty()),
            after.map(|after| after.group),
            after.map(|after| after.value),
            after.map(|after| after.study_uid.as_str()),
            // One more says whether there is more.
            limit as i64 + 1,
        ];
        let read = |row: &Row<'_>| {
            let place = Cursor {
                group: row.get("rank_group")?,
                value: row.get("rank_value")?,
                study_uid: row.get("study_uid")?,
            };
            Ok((StudyRow::read(row)?, place))
        };
        let mut found = self.read(|connection| connection.rows(&sql, parameters, read))?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|(_, place)| place.clone());
        Ok(Page { rows: found.into_iter().map(|(row, _)| row).collect(), next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_through_text_and_back() {
        let cursor = Cursor { group: 0, value: -0.973, study_uid: "1.2-3.4".to_owned() };
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        for bad in ["", "0", "0-1", "x-0000000000000000-1", "0-zz-1", "0-7ff8000000000000-1"] {
            assert!(matches!(bad.parse::<Cursor>(), Err(StoreError::BadCursor(_))), "{bad}");
        }
    }
}
