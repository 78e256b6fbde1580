//! Who did what: rows that are only ever added, each of which holds the hash of the one before.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use crate::sql::{Connection, Row, params};
use crate::studies::hash;
use crate::time::{at, millis};
use crate::{Store, StoreError};

/// The hash before the first row.
const NOTHING: [u8; 32] = [0; 32];

/// Rows that are read together, at most.
const TOGETHER: usize = 1000;

/// Columns of a row.
const COLUMNS: &str = "n, at, who, what, study, detail, hash";

/// What is to be noted. No text of it names a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewAudit<'a> {
    /// User, AE title or part of the program.
    pub who: &'a str,
    /// What was done, one word such as `rescored`.
    pub what: &'a str,
    /// StudyInstanceUID, if it was done to a study.
    pub study: Option<&'a str>,
    /// More of it.
    pub detail: &'a str,
}

/// A row of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Number, from 1 without gaps.
    pub n: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// User, AE title or part of the program.
    pub who: String,
    /// What was done.
    pub what: String,
    /// StudyInstanceUID.
    pub study: Option<String>,
    /// More of it.
    pub detail: String,
    /// SHA-256 of the hash before and this row.
    pub hash: [u8; 32],
}

/// Which rows of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Of this user, AE title or part of the program only.
    pub who: Option<String>,
    /// Of this kind only.
    pub what: Option<String>,
    /// Of this StudyInstanceUID only.
    pub study: Option<String>,
    /// With a lower number only.
    pub before: Option<i64>,
    /// At most so many, from 1 to [`AuditQuery::LONGEST`]; 0 is as many as one page may have.
    pub limit: usize,
}

impl AuditQuery {
    /// Rows that one page may have.
    pub const LONGEST: usize = TOGETHER;
}

/// Why the audit is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// A row was changed, added or removed by others.
    #[error("row {row} of the audit is not what was written after row {}; keep a copy of the database and find out who changed it", row - 1)]
    Changed {
        /// The first row that does not follow from those before.
        row: i64,
    },
    /// The audit cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AuditRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            n: row.get("n")?,
            at: at(row.get("at")?),
            who: row.get("who")?,
            what: row.get("what")?,
            study: row.get("study")?,
            detail: row.get("detail")?,
            hash: hash(row, "hash")?,
        })
    }

    /// What the hash of this row has to be: of the hash before, and each field with its length, so that
    /// no two rows read alike.
    fn chained(&self, previous: &[u8; 32]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(previous);
        hash.update(self.n.to_le_bytes());
        hash.update(millis(self.at).to_le_bytes());
        for field in [Some(&self.who), Some(&self.what), self.study.as_ref(), Some(&self.detail)] {
            let length = field.map_or(u64::MAX, |field| field.len() as u64);
            hash.update(length.to_le_bytes());
            hash.update(field.map_or("", String::as_str));
        }
        hash.finalize().into()
    }
}

/// Adds a row in the transaction of what it notes.
pub(crate) fn append(
    connection: &Connection<'_>,
    row: NewAudit<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY n DESC LIMIT 1");
    let last = connection.rows(&sql, params![], AuditRow::read)?.pop();
    let (n, previous) = last.map_or((0, NOTHING), |last| (last.n, last.hash));
    let mut row = AuditRow {
        n: n + 1,
        // As it will be read.
        at: at(millis(now)),
        who: row.who.to_owned(),
        what: row.what.to_owned(),
        study: row.study.map(str::to_owned),
        detail: row.detail.to_owned(),
        hash: NOTHING,
    };
    row.hash = row.chained(&previous);
    let sql = "INSERT INTO audit (n, at, who, what, study, detail, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let AuditRow { n, at, who, what, study, detail, hash } = row;
    let parameters = params![n, millis(at), who, what, study, detail, hash];
    connection.execute(sql, parameters)?;
    Ok(())
}

impl Store {
    /// Adds a row.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn audit(&self, row: NewAudit<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let [who, what, detail] = [row.who, row.what, row.detail].map(str::to_owned);
        let study = row.study.map(str::to_owned);
        self.write(move |connection| {
            let study = study.as_deref();
            append(connection, NewAudit { who: &who, what: &what, study, detail: &detail }, now)
        })
    }

    /// Checks every row; their number. That rows are missing at the end shows only to who knows how many
    /// there were.
    ///
    /// # Errors
    /// [`AuditError`] names the first row that does not follow.
    pub fn verify_audit(&self) -> Result<u64, AuditError> {
        let (mut checked, mut previous) = (0, NOTHING);
        loop {
            let some = self.audit_rows(checked, TOGETHER)?;
            if some.is_empty() {
                return Ok(checked as u64);
            }
            for row in some {
                if row.n != checked + 1 || row.chained(&previous) != row.hash {
                    return Err(AuditError::Changed { row: checked + 1 });
                }
                (checked, previous) = (row.n, row.hash);
            }
        }
    }

    /// Rows of the audit, newest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn audit_page(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, StoreError> {
        let AuditQuery { who, what, study, before, limit } = query;
        // Said only where it is asked for, so that an index finds it.
        let conditions = [
            who.as_ref().map(|_| " AND who = ?1"),
            what.as_ref().map(|_| " AND what = ?2"),
            study.as_ref().map(|_| " AND study = ?3"),
            before.map(|_| " AND n < ?4"),
        ];
        let conditions: String = conditions.into_iter().flatten().collect();
        let sql =
            format!("SELECT {COLUMNS} FROM audit WHERE TRUE{conditions} ORDER BY n DESC LIMIT ?5");
        let limit = match *limit {
            0 => AuditQuery::LONGEST,
            limit => limit.min(AuditQuery::LONGEST),
        };
        let parameters = params![who, what, study, before, limit as i64];
        self.read(|connection| connection.rows(&sql, parameters, AuditRow::read))
    }

    /// Rows after number `after`, at most `limit`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn audit_rows(&self, after: i64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE n > ?1 ORDER BY n LIMIT ?2");
        let limit = limit.min(TOGETHER) as i64;
        self.read(|connection| connection.rows(&sql, [after, limit], AuditRow::read))
    }
}
