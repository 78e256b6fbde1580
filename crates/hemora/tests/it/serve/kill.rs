//! A node that is killed (-9) again and again while images come and results go: nothing that it
//! acknowledged is lost, and nothing is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hemora_dimse::{Destination, Limits, Object, Server, StoreOutcome, Timeouts};
use hemora_io::read_identity;
use serde_json::Value;

use super::collector::Collector;
use super::running::{Running, free_port, wait_for};
use crate::support::succeed;

/// Studies, of which the first are heads and the others nothing that can be scored.
pub const STUDIES: usize = 8;
pub const HEADS: usize = 2;

/// Images of each study.
pub const IMAGES: usize = 25;

const SENDERS: usize = 2;

/// Times that the node is killed while it receives; once more it is killed while it delivers.
const KILLS: usize = 4;

/// Longest time that anything may take.
pub const LONGEST: Duration = Duration::from_secs(180);

/// Numbers by a fixed rule (Numerical Recipes' generator), so that a failure has the same waits again.
struct Waits(u64);

impl Waits {
    fn next(&mut self, below_ms: u64) -> Duration {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223) % (1 << 32);
        Duration::from_millis(self.0 % below_ms)
    }
}

#[test]
fn what_was_acknowledged_is_there_once_and_results_go_out_once() {
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    let collector = Collector::in_folder(folder.path().join("collected"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let archive =
        Server::start(listener, Vec::new(), Limits::default(), Arc::clone(&collector) as _);
    let archive = archive.unwrap();
    let port = free_port();
    let config = format!(
        "[dicom]\nlisten = \"127.0.0.1:{port}\"\n[settle]\nquiet = \"500ms\"\n\
         [[destination]]\nname = \"PACS\"\nkind = \"dicom\"\nae = \"PACS\"\nhost = \"{}\"\n",
        archive.address()
    );
    let start = || Running::start(folder.path(), &config);
    let mut node = start();
    let mut waits = Waits(18);
    let acknowledged = AtomicUsize::new(0);
    let node = std::thread::scope(|scope| {
        for sender in 0..SENDERS {
            // Each sends images of every study, as two devices do that send the same studies.
            let part: Vec<Object> = images.iter().skip(sender).step_by(SENDERS).cloned().collect();
            let acknowledged = &acknowledged;
            scope.spawn(move || send(&part, port, acknowledged));
        }
        for kill in 1..=KILLS {
            let enough = kill * images.len() / (KILLS + 1);
            soon("images come", || acknowledged.load(Ordering::Relaxed) >= enough);
            std::thread::sleep(waits.next(60));
            drop(node);
            node = start();
        }
        node
    });
    soon("results go out", || collector.count() > 0);
    std::thread::sleep(waits.next(60));
    drop(node);
    let node = start();

    check_all(&node, &folder.path().join("node/studies"), &images, &collector);
    assert_eq!(node.terminate(), Some(0));
}

/// Looks often, so that what follows happens in the middle of it.
pub fn soon(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + LONGEST;
    while !is_so() {
        assert!(Instant::now() < end, "not so: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends images a few at a time, and those again whose association broke.
pub fn send(images: &[Object], port: u16, acknowledged: &AtomicUsize) {
    let to = Destination {
        ae: "HEMORA".parse().unwrap(),
        host: format!("127.0.0.1:{port}"),
        calling: "CT1".parse().unwrap(),
        timeouts: Timeouts::default(),
    };
    let end = Instant::now() + LONGEST;
    for few in images.chunks(4) {
        let answers = loop {
            match hemora_dimse::store(&to, few) {
                Ok(answers) => break answers,
                Err(broken) => assert!(Instant::now() < end, "{broken}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        for answer in answers {
            assert_eq!(answer.outcome, StoreOutcome::Stored, "{}", answer.sop_instance_uid);
        }
        acknowledged.fetch_add(few.len(), Ordering::Relaxed);
    }
}

/// Waits until everything is delivered, and checks that each image is in `studies` once and that every study has
/// the results that its state says.
pub fn check_all(node: &Running, studies: &Path, images: &[Object], collector: &Collector) {
    let listed = wait_for("everything delivered", LONGEST, || {
        let list = node.get("/api/v1/studies")["studies"].as_array().unwrap().clone();
        let is_done =
            |study: &Value| study["state"] == "delivered" || study["state"] == "not scored";
        let done = list.iter().filter(|study| is_done(study)).count();
        (done == STUDIES).then_some(list.clone()).ok_or(Value::Array(list))
    });
    check_images(studies, images);
    let sent = collector.objects();
    let mut delivered = 0;
    for study in &listed {
        assert_eq!(study["images"], IMAGES, "{study:#}");
        delivered += usize::from(study["state"] == "delivered");
        check_results(node, study, &sent);
    }
    assert_eq!(delivered, HEADS);
}

/// Each image that was sent lies below `folder`, once, byte for byte; nothing else does.
fn check_images(folder: &Path, images: &[Object]) {
    let mut left: BTreeMap<&str, &[u8]> =
        images.iter().map(|it| (it.sop_instance_uid.as_str(), &it.data_set[..])).collect();
    for path in files(folder) {
        let found = Object::from_part10(&std::fs::read(&path).unwrap()).unwrap();
        let sop = found.sop_instance_uid.as_str();
        let sent =
            left.remove(sop).unwrap_or_else(|| panic!("{sop} is there twice, or was not sent"));
        assert!(found.data_set == sent, "{sop} is not as it was sent");
    }
    assert!(left.is_empty(), "lost: {:?}", left.keys());
}

/// The last revision has all images, and each revision that was delivered went out once: `sent` are
/// study, class and SOPInstanceUID of what the archive got.
fn check_results(node: &Running, study: &Value, sent: &[[String; 3]]) {
    let uid = study["study_instance_uid"].as_str().unwrap();
    let revisions = node.get(&format!("/api/v1/studies/{uid}/revisions"));
    let revisions = revisions.as_array().unwrap();
    let numbers: Vec<u64> = revisions.iter().map(|it| it["revision"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{numbers:?}");
    assert_eq!(revisions.last().unwrap()["images"], IMAGES, "{study:#}");
    assert_eq!(study["result_revision"], study["revision"], "{study:#}");

    let deliveries = node.get(&format!("/api/v1/studies/{uid}/deliveries"));
    let deliveries = deliveries.as_array().unwrap();
    for (kind, class) in [
        ("structured report", "1.2.840.10008.5.1.4.1.1.88.34"),
        ("secondary capture", "1.2.840.10008.5.1.4.1.1.7"),
        ("key objects", "1.2.840.10008.5.1.4.1.1.88.59"),
    ] {
        let of_kind: Vec<&Value> = deliveries.iter().filter(|it| it["kind"] == kind).collect();
        let distinct: BTreeSet<u64> =
            of_kind.iter().map(|it| it["revision"].as_u64().unwrap()).collect();
        assert_eq!(distinct.len(), of_kind.len(), "two of one revision: {deliveries:#?}");
        let delivered = of_kind.iter().filter(|it| it["state"] == "delivered").count();
        let arrived = sent.iter().filter(|[of, its, _]| of == uid && its == class);
        let arrived = arrived.map(|[_, _, sop]| sop).collect::<BTreeSet<_>>().len();
        // What a newer revision superseded may have been on its way when the node was killed.
        let range = delivered..=of_kind.len();
        assert!(range.contains(&arrived), "{kind} of {uid}: {arrived} arrived, {deliveries:#?}");
    }
}

/// All images: heads of as many slices as the phantom has, filled up with localizers.
pub fn images(folder: &Path) -> Vec<Object> {
    let phantoms = folder.join("phantoms");
    let out = phantoms.to_str().unwrap();
    let heads = HEADS.to_string();
    succeed(&[
        "synth",
        out,
        "--patients",
        &heads,
        "--seed",
        "1",
        "--size",
        "64",
        "--slice-spacing",
        "12",
    ]);
    let mut slices: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    for path in files(&phantoms.join("stage_2_train")) {
        let study = read_identity(&path).unwrap().study_instance_uid;
        let file = std::fs::read(&path).unwrap();
        let object = Object::from_part10(&file).unwrap();
        slices.entry(study).or_default().push(object.data_set);
    }
    let heads: Vec<Vec<Vec<u8>>> = slices.into_values().collect();
    let mut images = Vec::new();
    for image in 0..IMAGES {
        for study in 0..STUDIES {
            let slice = heads.get(study).and_then(|head| head.get(image));
            let template = slice.unwrap_or(&heads[0][0]);
            images.push(renamed(template, study, image, slice.is_none()));
        }
    }
    images
}

/// An image by another name, in another study.
fn renamed(data_set: &[u8], study: usize, image: usize, localizer: bool) -> Object {
    let study_uid = format!("1.2.826.0.1.3680043.10.{}", study + 1);
    let sop_instance_uid = format!("{study_uid}.{}.{image}", usize::from(localizer) + 1);
    let mut values = BTreeMap::from([
        ((0x0008, 0x0018), sop_instance_uid.clone()),
        ((0x0020, 0x000D), study_uid.clone()),
        ((0x0020, 0x000E), format!("{study_uid}.{}", usize::from(localizer) + 1)),
    ]);
    if localizer {
        values.insert((0x0008, 0x0008), "ORIGINAL\\PRIMARY\\LOCALIZER".to_owned());
    }
    Object {
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".to_owned(),
        sop_instance_uid,
        transfer_syntax: "1.2.840.10008.1.2.1".to_owned(),
        data_set: with_values(data_set, &values),
    }
}

/// A data set without sequences in explicit VR little endian, with other short values.
fn with_values(data_set: &[u8], values: &BTreeMap<(u16, u16), String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(data_set.len() + 256);
    let mut rest = data_set;
    while !rest.is_empty() {
        let number = |at: usize| u16::from_le_bytes([rest[at], rest[at + 1]]);
        let (header, length) = match &rest[4..6] {
            b"OB" | b"OW" => (12, u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize),
            _ => (8, number(6).into()),
        };
        match values.get(&(number(0), number(2))) {
            Some(value) => {
                let padding = vec![if &rest[4..6] == b"UI" { 0 } else { b' ' }; value.len() % 2];
                out.extend(&rest[..6]);
                out.extend(((value.len() + padding.len()) as u16).to_le_bytes());
                out.extend(value.as_bytes());
                out.extend(padding);
            }
            None => out.extend(&rest[..header + length]),
        }
        rest = &rest[header + length..];
    }
    out
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
