//! Several nodes of one database and one folder: nothing is lost, nothing is done twice.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use hemora_store::{
    AssociationEnd, Class, NewAssociation, NewAudit, Recovery, Retention, Settled, Store,
    StoreError, StudyState,
};

use crate::place::{ask, open, shared};
use crate::support::{MINUTE, Object, at, delivery, files, keep, leased, quick, result, settled};

fn node(folder: &Path, name: &str) -> Store {
    Store::open_shared(folder, quick(), &shared(folder, name)).unwrap()
}

/// A time at which nodes that have ended are known to have.
fn later() -> chrono::DateTime<chrono::Utc> {
    chrono::Utc::now() + Duration::from_secs(30)
}

#[test]
fn what_two_nodes_write_at_once_is_one_chain_and_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = [node(folder.path(), "a"), node(folder.path(), "b")];
    std::thread::scope(|scope| {
        for (place, store) in nodes.iter().enumerate() {
            for thread in 0..2 {
                scope.spawn(move || {
                    for number in 0..20 {
                        // Each image comes to both nodes.
                        let sop = format!("1.1.{thread}.{number}");
                        keep(store, &Object::new("1.1", &sop), number);
                        let row = NewAudit { who: "kim", what: "x", study: None, detail: &sop };
                        store.audit(row, at(place as i64)).unwrap();
                    }
                    store.flush().unwrap();
                });
            }
        }
    });
    let [a, b] = &nodes;
    assert_eq!(a.verify_audit().unwrap(), 80);
    assert_eq!(a.instances("1.1").unwrap(), b.instances("1.1").unwrap());
    assert_eq!(a.instances("1.1").unwrap().len(), 40);
    assert_eq!(files(&folder.path().join("studies")).len(), 40);
    assert_eq!(ask(folder.path(), "SELECT count(DISTINCT seq) FROM instance"), "40");
}

#[test]
fn a_job_and_a_delivery_are_one_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = [node(folder.path(), "a"), node(folder.path(), "b")];
    for study in 0..20 {
        settled(&nodes[study % 2], &format!("1.{study}"), study as i64);
    }
    let done: Vec<String> = std::thread::scope(|scope| {
        let work = |store: &Store| {
            let mut done = Vec::new();
            while let Some(job) = store.lease("worker", at(100), MINUTE).unwrap() {
                let send = vec![delivery("PACS", "sr")];
                store.complete(&job, result(Class::Positive, 0.9), send, vec![]).unwrap();
                done.push(job.study_uid);
            }
            while let Some(sent) = store.lease_delivery("sender", None, at(200), MINUTE).unwrap() {
                store.delivered(sent.id, "0000", at(200)).unwrap();
                done.push(format!("sent {}", sent.id));
            }
            done
        };
        let threads: Vec<_> = nodes.iter().map(|store| scope.spawn(move || work(store))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(done.len(), 40, "{done:?}");
    assert_eq!(done.iter().collect::<BTreeSet<_>>().len(), 40, "{done:?}");
    let counts = nodes[1].counts().unwrap();
    assert_eq!(counts.studies.get(&StudyState::Delivered), Some(&20), "{counts:?}");
}

#[test]
fn one_node_hears_what_the_other_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (node(folder.path(), "a"), node(folder.path(), "b"));
    let seen = b.changes();
    assert_eq!(b.wait_for_change(seen, Duration::from_millis(300)), seen);
    keep(&a, &Object::new("1.1", "1.1.1"), 0);
    a.flush().unwrap();
    assert!(b.wait_for_change(seen, MINUTE) > seen);
    assert!(b.study("1.1").unwrap().is_some());
    // What nobody sees in the list is not announced.
    let seen = a.changes();
    b.open_association(&NewAssociation::default(), at(0)).unwrap();
    assert_eq!(a.wait_for_change(seen, Duration::from_millis(300)), seen);
}

#[test]
fn a_node_that_ended_is_looked_after_and_one_that_is_slow_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (node(folder.path(), "a"), node(folder.path(), "b"));
    settled(&a, "1.1", 0);
    settled(&b, "1.2", 1);
    let of_a = leased(&a, 10);
    let of_b = leased(&b, 10);
    assert_eq!((of_a.study_uid.as_str(), of_b.study_uid.as_str()), ("1.1", "1.2"));
    let association = a.open_association(&NewAssociation::default(), at(0)).unwrap();
    let other = b.open_association(&NewAssociation::default(), at(0)).unwrap();
    // It is acknowledged, and cannot be filed before the node ends.
    let (studies, aside) = (folder.path().join("studies"), folder.path().join("aside"));
    std::fs::rename(&studies, &aside).unwrap();
    std::fs::write(&studies, "in the way").unwrap();
    keep(&a, &Object::new("1.3", "1.3.1"), 11);
    assert!(a.flush().is_err());
    assert!(b.adopt_from_dead_nodes(later()).unwrap().is_empty(), "its lock is held");
    drop(a);
    std::fs::remove_file(&studies).unwrap();
    std::fs::rename(&aside, &studies).unwrap();
    assert!(b.adopt_from_dead_nodes(chrono::Utc::now()).unwrap().is_empty(), "it spoke just now");
    let adopted = b.adopt_from_dead_nodes(later()).unwrap();
    let [adopted] = &adopted[..] else { panic!("{adopted:?}") };
    let left = Recovery { adopted: 1, leases_ended: 1, ..Recovery::default() };
    assert_eq!((adopted.node.as_str(), &adopted.left), ("a", &left));
    assert_eq!(b.instances("1.3").unwrap().len(), 1);
    assert!(b.adopt_from_dead_nodes(later()).unwrap().is_empty(), "once");
    // Its job is free without a word against it, that of the other node is not.
    let again = leased(&b, 12);
    assert_eq!((again.study_uid.as_str(), again.failures), ("1.1", 0));
    b.renew(&of_b, at(13), MINUTE).unwrap();
    let how = |id| ask(folder.path(), &format!("SELECT how FROM association WHERE id = {id}"));
    assert_eq!((how(association).as_str(), how(other).as_str()), ("node ended", ""));
    b.close_association(other, AssociationEnd::Released, at(14)).unwrap();
    // It comes back, and finds nothing to put right.
    assert_eq!(*node(folder.path(), "a").recovered(), Recovery::default());
}

#[test]
fn an_image_that_comes_again_while_it_is_evicted_elsewhere_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (node(folder.path(), "a"), node(folder.path(), "b"));
    let object = Object::new("1.1", "1.1.1");
    keep(&a, &object, 0);
    a.settle("1.1", Settled::Quiet, at(1)).unwrap();
    a.complete(&leased(&a, 2), result(Class::Negative, 0.1), vec![], vec![]).unwrap();
    let all = Retention { images: Duration::ZERO, at_most: Some(0), reserve: 0 };
    std::thread::scope(|scope| {
        let evicts = scope.spawn(|| {
            for _ in 0..40 {
                a.evict(&all, at(1_000_000)).unwrap();
            }
        });
        while !evicts.is_finished() {
            keep(&b, &object, 5);
            b.flush().unwrap();
        }
    });
    keep(&b, &object, 6);
    let instances = b.instances("1.1").unwrap();
    assert_eq!(instances.len(), 1);
    assert_eq!(std::fs::read(&instances[0].path).unwrap()[128..], object.bytes("CT1"));
    assert_eq!(files(&folder.path().join("studies")).len(), 1);
}

#[test]
fn two_nodes_that_want_room_make_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = [node(folder.path(), "a"), node(folder.path(), "b")];
    for study in 0..12 {
        settled(&nodes[0], &format!("1.{study}"), study);
        let job = leased(&nodes[0], 20);
        nodes[0].complete(&job, result(Class::Negative, 0.1), vec![], vec![]).unwrap();
    }
    let bytes = nodes[0].counts().unwrap().bytes;
    let half = Retention { images: 100 * MINUTE, at_most: Some(bytes / 2), reserve: 0 };
    let evicted: Vec<_> = std::thread::scope(|scope| {
        let evict = |store: &Store| store.evict(&half, at(30)).unwrap();
        let threads: Vec<_> = nodes.iter().map(|store| scope.spawn(move || evict(store))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let studies: u64 = evicted.iter().map(|it| it.studies).sum();
    // Sizes of studies differ by a few bytes.
    assert!((6..=7).contains(&studies), "{evicted:?}");
    assert!(evicted.iter().all(|it| it.short_of == 0), "{evicted:?}");
}

#[test]
fn folder_and_database_go_together() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(node(one.path(), "a"));
    let other = Store::open_shared(two.path(), quick(), &shared(one.path(), "b")).unwrap_err();
    assert!(matches!(other, StoreError::OtherDatabase { .. }), "{other}");
    // A folder with a database of its own is not one that nodes share, nor the other way round.
    let own = tempfile::tempdir().unwrap();
    drop(Store::open(own.path(), quick()).unwrap());
    let refused = open(own.path(), quick()).unwrap_err();
    assert!(refused.to_string().contains("hemora.db"), "{refused}");
    let refused = Store::open(one.path(), quick()).unwrap_err();
    assert!(refused.to_string().contains("several nodes share it"), "{refused}");
}

#[test]
fn two_nodes_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = node(folder.path(), "a");
    let second = Store::open_shared(folder.path(), quick(), &shared(folder.path(), "a"));
    assert!(matches!(second, Err(StoreError::Locked { .. })), "{second:?}");
    let mut strange = shared(folder.path(), "../b");
    let refused = Store::open_shared(folder.path(), quick(), &strange);
    assert!(matches!(refused, Err(StoreError::Unusable { .. })), "{refused:?}");
    strange.node = "b".to_owned();
    strange.url = "postgres://nobody@%2Fnowhere/x".to_owned();
    let silent = Store::check_shared(&strange).unwrap_err();
    assert!(matches!(silent, StoreError::Unreachable { .. }), "{silent}");
    assert!(Store::check_shared(&shared(folder.path(), "b")).is_ok());
    drop(first);
}

#[test]
fn a_store_goes_on_when_its_connections_were_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = node(folder.path(), "a");
    settled(&store, "1.1", 0);
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(ask(folder.path(), sql).parse::<u32>().unwrap() >= 3);
    assert!(store.study("1.1").unwrap().is_some());
    settled(&store, "1.2", 1);
    // It hears the others again.
    let other = node(folder.path(), "b");
    std::thread::sleep(Duration::from_millis(1500));
    let seen = store.changes();
    settled(&other, "1.3", 2);
    assert!(store.wait_for_change(seen, MINUTE) > seen);
}
