//! Who asks.

use crate::http::types::{Role, Scope};

/// Name of everybody where there is no login. No user can have it.
const ANYONE: &str = "anyone at this machine";

/// Who asks: a user, a program with a token, or anyone where there is no login. Handlers get it from the
/// guard, as an extension of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asker {
    /// Name for the audit and for what is written down.
    pub(crate) name: String,
    /// What a user may do.
    pub(crate) role: Option<Role>,
    /// What a program may do.
    pub(crate) scope: Option<Scope>,
    /// SHA-256 of the session or token by which they are known; none by proxy and without a login.
    pub(crate) session: Option<[u8; 32]>,
}

impl Asker {
    /// Anyone, where there is no login.
    pub(crate) fn anyone() -> Self {
        Self {
            name: ANYONE.to_owned(),
            role: Some(Role::Administrator),
            scope: None,
            session: None,
        }
    }

    /// A user.
    pub(crate) fn user(name: String, role: Role, session: Option<[u8; 32]>) -> Self {
        Self { name, role: Some(role), scope: None, session }
    }

    /// A program. No user has a colon in their name, so the audit tells both apart.
    pub(crate) fn program(name: &str, scope: Scope, token: [u8; 32]) -> Self {
        Self { name: format!("token:{name}"), role: None, scope: Some(scope), session: Some(token) }
    }
}
