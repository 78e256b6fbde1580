//! One set of statements for every database: values, rows and connections that know no dialect.
//!
//! Statements are written for SQLite, in words that PostgreSQL has too, with parameters `?1`, `?2`, …; what
//! differs ([`Connection`]) is translated in one place. Truth is stored as 0 and 1, time as milliseconds, and
//! the name `user` is quoted, which is a word of PostgreSQL's own.

mod connection;
mod row;
mod value;

pub(crate) use connection::Connection;
pub(crate) use row::Row;
#[cfg(feature = "postgres")]
pub(crate) use value::Kind;
pub(crate) use value::{Parameter, Value, params};
