//! Users, their sessions, and tokens: who may come in is never in doubt, and the audit knows who changed it.

use std::time::Duration;

use hemora_store::{Store, StoreError, UserUpdate};

use crate::place;
use crate::support::{at, store};

const IDLE: Duration = Duration::from_secs(1800);

/// A store with an administrator, Anna, and a reader, Bo.
fn staffed() -> (tempfile::TempDir, Store) {
    let (folder, store) = store();
    store.create_first_user("Anna", "hash a", "administrator", at(0)).unwrap();
    store.create_user("Bo", "hash b", "reader", "Anna", at(1)).unwrap();
    (folder, store)
}

fn disable() -> UserUpdate {
    UserUpdate { disabled: Some(true), ..UserUpdate::default() }
}

fn role(role: &str) -> UserUpdate {
    UserUpdate { role: Some(role.to_owned()), ..UserUpdate::default() }
}

/// Who did what, and the details, without the rows before.
fn audit(store: &Store, after: i64) -> Vec<String> {
    let rows = store.audit_rows(after, 100).unwrap();
    rows.iter().map(|row| format!("{} {} {}", row.who, row.what, row.detail)).collect()
}

#[test]
fn the_first_user_is_made_once_whoever_tries_at_the_same_time() {
    let (_folder, store) = store();
    assert!(!store.any_user().unwrap());
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let store = &store;
                scope.spawn(move || {
                    store.create_first_user(&format!("u{n}"), "hash", "administrator", at(n))
                })
            })
            .collect();
        threads.into_iter().map(|it| it.join().unwrap()).filter(Result::is_ok).count()
    });
    assert_eq!((made, store.users().unwrap().len()), (1, 1));
    assert!(store.any_user().unwrap());
    let late = store.create_first_user("late", "hash", "administrator", at(9)).unwrap_err();
    assert!(matches!(late, StoreError::Exists { .. }), "{late}");
}

#[test]
fn names_that_differ_in_case_are_one() {
    let (_folder, store) = staffed();
    let refused = store.create_user("ANNA", "hash", "reader", "Anna", at(2)).unwrap_err();
    assert!(matches!(&refused, StoreError::Exists { .. }), "{refused}");
    assert_eq!(refused.to_string(), "there is a user \"Anna\" already; choose another name");
    store.create_user("Ömer", "hash", "reader", "Anna", at(2)).unwrap();
    assert!(store.create_user("ömer", "hash", "reader", "Anna", at(2)).is_err());
    let found = store.user("aNNa").unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.password_hash.as_str()), ("Anna", "hash a"));
    let names: Vec<_> = store.users().unwrap().into_iter().map(|user| user.name).collect();
    assert_eq!(names, ["Anna", "Bo", "Ömer"]);
    for bad in ["", " ", &"x".repeat(201)] {
        let refused = store.create_user(bad, "hash", "reader", "Anna", at(3)).unwrap_err();
        assert!(matches!(refused, StoreError::BadValue { .. }), "{refused}");
    }
    assert!(store.user("nobody").unwrap().is_none());
    let nobody = store.change_user("nobody", disable(), "Anna", at(3)).unwrap_err();
    assert!(matches!(nobody, StoreError::NoUser(_)), "{nobody}");
}

#[test]
fn an_administrator_is_always_left() {
    let (_folder, store) = staffed();
    for update in [disable(), role("reader")] {
        let refused = store.change_user("anna", update, "Anna", at(2)).unwrap_err();
        assert!(matches!(refused, StoreError::LastAdministrator(_)), "{refused}");
    }
    let anna = store.user("Anna").unwrap().unwrap();
    assert!(!anna.disabled && anna.role == "administrator");
    // One who may not log in does not count; one who may does.
    store.change_user("Bo", role("administrator"), "Anna", at(3)).unwrap();
    store.change_user("Bo", disable(), "Anna", at(4)).unwrap();
    assert!(store.change_user("Anna", disable(), "Anna", at(5)).is_err());
    let enable = UserUpdate { disabled: Some(false), ..UserUpdate::default() };
    assert!(!store.change_user("Bo", enable, "Anna", at(6)).unwrap().disabled);
    assert!(store.change_user("Anna", disable(), "Bo", at(7)).unwrap().disabled);
    // Of two who step back at once one stays.
    store.create_user("Cy", "hash", "administrator", "Bo", at(8)).unwrap();
    let left = std::thread::scope(|scope| {
        let threads = ["Bo", "Cy"].map(|name| {
            let store = &store;
            scope.spawn(move || store.change_user(name, role("reader"), name, at(9)).is_err())
        });
        threads.into_iter().map(|it| it.join().unwrap()).filter(|it| *it).count()
    });
    assert_eq!(left, 1);
}

#[test]
fn a_change_ends_the_sessions_of_the_user_and_of_nobody_else() {
    let (_folder, store) = staffed();
    let password = UserUpdate { password_hash: Some("hash n".to_owned()), ..UserUpdate::default() };
    store.begin_session([9; 32], "anna", at(2), at(9000)).unwrap();
    for (n, update) in (1..).zip([role("imaging-team"), password, disable()]) {
        store.begin_session([n; 32], "BO", at(3), at(9000)).unwrap();
        assert_eq!(store.session([n; 32]).unwrap().unwrap().user, "Bo");
        store.change_user("bo", update, "Anna", at(4)).unwrap();
        assert!(store.session([n; 32]).unwrap().is_none());
    }
    assert!(store.session([9; 32]).unwrap().is_some());
    let bo = store.user("Bo").unwrap().unwrap();
    assert_eq!((bo.role.as_str(), bo.password_hash.as_str()), ("imaging-team", "hash n"));
    let refused = store.begin_session([5; 32], "Bo", at(5), at(9000)).unwrap_err();
    assert!(refused.to_string().contains("disabled"), "{refused}");
    let nobody = store.begin_session([5; 32], "nobody", at(5), at(9000)).unwrap_err();
    assert!(matches!(nobody, StoreError::NoUser(_)), "{nobody}");
    assert!(store.session([5; 32]).unwrap().is_none());
    assert!(!format!("{bo:?}").contains("hash"), "{bo:?}");
}

#[test]
fn sessions_end_by_themselves_when_unused_or_when_their_time_is_over() {
    let (_folder, store) = staffed();
    store.begin_session([1; 32], "Bo", at(0), at(10_000)).unwrap();
    store.begin_session([2; 32], "Bo", at(0), at(10_000)).unwrap();
    store.begin_session([3; 32], "Anna", at(0), at(1900)).unwrap();
    store.touch_session([2; 32], at(1000)).unwrap();
    store.touch_session([3; 32], at(1500)).unwrap();
    // Nobody is seen earlier than before, as a clock that was set back would have it.
    store.touch_session([3; 32], at(20)).unwrap();
    // Comes after what nobody waits for.
    store.create_token([1; 32], "ris", "read", "Anna", at(30)).unwrap();
    assert_eq!(store.drop_ended_sessions(at(1799), IDLE).unwrap(), 0);
    let used = store.session([3; 32]).unwrap().unwrap();
    assert_eq!((used.created_at, used.used_at, used.ends_at), (at(0), at(1500), at(1900)));
    assert_eq!(store.user("Bo").unwrap().unwrap().seen_at, Some(at(1000)));
    let before = store.verify_audit().unwrap() as i64;
    assert_eq!(store.drop_ended_sessions(at(1900), IDLE).unwrap(), 2);
    let ended = ["Bo session ended it was not used", "Anna session ended its time was over"];
    assert_eq!(audit(&store, before), ended);
    assert!(store.session([1; 32]).unwrap().is_none());
    assert!(store.session([2; 32]).unwrap().is_some());
}

#[test]
fn who_logs_out_is_out_and_other_sessions_stay() {
    let (_folder, store) = staffed();
    for n in 1..=2 {
        store.begin_session([n; 32], "Bo", at(0), at(9000)).unwrap();
    }
    let before = store.verify_audit().unwrap() as i64;
    store.end_session([1; 32], at(1)).unwrap();
    store.end_session([1; 32], at(2)).unwrap();
    let left = |n| store.session([n; 32]).unwrap().is_some();
    assert_eq!([1, 2].map(left), [false, true]);
    assert_eq!(audit(&store, before), ["Bo logged out "], "once");
}

#[test]
fn a_token_counts_until_it_is_taken_back() {
    let (_folder, store) = staffed();
    let before = store.verify_audit().unwrap() as i64;
    let first = store.create_token([1; 32], "prometheus", "metrics", "Anna", at(10)).unwrap();
    let refused = store.create_token([2; 32], "prometheus", "read", "Anna", at(11)).unwrap_err();
    assert!(matches!(refused, StoreError::Exists { .. }), "{refused}");
    store.touch_token(first, at(12)).unwrap();
    store.revoke_token(first, "Anna", at(13)).unwrap();
    store.revoke_token(first, "Bo", at(14)).unwrap();
    let second = store.create_token([2; 32], "prometheus", "read", "Anna", at(15)).unwrap();
    let token = store.token([1; 32]).unwrap().unwrap();
    assert_eq!((token.id, token.scope.as_str()), (first, "metrics"));
    assert_eq!((token.used_at, token.revoked_at), (Some(at(12)), Some(at(13))));
    let ids: Vec<_> = store.tokens().unwrap().iter().map(|token| token.id).collect();
    assert_eq!(ids, [second, first]);
    assert!(store.token([3; 32]).unwrap().is_none());
    assert!(matches!(store.revoke_token(99, "Anna", at(16)), Err(StoreError::NoToken(99))));
    let all = [
        "Anna made a token token 1 prometheus: scope metrics",
        "Anna took a token back token 1 prometheus",
        "Anna made a token token 2 prometheus: scope read",
    ];
    assert_eq!(audit(&store, before), all);
}

#[test]
fn the_audit_knows_who_changed_whom_and_no_hash() {
    let (folder, store) = staffed();
    let update = UserUpdate {
        role: Some("imaging-team".to_owned()),
        disabled: Some(false),
        password_hash: Some("hash n".to_owned()),
    };
    store.change_user("bo", update, "Anna", at(2)).unwrap();
    store.begin_session([1; 32], "bo", at(3), at(900)).unwrap();
    let all = [
        "Anna made a user Anna: role administrator",
        "Anna made a user Bo: role reader",
        "Anna changed a user Bo: role imaging-team, enabled, new password",
        "Bo logged in ",
    ];
    assert_eq!(audit(&store, 0), all);
    drop(store);
    let sql = "SELECT count(*) FROM audit WHERE detail LIKE '%hash%'";
    assert_eq!(place::ask(folder.path(), sql), "0");
}
