//! A connection and its transactions.

use crate::StoreError;
use crate::sql::Connection;

/// A connection to a database.
pub(crate) enum Session {
    /// To SQLite.
    Sqlite(rusqlite::Connection),
    /// To PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(Box<crate::postgres::Session>),
}

impl Session {
    /// What statements are run on.
    pub(crate) fn connection(&self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => Connection::Postgres(session),
        }
    }

    /// Begins a transaction that writes: from here to its end nobody else does.
    pub(super) fn begin_writing(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch("BEGIN IMMEDIATE")?),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.begin_writing(),
        }
    }

    /// Begins a transaction that reads: it sees one state of the database.
    pub(super) fn begin_reading(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch("BEGIN")?),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.begin_reading(),
        }
    }

    /// Runs statements that have neither parameters nor answers.
    pub(super) fn run(&self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.run(sql),
        }
    }

    /// Ends a transaction: what it wrote lasts.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch("COMMIT")?),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.commit(),
        }
    }

    /// Whether a transaction has begun and not ended, by itself or otherwise.
    pub(super) fn in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(connection) => !connection.is_autocommit(),
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.in_transaction(),
        }
    }

    /// Leaves nothing in a log that this node looks after.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => {
                Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Whether it is of no use any more.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(session) => session.is_lost(),
        }
    }
}
