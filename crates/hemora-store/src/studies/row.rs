//! What is known of a study and of its instances.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::state::{Class, StudyState};
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

impl Store {
    /// A study.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn study(&self, study_uid: &str) -> Result<Option<StudyRow>, StoreError> {
        let _ = study_uid;
        todo!()
    }

    /// The instances of a study whose images are there, in the order in which they came.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn instances(&self, study_uid: &str) -> Result<Vec<InstanceRow>, StoreError> {
        let _ = study_uid;
        todo!()
    }

    /// Studies that have instances which no settled revision includes, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub fn receiving(&self) -> Result<Vec<StudyRow>, StoreError> {
        todo!()
    }

    /// Says that a study was ordered as urgent, or not: it is scored before others.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn set_stat(&self, study_uid: &str, stat: bool) -> Result<(), StoreError> {
        let _ = (study_uid, stat);
        todo!()
    }

    /// Adds a warning to a study, once.
    ///
    /// # Errors
    /// [`StoreError::NoStudy`], or of the database.
    pub fn warn(&self, study_uid: &str, warning: &str) -> Result<(), StoreError> {
        let _ = (study_uid, warning);
        todo!()
    }
}
