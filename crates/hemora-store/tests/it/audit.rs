//! The audit: whatever is changed in it is found, and named.

use hemora_store::{AuditError, AuditQuery, NewAudit, StoreError};

use crate::place;
use crate::support::{at, quick, store};

/// A store with ten rows, closed.
fn audited() -> tempfile::TempDir {
    let (folder, store) = store();
    for n in 0..10 {
        let study = (n % 2 == 0).then_some("1.2.3");
        let row = NewAudit { who: "kim", what: "opened", study, detail: &format!("{n}") };
        store.audit(row, at(n)).unwrap();
    }
    assert_eq!(store.verify_audit().unwrap(), 10);
    folder
}

#[test]
fn any_change_is_found_and_its_row_named() {
    for (sql, named) in [
        ("UPDATE audit SET detail = 'x' WHERE n = 4", 4),
        ("UPDATE audit SET at = at + 1 WHERE n = 10", 10),
        ("UPDATE audit SET who = 'kimopened', what = '' WHERE n = 1", 1),
        ("UPDATE audit SET study = NULL WHERE n = 3", 3),
        ("UPDATE audit SET study = '' WHERE n = 2", 2),
        ("UPDATE audit SET hash = zeroblob(32) WHERE n = 7", 7),
        ("DELETE FROM audit WHERE n = 5", 5),
        ("DELETE FROM audit WHERE n = 1", 1),
        ("INSERT INTO audit VALUES (11, 0, 'a', 'b', NULL, 'c', zeroblob(32))", 11),
    ] {
        let folder = audited();
        place::ask(folder.path(), sql);
        let store = place::open(folder.path(), quick()).unwrap();
        let found = store.verify_audit().unwrap_err();
        assert!(matches!(found, AuditError::Changed { row } if row == named), "{sql}: {found}");
        assert!(found.to_string().contains(&format!("row {named} of the audit")), "{found}");
    }
}

#[test]
fn rows_come_in_order_a_page_at_a_time() {
    let folder = audited();
    let store = place::open(folder.path(), quick()).unwrap();
    let numbers = |after, limit| -> Vec<i64> {
        store.audit_rows(after, limit).unwrap().iter().map(|row| row.n).collect()
    };
    assert_eq!(numbers(0, 3), [1, 2, 3]);
    assert_eq!(numbers(3, 100), [4, 5, 6, 7, 8, 9, 10]);
    assert!(numbers(10, 5).is_empty());
    let row = &store.audit_rows(0, 1).unwrap()[0];
    assert_eq!((row.at, row.who.as_str(), row.study.as_deref()), (at(0), "kim", Some("1.2.3")));
}

#[test]
fn a_page_is_what_is_asked_for_newest_first() {
    let folder = audited();
    let store = place::open(folder.path(), quick()).unwrap();
    let other = NewAudit { who: "lee", what: "exported", study: Some("1.2.3"), detail: "" };
    store.audit(other, at(20)).unwrap();
    let page = |query: &AuditQuery| -> Vec<i64> {
        store.audit_page(query).unwrap().iter().map(|row| row.n).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    let query = AuditQuery { limit: 4, ..AuditQuery::default() };
    assert_eq!(page(&query), [11, 10, 9, 8]);
    assert_eq!(page(&AuditQuery { before: Some(8), ..query.clone() }), [7, 6, 5, 4]);
    assert_eq!(page(&AuditQuery { who: text("lee"), ..query.clone() }), [11]);
    assert_eq!(page(&AuditQuery { what: text("opened"), ..query.clone() }), [10, 9, 8, 7]);
    assert_eq!(page(&AuditQuery { study: text("1.2.3"), ..query.clone() }), [11, 9, 7, 5]);
    let both = AuditQuery {
        who: text("kim"),
        what: text("opened"),
        study: text("1.2.3"),
        before: Some(9),
        limit: 2,
    };
    assert_eq!(page(&both), [7, 5]);
    assert!(page(&AuditQuery { who: text("' OR 1 --"), ..query }).is_empty());
    assert_eq!(page(&AuditQuery::default()).len(), 11);
    assert_eq!(page(&AuditQuery { limit: usize::MAX, ..AuditQuery::default() }).len(), 11);
}

#[test]
fn rows_that_are_missing_at_the_end_show_in_the_number() {
    let folder = audited();
    let sql = "DELETE FROM audit WHERE n > 7";
    place::ask(folder.path(), sql);
    let store = place::open(folder.path(), quick()).unwrap();
    assert_eq!(store.verify_audit().unwrap(), 7);
}

#[test]
fn many_at_once_make_one_chain() {
    let (_folder, store) = store();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..25 {
                    let row = NewAudit { who: "kim", what: "x", study: None, detail: "" };
                    store.audit(row, at(thread)).unwrap();
                }
            });
        }
    });
    assert_eq!(store.verify_audit().unwrap(), 200);
}

#[test]
fn a_setting_has_a_history_and_somebody_who_says_why() {
    let (_folder, store) = store();
    assert!(store.setting("thresholds").unwrap().is_none());
    store.set_setting("thresholds", "{\"any\": 0.4}", "kim", "too many alarms", at(0)).unwrap();
    store.set_setting("thresholds", "{\"any\": 0.5}", "kim", "still", at(1)).unwrap();
    store.set_setting("other", "1", "kim", "test", at(2)).unwrap();
    let now = store.setting("thresholds").unwrap().unwrap();
    assert_eq!((now.value.as_str(), now.why.as_str(), now.at), ("{\"any\": 0.5}", "still", at(1)));
    let values: Vec<_> =
        store.setting_history("thresholds").unwrap().into_iter().map(|it| it.value).collect();
    assert_eq!(values, ["{\"any\": 0.4}", "{\"any\": 0.5}"]);
    for (value, who, why) in [("{", "kim", "why"), ("1", " ", "why"), ("1", "kim", "")] {
        let refused = store.set_setting("thresholds", value, who, why, at(3)).unwrap_err();
        assert!(matches!(refused, StoreError::BadValue { .. }), "{refused}");
    }
    assert_eq!(store.verify_audit().unwrap(), 3);
    assert!(store.audit_rows(0, 1).unwrap()[0].detail.contains("too many alarms"));
}
