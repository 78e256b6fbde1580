//! Protocol data units of the upper layer (PS3.8 §9.3): what goes over the wire.

mod associate;
mod items;

use std::io::{self, Read};

pub use associate::{
    AssociateAccept, AssociateRequest, ContextAnswer, ContextProposal, ContextResult, Role,
};

/// Longest A-ASSOCIATE PDU that is read: 128 contexts with every transfer syntax take half of it.
pub const LONGEST_ASSOCIATE: u32 = 256 << 10;

/// A PDU as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pdu {
    /// A-ASSOCIATE-RQ.
    AssociateRequest(AssociateRequest),
    /// A-ASSOCIATE-AC.
    AssociateAccept(AssociateAccept),
    /// A-ASSOCIATE-RJ.
    AssociateReject(AssociateReject),
    /// P-DATA-TF, its header alone: as many bytes of fragments follow, each with a [`PdvHeader`].
    Data(u32),
    /// A-RELEASE-RQ.
    ReleaseRequest,
    /// A-RELEASE-RP.
    ReleaseReply,
    /// A-ABORT.
    Abort(Abort),
}

/// Why an association was refused, in the numbers of PS3.8 §9.3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssociateReject {
    /// 1: permanent, 2: transient.
    pub result: u8,
    /// 1: service user, 2: service provider (ACSE), 3: service provider (presentation).
    pub source: u8,
    /// Its meaning depends on the source.
    pub reason: u8,
}

/// Who ended an association and why, in the numbers of PS3.8 §9.3.8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort {
    /// 0: service user, 2: service provider.
    pub source: u8,
    /// Of the service provider: 0 none given, 1 unrecognised PDU, 2 unexpected PDU, 4 and 5
    /// unrecognised and unexpected parameter, 6 invalid value of a parameter.
    pub reason: u8,
}

/// What stands before each fragment in a P-DATA PDU (PS3.8 §9.3.5.1, §E.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PdvHeader {
    /// Presentation context.
    pub context: u8,
    /// Whether it is of a command set, not of a data set.
    pub is_command: bool,
    /// Whether it is the last of its set.
    pub is_last: bool,
    /// Bytes of the fragment.
    pub length: u32,
}

/// Bytes that are no PDU.
#[derive(Debug, thiserror::Error)]
pub enum PduError {
    /// The connection ended or failed, also within a PDU.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// Another protocol, as a rule.
    #[error("{0:#04x} is no type of a PDU: whoever calls may not speak DICOM")]
    Unknown(u8),
    /// The length in the header is beyond what is taken.
    #[error(
        "a PDU of type {kind:#04x} with {length} bytes is announced, of which {limit} are taken"
    )]
    TooLong {
        /// Type of the PDU.
        kind: u8,
        /// What the header says.
        length: u32,
        /// What is taken.
        limit: u32,
    },
    /// The content contradicts the standard.
    #[error("a malformed PDU: {0}")]
    Malformed(&'static str),
}

impl Pdu {
    /// Reads a PDU, of a P-DATA PDU the header. `longest_data` bounds the P-DATA PDU; the others have
    /// bounds of their own, [`LONGEST_ASSOCIATE`] the largest. Memory is taken once the length is
    /// checked.
    ///
    /// # Errors
    /// [`PduError`] if the connection ends or what comes is no PDU.
    pub fn read(from: &mut impl Read, longest_data: u32) -> Result<Self, PduError> {
        let mut header = [0; 6];
        from.read_exact(&mut header)?;
        let [kind, _, length @ ..] = header;
        let length = u32::from_be_bytes(length);
        let limit = match kind {
            1 | 2 => LONGEST_ASSOCIATE,
            4 => longest_data,
            3 | 5..=7 => 4,
            _ => return Err(PduError::Unknown(kind)),
        };
        if length > limit {
            return Err(PduError::TooLong { kind, length, limit });
        }
        match kind {
            1 => Ok(Self::AssociateRequest(AssociateRequest::parse(&body(from, length)?)?)),
            2 => Ok(Self::AssociateAccept(AssociateAccept::parse(&body(from, length)?)?)),
            4 if length == 0 => Err(PduError::Malformed("P-DATA without a fragment")),
            4 => Ok(Self::Data(length)),
            _ if length != 4 => Err(PduError::Malformed("a length that is not 4")),
            _ => {
                let mut bytes = [0; 4];
                from.read_exact(&mut bytes)?;
                let [_, first, source, reason] = bytes;
                Ok(match kind {
                    3 => Self::AssociateReject(AssociateReject { result: first, source, reason }),
                    5 => Self::ReleaseRequest,
                    6 => Self::ReleaseReply,
                    _ => Self::Abort(Abort { source, reason }),
                })
            }
        }
    }
}

/// The rest of a PDU whose length is checked.
fn body(from: &mut impl Read, length: u32) -> Result<Vec<u8>, PduError> {
    let mut bytes = vec![0; length as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

impl PdvHeader {
    /// Bytes of the header.
    pub const LENGTH: u32 = 6;

    /// Reads the header of a fragment from a P-DATA PDU of which `left` bytes are left.
    ///
    /// # Errors
    /// [`PduError`] if the connection ends or the fragment is longer than its PDU.
    pub fn read(from: &mut impl Read, left: u32) -> Result<Self, PduError> {
        if left < Self::LENGTH {
            return Err(PduError::Malformed("P-DATA ends within the header of a fragment"));
        }
        let mut header = [0; Self::LENGTH as usize];
        from.read_exact(&mut header)?;
        let [length @ .., context, control] = header;
        // The length counts the context and the control byte.
        let length = u32::from_be_bytes(length);
        if length < 2 || length > left - 4 {
            return Err(PduError::Malformed("a fragment longer than its PDU, or shorter than 2"));
        }
        let [is_command, is_last] = [control & 1 != 0, control & 2 != 0];
        Ok(Self { context, is_command, is_last, length: length - 2 })
    }
}

/// Appends the headers of a P-DATA PDU with one fragment, whose bytes follow.
pub(crate) fn push_data_header(out: &mut Vec<u8>, fragment: PdvHeader) {
    out.extend([4, 0]);
    out.extend((fragment.length + PdvHeader::LENGTH).to_be_bytes());
    out.extend((fragment.length + 2).to_be_bytes());
    let control = u8::from(fragment.is_command) | u8::from(fragment.is_last) << 1;
    out.extend([fragment.context, control]);
}

/// A-RELEASE-RQ.
pub(crate) const RELEASE_REQUEST: [u8; 10] = [5, 0, 0, 0, 0, 4, 0, 0, 0, 0];
/// A-RELEASE-RP.
pub(crate) const RELEASE_REPLY: [u8; 10] = [6, 0, 0, 0, 0, 4, 0, 0, 0, 0];

/// A-ABORT.
pub(crate) fn abort(Abort { source, reason }: Abort) -> [u8; 10] {
    [7, 0, 0, 0, 0, 4, 0, 0, source, reason]
}

/// A-ASSOCIATE-RJ.
pub(crate) fn reject(AssociateReject { result, source, reason }: AssociateReject) -> [u8; 10] {
    [3, 0, 0, 0, 0, 4, 0, result, source, reason]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Pdu, PduError> {
        Pdu::read(&mut &*bytes, 1000)
    }

    #[test]
    fn short_pdus_are_read_as_they_are_written() {
        let why = AssociateReject { result: 2, source: 3, reason: 1 };
        assert_eq!(read(&reject(why)).unwrap(), Pdu::AssociateReject(why));
        let end = Abort { source: 2, reason: 6 };
        assert_eq!(read(&abort(end)).unwrap(), Pdu::Abort(end));
        assert_eq!(read(&RELEASE_REQUEST).unwrap(), Pdu::ReleaseRequest);
        assert_eq!(read(&RELEASE_REPLY).unwrap(), Pdu::ReleaseReply);
        let fragment = PdvHeader { context: 3, is_command: true, is_last: false, length: 7 };
        let mut data = Vec::new();
        push_data_header(&mut data, fragment);
        assert_eq!(read(&data).unwrap(), Pdu::Data(13));
        assert_eq!(PdvHeader::read(&mut &data[6..], 13).unwrap(), fragment);
    }

    #[test]
    fn lengths_are_checked_before_memory_is_taken() {
        for kind in [1, 2, 3, 4, 5, 6, 7] {
            let error = read(&[kind, 0, 0xFF, 0xFF, 0xFF, 0xFF]).unwrap_err();
            assert!(matches!(error, PduError::TooLong { length: u32::MAX, .. }), "{kind}: {error}");
        }
        assert!(matches!(read(&[4, 0, 0, 0, 3, 0xE9]).unwrap_err(), PduError::TooLong { .. }));
        assert!(matches!(read(&[4, 0, 0, 0, 0, 0]).unwrap_err(), PduError::Malformed(_)));
        assert!(matches!(read(&[5, 0, 0, 0, 0, 2, 0, 0]).unwrap_err(), PduError::Malformed(_)));
        assert!(matches!(read(&[4, 0, 0]).unwrap_err(), PduError::Io(_)));
    }

    #[test]
    fn other_protocols_are_told_by_their_first_byte() {
        assert!(matches!(read(b"GET / HTTP/1.1").unwrap_err(), PduError::Unknown(b'G')));
        assert!(matches!(read(b"\x16\x03\x01\x02\0\x01").unwrap_err(), PduError::Unknown(0x16)));
    }

    #[test]
    fn fragments_stay_within_their_pdu() {
        for (left, length) in [(5, 2), (13, 1), (13, 10), (13, u32::MAX)] {
            let header = [&length.to_be_bytes()[..], &[1, 0]].concat();
            assert!(PdvHeader::read(&mut &*header, left).is_err(), "{left} {length}");
        }
        assert_eq!(PdvHeader::read(&mut &[0, 0, 0, 9, 1, 2][..], 13).unwrap().length, 7);
    }
}
