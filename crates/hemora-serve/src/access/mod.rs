//! Who may use the node: passwords, sessions, tokens, the link of the first start, and what stands between
//! the node and whoever guesses.

mod asker;
mod delays;
mod first;
mod names;
mod passwords;
mod secret;
mod sessions;
mod tls;

pub(crate) use asker::Asker;
pub(crate) use delays::{Delays, Refusal, Tried};
pub(crate) use first::FirstLink;
pub(crate) use names::{check_name, check_password};
pub(crate) use passwords::{Passwords, hash, verify};
pub(crate) use secret::{TOKEN, fresh, hash_of};
pub(crate) use sessions::{NewSession, begin, cookie_of, ended, is_to_be_noted, live, still_may};
pub(crate) use tls::server_config;

/// What access needs to remember while the node runs.
#[derive(Default)]
pub(crate) struct Access {
    pub(crate) passwords: Passwords,
    pub(crate) delays: Delays,
    pub(crate) first: FirstLink,
}
