//! Opening: one node a folder, no folder of a newer program, nothing that cannot be opened again.

use hemora_store::{AssociationEnd, NewAssociation, Store, StoreError};
use rusqlite::Connection;

use crate::support::{Object, at, keep, quick, store};

#[test]
fn a_second_node_is_told_who_holds_the_folder() {
    let (folder, store) = store();
    let refused = Store::open(folder.path(), quick()).unwrap_err();
    let holder = std::process::id();
    assert!(matches!(refused, StoreError::Locked { pid: Some(pid), .. } if pid == holder));
    assert!(refused.to_string().contains(&format!("process {holder}")), "{refused}");
    drop(store);
    Store::open(folder.path(), quick()).unwrap();
}

#[test]
fn a_folder_of_a_newer_program_is_refused_and_left_alone() {
    let (folder, store) = store();
    keep(&store, &Object::new("1.1", "1.1.1"), 0);
    drop(store);
    let database = folder.path().join("hemora.db");
    let connection = Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let before = std::fs::read(&database).unwrap();
    let refused = Store::open(folder.path(), quick()).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused}");
    assert!(refused.to_string().contains("schema 99"), "{refused}");
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hemora.db"), "not a database, and long enough to be one")
        .unwrap();
    assert!(matches!(Store::open(folder.path(), quick()), Err(StoreError::Database(_))));
}

#[test]
fn a_store_that_is_opened_again_knows_everything_and_has_nothing_to_put_right() {
    let (folder, store) = store();
    for number in 0..20 {
        keep(&store, &Object::new("1.1", &format!("1.1.{number}")), number);
    }
    let study = store.study("1.1").unwrap();
    let instances = store.instances("1.1").unwrap();
    drop(store);
    let store = Store::open(folder.path(), quick()).unwrap();
    assert_eq!(*store.recovered(), hemora_store::Recovery::default());
    assert_eq!(store.study("1.1").unwrap(), study);
    assert_eq!(store.instances("1.1").unwrap(), instances);
    assert_eq!(store.folder(), folder.path());
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("data/node");
    let store = Store::open(&root, quick()).unwrap();
    keep(&store, &Object::new("1.1", "1.1.1"), 0);
    let image = store.instances("1.1").unwrap()[0].path.clone();
    for path in [&root, &root.join("inbox"), &root.join("studies"), &image] {
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} {mode:o}", path.display());
    }
}

#[test]
fn associations_have_numbers_that_no_other_node_of_the_folder_gave() {
    let (folder, store) = store();
    let association = NewAssociation { calling_ae: "CT1".to_owned(), ..NewAssociation::default() };
    let first = store.open_association(&association, at(0)).unwrap();
    store.close_association(first, AssociationEnd::Aborted, at(1)).unwrap();
    store.close_association(first, AssociationEnd::Released, at(2)).unwrap();
    let open = store.open_association(&association, at(0)).unwrap();
    drop(store);
    let store = Store::open(folder.path(), quick()).unwrap();
    assert!(store.open_association(&association, at(2)).unwrap() > open);
    drop(store);
    let connection = Connection::open(folder.path().join("hemora.db")).unwrap();
    let how = |id: u64| -> String {
        let sql = "SELECT how FROM association WHERE id = ?1";
        connection.query_row(sql, [id as i64], |row| row.get(0)).unwrap()
    };
    assert_eq!((how(first).as_str(), how(open).as_str()), ("aborted", "node ended"));
}
