//! What is acknowledged is filed, however long that fails at first.

use hemora_store::{Kept, Options, Settled, StoreError};

use crate::place;
use crate::support::{Object, at, files, keep, quick, try_keep};

#[test]
fn what_cannot_be_filed_waits_and_is_filed_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let store = place::open(folder.path(), Options { unfiled: 3, ..quick() }).unwrap();
    keep(&store, &Object::new("1.1", "1.1.0"), 0);
    store.flush().unwrap();
    // The folder of the images is gone, as a disk that is not mounted.
    let (studies, aside) = (folder.path().join("studies"), folder.path().join("aside"));
    std::fs::rename(&studies, &aside).unwrap();
    std::fs::write(&studies, "in the way").unwrap();
    for number in 1..4 {
        assert_eq!(keep(&store, &Object::new("1.1", &format!("1.1.{number}")), 1), Kept::New);
    }
    assert_eq!(keep(&store, &Object::new("1.1", "1.1.2"), 2), Kept::Again);
    let error = store.flush().unwrap_err();
    assert!(matches!(&error, StoreError::Filing(why) if why.contains("studies")), "{error}");
    // No revision leaves out what was acknowledged; no more is taken; what is there can be seen.
    assert!(matches!(store.settle("1.1", Settled::Quiet, at(9)), Err(StoreError::Filing(_))));
    let more = try_keep(&store, &Object::new("1.1", "1.1.9"), 3).unwrap_err();
    assert!(matches!(more, StoreError::Filing(_)), "{more}");
    assert_eq!(store.counts().unwrap().unfiled, 3);
    assert_eq!(store.study("1.1").unwrap().unwrap().instances, 1);
    std::fs::remove_file(&studies).unwrap();
    std::fs::rename(&aside, &studies).unwrap();
    while store.flush().is_err() {}
    assert_eq!(store.settle("1.1", Settled::Quiet, at(9)).unwrap().instances, 4);
    assert_eq!(files(&studies).len(), 4);
    assert_eq!(store.counts().unwrap().unfiled, 0);
}

#[test]
fn a_node_that_ends_before_it_could_file_leaves_it_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let store = place::open(folder.path(), quick()).unwrap();
    let (studies, aside) = (folder.path().join("studies"), folder.path().join("aside"));
    std::fs::rename(&studies, &aside).unwrap();
    std::fs::write(&studies, "in the way").unwrap();
    keep(&store, &Object::new("1.1", "1.1.1"), 1);
    drop(store);
    std::fs::remove_file(&studies).unwrap();
    let store = place::open(folder.path(), quick()).unwrap();
    assert_eq!(store.recovered().adopted, 1);
    assert_eq!(store.instances("1.1").unwrap().len(), 1);
}

#[test]
fn an_instance_is_found_by_its_uid_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = place::open(folder.path(), quick()).unwrap();
    assert!(store.instance("1.1.1").unwrap().is_none());
    let object = Object::new("1.1", "1.1.1");
    keep(&store, &object, 1);
    let mut other = object.clone();
    other.pixels = b"newer".to_vec();
    keep(&store, &other, 2);
    let (study, instance) = store.instance("1.1.1").unwrap().unwrap();
    assert_eq!((study.as_str(), instance.received_at), ("1.1", at(2)));
}
