//! Instances: kept once, byte for byte, whoever sends them.

use std::io::Write;

use hemora_base::sha256_hex;
use hemora_store::{Kept, Options, Settled, Store, StoreError, StudyState};
use sha2::{Digest, Sha256};

use crate::place;
use crate::support::{Object, at, files, keep, quick, store, try_keep};

#[test]
fn an_instance_is_kept_byte_for_byte_under_a_hash() {
    let (folder, store) = store();
    let object = Object::new("1.2.3", "1.2.3.4");
    assert_eq!(keep(&store, &object, 0), Kept::New);
    let instances = store.instances("1.2.3").unwrap();
    let [instance] = &instances[..] else { panic!("{instances:?}") };
    let bytes = std::fs::read(&instance.path).unwrap();
    assert_eq!(bytes[128..], object.bytes("CT1"));
    assert_eq!(bytes.len() as u64, instance.bytes);
    assert_eq!(instance.sha256, <[u8; 32]>::from(Sha256::digest(object.data_set())));
    assert_eq!((instance.sop_uid.as_str(), instance.series_uid.as_str()), ("1.2.3.4", "1.2.3.1"));
    assert_eq!(instance.transfer_syntax, "1.2.840.10008.1.2.1");
    assert_eq!(instance.sop_class, "1.2.840.10008.5.1.4.1.1.2");
    assert_eq!((instance.received_at, instance.association), (at(0), 3));
    assert!(!instance.superseded);
    assert!(!instance.path.to_string_lossy().contains("1.2.3"), "{}", instance.path.display());
    let study = store.study("1.2.3").unwrap().unwrap();
    assert_eq!(study.patient_name, "Doe^Jane");
    assert_eq!((study.patient_id.as_str(), study.accession_number.as_str()), ("P1", "ACC7"));
    assert_eq!((study.source_ae.as_str(), study.state), ("CT1", StudyState::Receiving));
    assert_eq!((study.instances, study.bytes), (1, instance.bytes));
    // Nothing is left in the inbox but the files that are ready, which are empty.
    drop(store);
    let inbox = files(&place::inbox(folder.path()));
    assert!(inbox.iter().all(|file| file.metadata().unwrap().len() == 0), "{inbox:?}");
}

#[test]
fn the_same_again_is_one_instance_and_other_bytes_are_two() {
    let (_folder, store) = store();
    let first = Object::new("1.2.3", "1.2.3.4");
    let mut other = first.clone();
    other.pixels = b"other".to_vec();
    assert_eq!(keep(&store, &first, 0), Kept::New);
    assert_eq!(keep(&store, &first, 1), Kept::Again);
    store.flush().unwrap();
    assert_eq!(keep(&store, &first, 2), Kept::Again);
    assert_eq!(keep(&store, &other, 3), Kept::OtherBytes);
    let used = |store: &Store| -> Vec<(bool, i64)> {
        let instances = store.instances("1.2.3").unwrap();
        instances
            .iter()
            .map(|it| (it.superseded, it.received_at.timestamp() - at(0).timestamp()))
            .collect()
    };
    assert_eq!(used(&store), [(true, 0), (false, 3)]);
    let study = store.study("1.2.3").unwrap().unwrap();
    assert_eq!((study.instances, study.warnings.len()), (1, 1), "{:?}", study.warnings);
    let audit = store.audit_rows(0, 10).unwrap();
    assert_eq!(audit.len(), 1);
    assert_eq!((audit[0].who.as_str(), audit[0].detail.as_str()), ("CT1", "1.2.3.4"));
    // What was sent last is used, though it is there already; once it is, sending it again is nothing.
    assert_eq!(keep(&store, &first, 4), Kept::OtherBytes);
    assert_eq!(used(&store), [(true, 3), (false, 0)]);
    assert_eq!(keep(&store, &first, 5), Kept::Again);
}

#[test]
fn another_senders_meta_header_makes_no_other_instance() {
    let (_folder, store) = store();
    let object = Object::new("1.2.3", "1.2.3.4");
    keep(&store, &object, 0);
    let mut draft = store.draft().unwrap();
    draft.write_all(&object.bytes("OTHER_AE")).unwrap();
    let sealed = draft.seal().unwrap();
    let identity = hemora_io::read_identity(sealed.path()).unwrap();
    assert_eq!(store.keep(sealed, crate::support::arrival(identity, 1)).unwrap(), Kept::Again);
}

#[test]
fn the_same_instance_from_many_at_once_is_one() {
    let (_folder, store) = store();
    for round in 0..20 {
        let object = Object::new("1.2.3", &format!("1.2.3.{round}"));
        let kept: Vec<Kept> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| keep(&store, &object, round))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(kept.iter().filter(|it| **it == Kept::New).count(), 1, "{kept:?}");
        assert_eq!(kept.iter().filter(|it| **it == Kept::Again).count(), 7, "{kept:?}");
    }
    assert_eq!(store.instances("1.2.3").unwrap().len(), 20);
}

#[test]
fn more_than_may_be_unfiled_wait_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = place::open(folder.path(), Options { unfiled: 2, pool: 1, ..quick() }).unwrap();
    std::thread::scope(|scope| {
        for client in 0..6 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..20 {
                    let object = Object::new("1.2.3", &format!("1.2.3.{client}.{number}"));
                    assert_eq!(keep(store, &object, number), Kept::New);
                }
            });
        }
    });
    assert_eq!(store.instances("1.2.3").unwrap().len(), 120);
    assert_eq!(store.counts().unwrap().unfiled, 0);
}

#[test]
fn a_draft_that_is_dropped_frees_its_file() {
    let (folder, store) = store();
    let begun = files(&place::inbox(folder.path())).len();
    for _ in 0..50 {
        let mut draft = store.draft().unwrap();
        draft.write_all(&Object::new("1.2.3", "1.2.3.4").bytes("CT1")).unwrap();
    }
    let sealed = {
        let mut draft = store.draft().unwrap();
        draft.write_all(&Object::new("1.2.3", "1.2.3.4").bytes("CT1")).unwrap();
        draft.seal().unwrap()
    };
    assert_eq!(sealed.bytes(), sealed.path().metadata().unwrap().len());
    drop(sealed);
    // Files may be made ready at this moment, and what is too many then goes again.
    let most = begun.max(4);
    let mut left = files(&place::inbox(folder.path()));
    for _ in 0..1000 {
        if left.len() <= most {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        left = files(&place::inbox(folder.path()));
    }
    assert!(left.len() <= most, "{left:?}");
    assert!(left.iter().all(|file| file.metadata().unwrap().len() == 0), "{left:?}");
    assert!(store.study("1.2.3").unwrap().is_none());
}

#[test]
fn what_cannot_be_filed_is_refused_and_leaves_nothing() {
    let (folder, store) = store();
    let refused = |object: &Object<'_>| try_keep(&store, object, 0).unwrap_err();
    let error = refused(&Object::new("", "1.2.3.4"));
    assert!(
        matches!(&error, StoreError::NotFiled { attribute: "StudyInstanceUID", .. }),
        "{error}"
    );
    let error = refused(&Object::new("1.2.3", ""));
    assert!(matches!(&error, StoreError::NotFiled { attribute: "SOPInstanceUID", .. }), "{error}");
    let error = refused(&Object::new("1.2.3", &"1.".repeat(100)));
    assert!(error.to_string().contains("no usable SOPInstanceUID"), "{error}");
    // What does not begin with a meta header, or ends within it.
    let mut draft = store.draft().unwrap();
    let error = draft.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    drop(draft);
    let whole = Object::new("1.2.3", "1.2.3.4").bytes("CT1");
    for length in [0, 3, 15, 16, 40] {
        let mut draft = store.draft().unwrap();
        draft.write_all(&whole[..length]).unwrap();
        let error = draft.seal().unwrap_err();
        assert!(error.to_string().contains("within its meta header"), "{length}: {error}");
    }
    // A meta header that says it has 4 GiB.
    let mut draft = store.draft().unwrap();
    let mut huge = whole[..12].to_vec();
    huge.extend(u32::MAX.to_le_bytes());
    assert_eq!(draft.write_all(&huge).unwrap_err().kind(), std::io::ErrorKind::InvalidData);
    drop(draft);
    assert!(files(&folder.path().join("studies")).is_empty());
}

#[test]
fn an_instance_beyond_the_limit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = place::open(folder.path(), Options { instance_limit: 1000, ..quick() }).unwrap();
    let mut object = Object::new("1.2.3", "1.2.3.4");
    keep(&store, &object, 0);
    object.pixels = vec![0; 1000];
    let mut draft = store.draft().unwrap();
    let error = draft.write_all(&object.bytes("CT1")).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
    assert!(error.to_string().contains("more than 1000 bytes"), "{error}");
}

#[test]
fn objects_that_name_another_patient_are_kept_and_said() {
    let (_folder, store) = store();
    let mut object = Object::new("1.2.3", "1.2.3.4");
    object.patient = "";
    keep(&store, &object, 0);
    for (sop, patient) in [("1.2.3.5", "P1"), ("1.2.3.6", "P1"), ("1.2.3.7", "")] {
        let object = Object { patient, ..Object::new("1.2.3", sop) };
        keep(&store, &object, 1);
    }
    let study = store.study("1.2.3").unwrap().unwrap();
    assert_eq!((study.patient_id.as_str(), study.warnings.len()), ("P1", 0));
    for sop in ["1.2.3.8", "1.2.3.9"] {
        keep(&store, &Object { patient: "P2", ..Object::new("1.2.3", sop) }, 2);
    }
    let study = store.study("1.2.3").unwrap().unwrap();
    assert_eq!((study.patient_id.as_str(), study.instances), ("P1", 6));
    assert_eq!(study.warnings.len(), 1, "{:?}", study.warnings);
    assert!(!study.warnings[0].contains("P2"), "a warning names no patient");
}

#[test]
fn an_image_that_comes_again_after_eviction_is_there_again_and_nothing_new() {
    let (_folder, store) = store();
    crate::support::scored(&store, "1.2.3", 0, (hemora_store::Class::Negative, 0.1), vec![]);
    let path = store.instances("1.2.3").unwrap()[0].path.clone();
    let before = sha256_hex(&std::fs::read(&path).unwrap()[128..]);
    let retention =
        hemora_store::Retention { images: std::time::Duration::ZERO, at_most: None, reserve: 0 };
    assert_eq!(store.evict(&retention, at(500)).unwrap().instances, 1);
    assert!(!path.exists());
    // No result of nothing replaces that of the images.
    let refused = store.rescore("1.2.3", "kim", at(501)).unwrap_err();
    assert!(refused.to_string().contains("images were evicted"), "{refused}");
    assert_eq!(store.study("1.2.3").unwrap().unwrap().state, StudyState::Scored);
    assert_eq!(keep(&store, &Object::new("1.2.3", "1.2.3.9"), 600), Kept::New);
    store.flush().unwrap();
    assert_eq!(sha256_hex(&std::fs::read(&path).unwrap()[128..]), before);
    let study = store.study("1.2.3").unwrap().unwrap();
    assert_eq!((study.unsettled, study.instances, study.evicted), (false, 1, 0));
    assert!(!store.settle("1.2.3", Settled::Quiet, at(700)).unwrap().is_new);
    // A new one after the others went is scored, with a warning.
    store.evict(&retention, at(800)).unwrap();
    keep(&store, &Object::new("1.2.3", "1.2.3.10"), 900);
    assert!(store.settle("1.2.3", Settled::Quiet, at(904)).unwrap().is_new);
    let study = store.study("1.2.3").unwrap().unwrap();
    assert_eq!((study.instances, study.evicted, study.warnings.len()), (1, 1, 1));
}
