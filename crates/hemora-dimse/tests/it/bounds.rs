//! What peers may take: places, time, bytes; panics; the end of the server.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hemora_dimse::{Closed, Failure, Limits, Refusal, echo};

use crate::raw::{
    COMMAND, DATA, LAST, RELEASE, Raw, associate, context, echo as ask, pdu, pdv, store,
};
use crate::recorder::recorder;
use crate::support::{CT, destination, start};

const SHORT: Duration = Duration::from_millis(300);

/// An association request that is well.
fn request() -> Vec<u8> {
    associate(&[context(1, "1.2.840.10008.1.1", &["1.2.840.10008.1.2"])])
}

/// Result, source and reason of a rejection; `None` if the connection is closed instead.
fn rejected(raw: &mut Raw) -> Option<[u8; 3]> {
    let (kind, content) = raw.read()?;
    assert_eq!(kind, 3, "{content:?}");
    Some([content[1], content[2], content[3]])
}

#[test]
fn peers_beyond_the_bounds_are_told_to_come_back() {
    let recorder = recorder(|_| ());
    for limits in [
        Limits { associations: 2, ..Limits::default() },
        Limits { per_peer: 2, ..Limits::default() },
    ] {
        let server = start(&recorder, limits);
        let mut open = [Raw::associated(server.address()), Raw::associated(server.address())];
        assert_eq!(server.open_associations(), 2);
        let mut third = Raw::connect(server.address());
        third.write(&request());
        assert_eq!(rejected(&mut third), Some([2, 3, 1]));
        let error = echo(&destination("HEMORA", server.address().port())).unwrap_err();
        assert!(error.to_string().contains("for now: it is congested"), "{error}");
        open[0].write(&RELEASE);
        assert_eq!(open[0].read().unwrap().0, 6);
        assert!(open[0].read().is_none());
        // The place is free when the connection is closed; the thread may need a moment more.
        while echo(&destination("HEMORA", server.address().port())).is_err() {}
        server.stop(Duration::ZERO);
    }
}

#[test]
fn two_hundred_hanging_peers_hold_no_more_than_the_places_and_not_for_long() {
    let recorder = recorder(|_| ());
    let limits = Limits {
        associations: 8,
        per_peer: 8,
        association: Duration::from_secs(2),
        ..Limits::default()
    };
    let server = start(&recorder, limits);
    // Those that say nothing take all places, and the 16 of those that are told so.
    let hanging: Vec<_> = (0..200).map(|_| TcpStream::connect(server.address()).unwrap()).collect();
    let mut late = Raw::connect(server.address());
    late.write(&request());
    // No answer, since nobody is left to give one: the connection is closed.
    assert_eq!(rejected(&mut late), None);
    // Their time ends, though none of them goes.
    while echo(&destination("HEMORA", server.address().port())).is_err() {}
    assert!(recorder.closed(1).iter().all(|how| *how == Closed::Released));
    drop(hanging);
    server.stop(Duration::ZERO);
}

#[test]
fn a_peer_that_trickles_is_cut_off_though_it_is_never_silent() {
    let recorder = recorder(|_| ());
    let association = Duration::from_secs(2);
    let server = start(&recorder, Limits { store: SHORT, association, ..Limits::default() });
    let trickle = |raw: &mut Raw, bytes: &[u8]| {
        for byte in bytes {
            raw.write(&[*byte]);
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    // Within the request for an association: closed without a word.
    let mut raw = Raw::connect(server.address());
    trickle(&mut raw, &request());
    assert!(raw.read().is_none());
    // Within a PDU.
    let mut raw = Raw::associated(server.address());
    trickle(&mut raw, &pdu(4, &pdv(1, COMMAND | LAST, &[&ask(1)[..], &[0; 200]].concat())));
    assert_eq!(raw.aborted(), [2, 0]);
    // Within an instance, whose PDUs each end in time.
    let mut raw = Raw::associated(server.address());
    raw.write(&pdu(4, &pdv(3, COMMAND | LAST, &store(1, "1.2.3\0"))));
    for _ in 0..60 {
        raw.write(&pdu(4, &pdv(3, DATA, b"data")));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(raw.aborted(), [2, 0]);
    assert_eq!(recorder.closed(2), [Closed::TimedOut, Closed::TimedOut]);
    assert_eq!(recorder.dropped(), 1);
    server.stop(Duration::ZERO);
}

#[test]
fn a_silent_association_is_ended() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits { idle: SHORT, ..Limits::default() });
    let mut raw = Raw::associated(server.address());
    raw.write(&pdu(4, &pdv(1, COMMAND | LAST, &ask(1))));
    assert_eq!(raw.status(), (1, 0));
    assert_eq!(raw.aborted(), [2, 0]);
    assert_eq!(recorder.closed(1), [Closed::TimedOut]);
    server.stop(Duration::ZERO);
}

#[test]
fn instances_beyond_the_limit_are_refused_and_not_kept() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits { instance: 100, ..Limits::default() });
    let mut raw = Raw::associated(server.address());
    for (id, count, status) in [(1, 10, 0), (2, 11, 0xA700), (3, 10, 0)] {
        raw.write(&pdu(4, &pdv(3, COMMAND | LAST, &store(id, "1.2.3\0"))));
        for at in 1..=count {
            raw.write(&pdu(4, &pdv(3, if at == count { LAST } else { DATA }, &[7; 10])));
        }
        assert_eq!(raw.status(), (id, status));
    }
    assert_eq!((recorder.stored().len(), recorder.dropped()), (2, 1));
    server.stop(Duration::ZERO);
}

#[test]
fn the_handler_decides_who_may_open_an_association() {
    for (refusal, expected) in [
        (Refusal::CallingAe, [1, 1, 3]),
        (Refusal::CalledAe, [1, 1, 7]),
        (Refusal::Congestion, [2, 3, 1]),
    ] {
        let recorder = recorder(|recorder| recorder.open = Err(refusal));
        let server = start(&recorder, Limits::default());
        let mut raw = Raw::connect(server.address());
        raw.write(&request());
        assert_eq!(rejected(&mut raw), Some(expected));
        assert!(raw.read().is_none());
        server.stop(Duration::from_secs(60));
        let peer = recorder.wait(|_| true, |record| record.opened[0].clone());
        assert_eq!((&*peer.calling_ae, &*peer.called_ae), ("RAW", "HEMORA"));
        assert!(recorder.wait(|_| true, |record| record.closed.is_empty()));
    }
}

#[test]
fn a_panic_ends_its_association_and_no_other() {
    let recorder = recorder(|recorder| {
        recorder.store = |request| match request.sop_instance_uid.as_str() {
            "1.6" => panic!("this handler panics on purpose"),
            _ => Ok(()),
        };
    });
    let server = start(&recorder, Limits::default());
    let mut other = Raw::associated(server.address());
    let mut raw = Raw::associated(server.address());
    raw.write(&pdu(4, &pdv(3, COMMAND | LAST, &store(1, "1.6\0"))));
    assert_eq!(raw.aborted(), [2, 0]);
    assert_eq!(recorder.closed(1), [Closed::Failed("the handler panicked".to_owned())]);
    other.write(&pdu(4, &pdv(1, COMMAND | LAST, &ask(1))));
    assert_eq!(other.status(), (1, 0));
    server.stop(Duration::ZERO);
}

#[test]
fn a_server_that_stops_lets_open_associations_end() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let address = server.address();
    let mut raw = Raw::associated(address);
    raw.write(&pdu(4, &pdv(3, COMMAND | LAST, &store(1, "1.2.3\0"))));
    recorder.wait(|record| record.opened.len() == 1, |_| ());
    let stopping = std::thread::spawn(move || server.stop(Duration::from_secs(60)));
    raw.write(&pdu(4, &pdv(3, LAST, b"data")));
    assert_eq!(raw.status(), (1, 0));
    // Nobody new is let in: the port is closed once the listening thread has left.
    while TcpStream::connect(address).is_ok() {}
    raw.write(&RELEASE);
    assert_eq!(raw.read().unwrap().0, 6);
    drop(raw);
    stopping.join().unwrap();
    assert_eq!(recorder.closed(1), [Closed::Released]);
    assert_eq!(recorder.stored().len(), 1);
}

#[test]
fn a_server_that_stops_aborts_who_does_not_go() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let mut raw = [Raw::associated(server.address()), Raw::associated(server.address())];
    raw[1].write(&pdu(4, &pdv(3, COMMAND | LAST, &store(1, "1.2.3\0"))));
    server.stop(Duration::from_millis(50));
    let stopped = Closed::Failed("the server was stopped".to_owned());
    assert_eq!(recorder.closed(2), [stopped.clone(), stopped]);
    for raw in &mut raw {
        assert_eq!(raw.aborted(), [2, 0]);
    }
}

#[test]
fn a_slow_handler_does_not_keep_others_waiting() {
    static GO_ON: AtomicBool = AtomicBool::new(false);
    let recorder = recorder(|recorder| {
        recorder.store = |_| {
            while !GO_ON.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(Failure::out_of_resources(CT))
        };
    });
    let server = Arc::new(start(&recorder, Limits::default()));
    let mut raw = Raw::associated(server.address());
    raw.write(&pdu(4, &pdv(3, COMMAND | LAST, &store(1, "1.2.3\0"))));
    echo(&destination("HEMORA", server.address().port())).unwrap();
    GO_ON.store(true, Ordering::Relaxed);
    raw.write(&pdu(4, &pdv(3, LAST, b"data")));
    assert_eq!(raw.status(), (1, 0xA700));
}
