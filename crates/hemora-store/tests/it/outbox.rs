//! Deliveries: the same bytes until they are acknowledged, never two revisions at once.

use hemora_store::{Class, DeliveryState, LONGEST_DELAY, StoreError, StudyState};

use crate::support::{MINUTE, Object, at, delivery, keep, leased, result, scored, store};
use hemora_store::Settled;

const POSITIVE: (Class, f64) = (Class::Positive, 0.9);

#[test]
fn a_delivery_is_sent_with_the_same_bytes_until_it_is_acknowledged() {
    let (_folder, store) = store();
    scored(&store, "1.1", 0, POSITIVE, vec![delivery("PACS", "sr"), delivery("RIS", "oru")]);
    assert_eq!(store.study("1.1").unwrap().unwrap().state, StudyState::Delivering);
    let first = store.lease_delivery("sender", Some("PACS"), at(200), MINUTE).unwrap().unwrap();
    assert_eq!((first.kind.as_str(), first.payload.as_slice()), ("sr", &b"sr for PACS"[..]));
    assert_eq!((first.revision, first.attempts, first.made_at), (1, 0, at(100)));
    assert!(store.lease_delivery("other", Some("PACS"), at(201), MINUTE).unwrap().is_none());
    store.renew_delivery(&first, at(230), MINUTE).unwrap();
    assert!(store.lease_delivery("other", Some("PACS"), at(289), MINUTE).unwrap().is_none());
    store.delivery_failed(first.id, "no route to host", Some(at(300))).unwrap();
    let study = store.study("1.1").unwrap().unwrap();
    assert_eq!(study.state, StudyState::DeliveryFailed);
    assert_eq!(study.last_error.as_deref(), Some("no route to host"));
    assert!(store.lease_delivery("sender", Some("PACS"), at(299), MINUTE).unwrap().is_none());
    // The other destination does not wait for it.
    let other = store.lease_delivery("sender", None, at(299), MINUTE).unwrap().unwrap();
    assert_eq!(other.destination, "RIS");
    store.delivered(other.id, "AA", at(299)).unwrap();
    let again = store.lease_delivery("sender", None, at(300), MINUTE).unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (first.id, 1));
    assert_eq!(again.payload, first.payload);
    let lost = store.renew_delivery(&first, at(301), MINUTE).unwrap_err();
    assert!(matches!(lost, StoreError::LeaseLost { what: "delivery", .. }), "{lost}");
    store.delivered(again.id, "0000", at(301)).unwrap();
    assert_eq!(store.study("1.1").unwrap().unwrap().state, StudyState::Delivered);
    let rows = store.deliveries("1.1").unwrap();
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered), "{rows:?}");
    assert_eq!(
        (rows[0].remote_status.as_deref(), rows[0].delivered_at),
        (Some("0000"), Some(at(301)))
    );
    assert!(store.lease_delivery("sender", None, at(100_000), MINUTE).unwrap().is_none());
}

#[test]
fn what_is_given_up_is_sent_again_when_somebody_says_so() {
    let (_folder, store) = store();
    scored(&store, "1.1", 0, POSITIVE, vec![delivery("PACS", "sr")]);
    let sent = store.lease_delivery("sender", None, at(200), MINUTE).unwrap().unwrap();
    store.delivery_failed(sent.id, "refused: 0110", None).unwrap();
    assert!(store.lease_delivery("sender", None, at(90_000), MINUTE).unwrap().is_none());
    let counts = store.counts().unwrap();
    assert_eq!((counts.outbox["PACS"].given_up, counts.outbox["PACS"].waiting), (1, 0));
    store.retry_delivery(sent.id, "kim", at(90_000)).unwrap();
    assert_eq!(store.counts().unwrap().outbox["PACS"].failing, 1);
    let again = store.lease_delivery("sender", None, at(90_000), MINUTE).unwrap().unwrap();
    assert_eq!(again.payload, sent.payload);
    store.delivered(again.id, "0000", at(90_001)).unwrap();
    // A late word of an earlier attempt changes nothing.
    store.delivery_failed(sent.id, "late", None).unwrap();
    assert_eq!(store.study("1.1").unwrap().unwrap().state, StudyState::Delivered);
    assert!(matches!(store.delivered(99, "", at(1)), Err(StoreError::NoDelivery(99))));
    assert!(matches!(store.retry_delivery(99, "kim", at(1)), Err(StoreError::NoDelivery(99))));
    let audit = store.audit_rows(0, 10).unwrap();
    assert_eq!(audit[0].what, "asked to send again");
}

#[test]
fn a_newer_revision_supersedes_what_waits_and_waits_for_what_is_being_sent() {
    let (_folder, store) = store();
    let both = || vec![delivery("PACS", "sr"), delivery("RIS", "oru")];
    scored(&store, "1.1", 0, POSITIVE, both());
    let sending = store.lease_delivery("sender", Some("PACS"), at(200), MINUTE).unwrap().unwrap();
    keep(&store, &Object::new("1.1", "1.1.77"), 201);
    store.settle("1.1", Settled::Quiet, at(205)).unwrap();
    let job = leased(&store, 206);
    store.complete(&job, result(Class::Positive, 0.95), both(), vec![]).unwrap();
    let states: Vec<_> =
        store.deliveries("1.1").unwrap().iter().map(|row| (row.revision, row.state)).collect();
    use DeliveryState::{Sending, Superseded, Waiting};
    assert_eq!(states, [(1, Sending), (1, Superseded), (2, Waiting), (2, Waiting)]);
    assert!(store.lease_delivery("sender", Some("PACS"), at(210), MINUTE).unwrap().is_none());
    store.delivery_failed(sending.id, "aborted", Some(at(211))).unwrap();
    assert_eq!(store.deliveries("1.1").unwrap()[0].state, Superseded);
    let next = store.lease_delivery("sender", Some("PACS"), at(211), MINUTE).unwrap().unwrap();
    assert_eq!(next.revision, 2);
}

#[test]
fn unread_positive_studies_are_answered_first() {
    let (_folder, store) = store();
    scored(&store, "1.1", 0, (Class::Negative, 0.1), vec![delivery("PACS", "sr")]);
    scored(&store, "1.2", 50, POSITIVE, vec![delivery("PACS", "sr")]);
    let first = store.lease_delivery("sender", None, at(200), MINUTE).unwrap().unwrap();
    assert_eq!(first.study_uid, "1.2");
}

#[test]
fn a_clock_that_jumps_back_loses_no_delivery() {
    let (_folder, store) = store();
    scored(&store, "1.1", 0, POSITIVE, vec![delivery("PACS", "sr"), delivery("RIS", "oru")]);
    let year = 365 * 86_400;
    let sent = store.lease_delivery("sender", Some("PACS"), at(year), MINUTE).unwrap().unwrap();
    let again = at(year) + LONGEST_DELAY;
    store.delivery_failed(sent.id, "x", Some(again)).unwrap();
    let sending = store.lease_delivery("sender", Some("RIS"), at(year), MINUTE).unwrap().unwrap();
    let one = store.lease_delivery("sender", None, at(200), MINUTE).unwrap().unwrap();
    let two = store.lease_delivery("sender", None, at(200), MINUTE).unwrap().unwrap();
    let mut ids = [one.id, two.id];
    ids.sort_unstable();
    assert_eq!(ids, [sent.id, sending.id]);
}
