//! Servers on ports of their own, and small instances.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hemora_dimse::{
    Destination, Handler, Limits, Reference, Server, StoreRequest, Timeouts, file_meta,
};

pub const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub const IMPLICIT: &str = "1.2.840.10008.1.2";
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const BIG: &str = "1.2.840.10008.1.2.2";
pub const STUDY: &str = "1.2.826.0.1.3680043.8.498.1";

/// Starts a server that answers to HEMORA.
pub fn start<H: Handler>(handler: &Arc<H>, limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let called = vec!["HEMORA".parse().unwrap()];
    let handler = Arc::clone(handler);
    Server::start(listener, called, limits, handler).unwrap()
}

/// Somebody to call.
pub fn destination(ae: &str, port: u16) -> Destination {
    Destination {
        ae: ae.parse().unwrap(),
        host: format!("127.0.0.1:{port}"),
        calling: "HEMORA".parse().unwrap(),
        timeouts: Timeouts::default(),
    }
}

/// A port that nobody uses, for programs that want a number.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A peer's program, ended with the test.
pub struct Running(Child);

impl Running {
    /// Starts a program that listens on `port`, and waits until it does.
    pub fn start(command: &mut Command, port: u16) -> Self {
        let running = Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "{command:?} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }

    /// Starts a Python program that prints the port on which it listens, and ends with its input.
    pub fn python(python: &Path, program: &str) -> (Self, u16) {
        let mut child = Command::new(python)
            .args(["-c", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("no port: {line:?}"));
        (Self(child), port)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A small CT image.
pub struct Image {
    pub request: StoreRequest,
    pub data_set: Vec<u8>,
}

impl Image {
    /// An image with `size` bytes of pixels, which have no meaning where they are compressed; nor has
    /// the data set where that should be deflated.
    pub fn new(number: u32, transfer_syntax: &str, size: usize) -> Self {
        let request = StoreRequest {
            message_id: 1,
            sop_class_uid: CT.to_owned(),
            sop_instance_uid: format!("{STUDY}.1.{number}"),
            transfer_syntax: transfer_syntax.to_owned(),
            move_originator: None,
        };
        let mut out = Encoder { implicit: transfer_syntax == IMPLICIT, ..Encoder::default() };
        out.big = transfer_syntax == BIG;
        out.text([8, 0x16], b"UI", CT);
        out.text([8, 0x18], b"UI", &request.sop_instance_uid);
        out.text([8, 0x60], b"CS", "CT");
        out.text([0x10, 0x10], b"PN", "Test^Network");
        out.text([0x10, 0x20], b"LO", "NET-1");
        out.text([0x20, 0x0D], b"UI", STUDY);
        out.text([0x20, 0x0E], b"UI", &format!("{STUDY}.1"));
        for (element, value) in [(0x10, 16), (0x11, 16), (0x100, 16), (0x101, 16), (0x102, 15)] {
            out.number([0x28, element], value);
        }
        let pixels: Vec<u8> = (0..size as u32).map(|it| ((it * (number + 7)) >> 3) as u8).collect();
        if [IMPLICIT, EXPLICIT, BIG].contains(&transfer_syntax) {
            out.element([0x7FE0, 0x10], b"OW", &pixels);
        } else {
            out.bytes.extend(b"\xE0\x7F\x10\0OB\0\0\xFF\xFF\xFF\xFF\xFE\xFF\x00\xE0\0\0\0\0");
            out.bytes.extend(b"\xFE\xFF\x00\xE0");
            out.bytes.extend((size as u32).to_le_bytes());
            out.bytes.extend(&pixels);
            out.bytes.extend(b"\xFE\xFF\xDD\xE0\0\0\0\0");
        }
        Self { request, data_set: out.bytes }
    }

    /// The image as a file's bytes.
    pub fn file(&self) -> Vec<u8> {
        let meta = file_meta(&self.request, "TEST");
        [&[0; 128], &b"DICM"[..], &meta, &self.data_set].concat()
    }

    /// Writes it into a folder.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join(format!("{}.dcm", self.request.sop_instance_uid));
        std::fs::write(&path, self.file()).unwrap();
        path
    }

    pub fn reference(&self) -> Reference {
        Reference {
            sop_class_uid: self.request.sop_class_uid.clone(),
            sop_instance_uid: self.request.sop_instance_uid.clone(),
        }
    }
}

#[derive(Default)]
struct Encoder {
    bytes: Vec<u8>,
    implicit: bool,
    big: bool,
}

impl Encoder {
    fn put(&mut self, number: u16) {
        self.bytes.extend(if self.big { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    fn put_long(&mut self, number: u32) {
        self.bytes.extend(if self.big { number.to_be_bytes() } else { number.to_le_bytes() });
    }

    fn element(&mut self, [group, element]: [u16; 2], vr: &[u8; 2], value: &[u8]) {
        self.put(group);
        self.put(element);
        if self.implicit {
            self.put_long(value.len() as u32);
        } else if vr == b"OW" {
            self.bytes.extend(b"OW\0\0");
            self.put_long(value.len() as u32);
        } else {
            self.bytes.extend(vr);
            self.put(value.len() as u16);
        }
        self.bytes.extend(value);
    }

    fn text(&mut self, tag: [u16; 2], vr: &[u8; 2], text: &str) {
        let mut value = text.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(if vr == b"UI" { 0 } else { b' ' });
        }
        self.element(tag, vr, &value);
    }

    fn number(&mut self, tag: [u16; 2], number: u16) {
        let value = if self.big { number.to_be_bytes() } else { number.to_le_bytes() };
        self.element(tag, b"US", &value);
    }
}

/// Every transfer syntax that the server takes.
pub fn syntaxes() -> Vec<String> {
    let short = ["", ".1", ".2", ".1.98", ".1.99", ".5", ".4.70"].map(str::to_owned);
    let jpeg = (50..=66).map(|process| format!(".4.{process}"));
    let others = [80, 81, 90, 91, 92, 93, 110, 111, 112, 201, 202, 203];
    let others = others.iter().map(|it| format!(".4.{it}"));
    let all = short.into_iter().chain(jpeg).chain(others);
    all.map(|it| format!("1.2.840.10008.1.2{it}")).collect()
}

/// Checks that the recorder has these images, byte for byte, in whatever order.
pub fn check_stored(mut stored: Vec<(StoreRequest, Vec<u8>)>, images: &[Image]) {
    assert_eq!(stored.len(), images.len());
    stored.sort_by_key(|(request, _)| request.sop_instance_uid.clone());
    let mut images: Vec<&Image> = images.iter().collect();
    images.sort_by_key(|image| &image.request.sop_instance_uid);
    for ((request, bytes), image) in stored.iter().zip(images) {
        assert_eq!(request.sop_instance_uid, image.request.sop_instance_uid);
        assert_eq!(request.sop_class_uid, image.request.sop_class_uid);
        let syntax = &image.request.transfer_syntax;
        assert_eq!(request.transfer_syntax, *syntax);
        assert!(*bytes == image.data_set, "{syntax}: the bytes differ");
    }
}

/// Runs a program that must succeed.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}
