//! What readers do: whoever acknowledges first stays, nobody acknowledges what they have not seen, and the
//! audit learns who did what and no words.

use hemora_store::{Acknowledgement, Class, Reading, ReadingEvent, Store, StoreError};

use crate::support::{at, leased, result, scored, store};

fn positive() -> (tempfile::TempDir, Store) {
    let (folder, store) = store();
    scored(&store, "1.1", 0, (Class::Positive, 0.9), vec![]);
    (folder, store)
}

fn word(user: &str, event: ReadingEvent, label: Option<&str>, note: &str) -> Reading {
    let (label, note) = (label.map(str::to_owned), note.to_owned());
    Reading { user: user.to_owned(), event, label, note, revision: 1, at: at(200) }
}

/// A further result of a study.
fn again(store: &Store, seconds: i64, class: Class, probability: f64) {
    store.rescore("1.1", "node", at(seconds)).unwrap();
    let job = leased(store, seconds);
    store.complete(&job, result(class, probability), vec![], vec![]).unwrap();
}

#[test]
fn of_many_who_acknowledge_at_once_all_learn_who_was_first() {
    let (_folder, store) = positive();
    let answers: Vec<(String, Acknowledgement)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|n| {
                let store = &store;
                scope.spawn(move || {
                    let user = format!("reader{n}");
                    let answer = store.acknowledge("1.1", &user, 1, at(200 + n)).unwrap();
                    (user, answer)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let first: Vec<_> = answers.iter().filter(|(_, answer)| answer.now).collect();
    assert_eq!(first.len(), 1);
    let (user, acknowledged) = first[0];
    assert_eq!(user, &acknowledged.by);
    for (_, answer) in &answers {
        assert_eq!((&answer.by, answer.at), (&acknowledged.by, acknowledged.at));
    }
    assert_eq!(store.study("1.1").unwrap().unwrap().read_at, Some(acknowledged.at));
    assert_eq!(store.readings("1.1").unwrap().len(), 1);
}

#[test]
fn who_took_it_back_makes_room_for_the_next() {
    let (_folder, store) = positive();
    assert!(!store.unacknowledge("1.1", "kim", 1, at(199)).unwrap());
    assert!(store.acknowledge("1.1", "kim", 1, at(200)).unwrap().now);
    assert!(!store.acknowledge("1.1", "kim", 1, at(201)).unwrap().now);
    assert!(store.unacknowledge("1.1", "lee", 1, at(202)).unwrap());
    assert_eq!(store.study("1.1").unwrap().unwrap().read_at, None);
    let next = store.acknowledge("1.1", "lee", 1, at(203)).unwrap();
    assert_eq!((next.by.as_str(), next.at, next.now), ("lee", at(203), true));
    let what: Vec<_> = store.audit_rows(0, 10).unwrap();
    let what: Vec<_> = what.iter().map(|row| (row.who.as_str(), row.what.as_str())).collect();
    assert_eq!(what, [("kim", "acknowledged"), ("lee", "took back"), ("lee", "acknowledged")]);
}

#[test]
fn a_more_urgent_result_takes_it_back_and_must_be_seen_itself() {
    let (_folder, store) = store();
    scored(&store, "1.1", 0, (Class::Negative, 0.1), vec![]);
    store.acknowledge("1.1", "kim", 1, at(200)).unwrap();
    again(&store, 300, Class::Positive, 0.9);
    assert_eq!(store.study("1.1").unwrap().unwrap().read_at, None);
    // Whoever still looks at the first result cannot put the second away.
    let refused = store.acknowledge("1.1", "lee", 1, at(301)).unwrap_err();
    assert!(matches!(refused, StoreError::NewerResult { shown: 1, newest: 2 }), "{refused}");
    assert!(refused.to_string().contains("look at it first"), "{refused}");
    assert_eq!(store.study("1.1").unwrap().unwrap().read_at, None);
    assert!(store.acknowledge("1.1", "lee", 2, at(302)).unwrap().now);
    // One that is no more urgent leaves it, and may be acknowledged from the page of the earlier one.
    again(&store, 400, Class::Positive, 0.8);
    assert_eq!(store.study("1.1").unwrap().unwrap().read_at, Some(at(302)));
    store.unacknowledge("1.1", "lee", 2, at(401)).unwrap();
    assert!(store.acknowledge("1.1", "lee", 2, at(402)).unwrap().now);
}

#[test]
fn a_revision_is_opened_once_by_each() {
    let (_folder, store) = positive();
    assert!(store.note_opened("1.1", "kim", 1, at(200)).unwrap());
    let changes = store.changes();
    assert!(!store.note_opened("1.1", "kim", 1, at(201)).unwrap());
    assert_eq!(store.changes(), changes, "looking again is no change of the list");
    assert!(store.note_opened("1.1", "lee", 1, at(202)).unwrap());
    again(&store, 300, Class::Positive, 0.9);
    assert!(store.note_opened("1.1", "kim", 2, at(301)).unwrap());
    let opened: Vec<_> = store.readings("1.1").unwrap();
    let opened: Vec<_> = opened.iter().map(|it| (it.user.as_str(), it.revision, it.at)).collect();
    assert_eq!(opened, [("kim", 1, at(200)), ("lee", 1, at(202)), ("kim", 2, at(301))]);
}

#[test]
fn the_audit_says_who_said_something_and_not_the_words() {
    let (_folder, store) = positive();
    let secret = "Jane Doe fell on 3 May";
    for reading in [
        word("kim", ReadingEvent::Agreed, Some("any"), secret),
        word("lee", ReadingEvent::Disagreed, Some("subdural"), ""),
        word("lee", ReadingEvent::Noted, None, secret),
    ] {
        store.note_reading("1.1", &reading).unwrap();
        assert_eq!(store.readings("1.1").unwrap().pop(), Some(reading));
    }
    let rows = store.audit_rows(0, 10).unwrap();
    let rows: Vec<_> =
        rows.iter().map(|it| (it.who.as_str(), it.what.as_str(), it.detail.as_str())).collect();
    assert_eq!(
        rows,
        [
            ("kim", "agreed", "any, revision 1"),
            ("lee", "disagreed", "subdural, revision 1"),
            ("lee", "noted", "revision 1"),
        ]
    );
    assert_eq!(store.audit_rows(0, 1).unwrap()[0].study.as_deref(), Some("1.1"));
}

#[test]
fn a_reading_like_any_other_keeps_the_rules() {
    let (_folder, store) = positive();
    for _ in 0..2 {
        store.note_reading("1.1", &word("kim", ReadingEvent::Opened, None, "")).unwrap();
        store.note_reading("1.1", &word("kim", ReadingEvent::Acknowledged, None, "")).unwrap();
    }
    assert_eq!(store.readings("1.1").unwrap().len(), 2);
    store.note_reading("1.1", &word("kim", ReadingEvent::Unacknowledged, None, "")).unwrap();
    assert_eq!(store.study("1.1").unwrap().unwrap().read_at, None);
}

#[test]
fn what_is_about_nothing_is_refused() {
    let (_folder, store) = positive();
    for reading in [
        word("kim", ReadingEvent::Agreed, None, ""),
        word("kim", ReadingEvent::Noted, None, " \n"),
        word("kim", ReadingEvent::Noted, None, &"ä".repeat(2001)),
        Reading { revision: 2, ..word("kim", ReadingEvent::Noted, None, "a note") },
    ] {
        let refused = store.note_reading("1.1", &reading).unwrap_err();
        assert!(matches!(refused, StoreError::BadValue { .. }), "{refused}");
    }
    store.note_reading("1.1", &word("kim", ReadingEvent::Noted, None, &"ä".repeat(2000))).unwrap();
    let ahead = store.acknowledge("1.1", "kim", 2, at(200)).unwrap_err();
    assert!(ahead.to_string().contains("revision 2 was not shown"), "{ahead}");
    for gone in [
        store.note_reading("9", &word("kim", ReadingEvent::Noted, None, "a note")),
        store.note_opened("9", "kim", 0, at(200)).map(drop),
        store.acknowledge("9", "kim", 0, at(200)).map(drop),
        store.unacknowledge("9", "kim", 0, at(200)).map(drop),
    ] {
        assert!(matches!(gone, Err(StoreError::NoStudy(_))), "{gone:?}");
    }
    assert_eq!(store.readings("1.1").unwrap().len(), 1);
    assert_eq!(store.audit_rows(0, 10).unwrap().len(), 1);
}
