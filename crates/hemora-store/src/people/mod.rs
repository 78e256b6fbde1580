//! Who may use a node: users and their sessions, and programs with tokens. Passwords, identifiers of sessions
//! and tokens come here as hashes only; what a role or a scope allows is decided elsewhere.

mod sessions;
mod tokens;
mod users;

pub use sessions::SessionRow;
pub use tokens::TokenRow;
pub use users::{UserRow, UserUpdate};
