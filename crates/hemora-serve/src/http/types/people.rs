//! Users, sessions, tokens and the audit.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads studies and says what they hold of them.
    Reader,
    /// Also sees the node's state, sends again and scores again.
    ImagingTeam,
    /// Also makes users, sets thresholds and reads the audit.
    Administrator,
}

impl Role {
    /// Every role, the lowest first.
    pub const ALL: [Self; 3] = [Self::Reader, Self::ImagingTeam, Self::Administrator];

    /// As it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::ImagingTeam => "imaging-team",
            Self::Administrator => "administrator",
        }
    }

    /// The role of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// Name and password.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Name of the user.
    pub name: String,
    /// Password.
    pub password: String,
}

/// The first administrator, made with the link that the node printed as it started.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAdministrator {
    /// What stands behind `#setup=` in the link.
    pub setup: String,
    /// Name of the administrator.
    pub name: String,
    /// Password, at least 12 characters.
    pub password: String,
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Session {
    /// Name of the user.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether there is a login at all; without one everybody at this machine is an administrator.
    pub login: bool,
    /// Whether a proxy says who the user is: then there is no password here and no logout.
    pub by_proxy: bool,
    /// When the session ends, whatever happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// After so many seconds without a request it ends before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_seconds: Option<u64>,
}

/// A new password of whoever asks.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The password until now.
    pub old: String,
    /// The new one, at least 12 characters.
    pub new: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct User {
    /// Name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Whether they may not log in any more.
    pub disabled: bool,
    /// When they were made.
    pub created_at: DateTime<Utc>,
    /// When they were last seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<DateTime<Utc>>,
}

/// A user to be made.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Name: 1 to 64 letters, digits and `.-_@`.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// First password, at least 12 characters.
    pub password: String,
}

/// What changes of a user; what is absent stays. A change ends the sessions of the user.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// What they may do.
    #[serde(default)]
    pub role: Option<Role>,
    /// Whether they may not log in.
    #[serde(default)]
    pub disabled: Option<bool>,
    /// A new password, at least 12 characters.
    #[serde(default)]
    pub password: Option<String>,
}

/// What a program may do with a token.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Reads `/metrics`, and nothing else.
    Metrics,
    /// Reads the list, studies, results and images.
    Read,
    /// Also scores again and sends again.
    Operate,
}

impl Scope {
    /// Every scope, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Metrics, Self::Read, Self::Operate];

    /// As it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Read => "read",
            Self::Operate => "operate",
        }
    }

    /// The scope of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A token of a program.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Token {
    /// Number.
    pub id: i64,
    /// Name, under which the audit notes what the program does.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A token to be made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Name: 1 to 64 letters, digits and `.-_@`.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
}

/// A token that was made. It is shown once, and sent as `Authorization: Bearer TOKEN`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MadeToken {
    /// What is known of it.
    pub token: Token,
    /// The token itself.
    pub secret: String,
}

/// A page of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AuditPage {
    /// Rows, newest first.
    pub rows: Vec<AuditEntry>,
    /// Give this as `before` for older ones; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AuditEntry {
    /// Number, from 1 without gaps.
    pub n: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// User, token, AE title or part of the program.
    pub who: String,
    /// What was done.
    pub what: String,
    /// StudyInstanceUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study: Option<String>,
    /// More of it.
    pub detail: String,
    /// SHA-256 of the row and the hash before it, hexadecimal.
    pub hash: String,
}

/// Whether the audit is what was written.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct AuditVerified {
    /// Rows that were checked.
    pub rows: u64,
    /// What is wrong; absent if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
