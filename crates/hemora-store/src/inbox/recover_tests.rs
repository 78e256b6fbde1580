//! Each moment at which a node can be killed, made by hand.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::DateTime;

use super::*;
use crate::{Durability, Kept, Options, Store};

fn options() -> Options {
    Options { durability: Durability::Process, reserve: 0, pool: 2, ..Options::default() }
}

/// A small object in explicit little endian, as a node hands it over.
fn object(sop_uid: &str, more: &[u8]) -> Vec<u8> {
    let element = |group: u8, number: u8, vr: &[u8; 2], value: &[u8]| {
        let mut bytes = vec![group, 0, number, 0];
        bytes.extend(vr);
        bytes.extend((value.len() as u16).to_le_bytes());
        bytes.extend(value);
        bytes
    };
    let padded = |text: &str| [text.as_bytes(), &vec![0; text.len() % 2]].concat();
    let meta = element(2, 0x10, b"UI", &padded("1.2.840.10008.1.2.1"));
    let mut bytes = b"DICM".to_vec();
    bytes.extend(element(2, 0, b"UL", &(meta.len() as u32).to_le_bytes()));
    bytes.extend(meta);
    bytes.extend(element(8, 0x18, b"UI", &padded(sop_uid)));
    bytes.extend(element(0x20, 0x0d, b"UI", &padded("1.2")));
    bytes.extend(element(0x20, 0x10, b"SH", more));
    bytes
}

fn keep(store: &Store, sop_uid: &str, more: &[u8]) -> (Kept, PathBuf) {
    let mut draft = store.draft().unwrap();
    draft.write_all(&object(sop_uid, more)).unwrap();
    let sealed = draft.seal().unwrap();
    let path = sealed.path().to_owned();
    let arrival = Arrival {
        identity: read_identity(&path).unwrap(),
        association: 5,
        calling_ae: "CT1".to_owned(),
        received_at: DateTime::from_timestamp(1_764_000_000, 0).unwrap(),
    };
    (store.keep(sealed, arrival).unwrap(), path)
}

/// A store with one acknowledged instance that has neither place nor row, killed.
fn killed() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_without_filing(folder.path(), options()).unwrap();
    let (kept, slot) = keep(&store, "1.2.3", b"ab");
    assert_eq!(kept, Kept::New);
    drop(store);
    (folder, slot)
}

fn open(folder: &Path) -> Store {
    Store::open(folder, options()).unwrap()
}

fn found(store: &Store) -> Vec<Vec<u8>> {
    let instances = store.instances("1.2").unwrap();
    instances.iter().map(|it| fs::read(&it.path).unwrap()[128..].to_vec()).collect()
}

#[test]
fn killed_while_data_arrive() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut draft = store.draft().unwrap();
    draft.write_all(&object("1.2.3", b"ab")).unwrap();
    // Neither sealed nor dropped.
    std::mem::forget(draft);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.recovered(), &Recovery { discarded: 1, ..Recovery::default() });
    assert!(found(&store).is_empty());
    assert_eq!(keep(&store, "1.2.3", b"ab").0, Kept::New);
}

#[test]
fn killed_after_the_sync() {
    let (folder, slot) = killed();
    let store = open(folder.path());
    assert_eq!(store.recovered(), &Recovery { adopted: 1, ..Recovery::default() });
    assert_eq!(found(&store), [object("1.2.3", b"ab")]);
    let instance = store.instances("1.2").unwrap().remove(0);
    assert_eq!(instance.received_at.timestamp(), 1_764_000_000);
    assert_eq!(instance.association, 5);
    assert_eq!(store.study("1.2").unwrap().unwrap().source_ae, "CT1");
    assert!(!slot.exists());
    // The sender had no answer and sends it again.
    assert_eq!(keep(&store, "1.2.3", b"ab").0, Kept::Again);
    assert_eq!(found(&store).len(), 1);
}

#[test]
fn killed_between_place_and_row() {
    let (folder, slot) = killed();
    let mut file = File::open(&slot).unwrap();
    let Found::Whole(mark) = examine(&mut file).unwrap() else { panic!("it is whole") };
    let unfiled = Inbox::unfiled_of(&slot, mark).unwrap();
    let place = folder.path().join(&unfiled.instance.path);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::hard_link(&slot, &place).unwrap();
    let store = open(folder.path());
    assert_eq!(store.recovered(), &Recovery { adopted: 1, ..Recovery::default() });
    assert_eq!(found(&store), [object("1.2.3", b"ab")]);
}

#[test]
fn killed_between_row_and_the_end_of_the_name_in_the_inbox() {
    let (folder, slot) = killed();
    let aside = folder.path().join("aside");
    fs::hard_link(&slot, &aside).unwrap();
    let store = open(folder.path());
    drop(store);
    fs::hard_link(&aside, &slot).unwrap();
    let store = open(folder.path());
    assert_eq!(store.recovered(), &Recovery { already_filed: 1, ..Recovery::default() });
    // The name went; the content, which has another, did not.
    assert!(!slot.exists());
    assert_eq!(found(&store), [object("1.2.3", b"ab")]);
}

#[test]
fn a_row_whose_file_is_gone_gets_it_back() {
    let (folder, slot) = killed();
    let aside = folder.path().join("aside");
    fs::hard_link(&slot, &aside).unwrap();
    let store = open(folder.path());
    fs::remove_file(&store.instances("1.2").unwrap()[0].path).unwrap();
    drop(store);
    fs::hard_link(&aside, &slot).unwrap();
    let store = open(folder.path());
    assert_eq!(store.recovered().adopted, 1);
    assert_eq!(found(&store), [object("1.2.3", b"ab")]);
}

#[test]
fn a_mark_that_reached_the_disk_before_the_data() {
    let (folder, slot) = killed();
    let mut bytes = fs::read(&slot).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&slot, &bytes).unwrap();
    let store = open(folder.path());
    assert_eq!(store.recovered(), &Recovery { damaged: 1, ..Recovery::default() });
    assert!(!slot.exists() && found(&store).is_empty());
}

#[test]
fn what_is_whole_and_cannot_be_read_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_without_filing(folder.path(), options()).unwrap();
    let mut draft = store.draft().unwrap();
    let whole = object("1.2.3", b"ab");
    draft.write_all(&whole[..whole.len() - 1]).unwrap();
    let sealed = draft.seal().unwrap();
    let arrival = Arrival {
        identity: hemora_io::Identity {
            study_instance_uid: "1.2".to_owned(),
            sop_instance_uid: "1.2.3".to_owned(),
            ..hemora_io::Identity::default()
        },
        association: 0,
        calling_ae: String::new(),
        received_at: DateTime::from_timestamp(0, 0).unwrap(),
    };
    store.keep(sealed, arrival).unwrap();
    drop(store);
    let store = open(folder.path());
    let aside = store.recovered().unreadable.clone();
    assert_eq!(aside.len(), 1);
    assert!(aside[0].exists());
    drop(store);
    assert!(open(folder.path()).recovered().unreadable.is_empty(), "it is reported once");
    assert!(aside[0].exists());
}

#[test]
fn those_of_one_uid_are_adopted_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_without_filing(folder.path(), options()).unwrap();
    assert_eq!(keep(&store, "1.2.3", b"ab").0, Kept::New);
    assert_eq!(keep(&store, "1.2.3", b"ab").0, Kept::Again);
    assert_eq!(keep(&store, "1.2.3", b"cd").0, Kept::OtherBytes);
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.recovered().adopted, 2);
    assert_eq!(found(&store).len(), 2);
    assert_eq!(store.study("1.2").unwrap().unwrap().warnings.len(), 1);
}

#[test]
fn the_inbox_may_hold_files_of_others() {
    let (folder, _) = killed();
    let strange = folder.path().join("inbox/notes.txt");
    fs::write(&strange, "left by an administrator").unwrap();
    let store = open(folder.path());
    assert_eq!(store.recovered().adopted, 1);
    assert!(strange.exists());
}
