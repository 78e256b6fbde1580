//! What the list shows of studies beside their rows: what readers did with the newest result, how far its
//! deliveries are, and what there is to see. One query for each of these, whatever the number of studies.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::row::count;
use crate::sql::{Connection, Row, params};
use crate::time::at;
use crate::work::{Artifact, key_slice};
use crate::{ReadingEvent, Store, StoreError};

/// What the list shows of a study beside its row. All of it is about the newest result.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StudyExtras {
    /// Who opened it first; before there is a result, who opened the study.
    pub opened_by: Option<String>,
    /// When.
    pub opened_at: Option<DateTime<Utc>>,
    /// Who acknowledged it, if that holds.
    pub acknowledged_by: Option<String>,
    /// When.
    pub acknowledged_at: Option<DateTime<Utc>>,
    /// Labels with which a reader agrees by their newest word, each once.
    pub agreed: BTreeSet<String>,
    /// Labels with which one disagrees.
    pub disagreed: BTreeSet<String>,
    /// Deliveries that wait or are being sent, and have not failed.
    pub waiting: u64,
    /// Those that have failed and are tried again.
    pub failing: u64,
    /// Those that are acknowledged.
    pub delivered: u64,
    /// Those that are given up.
    pub given_up: u64,
    /// The slice to look at first; `None` where there is none, or the images are gone.
    pub key_slice: Option<(u32, u32)>,
    /// Whether there is the artifact [`Artifact::THUMBNAIL`].
    pub has_thumbnail: bool,
}

type Extras = HashMap<String, StudyExtras>;

/// The studies that are asked for, by name; the rest of a query joins them in this order.
const WANTED: &str = "json_each(?1) AS wanted CROSS JOIN study ON study.study_uid = wanted.value";

/// What the rows of the studies hold.
fn begin(connection: &Connection<'_>, wanted: &str) -> Result<Extras, StoreError> {
    let sql = format!(
        "SELECT study.study_uid AS study_uid, read_at, read_by, key_series, key_slice, instances > 0 AS images,
            EXISTS (SELECT 1 FROM artifact WHERE artifact.study_uid = study.study_uid
                AND artifact.revision = result_revision AND name = ?2) AS thumbnail
         FROM {WANTED}"
    );
    let read = |row: &Row<'_>| {
        let acknowledged_at = row.get::<_, Option<i64>>("read_at")?.map(at);
        let acknowledged_by: Option<String> = row.get("read_by")?;
        let images: bool = row.get("images")?;
        let extras = StudyExtras {
            acknowledged_by: acknowledged_by.filter(|_| acknowledged_at.is_some()),
            acknowledged_at,
            key_slice: key_slice(row)?.filter(|_| images),
            has_thumbnail: row.get("thumbnail")?,
            ..StudyExtras::default()
        };
        Ok((row.get("study_uid")?, extras))
    };
    let found = connection.rows(&sql, params![wanted, Artifact::THUMBNAIL], read)?;
    Ok(found.into_iter().collect())
}

fn add_readings(
    connection: &Connection<'_>,
    wanted: &str,
    extras: &mut Extras,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT study.study_uid AS study_uid, \"user\", event, reading.label AS word, at
         FROM {WANTED} CROSS JOIN reading ON reading.study_uid = study.study_uid
         WHERE event IN ('opened', 'agreed', 'disagreed')
            AND reading.revision = COALESCE(result_revision, 0)
         ORDER BY reading.id"
    );
    let read = |row: &Row<'_>| {
        let event: String = row.get("event")?;
        let study_uid: String = row.get("study_uid")?;
        let (user, label): (String, Option<String>) = (row.get("user")?, row.get("word")?);
        Ok((study_uid, user, ReadingEvent::stored(&event)?, label, at(row.get("at")?)))
    };
    let mut words = HashMap::new();
    for (study_uid, user, event, label, at) in connection.rows(&sql, [wanted], read)? {
        if event == ReadingEvent::Opened {
            let Some(extras) = extras.get_mut(&study_uid) else { continue };
            extras.opened_by.get_or_insert(user);
            extras.opened_at.get_or_insert(at);
        } else if let Some(label) = label {
            // Later words replace earlier ones of the same reader on the same label.
            words.insert((study_uid, user, label), event);
        }
    }
    for ((study_uid, _, label), event) in words {
        let Some(extras) = extras.get_mut(&study_uid) else { continue };
        match event {
            ReadingEvent::Agreed => extras.agreed.insert(label),
            _ => extras.disagreed.insert(label),
        };
    }
    Ok(())
}

fn add_deliveries(
    connection: &Connection<'_>,
    wanted: &str,
    extras: &mut Extras,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT study.study_uid AS study_uid,
            count(*) FILTER (WHERE delivery.state IN ('waiting', 'sending') AND attempts = 0) AS waiting,
            count(*) FILTER (WHERE delivery.state IN ('waiting', 'sending') AND attempts > 0) AS failing,
            count(*) FILTER (WHERE delivery.state = 'delivered') AS delivered,
            count(*) FILTER (WHERE delivery.state = 'given up') AS given_up
         FROM {WANTED} CROSS JOIN delivery
            ON delivery.study_uid = study.study_uid AND delivery.revision = result_revision
         GROUP BY study.study_uid"
    );
    let read = |row: &Row<'_>| {
        let counts = ["waiting", "failing", "delivered", "given_up"].map(|it| count(row, it));
        Ok((row.get::<_, String>("study_uid")?, counts))
    };
    for (study_uid, [waiting, failing, delivered, given_up]) in
        connection.rows(&sql, [wanted], read)?
    {
        if let Some(extras) = extras.get_mut(&study_uid) {
            (extras.waiting, extras.failing) = (waiting?, failing?);
            (extras.delivered, extras.given_up) = (delivered?, given_up?);
        }
    }
    Ok(())
}

impl Store {
    /// What the list shows of studies beside their rows; those that there are not are left out.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn extras(
        &self,
        study_uids: &[String],
    ) -> Result<HashMap<String, StudyExtras>, StoreError> {
        let wanted: BTreeSet<&str> = study_uids.iter().map(String::as_str).collect();
        let wanted = serde_json::Value::from_iter(wanted).to_string();
        self.read(|connection| {
            let mut extras = begin(connection, &wanted)?;
            add_readings(connection, &wanted, &mut extras)?;
            add_deliveries(connection, &wanted, &mut extras)?;
            Ok(extras)
        })
    }
}
