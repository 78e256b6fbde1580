//! An association in either role: messages over PDUs.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::command::{Command, CommandError};
use crate::pdu::{
    self, Abort, AssociateAccept, AssociateReject, AssociateRequest, ContextResult, Pdu, PduError,
    PdvHeader,
};
use crate::transport::{Transport, Wire};
use crate::{AeTitle, Limits};

/// Longest P-DATA PDU that is sent to peers that take any.
const LONGEST_SENT: u32 = 128 << 10;

/// Shortest that a peer may ask for: below, headers outweigh the data.
const SHORTEST_SENT: u32 = 64;

/// How long a peer may take to read the last words and to close its side.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A presentation context that both sides accepted.
#[derive(Debug, Clone)]
pub struct Context {
    pub id: u8,
    pub abstract_syntax: String,
    pub transfer_syntax: String,
}

/// Why an association ends before its release.
#[derive(Debug, thiserror::Error)]
pub enum AssociationError {
    /// The peer closed the connection.
    #[error("the peer closed the connection without a release")]
    Closed,
    /// The peer sent an A-ABORT.
    #[error("the peer aborted the association (source {}, reason {})", .0.source, .0.reason)]
    Aborted(Abort),
    /// The peer does not want this association.
    #[error("{}", rejection(*.0))]
    Rejected(AssociateReject),
    /// The peer took longer than it may.
    #[error("the peer was silent or too slow")]
    TimedOut,
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(io::Error),
    /// The peer broke the protocol; the number is what an A-ABORT gives as reason.
    #[error("the peer broke the protocol: {1}")]
    Violation(u8, String),
}

/// What a rejection means (PS3.8 §9.3.4).
fn rejection(AssociateReject { result, source, reason }: AssociateReject) -> String {
    let why = match (source, reason) {
        (1, 2) => "it does not know the application context",
        (1, 3) => "it does not know our AE title: enter it there",
        (1, 7) => "it does not answer to that AE title: correct it here",
        (2, 2) => "it does not know the version of the protocol",
        (3, 1) => "it is congested",
        (3, 2) => "it has reached a limit of its own",
        _ => "it gives no reason",
    };
    let lasting = if result == 2 { "for now" } else { "for good" };
    format!("the peer rejects the association {lasting}: {why} ({result}/{source}/{reason})")
}

impl AssociationError {
    pub(crate) fn violation(reason: u8, what: impl Into<String>) -> Self {
        Self::Violation(reason, what.into())
    }
}

impl From<io::Error> for AssociationError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut, UnexpectedEof,
        };
        match error.kind() {
            TimedOut => Self::TimedOut,
            UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected => {
                Self::Closed
            }
            _ => Self::Io(error),
        }
    }
}

impl From<PduError> for AssociationError {
    fn from(error: PduError) -> Self {
        match error {
            PduError::Io(error) => error.into(),
            PduError::Unknown(_) => Self::violation(1, error.to_string()),
            PduError::TooLong { .. } | PduError::Malformed(_) => {
                Self::violation(6, error.to_string())
            }
        }
    }
}

impl From<CommandError> for AssociationError {
    fn from(error: CommandError) -> Self {
        Self::violation(6, error.to_string())
    }
}

/// An association that was accepted.
pub(crate) struct Association<'a> {
    wire: Wire<'a>,
    contexts: Vec<Arc<Context>>,
    limits: &'a Limits,
    /// Longest P-DATA PDU that the peer takes.
    longest_sent: usize,
    /// Bytes of the current P-DATA PDU that are not read yet.
    left: u32,
    out: Vec<u8>,
}

impl<'a> Association<'a> {
    /// The association that an A-ASSOCIATE-AC has opened; `longest_sent` as the peer said it.
    pub fn new(
        wire: Wire<'a>,
        contexts: Vec<Arc<Context>>,
        longest_sent: u32,
        limits: &'a Limits,
    ) -> Result<Self, AssociationError> {
        let longest_sent = if longest_sent == 0 { LONGEST_SENT } else { longest_sent };
        if longest_sent < SHORTEST_SENT {
            let what = format!("PDUs of {longest_sent} bytes are too short for anything");
            return Err(AssociationError::violation(6, what));
        }
        let longest_sent = longest_sent.min(LONGEST_SENT) as usize;
        Ok(Self { wire, contexts, limits, longest_sent, left: 0, out: Vec::new() })
    }

    /// Asks a peer for an association.
    pub fn request(
        transport: &'a mut dyn Transport,
        request: &AssociateRequest,
        [called, calling]: [&AeTitle; 2],
        limits: &'a Limits,
    ) -> Result<Self, AssociationError> {
        let mut wire = Wire::new(transport, Instant::now() + limits.association);
        wire.write_all(&request.encode(called, calling))?;
        let accept = match Pdu::read(&mut wire, limits.pdu)? {
            Pdu::AssociateAccept(accept) => accept,
            Pdu::AssociateReject(reject) => return Err(AssociationError::Rejected(reject)),
            Pdu::Abort(abort) => return Err(AssociationError::Aborted(abort)),
            _ => {
                return Err(AssociationError::violation(2, "no answer to the association request"));
            }
        };
        let contexts = accepted(request, &accept);
        Self::new(wire, contexts, accept.longest_data, limits)
    }

    /// All accepted contexts.
    pub fn contexts(&self) -> &[Arc<Context>] {
        &self.contexts
    }

    /// Waits until `deadline` for the next message and reads its command set; `None`: the peer asks
    /// for the release. A data set has to be read next, by [`Self::data`].
    pub fn next(
        &mut self,
        deadline: Instant,
    ) -> Result<Option<(Arc<Context>, Command)>, AssociationError> {
        if self.left == 0 {
            self.wire.deadline = deadline;
            if self.wire.fill_buf()?.is_empty() {
                return Err(AssociationError::Closed);
            }
        }
        self.wire.deadline = Instant::now() + self.limits.store;
        let mut bytes = Vec::new();
        let mut context = None;
        loop {
            let Some(fragment) = self.fragment()? else {
                return match context {
                    None => Ok(None),
                    Some(_) => Err(AssociationError::violation(2, "a release within a command")),
                };
            };
            if !fragment.is_command {
                return Err(AssociationError::violation(2, "data without a command"));
            }
            if *context.get_or_insert(fragment.context) != fragment.context {
                return Err(AssociationError::violation(6, "a command in two contexts"));
            }
            if fragment.length as usize > self.limits.command - bytes.len() {
                let most = self.limits.command;
                let what = format!("a command set of more than {most} bytes");
                return Err(AssociationError::violation(6, what));
            }
            let start = bytes.len();
            bytes.resize(start + fragment.length as usize, 0);
            self.wire.read_exact(&mut bytes[start..])?;
            if fragment.is_last {
                break;
            }
        }
        let known = self.contexts.iter().find(|it| Some(it.id) == context);
        let known = known.ok_or_else(|| {
            AssociationError::violation(6, "a message in a context that was not accepted")
        })?;
        Ok(Some((known.clone(), Command::parse(&bytes)?)))
    }

    /// The header of the next fragment, whose bytes have to be read next; `None`: a request for release.
    fn fragment(&mut self) -> Result<Option<PdvHeader>, AssociationError> {
        if self.left == 0 {
            match Pdu::read(&mut self.wire, self.limits.pdu)? {
                Pdu::Data(length) => self.left = length,
                Pdu::ReleaseRequest => return Ok(None),
                Pdu::Abort(abort) => return Err(AssociationError::Aborted(abort)),
                _ => return Err(AssociationError::violation(2, "a PDU that is out of place")),
            }
        }
        let fragment = PdvHeader::read(&mut self.wire, self.left)?;
        self.left -= PdvHeader::LENGTH + fragment.length;
        Ok(Some(fragment))
    }

    /// Reads the data set of the message that [`Self::next`] gave and passes its bytes on as they come.
    pub fn data(
        &mut self,
        context: u8,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<(), AssociationError> {
        loop {
            let Some(fragment) = self.fragment()? else {
                return Err(AssociationError::violation(2, "a release within a data set"));
            };
            if fragment.is_command || fragment.context != context {
                return Err(AssociationError::violation(2, "another message within a data set"));
            }
            let mut left = fragment.length as usize;
            while left > 0 {
                let bytes = self.wire.fill_buf()?;
                let count = bytes.len().min(left);
                if count == 0 {
                    return Err(AssociationError::Closed);
                }
                sink(&bytes[..count]);
                self.wire.consume(count);
                left -= count;
            }
            if fragment.is_last {
                return Ok(());
            }
        }
    }

    /// Reads a data set whole; `None` if it is longer than the limit, and is then passed over.
    pub fn data_set(&mut self, context: u8) -> Result<Option<Vec<u8>>, AssociationError> {
        let most = self.limits.data_set;
        let mut data_set = Some(Vec::new());
        self.data(context, |bytes| match &mut data_set {
            Some(all) if bytes.len() <= most - all.len() => all.extend_from_slice(bytes),
            _ => data_set = None,
        })?;
        Ok(data_set)
    }

    /// Sends a message; one that fits into a PDU goes out in one write.
    pub fn send(
        &mut self,
        context: u8,
        command: &Command,
        data_set: Option<&[u8]>,
    ) -> Result<(), AssociationError> {
        self.wire.deadline = Instant::now() + self.limits.store;
        self.out.clear();
        self.push(context, true, &command.encode())?;
        if let Some(data_set) = data_set {
            self.push(context, false, data_set)?;
        }
        Ok(self.wire.write_all(&self.out)?)
    }

    /// Puts fragments behind what is to be written, and writes that once it is long.
    fn push(
        &mut self,
        context: u8,
        is_command: bool,
        bytes: &[u8],
    ) -> Result<(), AssociationError> {
        let longest = self.longest_sent - PdvHeader::LENGTH as usize;
        let count = bytes.len().div_ceil(longest).max(1);
        for at in 0..count {
            let end = bytes.len().min((at + 1) * longest);
            let fragment = &bytes[at * longest..end];
            let [length, is_last] = [fragment.len() as u32, u32::from(at + 1 == count)];
            let header = PdvHeader { context, is_command, is_last: is_last == 1, length };
            pdu::push_data_header(&mut self.out, header);
            self.out.extend_from_slice(fragment);
            if self.out.len() >= LONGEST_SENT as usize {
                self.wire.write_all(&self.out)?;
                self.out.clear();
            }
        }
        Ok(())
    }

    /// Answers a request for release.
    pub fn answer_release(&mut self) -> Result<(), AssociationError> {
        self.wire.deadline = Instant::now() + self.limits.association;
        Ok(self.wire.write_all(&pdu::RELEASE_REPLY)?)
    }

    /// Asks for the release and waits for it. What the peer still sends is passed over; if it asks for
    /// the release in the same moment, each answers the other (PS3.8 §9.2.3, Sta9 to Sta12).
    pub fn release(mut self) -> Result<(), AssociationError> {
        self.wire.deadline = Instant::now() + self.limits.association;
        self.wire.write_all(&pdu::RELEASE_REQUEST)?;
        let mut passed_over = self.left;
        loop {
            io::copy(&mut (&mut self.wire).take(passed_over.into()), &mut io::sink())?;
            passed_over = 0;
            match Pdu::read(&mut self.wire, self.limits.pdu)? {
                Pdu::ReleaseReply => return Ok(()),
                Pdu::ReleaseRequest => self.wire.write_all(&pdu::RELEASE_REPLY)?,
                Pdu::Data(length) => passed_over = length,
                Pdu::Abort(abort) => return Err(AssociationError::Aborted(abort)),
                _ => return Err(AssociationError::violation(2, "no answer to the release")),
            }
        }
    }

    /// Says that the association is over, where that can still be said.
    pub fn abort(&mut self, abort: Abort) {
        last_words(&mut self.wire, &pdu::abort(abort));
    }

    /// Waits a moment for the peer to close the connection, as it should after a release.
    pub fn linger(&mut self) {
        self.wire.linger(LAST_WORDS);
    }
}

/// Writes the last PDU of a connection and waits a moment for the peer to read it.
pub(crate) fn last_words(wire: &mut Wire<'_>, bytes: &[u8]) {
    wire.deadline = Instant::now() + LAST_WORDS;
    if wire.write_all(bytes).is_ok() {
        wire.linger(LAST_WORDS);
    }
}

/// The contexts that were proposed and accepted, in a transfer syntax that was proposed.
fn accepted(request: &AssociateRequest, accept: &AssociateAccept) -> Vec<Arc<Context>> {
    let proposed = request.contexts.iter();
    let answers = proposed.filter_map(|proposal| {
        let mut answers = accept.contexts.iter();
        let answer = answers.find(|answer| answer.id == proposal.id)?;
        let fits = answer.result == ContextResult::Accepted
            && proposal.transfer_syntaxes.contains(&answer.transfer_syntax);
        fits.then(|| {
            Arc::new(Context {
                id: proposal.id,
                abstract_syntax: proposal.abstract_syntax.clone(),
                transfer_syntax: answer.transfer_syntax.clone(),
            })
        })
    });
    answers.collect()
}
