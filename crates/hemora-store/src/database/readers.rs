//! Connections that read, apart from the one that writes.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::Session;
use crate::StoreError;
use crate::sql::Connection;
use crate::sqlite::connect_to_read;

/// Connections that wait for the next reader.
const IDLE: usize = 4;

/// Where connections come from.
#[derive(Debug)]
pub(super) enum Source {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    #[cfg(feature = "postgres")]
    Postgres(Box<crate::postgres::Server>),
}

/// Connections that read.
pub(super) struct Readers {
    source: Source,
    idle: Mutex<Vec<Session>>,
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Readers").field("source", &self.source).finish_non_exhaustive()
    }
}

impl Readers {
    pub(super) fn new(source: Source) -> Self {
        Self { source, idle: Mutex::default() }
    }

    /// Reads from one state of the database.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let session = self.begin()?;
        let outcome = work(&session.connection());
        if session.in_transaction() {
            session.run("ROLLBACK")?;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE && !session.is_lost() {
            idle.push(session);
        }
        outcome
    }

    /// A connection with a transaction that has begun.
    fn begin(&self) -> Result<Session, StoreError> {
        loop {
            let waiting = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let is_new = waiting.is_none();
            let session = match waiting {
                Some(session) => session,
                None => self.connect()?,
            };
            match session.begin_reading() {
                Ok(()) => return Ok(session),
                // A connection that waited may have been lost meanwhile, and may not know it yet.
                Err(_) if !is_new => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn connect(&self) -> Result<Session, StoreError> {
        match &self.source {
            Source::Sqlite(path) => Ok(Session::Sqlite(connect_to_read(path)?)),
            #[cfg(feature = "postgres")]
            Source::Postgres(server) => Ok(Session::Postgres(Box::new(server.connect()?))),
        }
    }
}
