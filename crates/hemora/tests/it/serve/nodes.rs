//! Two nodes of one database and one folder, of which one is killed (-9) in the middle of scoring: nothing is
//! lost, nothing is done twice.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_dimse::{Limits, Object, Server};

use super::collector::Collector;
use super::kill::{STUDIES, check_all, images, send, soon};
use super::running::{Running, free_port};

/// Name of the database.
const DATABASE: &str = "two_nodes";

/// The study that node a scores.
const AT_WORK: &str =
    "SELECT study_uid FROM job WHERE state = 'leased' AND node = 'a' ORDER BY id LIMIT 1";

#[test]
fn what_a_killed_node_was_at_work_on_is_done_by_the_other_once() {
    let Some(server) = hemora_testing::postgres() else { return };
    let url = server.database(DATABASE);
    let folder = tempfile::tempdir().unwrap();
    let images = images(folder.path());
    let collector = Collector::in_folder(folder.path().join("collected"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let archive =
        Server::start(listener, Vec::new(), Limits::default(), Arc::clone(&collector) as _);
    let archive = archive.unwrap();
    let config = |name: &str, port: u16| {
        format!(
            "[node]\nname = \"{name}\"\n[database]\nurl = \"{url}\"\n\
             [dicom]\nlisten = \"127.0.0.1:{port}\"\n\
             [settle]\nquiet = \"500ms\"\nquiet_open = \"3s\"\n\
             [[destination]]\nname = \"PACS\"\nkind = \"dicom\"\nae = \"PACS\"\nhost = \"{}\"\n",
            archive.address()
        )
    };
    let (to_a, to_b) = (free_port(), free_port());
    let start = |name, port| Running::start_named(folder.path(), name, &config(name, port));
    let (a, b) = (start("a", to_a), start("b", to_b));

    let acknowledged = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for (place, port) in [to_a, to_b].into_iter().enumerate() {
            // Each node gets images of every study.
            let part: Vec<Object> = images.iter().skip(place).step_by(2).cloned().collect();
            let acknowledged = &acknowledged;
            scope.spawn(move || send(&part, port, acknowledged));
        }
    });
    assert_eq!(acknowledged.load(Ordering::Relaxed), images.len());
    // Stopped first, so that what it is at work on when it is killed is known.
    let at_work = || server.ask(DATABASE, AT_WORK);
    soon("node a is stopped while it scores", || !at_work().is_empty() && a.stops_with(&at_work));
    let lost = at_work();
    a.kill();

    check_all(&b, &folder.path().join("node/studies"), &images, &collector);
    // What was lost with the node is among them, once a revision.
    let sql = format!("SELECT count(*) FROM result WHERE study_uid = '{lost}'");
    assert!(server.ask(DATABASE, &sql).parse::<u32>().unwrap() >= 1, "{lost}");
    assert_eq!(server.ask(DATABASE, "SELECT count(*) FROM job"), "0");

    // The node comes back to the same list; both end in order.
    let a = start("a", to_a);
    let of_a = a.get("/api/v1/studies")["studies"].as_array().unwrap().len();
    assert_eq!(of_a, STUDIES);
    assert_eq!((a.terminate(), b.terminate()), (Some(0), Some(0)));
}
