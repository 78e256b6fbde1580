//! What is needed to say how good a node is at its site: results beside what readers said and when they looked.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use crate::sql::{Connection, Row, params};
use crate::time::{at, millis};
use crate::{Class, Store, StoreError};

/// A study with a result, without anything that names a patient.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityRow {
    /// StudyInstanceUID.
    pub study_uid: String,
    /// Revision of the newest result.
    pub revision: u32,
    /// What that says.
    pub class: Class,
    /// Its probability of any hemorrhage.
    pub probability: Option<f64>,
    /// Why it is not scored, or not sure.
    pub reason: Option<String>,
    /// Of these reasons the commonest, alone, of a study that is not scored.
    pub cause: Option<String>,
    /// When the first image was received.
    pub first_at: DateTime<Utc>,
    /// When the last one was.
    pub last_at: DateTime<Utc>,
    /// When the result was made.
    pub result_at: DateTime<Utc>,
    /// When somebody first opened the study after its last image.
    pub first_opened_at: Option<DateTime<Utc>>,
    /// When it was acknowledged, if that holds.
    pub read_at: Option<DateTime<Utc>>,
    /// AE title that brought the first image.
    pub source_ae: String,
    /// SHA-256 of the model that made the result, hexadecimal.
    pub model_sha256: String,
    /// Labels that readers said something of, to the newest result: whether the newest word agrees.
    pub words: Vec<(String, bool)>,
}

impl QualityRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let class: String = row.get("class")?;
        let time = |column: &str| -> Result<Option<DateTime<Utc>>, StoreError> {
            Ok(row.get::<_, Option<i64>>(column)?.map(at))
        };
        Ok(Self {
            study_uid: row.get("study_uid")?,
            revision: row.get("result_revision")?,
            class: Class::stored(&class)?,
            probability: row.get("probability")?,
            reason: row.get("reason")?,
            cause: row.get("cause")?,
            first_at: at(row.get("first_at")?),
            last_at: at(row.get("last_at")?),
            result_at: at(row.get("result_at")?),
            first_opened_at: time("first_opened_at")?,
            read_at: time("read_at")?,
            source_ae: row.get("source_ae")?,
            model_sha256: row.get("model_sha256")?,
            words: Vec::new(),
        })
    }
}

/// The newest word of any reader on each label, by study, of studies with a result since then.
fn words(
    connection: &Connection<'_>,
    since: i64,
) -> Result<HashMap<String, BTreeMap<String, bool>>, StoreError> {
    let sql =
        "SELECT reading.study_uid AS study_uid, reading.label AS word, event = 'agreed' AS agrees
         FROM study CROSS JOIN reading ON reading.study_uid = study.study_uid
            AND reading.revision = study.result_revision
         WHERE study.result_at >= ?1 AND event IN ('agreed', 'disagreed') 
            AND reading.label IS NOT NULL
         ORDER BY reading.id";
    let read = |row: &Row<'_>| Ok((row.get("study_uid")?, row.get("word")?, row.get("agrees")?));
    let mut words: HashMap<String, BTreeMap<String, bool>> = HashMap::new();
    for (study_uid, label, agrees) in connection.rows(sql, [since], read)? {
        words.entry(study_uid).or_default().insert(label, agrees);
    }
    Ok(words)
}

impl Store {
    /// Every study whose newest result was made then or later, in the order in which these were made.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn quality_rows(&self, since: DateTime<Utc>) -> Result<Vec<QualityRow>, StoreError> {
        let sql =
            "SELECT study_uid, result_revision, class, probability, reason, first_at, last_at,
                result_at, read_at, source_ae,
                (SELECT model_sha256 FROM result WHERE result.study_uid = study.study_uid
                    AND result.revision = result_revision) AS model_sha256,
                (SELECT cause FROM result WHERE result.study_uid = study.study_uid
                    AND result.revision = result_revision) AS cause,
                (SELECT min(at) FROM reading WHERE reading.study_uid = study.study_uid
                    AND event = 'opened' AND at >= last_at) AS first_opened_at
             FROM study WHERE result_at >= ?1 ORDER BY result_at, study_uid";
        let since = millis(since);
        self.read(|connection| {
            let mut all = connection.rows(sql, [since], QualityRow::read)?;
            let mut words = words(connection, since)?;
            for row in &mut all {
                row.words = words.remove(&row.study_uid).into_iter().flatten().collect();
            }
            Ok(all)
        })
    }

    /// The studies that the present model, which made the newest result, scored first, at most `limit`: their
    /// StudyInstanceUIDs and probabilities of any hemorrhage, of each study its first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn first_results(&self, limit: usize) -> Result<Vec<(String, f64)>, StoreError> {
        let sql =
            "SELECT result.study_uid AS study_uid, result.probability AS probability FROM result
             WHERE model_sha256 = (SELECT model_sha256 FROM study JOIN result
                    ON result.study_uid = study.study_uid AND result.revision = result_revision
                    ORDER BY result_at DESC LIMIT 1)
                AND result.probability IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM result AS earlier
                    WHERE earlier.study_uid = result.study_uid
                        AND earlier.revision < result.revision
                        AND earlier.model_sha256 = result.model_sha256
                        AND earlier.probability IS NOT NULL)
             ORDER BY made_at LIMIT ?1";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read(|connection| {
            let read = |row: &Row<'_>| Ok((row.get("study_uid")?, row.get("probability")?));
            connection.rows(sql, params![limit], read)
        })
    }
}
