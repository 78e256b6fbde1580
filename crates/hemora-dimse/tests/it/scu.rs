//! Peers that answer our calls badly.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use hemora_dimse::{Destination, ScuError, echo, request_commitment};

use crate::raw::{COMMAND, LAST, RELEASE, command, pdu, pdv};
use crate::support::{destination, free_port};

/// Accepts one connection and plays a part in it.
fn play(part: impl FnOnce(&mut TcpStream) + Send + 'static) -> (Destination, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = destination("PEER", listener.local_addr().unwrap().port());
    let thread = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        part(&mut stream);
        // Until the caller has gone.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    (to, thread)
}

fn read_pdu(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut header = [0; 6];
    stream.read_exact(&mut header).unwrap();
    let mut content = vec![0; u32::from_be_bytes(header[2..].try_into().unwrap()) as usize];
    stream.read_exact(&mut content).unwrap();
    (header[0], content)
}

/// A-ASSOCIATE-AC of context 1 in implicit VR.
fn accept(result: u8, longest: u32) -> Vec<u8> {
    let mut content = vec![0, 1, 0, 0];
    content.extend([b' '; 32]);
    content.extend([0; 32]);
    let syntax = b"1.2.840.10008.1.2";
    content.extend([0x21, 0, 0, 8 + syntax.len() as u8, 1, 0, result, 0, 0x40, 0, 0]);
    content.push(syntax.len() as u8);
    content.extend(syntax);
    content.extend([0x50, 0, 0, 8, 0x51, 0, 0, 4]);
    content.extend(longest.to_be_bytes());
    pdu(2, &content)
}

/// A response to message 1.
fn response(field: u16, status: u16) -> Vec<u8> {
    let [field, status] = [field, status].map(u16::to_le_bytes);
    let set = command(&[(0x0100, &field), (0x0120, &[1, 0]), (0x0800, &[1, 1]), (0x0900, &status)]);
    pdu(4, &pdv(1, COMMAND | LAST, &set))
}

/// The error of an echo whose peer answers the request for an association with these bytes.
fn error_of(answer: Vec<u8>) -> String {
    let (to, thread) = play(move |stream| {
        read_pdu(stream);
        stream.write_all(&answer).unwrap();
    });
    let error = echo(&to).unwrap_err().to_string();
    thread.join().unwrap();
    error
}

#[test]
fn an_association_that_does_not_come_about_says_why() {
    for (answer, expected) in [
        (pdu(3, &[0, 1, 1, 3]), "it does not know our AE title"),
        (pdu(3, &[0, 1, 1, 7]), "it does not answer to that AE title"),
        (pdu(3, &[0, 2, 3, 2]), "for now"),
        (pdu(7, &[0, 0, 2, 1]), "aborted the association (source 2, reason 1)"),
        (b"HTTP/1.1 400 Bad Request\r\n".to_vec(), "may not speak DICOM"),
        (vec![2, 0, 0xFF, 0xFF, 0xFF, 0xFF], "4294967295 bytes"),
        (accept(3, 16384), "does not offer verification"),
        (accept(0, 10), "too short"),
        (pdu(6, &[0; 4]), "no answer to the association request"),
    ] {
        let error = error_of(answer);
        assert!(error.contains(expected) && error.contains("PEER"), "{error}");
    }
}

#[test]
fn nobody_there_or_no_address_is_named() {
    let port = free_port();
    let mut to = destination("PEER", port);
    let error = echo(&to).unwrap_err();
    assert!(matches!(&error, ScuError::Connect { host, .. } if host.ends_with(&port.to_string())));
    to.host = "no port".to_owned();
    let error = echo(&to).unwrap_err();
    assert!(matches!(error, ScuError::Address { .. }), "{error}");
    assert!(error.to_string().contains("10.1.2.9:104"), "{error}");
}

#[test]
fn a_peer_that_says_nothing_is_not_waited_for() {
    for silent_from in [0, 1] {
        let (mut to, thread) = play(move |stream| {
            if silent_from == 1 {
                read_pdu(stream);
                stream.write_all(&accept(0, 0)).unwrap();
            }
        });
        to.timeouts.connect = Duration::from_secs(1 + 9 * silent_from);
        to.timeouts.answer = Duration::from_millis(100);
        let error = echo(&to).unwrap_err().to_string();
        assert!(error.contains("silent or too slow"), "{error}");
        thread.join().unwrap();
    }
}

#[test]
fn answers_to_something_else_are_errors() {
    for (answer, expected) in [
        (response(0x8001, 0), "not asked"),
        (response(0x8030, 0x0122), "status 0122"),
        (RELEASE.to_vec(), "a release before the answer"),
        (pdu(7, &[0; 4]), "aborted"),
    ] {
        let error = error_of([accept(0, 16384), answer].concat());
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn both_may_ask_for_the_release_in_the_same_moment() {
    let (to, thread) = play(|stream| {
        read_pdu(stream);
        stream.write_all(&accept(0, 16384)).unwrap();
        assert_eq!(read_pdu(stream).0, 4);
        // The answer, and at once the request for release that crosses with ours.
        stream.write_all(&[response(0x8030, 0), RELEASE.to_vec()].concat()).unwrap();
        assert_eq!(read_pdu(stream).0, 5);
        assert_eq!(read_pdu(stream).0, 6);
        stream.write_all(&pdu(6, &[0; 4])).unwrap();
    });
    echo(&to).unwrap();
    thread.join().unwrap();
}

#[test]
fn a_commitment_is_taken_on_though_the_peer_goes_before_its_report() {
    for ending in [RELEASE.to_vec(), pdu(7, &[0; 4]), Vec::new()] {
        let (to, thread) = play(move |stream| {
            read_pdu(stream);
            stream.write_all(&accept(0, 16384)).unwrap();
            assert_eq!(read_pdu(stream).0, 4);
            // The data set, in a PDU of its own.
            assert_eq!(read_pdu(stream).0, 4);
            stream.write_all(&[response(0x8130, 0), ending].concat()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        });
        let instances = [crate::support::Image::new(1, "1.2", 2).reference()];
        let wait = Duration::from_secs(60);
        assert_eq!(request_commitment(&to, "2.25.1", &instances, wait).unwrap(), None);
        thread.join().unwrap();
    }
}
