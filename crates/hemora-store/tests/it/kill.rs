//! A node that is killed (-9), again and again: what it acknowledged is found, once, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use hemora_base::hex;
use hemora_store::{Class, Durability, Options, Settled, Store};
use sha2::{Digest, Sha256};

use crate::place;
use crate::support::{MINUTE, Object, at, delivery, files, keep, quick, result};

/// Set for the process that is killed: its data folder and the number of its life.
const FOLDER: &str = "HEMORA_STORE_KILLED";
const LIFE: &str = "HEMORA_STORE_LIFE";

/// Times that the node is killed.
const LIVES: u64 = 40;

/// Threads that send.
const SENDERS: u64 = 4;

/// Images of a study.
const IMAGES: u64 = 8;

/// What the killed nodes said that they had done.
#[derive(Default)]
struct Said {
    /// SOPInstanceUID and hash of what was acknowledged.
    kept: BTreeMap<String, String>,
    completed: BTreeSet<String>,
    delivered: BTreeSet<String>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["KEPT", sop, sha256] => {
                let before = self.kept.insert(sop.to_owned(), sha256.to_owned());
                assert!(before.is_none_or(|before| before == sha256), "{sop}");
            }
            ["COMPLETED", study, revision] => {
                let new = self.completed.insert(format!("{study} {revision}"));
                assert!(new, "study {study} revision {revision} has two results");
            }
            ["SENDING", id] => {
                assert!(!self.delivered.contains(id), "delivery {id} was acknowledged already");
            }
            ["DELIVERED", id] => assert!(self.delivered.insert(id.to_owned()), "{id}"),
            // A line of the test's own frame, or one that the kill cut off.
            _ => {}
        }
    }
}

#[test]
fn what_was_acknowledged_is_found_whenever_the_node_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut said = Said::default();
    let mut adopted = 0;
    // Numbers by a fixed rule (Numerical Recipes' generator), so that a failure has the same waits again.
    let mut seed: u64 = 18;
    for life in 0..LIVES {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) % (1 << 32);
        live_and_die(folder.path(), life, Duration::from_millis(20 + seed % 250), &mut said);
        let store = place::open(folder.path(), quick()).unwrap();
        adopted += store.recovered().adopted;
        assert!(store.recovered().unreadable.is_empty(), "{:?}", store.recovered());
        check(&store, &said, Some(life));
    }
    let store = place::open(folder.path(), quick()).unwrap();
    check(&store, &said, None);
    for file in files(&place::inbox(folder.path())) {
        assert_eq!(file.metadata().unwrap().len(), 0, "{}", file.display());
    }
    // Every image has its row, too: nothing is left that nothing leads to.
    let images = files(&folder.path().join("studies")).len() as u64;
    assert_eq!(images, store.counts().unwrap().instances);
    eprintln!(
        "{LIVES} kills: {} acknowledged, {adopted} of them adopted, {} results, {} deliveries",
        said.kept.len(),
        said.completed.len(),
        said.delivered.len()
    );
    assert!(said.kept.len() > LIVES as usize, "the node came to nothing");
    assert!(adopted > 0, "the node was never killed between answer and row");
    assert!(!said.completed.is_empty() && !said.delivered.is_empty());
}

fn live_and_die(folder: &Path, life: u64, length: Duration, said: &mut Said) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kill::live", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(LIFE, life.to_string())
        .envs(place::environment(folder))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let heard = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>());
    std::thread::sleep(length * place::SLOWER);
    child.kill().unwrap();
    child.wait().unwrap();
    heard.join().unwrap().iter().for_each(|line| said.hear(line));
}

/// Everything that was acknowledged is there, of one life or of all.
fn check(store: &Store, said: &Said, life: Option<u64>) {
    let mut studies: BTreeMap<String, BTreeMap<&str, &str>> = BTreeMap::new();
    for (sop, sha256) in &said.kept {
        let (study, _) = sop.rsplit_once('.').unwrap();
        let of_life = life.is_none_or(|life| study.starts_with(&format!("1.2.{life}.")));
        if of_life {
            studies.entry(study.to_owned()).or_default().insert(sop, sha256);
        }
    }
    for (study, kept) in &studies {
        let instances = store.instances(study).unwrap();
        let mut found = BTreeMap::new();
        for instance in &instances {
            let (sop, stored) = (instance.sop_uid.as_str(), hex(&instance.sha256));
            assert_eq!(data_set_sha256(&instance.path), stored, "{sop}");
            assert!(found.insert(sop, stored).is_none(), "{sop} is there twice");
        }
        for (sop, sha256) in kept {
            assert_eq!(found.get(sop).map(String::as_str), Some(*sha256), "{sop} is lost");
        }
    }
    for completed in &said.completed {
        let (study, revision) = completed.split_once(' ').unwrap();
        let revision = revision.parse().unwrap();
        assert!(store.result(study, Some(revision)).unwrap().is_some(), "{completed}");
    }
    store.verify_audit().unwrap();
}

/// Hash of what follows the meta header of a file.
fn data_set_sha256(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    let length = u32::from_le_bytes(bytes[140..144].try_into().unwrap());
    hex(&Sha256::digest(&bytes[144 + length as usize..]))
}

/// The node that is killed.
#[test]
#[ignore = "runs until it is killed by the test above"]
fn live() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let life: u64 = std::env::var(LIFE).unwrap().parse().unwrap();
    let durability = if life.is_multiple_of(2) { Durability::Power } else { Durability::Process };
    let store = place::open(&folder, Options { durability, ..quick() }).unwrap();
    let out = Mutex::new(std::io::stdout());
    let say = |line: String| {
        let mut out = out.lock().unwrap();
        // One write a line, which a kill cuts off at most at its end.
        out.write_all(format!("{line}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    };
    std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            let (store, say) = (&store, &say);
            scope.spawn(move || send(store, life, sender, say));
        }
        scope.spawn(|| work(&store, &say));
    });
}

fn send(store: &Store, life: u64, sender: u64, say: &impl Fn(String)) {
    // What the life before may not have answered is sent again.
    let again = life.checked_sub(1).map(|before| (before, 0..200));
    for (life, numbers) in again.into_iter().chain([(life, 0..u64::MAX)]) {
        for number in numbers {
            let study = format!("1.2.{life}.{sender}.{}", number / IMAGES);
            let mut object = Object::new(&study, &format!("{study}.{}", number % IMAGES));
            object.pixels = format!("{life} {sender} {number} ").repeat(500).into_bytes();
            keep(store, &object, number as i64);
            say(format!("KEPT {} {}", object.sop, hex(&Sha256::digest(object.data_set()))));
            if number % IMAGES == IMAGES - 1 {
                store.settle(&study, Settled::Quiet, at(number as i64)).unwrap();
            }
        }
    }
}

fn work(store: &Store, say: &impl Fn(String)) {
    loop {
        if let Some(job) = store.lease("worker", at(1_000_000), MINUTE).unwrap() {
            let send = vec![delivery("PACS", "sr"), delivery("RIS", "oru")];
            let done = store.complete(&job, result(Class::Positive, 0.9), send, vec![]);
            if done.is_ok() {
                say(format!("COMPLETED {} {}", job.study_uid, job.revision));
            }
        }
        if let Some(sent) = store.lease_delivery("sender", None, at(1_000_000), MINUTE).unwrap() {
            say(format!("SENDING {}", sent.id));
            store.delivered(sent.id, "0000", at(1_000_000)).unwrap();
            say(format!("DELIVERED {}", sent.id));
        }
    }
}
