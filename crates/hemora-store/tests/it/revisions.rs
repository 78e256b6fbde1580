//! Settled revisions: late images make the next one, nothing else does.

use hemora_store::{Class, Settled, StoreError, StudyState};

use crate::support::{MINUTE, Object, at, keep, leased, result, settled, store};

#[test]
fn late_images_make_the_next_revision() {
    let (_folder, store) = store();
    keep(&store, &Object::new("1.2.3", "1.2.3.4"), 0);
    store.flush().unwrap();
    assert_eq!(store.receiving().unwrap().len(), 1);
    let first = store.settle("1.2.3", Settled::Quiet, at(5)).unwrap();
    assert_eq!((first.revision, first.instances, first.is_new), (1, 1, true));
    assert!(store.receiving().unwrap().is_empty());
    // The same instances once more, and one of them sent again: nothing new.
    keep(&store, &Object::new("1.2.3", "1.2.3.4"), 6);
    let same = store.settle("1.2.3", Settled::Commitment, at(7)).unwrap();
    assert_eq!((same.revision, same.is_new), (1, false));
    let job = leased(&store, 8);
    assert_eq!(store.study("1.2.3").unwrap().unwrap().state, StudyState::Scoring);
    keep(&store, &Object::new("1.2.3", "1.2.3.5"), 9);
    assert_eq!(store.study("1.2.3").unwrap().unwrap().state, StudyState::Receiving);
    let second = store.settle("1.2.3", Settled::Count, at(10)).unwrap();
    assert_eq!((second.revision, second.instances, second.is_new), (2, 2, true));
    assert_ne!(first.instance_set, second.instance_set);
    assert_eq!(store.revisions("1.2.3").unwrap().len(), 2);
    assert_eq!(store.instances_of("1.2.3", 1).unwrap().len(), 1);
    assert_eq!(store.instances_of("1.2.3", 2).unwrap().len(), 2);
    // Whoever scored the first revision has lost it.
    let late = store.complete(&job, result(Class::Positive, 0.9), vec![], vec![]).unwrap_err();
    assert!(matches!(late, StoreError::LeaseLost { .. }), "{late}");
    assert!(store.result("1.2.3", None).unwrap().is_none());
    let job = leased(&store, 11);
    assert_eq!(job.revision, 2);
    assert!(store.lease("other", at(11), MINUTE).unwrap().is_none(), "one job a revision");
}

#[test]
fn a_revision_sees_the_instances_that_it_had() {
    let (_folder, store) = store();
    let object = Object::new("1.2.3", "1.2.3.4");
    keep(&store, &object, 0);
    store.settle("1.2.3", Settled::Quiet, at(5)).unwrap();
    let mut other = object.clone();
    other.pixels = b"other".to_vec();
    keep(&store, &other, 6);
    let second = store.settle("1.2.3", Settled::Quiet, at(9)).unwrap();
    assert_eq!((second.revision, second.instances), (2, 1));
    assert!(!store.instances_of("1.2.3", 1).unwrap()[0].superseded);
    assert!(store.instances_of("1.2.3", 2).unwrap()[0].superseded);
}

#[test]
fn scoring_again_is_a_revision_of_the_same_images_with_a_name_to_it() {
    let (_folder, store) = store();
    settled(&store, "1.2.3", 0);
    let job = leased(&store, 5);
    store.complete(&job, result(Class::Negative, 0.1), vec![], vec![]).unwrap();
    let again = store.rescore("1.2.3", "kim", at(50)).unwrap();
    assert_eq!((again.revision, again.why, again.is_new), (2, Settled::Rescore, true));
    // While that waits, asking once more adds nothing.
    assert_eq!(store.rescore("1.2.3", "kim", at(51)).unwrap().revision, 2);
    let job = leased(&store, 52);
    store.complete(&job, result(Class::Positive, 0.8), vec![], vec![]).unwrap();
    assert_eq!(store.result("1.2.3", None).unwrap().unwrap().class, Class::Positive);
    assert_eq!(store.result("1.2.3", Some(1)).unwrap().unwrap().class, Class::Negative);
    assert!(store.result("1.2.3", Some(3)).unwrap().is_none());
    let audit = store.audit_rows(0, 10).unwrap();
    assert_eq!(audit.iter().filter(|row| row.who == "kim").count(), 2);
    assert!(matches!(store.rescore("9", "kim", at(60)), Err(StoreError::NoStudy(_))));
    assert!(matches!(store.settle("9", Settled::Quiet, at(60)), Err(StoreError::NoStudy(_))));
}
