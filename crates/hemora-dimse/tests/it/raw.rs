//! A peer that writes bytes of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An item of a PDU.
fn item(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut item = vec![kind, 0];
    item.extend((content.len() as u16).to_be_bytes());
    item.extend(content);
    item
}

/// A presentation context.
pub fn context(id: u8, class: &str, syntaxes: &[&str]) -> Vec<u8> {
    let mut content = vec![id, 0, 0, 0];
    content.extend(item(0x30, class.as_bytes()));
    for syntax in syntaxes {
        content.extend(item(0x40, syntax.as_bytes()));
    }
    item(0x20, &content)
}

/// A PDU around its content.
pub fn pdu(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut pdu = vec![kind, 0];
    pdu.extend((content.len() as u32).to_be_bytes());
    pdu.extend(content);
    pdu
}

/// A-ASSOCIATE-RQ of HEMORA with the contexts.
pub fn associate(contexts: &[Vec<u8>]) -> Vec<u8> {
    let mut content = vec![0, 1, 0, 0];
    content.extend(b"HEMORA          RAW             ");
    content.extend([0; 32]);
    content.extend(item(0x10, b"1.2.840.10008.3.1.1.1"));
    content.extend(contexts.concat());
    content.extend(item(0x50, &item(0x51, &16384_u32.to_be_bytes())));
    pdu(1, &content)
}

pub const COMMAND: u8 = 1;
pub const DATA: u8 = 0;
pub const LAST: u8 = 2;

/// A fragment within a P-DATA PDU.
pub fn pdv(context: u8, control: u8, bytes: &[u8]) -> Vec<u8> {
    let mut pdv = (bytes.len() as u32 + 2).to_be_bytes().to_vec();
    pdv.extend([context, control]);
    pdv.extend(bytes);
    pdv
}

/// A command set.
pub fn command(elements: &[(u16, &[u8])]) -> Vec<u8> {
    let mut set = Vec::new();
    for (element, value) in elements {
        set.extend([0, 0]);
        set.extend(element.to_le_bytes());
        set.extend((value.len() as u32).to_le_bytes());
        set.extend(*value);
    }
    set
}

/// C-ECHO-RQ.
pub fn echo(message_id: u16) -> Vec<u8> {
    let id = message_id.to_le_bytes();
    let class = b"1.2.840.10008.1.1\0";
    command(&[(0x0002, class), (0x0100, &[0x30, 0]), (0x0110, &id), (0x0800, &[1, 1])])
}

/// C-STORE-RQ of a CT image.
pub fn store(message_id: u16, instance: &str) -> Vec<u8> {
    let id = message_id.to_le_bytes();
    let class = b"1.2.840.10008.5.1.4.1.1.2\0";
    command(&[
        (0x0002, class),
        (0x0100, &[1, 0]),
        (0x0110, &id),
        (0x0700, &[0, 0]),
        (0x0800, &[0, 0]),
        (0x1000, instance.as_bytes()),
    ])
}

pub const RELEASE: [u8; 10] = [5, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// A connection that is written to and read from byte by byte.
pub struct Raw(pub TcpStream);

impl Raw {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Connects and has an association with verification as context 1 and CT as context 3.
    pub fn associated(address: SocketAddr) -> Self {
        let mut raw = Self::connect(address);
        raw.write(&associate(&[
            context(1, "1.2.840.10008.1.1", &["1.2.840.10008.1.2"]),
            context(3, crate::support::CT, &["1.2.840.10008.1.2.1"]),
        ]));
        assert_eq!(raw.read().unwrap().0, 2);
        raw
    }

    pub fn write(&mut self, bytes: &[u8]) {
        // The server may have closed the connection, which is for the reader to see.
        let _ = self.0.write_all(bytes);
    }

    /// The next PDU: type and content; `None` at the end of the connection.
    pub fn read(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 6];
        if let Err(error) = self.0.read_exact(&mut header) {
            let kind = error.kind();
            assert!(!matches!(kind, std::io::ErrorKind::WouldBlock), "the server says nothing");
            return None;
        }
        let length = u32::from_be_bytes(header[2..].try_into().unwrap());
        let mut content = vec![0; length as usize];
        self.0.read_exact(&mut content).unwrap();
        Some((header[0], content))
    }

    /// The status of the next response, and the message to which it responds.
    pub fn status(&mut self) -> (u16, u16) {
        let (kind, content) = self.read().expect("a response");
        assert_eq!(kind, 4, "{content:?}");
        let number = |element: u16| {
            let key = [&[0, 0], &element.to_le_bytes()[..], &[2, 0, 0, 0]].concat();
            let at = content.windows(8).position(|it| it == key).unwrap() + 8;
            u16::from_le_bytes([content[at], content[at + 1]])
        };
        (number(0x0120), number(0x0900))
    }

    /// Source and reason of the A-ABORT that has to come next.
    pub fn aborted(&mut self) -> [u8; 2] {
        let (kind, content) = self.read().expect("an abort");
        assert_eq!(kind, 7, "{content:?}");
        [content[2], content[3]]
    }
}
