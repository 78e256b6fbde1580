//! Retention, removal of a patient.

use std::time::Duration;

use hemora_store::{Artifact, Class, Evicted, Retention, Settled, Store, StoreError, StudyState};

use crate::support::{
    MINUTE, Object, at, delivery, files, keep, leased, result, scored, settled, store,
};

pub const DAY: i64 = 86_400;
const NEGATIVE: (Class, f64) = (Class::Negative, 0.1);

fn days(days: u64) -> Retention {
    Retention { images: Duration::from_secs(days * 86_400), at_most: None, reserve: 0 }
}

/// Studies 1.1 to 1.8, a day apart; only the first two and the last may be evicted.
pub fn mixed() -> (tempfile::TempDir, Store) {
    let (folder, store) = store();
    scored(&store, "1.1", 0, NEGATIVE, vec![]);
    scored(&store, "1.2", DAY, NEGATIVE, vec![delivery("PACS", "sr")]);
    let sent = store.lease_delivery("sender", None, at(DAY + 9), MINUTE).unwrap().unwrap();
    store.delivered(sent.id, "0000", at(DAY + 9)).unwrap();
    scored(&store, "1.3", 2 * DAY, NEGATIVE, vec![delivery("PACS", "sr")]);
    scored(&store, "1.4", 3 * DAY, NEGATIVE, vec![delivery("DOWN", "sr")]);
    let sent = store.lease_delivery("sender", Some("DOWN"), at(3 * DAY + 9), MINUTE);
    store.delivery_failed(sent.unwrap().unwrap().id, "refused", None).unwrap();
    scored(&store, "1.5", 4 * DAY, NEGATIVE, vec![]);
    store.pin("1.5", true, "kim", at(4 * DAY)).unwrap();
    keep(&store, &Object::new("1.7", "1.7.1"), 6 * DAY);
    scored(&store, "1.8", 7 * DAY, NEGATIVE, vec![]);
    settled(&store, "1.6", 5 * DAY);
    (folder, store)
}

pub fn with_images(store: &Store) -> String {
    let has = |study: &&str| !store.instances(study).unwrap().is_empty();
    let all = ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8"];
    all.into_iter().filter(has).collect::<Vec<_>>().join(" ")
}

#[test]
fn only_what_is_scored_delivered_and_not_pinned_goes() {
    let (folder, store) = mixed();
    store.remember(&[1; 32], "1.1", b"scores").unwrap();
    store.set_stat("1.1", false).unwrap();
    assert!(store.remembered(&[1; 32]).unwrap().is_some());
    let evicted = store.evict(&days(30), at(9 * DAY)).unwrap();
    assert_eq!(evicted, Evicted::default());
    let evicted = store.evict(&days(3), at(9 * DAY)).unwrap();
    assert_eq!((evicted.studies, evicted.instances, evicted.short_of), (2, 2, 0));
    assert_eq!(with_images(&store), "1.3 1.4 1.5 1.6 1.7 1.8");
    assert_eq!(files(&folder.path().join("studies")).len(), 6);
    // Folders of studies without images are gone too.
    let folders = std::fs::read_dir(folder.path().join("studies")).unwrap();
    let studies: usize =
        folders.map(|it| std::fs::read_dir(it.unwrap().path()).unwrap().count()).sum();
    assert_eq!(studies, 6);
    // Results, deliveries and audit stay; what was made of the images goes.
    let study = store.study("1.2").unwrap().unwrap();
    assert_eq!((study.evicted, study.instances, study.bytes), (1, 0, 0));
    assert_eq!((study.state, study.class), (StudyState::Delivered, Some(Class::Negative)));
    assert!(store.result("1.2", None).unwrap().is_some());
    assert_eq!(store.remembered(&[1; 32]).unwrap(), None);
    let sent = store.deliveries("1.2").unwrap()[0].id;
    let gone = store.retry_delivery(sent, "kim", at(9 * DAY)).unwrap_err();
    assert!(gone.to_string().contains("removed with the images"), "{gone}");
    let audit = store.audit_rows(0, 100).unwrap();
    assert_eq!(audit.iter().filter(|row| row.what == "evicted").count(), 2);
    // The payload of 1.2 has the same bytes as that of 1.3, which still has to be sent.
    let left = store.lease_delivery("sender", Some("PACS"), at(9 * DAY), MINUTE).unwrap().unwrap();
    assert_eq!((left.study_uid.as_str(), left.payload.as_slice()), ("1.3", &b"sr for PACS"[..]));
    store.pin("1.5", false, "kim", at(9 * DAY)).unwrap();
    assert_eq!(store.evict(&days(3), at(9 * DAY)).unwrap().studies, 1);
}

#[test]
fn the_oldest_go_until_the_limit_is_met_and_what_is_short_is_said() {
    let (_folder, store) = mixed();
    let bytes = store.counts().unwrap().bytes;
    let one = store.study("1.1").unwrap().unwrap().bytes;
    let limit = |at_most| Retention { at_most: Some(at_most), ..days(1000) };
    assert_eq!(store.evict(&limit(bytes), at(9 * DAY)).unwrap(), Evicted::default());
    let evicted = store.evict(&limit(bytes - 1), at(9 * DAY)).unwrap();
    assert_eq!((evicted.studies, evicted.bytes, evicted.short_of), (1, one, 0));
    assert_eq!(with_images(&store), "1.2 1.3 1.4 1.5 1.6 1.7 1.8");
    let evicted = store.evict(&limit(0), at(9 * DAY)).unwrap();
    assert_eq!(with_images(&store), "1.3 1.4 1.5 1.6 1.7");
    assert_eq!(evicted.short_of, bytes - one - evicted.bytes);
    // The same for space that the disk is to have free.
    let (_folder, store) = mixed();
    let evicted = store.evict(&Retention { reserve: u64::MAX, ..days(1000) }, at(9 * DAY)).unwrap();
    assert_eq!(evicted.studies, 3);
    assert!(evicted.short_of > 0);
}

/// Whether any file of the folder holds a text.
fn holds(folder: &std::path::Path, text: &str) -> bool {
    files(folder).iter().any(|file| {
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(text.len()).any(|it| it == text.as_bytes())
    })
}

#[test]
fn a_patient_is_forgotten_to_the_last_byte_and_the_audit_says_so() {
    let (folder, store) = store();
    let other = |study, sop: &str, patient| Object { patient, ..Object::new(study, sop) };
    keep(&store, &other("1.1", "1.1.1", "SECRET-4711"), 0);
    store.settle("1.1", Settled::Quiet, at(4)).unwrap();
    let job = leased(&store, 5);
    store.remember(&[1; 32], "1.1", b"scores").unwrap();
    let artifact = |bytes: &[u8]| vec![Artifact { name: "view".to_owned(), bytes: bytes.to_vec() }];
    let (sent, made) = (vec![delivery("PACS", "sr")], artifact(b"of SECRET-4711"));
    store.complete(&job, result(Class::Positive, 0.9), sent, made).unwrap();
    store.note_opened("1.1", "kim", 1, at(7)).unwrap();
    settled(&store, "1.2", 10);
    let job = leased(&store, 15);
    store.complete(&job, result(Class::Negative, 0.1), vec![], artifact(b"of both")).unwrap();
    assert!(store.remembered(&[1; 32]).unwrap().is_some());
    keep(&store, &other("1.2", "1.2.77", "SECRET-4711"), 11);
    store.settle("1.2", Settled::Quiet, at(12)).unwrap();
    store.flush().unwrap();
    assert!(holds(folder.path(), "SECRET-4711"));
    let forgotten = store.forget("SECRET-4711", "kim", at(100)).unwrap();
    assert_eq!((forgotten.studies, forgotten.instances), (1, 2));
    assert!(!holds(folder.path(), "SECRET-4711"));
    assert!(store.study("1.1").unwrap().is_none());
    assert!(store.result("1.1", None).unwrap().is_none());
    assert!(store.deliveries("1.1").unwrap().is_empty());
    assert!(store.artifact("1.1", None, "view").unwrap().is_none());
    assert!(store.readings("1.1").unwrap().is_empty());
    assert!(store.revisions("1.1").unwrap().is_empty());
    assert_eq!(store.remembered(&[1; 32]).unwrap(), None);
    // The other patient's study goes on without the image that was not theirs, and what shows it.
    assert!(store.artifact("1.2", None, "view").unwrap().is_none());
    let study = store.study("1.2").unwrap().unwrap();
    assert_eq!((study.instances, study.state), (1, StudyState::Receiving));
    assert_eq!(store.settle("1.2", Settled::Quiet, at(101)).unwrap().instances, 1);
    let audit = store.audit_rows(0, 100).unwrap();
    let last = audit.last().unwrap();
    assert_eq!((last.who.as_str(), last.detail.as_str()), ("kim", "1 studies, 2 images"));
    store.verify_audit().unwrap();
    assert_eq!(store.forget("SECRET-4711", "kim", at(102)).unwrap().studies, 0);
    assert!(matches!(store.forget(" ", "kim", at(103)), Err(StoreError::BadValue { .. })));
}
