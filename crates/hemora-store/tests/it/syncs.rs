//! Power loss, as far as system calls show it: what an acknowledgement rests on was synced before.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use hemora_store::{Durability, Options, Store};

use crate::support::{Object, arrival, quick};

/// Set for the process that is watched, with its data folder.
const FOLDER: &str = "HEMORA_STORE_WATCHED";

/// Instances that it keeps.
const INSTANCES: usize = 40;

#[test]
fn a_file_and_its_name_are_synced_before_the_answer() {
    let Some(strace) = hemora_testing::program("strace", "apt-get install strace") else { return };
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let watched = Command::new(strace)
        .args(["-f", "-y", "-s", "200", "-e", "trace=openat,fdatasync,fsync,write,linkat,unlink"])
        .arg("-o")
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["syncs::acknowledge", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path().join("data"))
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&watched.stderr);
    if error.contains("ptrace") && error.contains("not permitted") {
        eprintln!("skipped: this system lets no process watch another: {error}");
        return;
    }
    assert!(watched.status.success(), "{error}");
    let trace = std::fs::read_to_string(&trace).unwrap();
    let (mut made, mut synced) = (HashSet::new(), HashSet::new());
    let (mut answers, mut rows_synced, mut unlinked) = (0, 0, 0);
    let mut linked: HashSet<String> = HashSet::new();
    for line in trace.lines() {
        // `1234 fdatasync(7</data/inbox/0.part>) = 0`, or its end after others came in between.
        let call = line.split_once(' ').map_or("", |(_, call)| call.trim_start());
        let path = || call.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        if call.starts_with("openat") && call.contains("O_EXCL") {
            made.insert(quoted(call, 0));
        } else if call.starts_with("fdatasync") || call.starts_with("fsync") {
            let path = path();
            if path.ends_with("/inbox") {
                made.clear();
            }
            rows_synced += usize::from(path.ends_with("hemora.db-wal"));
            linked.retain(|file| !file.starts_with(&path));
            synced.insert(path);
        } else if call.starts_with("linkat") {
            linked.insert(quoted(call, 1));
        } else if call.starts_with("unlink(") && call.contains("/inbox/") {
            unlinked += 1;
            assert!(linked.is_empty(), "{call}: {linked:?} may not last");
            assert!(rows_synced > 0, "{call} before its row");
        } else if call.starts_with("write(1<") && call.contains("ANSWER ") {
            let slot = call.split("ANSWER ").nth(1).unwrap().split("\\n").next().unwrap();
            assert!(synced.contains(slot), "{slot} was not synced before its answer");
            assert!(!made.contains(slot), "the name of {slot} was not synced before its answer");
            answers += 1;
        }
    }
    assert_eq!(answers, INSTANCES);
    assert!(unlinked >= INSTANCES / 2, "{unlinked}");
}

/// A text of a system call.
fn quoted(call: &str, place: usize) -> String {
    call.split('"').nth(2 * place + 1).unwrap_or_default().to_owned()
}

/// Run by the test above, under strace.
#[test]
#[ignore = "is watched by the test above"]
fn acknowledge() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let options = Options { durability: Durability::Power, pool: 3, ..quick() };
    let store = Store::open(&folder, options).unwrap();
    for number in 0..INSTANCES {
        let object = Object::new("1.1", &format!("1.1.{number}"));
        let mut draft = store.draft().unwrap();
        draft.write_all(&object.bytes("CT1")).unwrap();
        let sealed = draft.seal().unwrap();
        let slot = sealed.path().display().to_string();
        let identity = hemora_io::read_identity(sealed.path()).unwrap();
        store.keep(sealed, arrival(identity, number as i64)).unwrap();
        std::io::stdout().write_all(format!("ANSWER {slot}\n").as_bytes()).unwrap();
        std::io::stdout().flush().unwrap();
    }
    store.flush().unwrap();
}
