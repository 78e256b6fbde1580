//! What is known of a study and of its instances.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::refresh::{exists, parse_warnings, warn};
use super::state::{Class, StudyState};
use crate::sql::{Row, params};
use crate::time::at;
use crate::{Settled, Store, StoreError};

/// What is known of a study. Texts are those of its first instance.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyRow {
    /// StudyInstanceUID.
    pub study_uid: String,
    /// PatientID.
    pub patient_id: String,
    /// IssuerOfPatientID.
    pub issuer_of_patient_id: String,
    /// PatientName, with its components (`Family^Given`).
    pub patient_name: String,
    /// PatientBirthDate (`DA`).
    pub patient_birth_date: String,
    /// PatientSex.
    pub patient_sex: String,
    /// AccessionNumber.
    pub accession_number: String,
    /// StudyDescription.
    pub description: String,
    /// StudyDate (`DA`).
    pub study_date: String,
    /// StudyTime (`TM`).
    pub study_time: String,
    /// InstitutionName.
    pub institution: String,
    /// AE title that brought the first instance.
    pub source_ae: String,
    /// When the first instance was received.
    pub first_at: DateTime<Utc>,
    /// When the last one was.
    pub last_at: DateTime<Utc>,
    /// Its state.
    pub state: StudyState,
    /// Newest settled revision; 0 before the first.
    pub revision: u32,
    /// Why that was settled.
    pub settled: Option<Settled>,
    /// Whether it has instances that no settled revision includes.
    pub unsettled: bool,
    /// Whether it was ordered as urgent.
    pub stat: bool,
    /// Whether its images are kept from eviction.
    pub pinned: bool,
    /// When a reader acknowledged it.
    pub read_at: Option<DateTime<Utc>>,
    /// Instances that are used: images there, not superseded.
    pub instances: u64,
    /// Images that were evicted.
    pub evicted: u64,
    /// Bytes of all images that are there.
    pub bytes: u64,
    /// Probability while it is still received and scored.
    pub partial_probability: Option<f64>,
    /// When that was worked out.
    pub partial_at: Option<DateTime<Utc>>,
    /// Revision of the newest result; may be older than `revision`.
    pub result_revision: Option<u32>,
    /// What that result says.
    pub class: Option<Class>,
    /// Its probability.
    pub probability: Option<f64>,
    /// Its leading label.
    pub label: Option<String>,
    /// Why it is not scored, or not sure.
    pub reason: Option<String>,
    /// When it was made.
    pub result_at: Option<DateTime<Utc>>,
    /// What went wrong last: of the job, or of a delivery.
    pub last_error: Option<String>,
    /// What to be careful about, such as objects that name another patient.
    pub warnings: Vec<String>,
}

/// An instance whose image is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRow {
    /// SOPInstanceUID.
    pub sop_uid: String,
    /// SeriesInstanceUID.
    pub series_uid: String,
    /// The file, with a preamble of the store's own.
    pub path: PathBuf,
    /// SHA-256 of the data set.
    pub sha256: [u8; 32],
    /// Bytes of the file.
    pub bytes: u64,
    /// Its transfer syntax.
    pub transfer_syntax: String,
    /// SOPClassUID.
    pub sop_class: String,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// Association that brought it.
    pub association: u64,
    /// Whether a newer instance of the same UID is used instead.
    pub superseded: bool,
}

/// Columns of a study, in the order in which [`StudyRow::read`] takes them.
pub(super) const COLUMNS: &str = "study_uid, patient_id, issuer_of_patient_id, patient_name,
    patient_birth_date, patient_sex, accession_number, description, study_date, study_time,
    institution, source_ae, first_at, last_at, state, revision, settled, unsettled, stat, pinned,
    read_at, instances, evicted, bytes, partial_probability, partial_at, result_revision, class, probability,
    label, reason, result_at, last_error, warnings, rank_group, rank_value";

impl StudyRow {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let state: String = row.get("state")?;
        let settled: Option<String> = row.get("settled")?;
        let class: Option<String> = row.get("class")?;
        let warnings: String = row.get("warnings")?;
        let time = |column: &str| -> Result<Option<DateTime<Utc>>, StoreError> {
            Ok(row.get::<_, Option<i64>>(column)?.map(at))
        };
        Ok(Self {
            study_uid: row.get("study_uid")?,
            patient_id: row.get("patient_id")?,
            issuer_of_patient_id: row.get("issuer_of_patient_id")?,
            patient_name: row.get("patient_name")?,
            patient_birth_date: row.get("patient_birth_date")?,
            patient_sex: row.get("patient_sex")?,
            accession_number: row.get("accession_number")?,
            description: row.get("description")?,
            study_date: row.get("study_date")?,
            study_time: row.get("study_time")?,
            institution: row.get("institution")?,
            source_ae: row.get("source_ae")?,
            first_at: at(row.get("first_at")?),
            last_at: at(row.get("last_at")?),
            state: StudyState::stored(&state)?,
            revision: row.get("revision")?,
            settled: settled.as_deref().map(Settled::stored).transpose()?,
            unsettled: row.get("unsettled")?,
            stat: row.get("stat")?,
            pinned: row.get("pinned")?,
            read_at: time("read_at")?,
            instances: count(row, "instances")?,
            evicted: count(row, "evicted")?,
            bytes: count(row, "bytes")?,
            partial_probability: row.get("partial_probability")?,
            partial_at: time("partial_at")?,
            result_revision: row.get("result_revision")?,
            class: class.as_deref().map(Class::stored).transpose()?,
            probability: row.get("probability")?,
            label: row.get("label")?,
            reason: row.get("reason")?,
            result_at: time("result_at")?,
            last_error: row.get("last_error")?,
            warnings: parse_warnings(&warnings)?,
        })
    }
}

/// A column that counts something.
pub(crate) fn count(row: &Row<'_>, column: &str) -> Result<u64, StoreError> {
    let stored: i64 = row.get(column)?;
    u64::try_from(stored).map_err(|_| StoreError::Damaged(format!("{column} is {stored}")))
}

/// A column that holds a hash.
pub(crate) fn hash(row: &Row<'_>, column: &str) -> Result<[u8; 32], StoreError> {
    let stored: Vec<u8> = row.get(column)?;
    let damaged = |found: Vec<u8>| StoreError::Damaged(format!("{column}: {} bytes", found.len()));
    stored.try_into().map_err(damaged)
}

/// Columns of an instance, for [`InstanceRow::read`].
pub(super) const INSTANCE_COLUMNS: &str = "study_uid, sop_uid, series_uid, path, sha256, bytes,
    transfer_syntax, sop_class, received_at, association_id";

impl InstanceRow {
    pub(super) fn read(row: &Row<'_>, root: &Path) -> Result<Self, StoreError> {
        let path: String = row.get("path")?;
        Ok(Self {
            sop_uid: row.get("sop_uid")?,
            series_uid: row.get("series_uid")?,
            path: root.join(path),
            sha256: hash(row, "sha256")?,
            bytes: count(row, "bytes")?,
            transfer_syntax: row.get("transfer_syntax")?,
            sop_class: row.get("sop_class")?,
            received_at: at(row.get("received_at")?),
            association: count(row, "association_id")?,
            superseded: false,
        })
    }
}

impl Store {
    /// A study, with what was kept of it before, unless that cannot be filed at the moment.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn study(&self, study_uid: &str) -> Result<Option<StudyRow>, StoreError> {
        // A full disk must not hide what is there.
        let _ = self.flush();
        let sql = format!("SELECT {COLUMNS} FROM study WHERE study_uid = ?1");
        self.read(|connection| Ok(connection.rows(&sql, [study_uid], StudyRow::read)?.pop()))
    }

    /// The instances of a study whose images are there, in the order in which they came, unless some
    /// cannot be filed at the moment.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn instances(&self, study_uid: &str) -> Result<Vec<InstanceRow>, StoreError> {
        let _ = self.flush();
        self.instances_until(study_uid, i64::MAX)
    }

    /// Those of them that a revision includes, as it saw them: an instance that came later supersedes
    /// none of them.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn instances_of(
        &self,
        study_uid: &str,
        revision: u32,
    ) -> Result<Vec<InstanceRow>, StoreError> {
        let sql = "SELECT last_seq FROM revision WHERE study_uid = ?1 AND revision = ?2";
        let last = |row: &Row<'_>| row.get(0);
        let last =
            self.read(|connection| connection.first(sql, params![study_uid, revision], last))?;
        self.instances_until(study_uid, last.unwrap_or(0))
    }

    fn instances_until(&self, study_uid: &str, last: i64) -> Result<Vec<InstanceRow>, StoreError> {
        let sql = format!(
            "SELECT {INSTANCE_COLUMNS} FROM instance
             WHERE study_uid = ?1 AND seq <= ?2 AND evicted = 0 ORDER BY seq"
        );
        let root = self.folder.root();
        let read = |row: &Row<'_>| InstanceRow::read(row, root);
        let mut all =
            self.read(|connection| connection.rows(&sql, params![study_uid, last], read))?;
        let mut newer = HashSet::new();
        for instance in all.iter_mut().rev() {
            instance.superseded = !newer.insert(instance.sop_uid.clone());
        }
        Ok(all)
    }

    /// Studies that have instances which no settled revision includes, oldest first. What was kept a
    /// moment ago may not be among them yet ([`Store::flush`]).
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn receiving(&self) -> Result<Vec<StudyRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM study WHERE unsettled = 1 ORDER BY first_at, study_uid");
        self.read(|connection| connection.rows(&sql, params![], StudyRow::read))
    }

    /// Says that a study was ordered as urgent, or not: it is scored before others.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn set_stat(&self, study_uid: &str, stat: bool) -> Result<(), StoreError> {
        let study_uid = study_uid.to_owned();
        self.change(move |connection| {
            exists(connection, &study_uid)?;
            let sql = "UPDATE study SET stat = ?2 WHERE study_uid = ?1";
            connection.execute(sql, params![study_uid, stat])?;
            Ok(())
        })
    }

    /// Adds a warning to a study, once. It names no patient.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn warn(&self, study_uid: &str, warning: &str) -> Result<(), StoreError> {
        let (study_uid, warning) = (study_uid.to_owned(), warning.to_owned());
        self.change(move |connection| warn(connection, &study_uid, &warning))
    }
}
