//! C-ECHO: whether a peer answers.

use std::time::{Duration, Instant};

use super::session::{proposal, with_session};
use super::{Destination, ScuError};
use crate::command::{Command, elements, fields};
use crate::uids::VERIFICATION;

const SERVICE: &str = "verification (C-ECHO)";

/// C-ECHO (PS3.7 §9.1.5): whether the peer answers, and how long it took to.
///
/// # Errors
/// [`ScuError`] says what stands in the way.
pub fn echo(to: &Destination) -> Result<Duration, ScuError> {
    with_session(to, vec![proposal(VERIFICATION)], vec![], |session| {
        let context = session.only_context(SERVICE)?;
        let request = Command::request(fields::ECHO, session.next_message())
            .with_uid(elements::AFFECTED_CLASS, VERIFICATION);
        let start = Instant::now();
        session.send(&context, &request, None)?;
        session.succeed(SERVICE, &request)?;
        Ok(start.elapsed())
    })
}
