//! What the list shows beside its rows, and what is kept of images until they go.

use std::time::Duration;

use hemora_store::{
    Artifact, Class, Reading, ReadingEvent, Retention, RevisionResult, Store, StoreError,
    StudyExtras,
};

use crate::support::{MINUTE, at, delivery, leased, result, scored, settled, store};

fn artifact(name: &str, bytes: &[u8]) -> Artifact {
    Artifact { name: name.to_owned(), bytes: bytes.to_vec() }
}

/// A result with a key slice.
fn seen(class: Class) -> RevisionResult {
    let findings = "{\"sentence\": \"…\"}".to_owned();
    RevisionResult { key_slice: Some((1, 17)), findings, ..result(class, 0.9) }
}

fn extras(store: &Store, study_uid: &str) -> StudyExtras {
    store.extras(&[study_uid.to_owned()]).unwrap().remove(study_uid).unwrap()
}

/// A study with a result and two artifacts of it.
fn illustrated(store: &Store, study_uid: &str, seconds: i64) {
    settled(store, study_uid, seconds);
    let job = leased(store, seconds + 5);
    let artifacts = vec![artifact("view", b"{}"), artifact("thumbnail", b"PNG 1")];
    store.complete(&job, seen(Class::Negative), vec![], artifacts).unwrap();
}

/// A further result, with one artifact.
fn again(store: &Store, study_uid: &str, seconds: i64) {
    store.rescore(study_uid, "node", at(seconds)).unwrap();
    let job = leased(store, seconds);
    let artifacts = vec![artifact("view", format!("{{\"at\": {seconds}}}").as_bytes())];
    store.complete(&job, seen(Class::Negative), vec![], artifacts).unwrap();
}

#[test]
fn artifacts_stay_with_the_two_newest_results() {
    let (_folder, store) = store();
    illustrated(&store, "1.1", 0);
    assert_eq!(store.artifact("1.1", None, "view").unwrap(), Some((1, b"{}".to_vec())));
    again(&store, "1.1", 100);
    let view = |revision| store.artifact("1.1", revision, "view").unwrap();
    assert_eq!(view(None), Some((2, b"{\"at\": 100}".to_vec())));
    assert_eq!(view(Some(1)), Some((1, b"{}".to_vec())));
    // The newest that has it.
    assert_eq!(store.artifact("1.1", None, "thumbnail").unwrap().unwrap().0, 1);
    assert_eq!(store.artifact("1.1", Some(2), "thumbnail").unwrap(), None);
    assert_eq!(store.artifact("1.1", None, "maps").unwrap(), None);
    again(&store, "1.1", 200);
    assert_eq!((view(Some(1)), view(Some(2)).is_some(), view(None).unwrap().0), (None, true, 3));
    assert_eq!(store.artifact("1.1", None, "thumbnail").unwrap(), None);
}

#[test]
fn a_result_that_cannot_be_kept_whole_is_not_kept() {
    let (_folder, store) = store();
    settled(&store, "1.1", 0);
    let job = leased(&store, 5);
    let twice = vec![artifact("view", b"1"), artifact("view", b"2")];
    let no_json = RevisionResult { findings: "{".to_owned(), ..seen(Class::Positive) };
    for (result, artifacts) in [(seen(Class::Positive), twice), (no_json, vec![])] {
        let refused = store.complete(&job, result, vec![], artifacts).unwrap_err();
        assert!(matches!(refused, StoreError::BadValue { .. }), "{refused}");
        assert!(store.result("1.1", None).unwrap().is_none());
        assert!(store.artifact("1.1", None, "view").unwrap().is_none());
    }
    store.complete(&job, seen(Class::Positive), vec![], vec![]).unwrap();
    let kept = store.result("1.1", None).unwrap().unwrap();
    assert_eq!(kept, RevisionResult { revision: 1, ..seen(Class::Positive) });
}

#[test]
fn what_shows_images_goes_with_them_and_what_was_found_stays() {
    let (_folder, store) = store();
    illustrated(&store, "1.1", 0);
    let before = extras(&store, "1.1");
    assert_eq!((before.key_slice, before.has_thumbnail), (Some((1, 17)), true));
    let none = Retention { images: Duration::ZERO, at_most: None, reserve: 0 };
    assert_eq!(store.evict(&none, at(500)).unwrap().studies, 1);
    let after = extras(&store, "1.1");
    assert_eq!((after.key_slice, after.has_thumbnail), (None, false));
    assert!(store.artifact("1.1", None, "view").unwrap().is_none());
    let kept = store.result("1.1", None).unwrap().unwrap();
    assert_eq!((kept.findings, kept.key_slice), (seen(Class::Negative).findings, None));
}

#[test]
fn the_list_says_who_did_what_with_the_newest_result() {
    let (_folder, store) = store();
    illustrated(&store, "1.1", 0);
    settled(&store, "1.2", 50);
    store.note_opened("1.2", "lee", 0, at(60)).unwrap();
    store.note_opened("1.1", "kim", 1, at(200)).unwrap();
    store.note_opened("1.1", "lee", 1, at(201)).unwrap();
    store.acknowledge("1.1", "lee", 1, at(202)).unwrap();
    let say = |user: &str, event, label: &str, revision| {
        let (user, label, note) = (user.to_owned(), Some(label.to_owned()), String::new());
        store
            .note_reading("1.1", &Reading { user, event, label, note, revision, at: at(300) })
            .unwrap();
    };
    say("kim", ReadingEvent::Disagreed, "any", 1);
    say("kim", ReadingEvent::Agreed, "any", 1);
    say("lee", ReadingEvent::Agreed, "any", 1);
    say("lee", ReadingEvent::Disagreed, "subdural", 1);
    say("kim", ReadingEvent::Agreed, "subdural", 1);
    let asked = ["1.1", "1.2", "9", "1.1"].map(str::to_owned);
    let mut all = store.extras(&asked).unwrap();
    assert_eq!(all.len(), 2);
    let found = all.remove("1.1").unwrap();
    assert_eq!((found.opened_by.as_deref(), found.opened_at), (Some("kim"), Some(at(200))));
    let acknowledged = (found.acknowledged_by.as_deref(), found.acknowledged_at);
    assert_eq!(acknowledged, (Some("lee"), Some(at(202))));
    let labels = |all: std::collections::BTreeSet<String>| Vec::from_iter(all).join(" ");
    assert_eq!(labels(found.agreed), "any subdural");
    assert_eq!(labels(found.disagreed), "subdural");
    // Before there is a result, those who opened the study.
    let other = all.remove("1.2").unwrap();
    let opened = StudyExtras {
        opened_by: Some("lee".to_owned()),
        opened_at: Some(at(60)),
        ..StudyExtras::default()
    };
    assert_eq!(other, opened);
    // The next result was not looked at by anybody; its class is the same, so that the study stays read.
    again(&store, "1.1", 400);
    let next = extras(&store, "1.1");
    assert_eq!((next.opened_by, next.agreed.len(), next.disagreed.len()), (None, 0, 0));
    assert_eq!(next.acknowledged_by.as_deref(), Some("lee"));
    store.unacknowledge("1.1", "kim", 2, at(401)).unwrap();
    assert_eq!(extras(&store, "1.1").acknowledged_by, None);
}

#[test]
fn deliveries_are_those_of_the_newest_result() {
    let (_folder, store) = store();
    let five = |kind: &str| {
        ["A", "B", "C", "D", "E"].map(|destination| delivery(destination, kind)).to_vec()
    };
    scored(&store, "1.1", 0, (Class::Negative, 0.1), five("sr"));
    store.rescore("1.1", "node", at(100)).unwrap();
    let job = leased(&store, 100);
    store.complete(&job, result(Class::Negative, 0.1), five("sr"), vec![]).unwrap();
    let of = |destination: &str| {
        let sending = store.lease_delivery("sender", Some(destination), at(200), MINUTE);
        sending.unwrap().unwrap().id
    };
    store.delivered(of("A"), "0000", at(201)).unwrap();
    let failing = of("B");
    store.delivery_failed(failing, "no route", Some(at(900))).unwrap();
    let given_up = of("C");
    store.delivery_failed(given_up, "refused", None).unwrap();
    of("D");
    let found = extras(&store, "1.1");
    let counts = [found.waiting, found.failing, found.delivered, found.given_up];
    assert_eq!(counts, [2, 1, 1, 1]);
    // Newest first, of any study.
    scored(&store, "1.2", 300, (Class::Negative, 0.1), vec![delivery("A", "oru")]);
    let other = of("A");
    store.delivery_failed(other, "refused", Some(at(900))).unwrap();
    let ids = |limit| -> Vec<i64> {
        store.failing_deliveries(limit).unwrap().iter().map(|row| row.id).collect()
    };
    assert_eq!(ids(10), [other, given_up, failing]);
    assert_eq!(ids(2), [other, given_up]);
    assert_eq!(store.failing_deliveries(1).unwrap()[0].study_uid, "1.2");
}
