//! Small DICOM objects, and stores to put them into.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hemora_io::{Identity, read_identity};
use hemora_store::{
    Arrival, Class, Durability, Job, Kept, NewDelivery, Options, RevisionResult, Settled, Store,
    StoreError,
};

use crate::place;

/// A moment of the tests, in seconds after their first.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_764_000_000 + seconds, 0).unwrap()
}

/// Length of a lease.
pub const MINUTE: Duration = Duration::from_secs(60);

/// Options of a test: nothing is synced, any disk will do.
pub fn quick() -> Options {
    Options { durability: Durability::Process, reserve: 0, pool: 4, ..Options::default() }
}

/// What an object is to say.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    pub study: &'a str,
    pub sop: String,
    pub patient: &'a str,
    pub pixels: Vec<u8>,
}

impl<'a> Object<'a> {
    pub fn new(study: &'a str, sop: &str) -> Self {
        Self { study, sop: sop.to_owned(), patient: "P1", pixels: sop.as_bytes().to_vec() }
    }

    /// Meta header and data set, explicit little endian.
    pub fn bytes(&self, source: &str) -> Vec<u8> {
        let mut meta = Vec::new();
        element(&mut meta, 2, 0x02, b"UI", b"1.2.840.10008.5.1.4.1.1.2");
        element(&mut meta, 2, 0x03, b"UI", self.sop.as_bytes());
        element(&mut meta, 2, 0x10, b"UI", b"1.2.840.10008.1.2.1");
        element(&mut meta, 2, 0x16, b"AE", source.as_bytes());
        let mut bytes = b"DICM".to_vec();
        element(&mut bytes, 2, 0, b"UL", &(meta.len() as u32).to_le_bytes());
        bytes.extend(meta);
        bytes.extend(self.data_set());
        bytes
    }

    pub fn data_set(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        element(&mut bytes, 8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.2");
        element(&mut bytes, 8, 0x18, b"UI", self.sop.as_bytes());
        element(&mut bytes, 8, 0x50, b"SH", b"ACC7");
        element(&mut bytes, 8, 0x1030, b"LO", b"CT head");
        element(&mut bytes, 0x10, 0x10, b"PN", b"Doe^Jane");
        element(&mut bytes, 0x10, 0x20, b"LO", self.patient.as_bytes());
        element(&mut bytes, 0x20, 0x0d, b"UI", self.study.as_bytes());
        element(&mut bytes, 0x20, 0x0e, b"UI", format!("{}.1", self.study).as_bytes());
        bytes.extend([0xe0, 0x7f, 0x10, 0x00]);
        bytes.extend(b"OW\0\0");
        bytes.extend(((self.pixels.len() + self.pixels.len() % 2) as u32).to_le_bytes());
        bytes.extend(&self.pixels);
        bytes.extend(vec![0; self.pixels.len() % 2]);
        bytes
    }
}

fn element(bytes: &mut Vec<u8>, group: u16, number: u16, vr: &[u8; 2], value: &[u8]) {
    bytes.extend(group.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(vr);
    bytes.extend(((value.len() + value.len() % 2) as u16).to_le_bytes());
    bytes.extend(value);
    let padding = if vr == b"UI" { 0 } else { b' ' };
    bytes.extend(vec![padding; value.len() % 2]);
}

pub fn arrival(identity: Identity, seconds: i64) -> Arrival {
    let calling_ae = "CT1".to_owned();
    Arrival { identity, association: 3, calling_ae, received_at: at(seconds) }
}

/// Writes an object into the store, as a node does.
pub fn try_keep(store: &Store, object: &Object<'_>, seconds: i64) -> Result<Kept, StoreError> {
    let mut draft = store.draft()?;
    draft
        .write_all(&object.bytes("CT1"))
        .map_err(|source| StoreError::Io { path: draft.path().to_owned(), source })?;
    let sealed = draft.seal()?;
    let identity = read_identity(sealed.path()).unwrap();
    store.keep(sealed, arrival(identity, seconds))
}

pub fn keep(store: &Store, object: &Object<'_>, seconds: i64) -> Kept {
    try_keep(store, object, seconds).unwrap()
}

/// A store in a folder of its own.
pub fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = place::open(folder.path(), quick()).unwrap();
    (folder, store)
}

/// A settled study of one image, received at a second.
pub fn settled(store: &Store, study: &str, seconds: i64) {
    keep(store, &Object::new(study, &format!("{study}.9")), seconds);
    store.settle(study, Settled::Quiet, at(seconds + 4)).unwrap();
}

/// The job that comes first.
pub fn leased(store: &Store, seconds: i64) -> Job {
    store.lease("worker", at(seconds), MINUTE).unwrap().expect("a job is due")
}

pub fn result(class: Class, probability: f64) -> RevisionResult {
    RevisionResult {
        revision: 0,
        class,
        probability: Some(probability),
        label: Some("subdural".to_owned()),
        reason: None,
        json: "{\"schema\": 1}".to_owned(),
        findings: "null".to_owned(),
        cause: Some("a localizer; left out".to_owned()),
        key_slice: None,
        made_at: at(100),
        model_sha256: "ab".repeat(32),
    }
}

pub fn delivery(destination: &str, kind: &str) -> NewDelivery {
    let payload = format!("{kind} for {destination}").into_bytes();
    NewDelivery { destination: destination.to_owned(), kind: kind.to_owned(), payload }
}

/// A study with a result and what it causes.
pub fn scored(
    store: &Store,
    study: &str,
    seconds: i64,
    (class, probability): (Class, f64),
    deliveries: Vec<NewDelivery>,
) {
    settled(store, study, seconds);
    let job = leased(store, seconds + 5);
    assert_eq!(job.study_uid, study);
    store.complete(&job, result(class, probability), deliveries, vec![]).unwrap();
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
