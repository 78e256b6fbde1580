//! Users, their sessions, tokens of programs, and the audit.

mod audit;
mod login;
mod session;
mod tokens;
mod users;

pub(super) use audit::{page as audit, verify as verify_audit};
pub(super) use login::{log_in, set_up};
pub(super) use session::{change_password, current, log_out};
pub(super) use tokens::{make as make_token, revoke as revoke_token, tokens};
pub(super) use users::{change as change_user, make as make_user, users};

use super::answer::Refused;

/// What a rule about names or passwords says, as an answer.
fn bad(problem: String) -> Refused {
    Refused::bad(problem)
}
