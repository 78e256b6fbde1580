//! One association with a peer that this program calls.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use hemora_base::printable;

use super::{Destination, ScuError};
use crate::Limits;
use crate::association::{Association, AssociationError, Context};
use crate::command::{Command, elements, fields};
use crate::pdu::{Abort, AssociateRequest, ContextProposal, Role};
use crate::transport::set_up;
use crate::uids::{EXPLICIT_LITTLE, IMPLICIT_LITTLE};

/// An association and the peer's name for errors.
pub(super) struct Session<'a> {
    pub association: Association<'a>,
    to: &'a Destination,
    last_message: u16,
}

/// What is proposed for a service whose data sets are made here.
pub(super) fn proposal(abstract_syntax: &str) -> ContextProposal {
    let transfer_syntaxes = [EXPLICIT_LITTLE, IMPLICIT_LITTLE].map(str::to_owned).into();
    ContextProposal { id: 1, abstract_syntax: abstract_syntax.to_owned(), transfer_syntaxes }
}

/// Opens an association, does `work`, and releases it; what fails is aborted.
pub(super) fn with_session<T>(
    to: &Destination,
    contexts: Vec<ContextProposal>,
    roles: Vec<Role>,
    work: impl FnOnce(&mut Session<'_>) -> Result<T, ScuError>,
) -> Result<T, ScuError> {
    let limits =
        Limits { association: to.timeouts.connect, store: to.timeouts.answer, ..Limits::default() };
    let mut stream = connect(to)?;
    let longest_data = limits.pdu;
    let request = AssociateRequest { contexts, longest_data, roles, ..AssociateRequest::default() };
    let names = [&to.ae, &to.calling];
    let association = Association::request(&mut stream, &request, names, &limits);
    let association = association.map_err(|error| failed(to, error))?;
    let mut session = Session { association, to, last_message: 0 };
    let result = work(&mut session);
    match &result {
        Err(ScuError::Association { source, .. }) => {
            let reason = match source {
                AssociationError::Aborted(_) | AssociationError::Closed => return result,
                AssociationError::Violation(reason, _) => *reason,
                _ => 0,
            };
            session.association.abort(Abort { source: if reason == 0 { 0 } else { 2 }, reason });
        }
        // The work is done, or refused, whatever becomes of the release.
        _ => drop(session.association.release()),
    }
    result
}

fn connect(to: &Destination) -> Result<TcpStream, ScuError> {
    let host = || to.host.clone();
    let addresses = to.host.to_socket_addrs();
    let addresses = addresses.map_err(|source| ScuError::Address { host: host(), source })?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no address");
    for address in addresses {
        let stream = TcpStream::connect_timeout(&address, to.timeouts.connect);
        match stream.and_then(|stream| set_up(&stream).map(|()| stream)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(ScuError::Connect { host: host(), source: last })
}

fn failed(to: &Destination, source: AssociationError) -> ScuError {
    ScuError::Association { ae: to.ae.clone(), host: to.host.clone(), source }
}

impl Session<'_> {
    /// The error of an association with this peer.
    pub fn failed(&self, source: AssociationError) -> ScuError {
        failed(self.to, source)
    }

    /// The number of the next request.
    pub fn next_message(&mut self) -> u16 {
        self.last_message = self.last_message.wrapping_add(1);
        self.last_message
    }

    /// The context of the only service that was proposed.
    pub fn only_context(&self, service: &'static str) -> Result<Context, ScuError> {
        let context = self.association.contexts().first();
        let not_offered = || ScuError::NotOffered { ae: self.to.ae.clone(), service };
        context.map(|context| Context::clone(context)).ok_or_else(not_offered)
    }

    /// Sends a message.
    pub fn send(
        &mut self,
        context: &Context,
        command: &Command,
        data_set: Option<&[u8]>,
    ) -> Result<(), ScuError> {
        let sent = self.association.send(context.id, command, data_set);
        sent.map_err(|error| self.failed(error))
    }

    /// Waits for the next message, for as long as a peer may take to answer.
    pub fn next(&mut self) -> Result<Command, ScuError> {
        self.next_within(self.to.timeouts.answer).map_err(|error| self.failed(error))
    }

    /// Waits for the next message.
    pub fn next_within(&mut self, wait: Duration) -> Result<Command, AssociationError> {
        match self.association.next(Instant::now() + wait)? {
            Some((_, command)) => Ok(command),
            None => Err(AssociationError::violation(2, "a release before the answer")),
        }
    }

    /// Checks that a message is the answer to `request`; its status.
    pub fn status_of(&self, request: &Command, answer: &Command) -> Result<u16, ScuError> {
        let is_answer = answer.field() == request.field() | fields::RESPONSE
            && answer.number(elements::MESSAGE_ID_RESPONDED) == Some(request.message_id());
        let status = answer.status().filter(|_| is_answer);
        let what = "an answer to something that was not asked, or without a status";
        status.ok_or_else(|| self.failed(AssociationError::violation(2, what)))
    }

    /// Waits for the answer to `request`, which must say that all is well.
    pub fn succeed(&mut self, service: &'static str, request: &Command) -> Result<(), ScuError> {
        let answer = self.next()?;
        self.check(service, request, &answer)
    }

    /// Checks that `answer` says that all is well.
    pub fn check(
        &self,
        service: &'static str,
        request: &Command,
        answer: &Command,
    ) -> Result<(), ScuError> {
        match self.status_of(request, answer)? {
            0 => Ok(()),
            status => {
                let ae = self.to.ae.clone();
                Err(ScuError::Refused { ae, service, status, comment: comment(answer) })
            }
        }
    }
}

/// What a peer says about a status, fit to be shown.
pub(super) fn comment(answer: &Command) -> String {
    printable(&answer.text(elements::ERROR_COMMENT))
}
