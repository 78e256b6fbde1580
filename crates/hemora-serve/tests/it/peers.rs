//! Peers of a node within the test: an archive, a receiver of HL7, a server of HTTP. They do what they are
//! told, also wrongly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use hemora_dimse::{
    Closed, CommitReply, CommitReport, CommitRequest, Failure, Handler, InstanceWriter, Limits,
    Peer, Refusal, Server, StoreRequest,
};

/// An archive that keeps what it gets, by class and UID, and commits itself to it.
#[derive(Default)]
pub struct Archive {
    pub kept: Mutex<Vec<(String, String, Vec<u8>)>>,
    /// How many instances are refused before one is taken.
    pub refusals: AtomicUsize,
}

impl Archive {
    pub fn start(self: &Arc<Self>) -> (Server, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let handler = Arc::clone(self) as Arc<dyn Handler>;
        let server = Server::start(listener, Vec::new(), Limits::default(), handler).unwrap();
        let address = server.address();
        (server, address)
    }

    /// The instances of a class, once for each time that they came.
    pub fn of_class(&self, class: &str) -> Vec<(String, Vec<u8>)> {
        let kept = self.kept.lock().unwrap();
        let same = kept.iter().filter(|(it, _, _)| it == class);
        same.map(|(_, uid, bytes)| (uid.clone(), bytes.clone())).collect()
    }
}

struct Keeping<'a> {
    archive: &'a Archive,
    class: String,
    uid: String,
    bytes: Vec<u8>,
}

impl InstanceWriter for Keeping<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), Failure> {
        let left = &self.archive.refusals;
        let refuse =
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if refuse.is_ok() {
            return Err(Failure::out_of_resources("full"));
        }
        self.archive.kept.lock().unwrap().push((self.class, self.uid, self.bytes));
        Ok(())
    }
}

impl Handler for Archive {
    fn open(&self, _: &Peer) -> Result<(), Refusal> {
        Ok(())
    }

    fn accepts(&self, _: &str) -> bool {
        true
    }

    fn store(
        &self,
        _: &Peer,
        request: &StoreRequest,
    ) -> Result<Box<dyn InstanceWriter + '_>, Failure> {
        Ok(Box::new(Keeping {
            archive: self,
            class: request.sop_class_uid.clone(),
            uid: request.sop_instance_uid.clone(),
            bytes: Vec::new(),
        }))
    }

    fn commit(&self, _: &Peer, request: &CommitRequest) -> CommitReply {
        let kept = self.kept.lock().unwrap();
        let (committed, failed): (Vec<_>, Vec<_>) =
            request.instances.iter().cloned().partition(|reference| {
                kept.iter().any(|(_, uid, _)| *uid == reference.sop_instance_uid)
            });
        CommitReply::Now(CommitReport {
            transaction_uid: request.transaction_uid.clone(),
            committed,
            failed: failed.into_iter().map(|it| (it, hemora_dimse::NO_SUCH_INSTANCE)).collect(),
        })
    }

    fn commit_report(&self, _: &Peer, _: &CommitReport) {}

    fn closed(&self, _: &Peer, _: &Closed) {}
}

/// Messages that came, and how many of them are to be answered with AE first.
#[derive(Default)]
pub struct Ris {
    pub messages: Mutex<Vec<String>>,
    pub errors: AtomicUsize,
}

impl Ris {
    pub fn start(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ris = Arc::clone(self);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                ris.take(stream);
            }
        });
        address
    }

    fn take(&self, mut stream: std::net::TcpStream) -> Option<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let mut decoder = hemora_interop::mllp::Decoder::new(1 << 20);
        let message = loop {
            let mut buffer = [0; 1000];
            let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
            decoder.push(&buffer[..read]);
            if let Some(message) = decoder.next_message().ok()? {
                break String::from_utf8(message).unwrap();
            }
        };
        let control = message.split('|').nth(9).unwrap().to_owned();
        let failing =
            self.errors.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        let code = if failing.is_ok() { "AE" } else { "AA" };
        self.messages.lock().unwrap().push(message);
        let ack =
            format!("MSH|^~\\&|RIS||HEMORA||20261127||ACK|1|P|2.5.1\rMSA|{code}|{control}|busy\r");
        stream.write_all(&hemora_interop::mllp::frame(&ack)).ok()
    }
}

/// Requests that came: their head and their body.
#[derive(Default)]
pub struct Web {
    pub requests: Mutex<Vec<(String, Vec<u8>)>>,
}

impl Web {
    pub fn start(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let web = Arc::clone(self);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                web.take(stream);
            }
        });
        address
    }

    fn take(&self, mut stream: std::net::TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        self.requests.lock().unwrap().push((head, body));
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").ok()
    }
}
