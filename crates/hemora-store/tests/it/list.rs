//! The ranked list: order, filters, pages.

use hemora_store::{Class, ListQuery, Page, Settled, Store, StudyState};

use crate::support::{MINUTE, Object, at, keep, leased, result, scored, settled, store};

fn order(page: &Page) -> Vec<&str> {
    page.rows.iter().map(|row| row.study_uid.as_str()).collect()
}

/// Seven studies, one of each kind.
fn ranked() -> (tempfile::TempDir, Store) {
    let (folder, store) = store();
    scored(&store, "1.1", 0, (Class::Negative, 0.1), vec![]);
    scored(&store, "1.2", 10, (Class::Positive, 0.7), vec![]);
    scored(&store, "1.3", 20, (Class::NotSure, 0.5), vec![]);
    scored(&store, "1.4", 30, (Class::Positive, 0.9), vec![]);
    scored(&store, "1.5", 40, (Class::NotSure, 0.4), vec![]);
    settled(&store, "1.6", 50);
    keep(&store, &Object::new("1.7", "1.7.1"), 60);
    store.flush().unwrap();
    (folder, store)
}

#[test]
fn positive_by_probability_then_not_sure_then_the_newest() {
    let (_folder, store) = ranked();
    let page = store.studies(&ListQuery::default()).unwrap();
    assert_eq!(order(&page), ["1.4", "1.2", "1.3", "1.5", "1.7", "1.6", "1.1"]);
    assert!(page.next.is_none());
    // Who is read leaves the head of the list, until that is taken back.
    store.note_opened("1.4", "kim", 1, at(499)).unwrap();
    store.acknowledge("1.4", "kim", 1, at(500)).unwrap();
    let page = store.studies(&ListQuery::default()).unwrap();
    assert_eq!(order(&page), ["1.2", "1.3", "1.5", "1.7", "1.6", "1.4", "1.1"]);
    assert_eq!(store.study("1.4").unwrap().unwrap().read_at, Some(at(500)));
    store.unacknowledge("1.4", "kim", 1, at(501)).unwrap();
    assert_eq!(order(&store.studies(&ListQuery::default()).unwrap())[0], "1.4");
}

#[test]
fn a_revision_is_unread_again_only_if_its_class_rises() {
    let (_folder, store) = store();
    scored(&store, "1.1", 0, (Class::NotSure, 0.4), vec![]);
    let next = |seconds, class, probability| {
        let shown = store.study("1.1").unwrap().unwrap().revision;
        store.acknowledge("1.1", "kim", shown, at(seconds)).unwrap();
        store.rescore("1.1", "kim", at(seconds)).unwrap();
        let job = leased(&store, seconds);
        store.complete(&job, result(class, probability), vec![], vec![]).unwrap();
        store.study("1.1").unwrap().unwrap().read_at.is_some()
    };
    assert!(!next(100, Class::Positive, 0.9));
    assert!(next(200, Class::Positive, 0.95));
    assert!(next(300, Class::Negative, 0.1));
    assert!(!next(400, Class::NotSure, 0.4));
}

#[test]
fn pages_join_without_a_gap_and_the_place_goes_through_text() {
    let (_folder, store) = ranked();
    let whole = store.studies(&ListQuery::default()).unwrap();
    for limit in 1..=7 {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.studies(&ListQuery { limit, after, ..ListQuery::default() }).unwrap();
            assert!(page.rows.len() <= limit);
            seen.extend(page.rows);
            let Some(next) = page.next else { break };
            after = Some(next.to_string().parse().unwrap());
        }
        assert_eq!(seen, whole.rows, "{limit} a page");
    }
    // What comes in between shifts nothing.
    let query = ListQuery { limit: 3, ..ListQuery::default() };
    let first = store.studies(&query).unwrap();
    settled(&store, "1.8", 70);
    let job = store.lease("worker", at(75), MINUTE).unwrap().unwrap();
    store.complete(&job, result(Class::Positive, 0.99), vec![], vec![]).unwrap();
    let rest = store.studies(&ListQuery { limit: 9, after: first.next, ..query }).unwrap();
    assert_eq!(order(&rest)[0], "1.5");
}

#[test]
fn filters_choose() {
    let (_folder, store) = ranked();
    let found = |query: ListQuery| order(&store.studies(&query).unwrap()).join(" ");
    let query = ListQuery::default;
    assert_eq!(found(ListQuery { class: Some(Class::Positive), ..query() }), "1.4 1.2");
    assert_eq!(found(ListQuery { state: Some(StudyState::Receiving), ..query() }), "1.7");
    assert_eq!(found(ListQuery { since: Some(at(50)), ..query() }), "1.7 1.6");
    let text = |text: &str| found(ListQuery { text: Some(text.to_owned()), ..query() });
    assert_eq!(text("1.3"), "1.3");
    assert_eq!(text(" doe^JANE ").split(' ').count(), 7);
    assert_eq!(text("acc7").split(' ').count(), 7);
    assert_eq!(text("100%_"), "");
    assert_eq!(text(""), found(query()));
}

#[test]
fn a_page_has_a_bound_whatever_is_asked_for() {
    let (_folder, store) = store();
    for number in 0..210 {
        keep(&store, &Object::new(&format!("1.{number}"), &format!("1.{number}.1")), number);
    }
    store.flush().unwrap();
    for limit in [0, 201, usize::MAX] {
        let page = store.studies(&ListQuery { limit, ..ListQuery::default() }).unwrap();
        assert_eq!(page.rows.len(), ListQuery::LONGEST);
        assert!(page.next.is_some());
    }
}

#[test]
fn the_number_of_changes_grows_with_the_list_and_wakes_who_waits() {
    let (_folder, store) = store();
    let begun = store.changes();
    assert_eq!(store.wait_for_change(begun, std::time::Duration::from_millis(1)), begun);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| store.wait_for_change(begun, MINUTE));
        keep(&store, &Object::new("1.1", "1.1.1"), 0);
        assert!(waits.join().unwrap() > begun);
    });
    store.flush().unwrap();
    let kept = store.changes();
    store.settle("1.1", Settled::Quiet, at(5)).unwrap();
    assert!(store.changes() > kept);
}
