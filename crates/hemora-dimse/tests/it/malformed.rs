//! Peers that break the protocol, or use it to its edges.

use std::net::Shutdown;
use std::time::Duration;

use hemora_dimse::{Closed, Failure, Limits, Server};

use crate::raw::{
    COMMAND, DATA, LAST, RELEASE, Raw, associate, command, context, echo, pdu, pdv, store,
};
use crate::recorder::{Recorder, recorder};
use crate::support::{CT, start};

fn server(change: impl FnOnce(&mut Recorder)) -> (std::sync::Arc<Recorder>, Server) {
    let recorder = recorder(change);
    let server = start(&recorder, Limits::default());
    (recorder, server)
}

#[test]
fn other_protocols_are_aborted_or_closed_at_once() {
    let (recorder, server) = server(|_| ());
    for garbage in [
        &b"GET / HTTP/1.1\r\nHost: hemora\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut raw = Raw::connect(server.address());
        raw.write(garbage);
        assert_eq!(raw.aborted(), [2, 1], "{garbage:?}");
        assert!(raw.read().is_none());
    }
    // A peer that goes without a word.
    drop(Raw::connect(server.address()));
    // Data before an association.
    let mut raw = Raw::connect(server.address());
    raw.write(&pdu(4, &pdv(1, COMMAND | LAST, &echo(1))));
    assert_eq!(raw.aborted(), [2, 2]);
    server.stop(Duration::ZERO);
    assert!(recorder.stored().is_empty());
}

#[test]
fn lengths_beyond_the_limits_are_aborted_before_they_are_read() {
    let (recorder, server) = server(|_| ());
    let mut raw = Raw::connect(server.address());
    raw.write(&[1, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(raw.aborted(), [2, 6]);
    for header in [
        // A P-DATA PDU, and a fragment in it.
        &[4, 0, 0xFF, 0xFF, 0xFF, 0xFF][..],
        &[4, 0, 0, 0, 0, 20, 0xFF, 0xFF, 0xFF, 0xF0, 1, 3],
        &[4, 0, 0, 0, 0, 0],
        &[4, 0, 0, 0, 0, 3, 0, 0, 0],
        &[6, 0, 0, 0, 1, 0],
    ] {
        let mut raw = Raw::associated(server.address());
        raw.write(header);
        assert_eq!(raw.aborted(), [2, 6], "{header:?}");
    }
    // A command set of 64 KiB and a little.
    let mut raw = Raw::associated(server.address());
    for _ in 0..5 {
        raw.write(&pdu(4, &pdv(1, COMMAND, &[0; 16000])));
    }
    assert_eq!(raw.aborted(), [2, 6]);
    let how = recorder.closed(6);
    assert!(how.iter().all(|how| matches!(how, Closed::Failed(_))), "{how:?}");
    server.stop(Duration::ZERO);
}

#[test]
fn messages_out_of_order_are_aborted() {
    let (recorder, server) = server(|_| ());
    let ct = store(1, "1.2.3\0");
    for (bytes, reason) in [
        (pdu(4, &pdv(3, DATA | LAST, b"data")), 2),
        // A context that was not accepted.
        (pdu(4, &pdv(9, COMMAND | LAST, &echo(1))), 6),
        // A command in two contexts.
        (pdu(4, &[pdv(1, COMMAND, &echo(1)[..20]), pdv(3, COMMAND, &echo(1)[20..])].concat()), 6),
        // The data set of another context; a command or a release within a data set.
        (pdu(4, &[pdv(3, COMMAND | LAST, &ct), pdv(1, DATA, b"data")].concat()), 2),
        (pdu(4, &[pdv(3, COMMAND | LAST, &ct), pdv(3, COMMAND | LAST, &ct)].concat()), 2),
        ([pdu(4, &pdv(3, COMMAND | LAST, &ct)), RELEASE.to_vec()].concat(), 2),
        ([pdu(4, &pdv(3, COMMAND, &ct)), RELEASE.to_vec()].concat(), 2),
        // A second request for an association, and an answer to none.
        (associate(&[]), 2),
        (pdu(6, &[0; 4]), 2),
        // No command set.
        (pdu(4, &pdv(1, COMMAND | LAST, b"garbage!")), 6),
        (pdu(4, &pdv(1, COMMAND | LAST, b"")), 6),
    ] {
        let mut raw = Raw::associated(server.address());
        raw.write(&bytes);
        assert_eq!(raw.aborted(), [2, reason], "{bytes:?}");
    }
    assert_eq!(recorder.closed(11).len(), 11);
    assert!(recorder.stored().is_empty());
    // Those three that had begun an instance.
    assert_eq!(recorder.dropped(), 3);
    server.stop(Duration::ZERO);
}

#[test]
fn messages_may_be_cut_into_pdus_as_the_peer_likes() {
    let (recorder, server) = server(|_| ());
    let mut raw = Raw::associated(server.address());
    // Two messages in one PDU.
    raw.write(&pdu(
        4,
        &[pdv(1, COMMAND | LAST, &echo(7)), pdv(1, COMMAND | LAST, &echo(8))].concat(),
    ));
    assert_eq!(raw.status(), (7, 0));
    assert_eq!(raw.status(), (8, 0));
    // A command over three PDUs, one byte at a time, the data over four fragments, one without bytes.
    let set = store(9, "1.2.3\0");
    raw.write(&pdu(4, &pdv(3, COMMAND, &set[..1])));
    raw.write(&pdu(4, &[pdv(3, COMMAND, &set[1..30]), pdv(3, COMMAND, b"")].concat()));
    let rest = [pdv(3, COMMAND | LAST, &set[30..]), pdv(3, DATA, b"Hello")].concat();
    for byte in pdu(4, &rest) {
        raw.write(&[byte]);
    }
    raw.write(&pdu(4, &[pdv(3, DATA, b""), pdv(3, DATA, b", ")].concat()));
    raw.write(&pdu(4, &pdv(3, DATA | LAST, b"world")));
    assert_eq!(raw.status(), (9, 0));
    // The last fragment without a byte, as some makers send it.
    raw.write(&pdu(
        4,
        &[pdv(3, COMMAND | LAST, &store(10, "1.2.4\0")), pdv(3, DATA, b"x")].concat(),
    ));
    raw.write(&pdu(4, &pdv(3, DATA | LAST, b"")));
    assert_eq!(raw.status(), (10, 0));
    raw.write(&RELEASE);
    assert_eq!(raw.read().unwrap().0, 6);
    assert_eq!(recorder.closed(1), [Closed::Released]);
    let stored = recorder.stored();
    let data: Vec<_> = stored.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    assert_eq!(data, [&b"Hello, world"[..], b"x"]);
    server.stop(Duration::ZERO);
}

#[test]
fn what_cannot_be_served_is_answered_and_the_association_goes_on() {
    let (recorder, server) = server(|recorder| {
        recorder.store = |request| match request.sop_instance_uid.as_str() {
            "1.7" => Err(Failure::out_of_resources("the disk is full")),
            _ => Ok(()),
        };
        recorder.write = |so_far| match so_far {
            0..8 => Ok(()),
            _ => Err(Failure::out_of_resources("the disk is full now")),
        };
    });
    let mut raw = Raw::associated(server.address());
    let mut ask = |context: u8, set: &[u8], data: &[&[u8]]| {
        raw.write(&pdu(4, &pdv(context, COMMAND | LAST, set)));
        for (at, bytes) in data.iter().enumerate() {
            let last = if at + 1 == data.len() { LAST } else { 0 };
            raw.write(&pdu(4, &pdv(context, DATA | last, bytes)));
        }
        raw.status()
    };
    let with = |field: u16, data: u16| {
        let field = field.to_le_bytes();
        command(&[(0x0100, &field), (0x0110, &[5, 0]), (0x0800, &data.to_le_bytes())])
    };
    // Commands that there are not, with and without data: C-MOVE, N-CREATE, nonsense.
    assert_eq!(ask(3, &with(0x0021, 0x0102), &[b"identifier"]), (5, 0x0211));
    assert_eq!(ask(1, &with(0x0140, 0x0101), &[]), (5, 0x0211));
    assert_eq!(ask(1, &with(0x7777, 0x0101), &[]), (5, 0x0211));
    // Storage commitment in a context that is not for it.
    assert_eq!(ask(3, &with(0x0130, 0x0000), &[b"data"]), (5, 0x0118));
    assert_eq!(ask(3, &with(0x0100, 0x0000), &[b"data"]), (5, 0x0118));
    // An instance in a context of another class; without a UID; without data.
    assert_eq!(ask(1, &store(2, "1.2\0"), &[b"data"]), (2, 0x0122));
    assert_eq!(ask(3, &store(3, "../etc/passwd\0"), &[b"data"]), (3, 0x0117));
    let mut without = store(4, "1.2\0");
    let at = without.windows(4).position(|it| it == [0, 0, 0, 8]).unwrap();
    without[at + 8..at + 10].copy_from_slice(&[1, 1]);
    assert_eq!(ask(3, &without, &[]), (4, 0xC000));
    // What the handler refuses, before the data or among them.
    assert_eq!(ask(3, &store(5, "1.7\0"), &[b"data", b"more"]), (5, 0xA700));
    assert_eq!(ask(3, &store(6, "1.8\0"), &[b"12345678", b"9", b"10"]), (6, 0xA700));
    // Cancel and a response that nobody waits for are passed over.
    raw.write(&pdu(4, &pdv(1, COMMAND | LAST, &with(0x0FFF, 0x0101))));
    raw.write(&pdu(4, &pdv(1, COMMAND | LAST, &with(0x8030, 0x0101))));
    // A name that is no UID, as in public data sets.
    raw.write(&pdu(4, &pdv(3, COMMAND | LAST, &store(11, "ID_000012eaf"))));
    raw.write(&pdu(4, &pdv(3, DATA | LAST, b"data")));
    assert_eq!(raw.status(), (11, 0));
    raw.write(&RELEASE);
    assert_eq!(recorder.closed(1), [Closed::Released]);
    assert_eq!(recorder.stored().len(), 1);
    server.stop(Duration::ZERO);
}

#[test]
fn peers_that_go_away_or_abort_at_any_moment_leave_no_instance() {
    let (recorder, server) = server(|_| ());
    let parts = [
        pdu(4, &pdv(3, COMMAND | LAST, &store(1, "1.2.3\0"))),
        pdu(4, &pdv(3, DATA, &[0; 40])),
        pdu(4, &pdv(3, DATA | LAST, &[0; 8])),
    ];
    let message = parts.concat();
    let mut count = 0;
    for end in (0..message.len()).step_by(7) {
        let mut raw = Raw::associated(server.address());
        raw.write(&message[..end]);
        raw.0.shutdown(Shutdown::Both).unwrap();
        count += 1;
    }
    // Between PDUs, where an abort can stand.
    for complete in 0..parts.len() {
        let mut raw = Raw::associated(server.address());
        raw.write(&parts[..complete].concat());
        raw.write(&pdu(7, &[0; 4]));
        assert!(raw.read().is_none());
        count += 1;
    }
    let how = recorder.closed(count);
    assert!(how.iter().all(|how| *how == Closed::Aborted), "{how:?}");
    assert!(recorder.stored().is_empty());
    server.stop(Duration::ZERO);
}

#[test]
fn a_peer_that_does_not_wait_for_its_release_has_released() {
    let (recorder, server) = server(|_| ());
    let mut raw = Raw::associated(server.address());
    raw.write(&RELEASE);
    drop(raw);
    assert_eq!(recorder.closed(1), [Closed::Released]);
    server.stop(Duration::ZERO);
}

#[test]
fn all_128_contexts_are_answered() {
    let (_, server) = server(|_| ());
    let contexts: Vec<_> = (0..128_u8)
        .map(|number| {
            let class = if number % 2 == 0 { CT.to_owned() } else { format!("1.2.{number}") };
            context(number * 2 + 1, &class, &["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"])
        })
        .collect();
    let mut raw = Raw::connect(server.address());
    raw.write(&associate(&contexts));
    let (kind, content) = raw.read().unwrap();
    assert_eq!(kind, 2);
    let mut results = Vec::new();
    let mut rest = &content[68..];
    while !rest.is_empty() {
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        if rest[0] == 0x21 {
            results.push((rest[4], rest[6]));
        }
        rest = &rest[4 + length..];
    }
    let expected: Vec<_> = (0..128_u8).map(|it| (it * 2 + 1, it % 2 * 3)).collect();
    assert_eq!(results, expected);
    server.stop(Duration::ZERO);
}
