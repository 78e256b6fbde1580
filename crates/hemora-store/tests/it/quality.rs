//! What the node is measured by at its site.

use hemora_store::{
    AssociationEnd, Class, NewAssociation, Reading, ReadingEvent, RevisionResult, Store,
};

use crate::support::{Object, arrival, at, keep, leased, result, settled, store};

/// A result made at a second by a model.
fn made(store: &Store, study: &str, seconds: i64, probability: Option<f64>, model: &str) {
    if store.study(study).unwrap().is_none() {
        settled(store, study, seconds - 10);
    } else {
        store.rescore(study, "node", at(seconds - 5)).unwrap();
    }
    let job = leased(store, seconds - 1);
    let class = if probability.is_some() { Class::Positive } else { Class::NotScored };
    let reason = probability.is_none().then(|| "no axial series".to_owned());
    let made = RevisionResult {
        probability,
        reason,
        made_at: at(seconds),
        model_sha256: model.to_owned(),
        ..result(class, 0.0)
    };
    store.complete(&job, made, vec![], vec![]).unwrap();
}

#[test]
fn studies_come_with_what_readers_said_of_the_newest_result() {
    let (_folder, store) = store();
    made(&store, "1.1", 100, Some(0.9), "a");
    made(&store, "1.2", 200, None, "a");
    made(&store, "1.3", 300, Some(0.7), "a");
    keep(&store, &Object::new("1.4", "1.4.1"), 400);
    store.flush().unwrap();
    let say = |study: &str, user: &str, event, revision, seconds| {
        let (user, label, note) = (user.to_owned(), Some("any".to_owned()), String::new());
        let reading = Reading { user, event, label, note, revision, at: at(seconds) };
        store.note_reading(study, &reading).unwrap();
    };
    store.note_opened("1.3", "kim", 0, at(280)).unwrap();
    store.note_opened("1.3", "lee", 1, at(310)).unwrap();
    store.note_opened("1.3", "kim", 1, at(320)).unwrap();
    store.acknowledge("1.3", "kim", 1, at(330)).unwrap();
    say("1.3", "kim", ReadingEvent::Agreed, 1, 340);
    say("1.3", "lee", ReadingEvent::Disagreed, 1, 350);
    let rows = store.quality_rows(at(200)).unwrap();
    let studies: Vec<_> = rows.iter().map(|row| row.study_uid.as_str()).collect();
    assert_eq!(studies, ["1.2", "1.3"]);
    assert_eq!(rows[0].class, Class::NotScored);
    assert_eq!(rows[0].reason.as_deref(), Some("no axial series"));
    assert_eq!(rows[0].cause.as_deref(), Some("a localizer; left out"), "whole");
    assert_eq!((rows[0].first_opened_at, rows[0].words.len()), (None, 0));
    let row = &rows[1];
    assert_eq!((row.revision, row.class, row.probability), (1, Class::Positive, Some(0.7)));
    // A look before the last image came is none at the study.
    assert_eq!((row.last_at, row.result_at), (at(290), at(300)));
    assert_eq!((row.first_opened_at, row.read_at), (Some(at(310)), Some(at(330))));
    assert_eq!(row.words, [("any".to_owned(), false)]);
    assert_eq!((row.source_ae.as_str(), row.model_sha256.as_str()), ("CT1", "a"));
    // Words on an earlier result are none on the newest.
    made(&store, "1.3", 400, Some(0.8), "a");
    let row = store.quality_rows(at(400)).unwrap().remove(0);
    assert_eq!((row.revision, row.words.len()), (2, 0));
    assert_eq!(row.first_opened_at, Some(at(310)));
    assert!(store.quality_rows(at(401)).unwrap().is_empty());
}

#[test]
fn the_first_results_are_those_of_the_present_model_and_of_each_study_the_first() {
    let (_folder, store) = store();
    let first = |limit: usize| {
        let found = store.first_results(limit).unwrap();
        found.into_iter().map(|(study, value)| format!("{study} {value}")).collect::<Vec<_>>()
    };
    assert!(first(10).is_empty());
    made(&store, "1.1", 100, Some(0.1), "old");
    made(&store, "1.2", 200, Some(0.2), "old");
    assert_eq!(first(10), ["1.1 0.1", "1.2 0.2"]);
    made(&store, "1.2", 300, Some(0.3), "new");
    made(&store, "1.3", 400, None, "new");
    made(&store, "1.2", 500, Some(0.5), "new");
    made(&store, "1.3", 600, Some(0.6), "new");
    made(&store, "1.1", 700, Some(0.7), "new");
    assert_eq!(first(10), ["1.2 0.3", "1.3 0.6", "1.1 0.7"]);
    assert_eq!(first(2), ["1.2 0.3", "1.3 0.6"]);
}

#[test]
fn sources_are_counted_by_title_and_address_whatever_the_port() {
    let (_folder, store) = store();
    let open = |ae: &str, peer: &str, seconds| {
        let association = NewAssociation {
            calling_ae: ae.to_owned(),
            peer: peer.to_owned(),
            ..NewAssociation::default()
        };
        store.open_association(&association, at(seconds)).unwrap()
    };
    let old = open("CT1", "10.0.0.1:1000", 0);
    let first = open("CT1", "10.0.0.1:1001", 100);
    let second = open("CT1", "10.0.0.1:1002", 200);
    let third = open("CT1", "10.0.0.1:1003", 300);
    open("CT1", "[fe80::1]:1004", 250);
    store.close_association(old, AssociationEnd::TimedOut, at(400)).unwrap();
    store.close_association(first, AssociationEnd::Released, at(400)).unwrap();
    store.close_association(second, AssociationEnd::Aborted, at(400)).unwrap();
    for (number, association) in [(1, old), (2, first), (3, second), (4, second), (5, third)] {
        let object = Object::new("1.1", &format!("1.1.{number}"));
        let mut draft = store.draft().unwrap();
        std::io::Write::write_all(&mut draft, &object.bytes("CT1")).unwrap();
        let sealed = draft.seal().unwrap();
        let identity = hemora_io::read_identity(sealed.path()).unwrap();
        let arrival = hemora_store::Arrival { association, ..arrival(identity, 400) };
        store.keep(sealed, arrival).unwrap();
    }
    store.flush().unwrap();
    let sources = store.sources(at(100)).unwrap();
    let peers: Vec<_> = sources.iter().map(|it| (it.peer.as_str(), it.last_at)).collect();
    assert_eq!(peers, [("10.0.0.1", at(300)), ("fe80::1", at(250))]);
    let source = &sources[0];
    assert_eq!(source.calling_ae, "CT1");
    let counts = [source.associations, source.open, source.broken, source.images];
    assert_eq!(counts, [3, 1, 1, 4]);
    assert!(store.sources(at(301)).unwrap().is_empty());
}
