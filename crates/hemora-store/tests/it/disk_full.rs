//! A full disk: said, survived, and over as soon as there is room.

use std::io::ErrorKind;
use std::process::Command;

use hemora_store::{Durability, Options, Store, StoreError};

use crate::support::{Object, keep, quick, try_keep};

/// Set for the process that fills a small disk, with its folder.
const FOLDER: &str = "HEMORA_STORE_SMALL_DISK";

#[test]
fn below_the_reserve_nothing_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Options { reserve: u64::MAX, ..quick() }).unwrap();
    let full = store.draft().unwrap_err();
    assert!(full.is_full());
    assert!(full.to_string().contains("bytes are free"), "{full}");
    assert!(store.counts().unwrap().disk_free > 0);
}

#[test]
fn a_full_disk_refuses_and_loses_nothing_that_was_kept() {
    let install = "apt-get install util-linux";
    let Some(unshare) = hemora_testing::program("unshare", install) else { return };
    let disk = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    // A file system of 12 MiB that only the child sees.
    let script = format!(
        "mount -t tmpfs -o size=12m none {0} && {1} disk_full::fill --exact --ignored --nocapture",
        disk.path().display(),
        test.display()
    );
    let child = Command::new(unshare)
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .env(FOLDER, disk.path())
        .output();
    let output = child.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("Operation not permitted") || error.contains("permission denied") {
        eprintln!("skipped: this system lets no user mount a file system: {error}");
        return;
    }
    assert!(output.status.success() && text.contains("SURVIVED"), "{text}{error}");
}

/// Run by the test above, in a process of its own.
#[test]
#[ignore = "fills the disk that another test makes for it"]
fn fill() {
    let Some(folder) = std::env::var_os(FOLDER).map(std::path::PathBuf::from) else { return };
    let options = Options { durability: Durability::Power, ..quick() };
    let store = Store::open(&folder.join("data"), options).unwrap();
    let object = |number: usize| {
        let mut object = Object::new("1.1", &format!("1.1.{number}"));
        object.pixels = vec![number as u8; 500_000];
        object
    };
    let mut kept = 0;
    let refused = loop {
        match try_keep(&store, &object(kept), 0) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    let no_room = match &refused {
        StoreError::Io { source, .. } => source.kind() == ErrorKind::StorageFull,
        error => error.is_full(),
    };
    assert!(no_room && kept > 5, "{kept}: {refused}");
    // What was half written is gone: the next that fits is taken. The last that were kept may have no rows
    // yet, for which there is no room either.
    let room = folder.join("data/studies");
    let filed = store.instances("1.1").unwrap();
    assert!(filed.len() <= kept);
    for instance in &filed[..2] {
        std::fs::remove_file(&instance.path).unwrap();
    }
    keep(&store, &object(1000), 1);
    drop(store);
    let store = Store::open(&folder.join("data"), options).unwrap();
    assert_eq!(store.instances("1.1").unwrap().len(), kept + 1);
    assert_eq!(crate::support::files(&room).len(), kept - 1);
    println!("SURVIVED");
}
