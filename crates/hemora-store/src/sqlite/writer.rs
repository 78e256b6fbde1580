//! The one thread that writes. Whoever waits while it commits is in the next commit, so that many
//! small writes cost one sync.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::{Connection, Error, ffi};

use crate::StoreError;

/// Writes that share one commit, at most.
const TOGETHER: usize = 256;

type Finish = Box<dyn FnOnce(Option<StoreError>)>;
type Work = Box<dyn FnOnce(Option<&Connection>) -> Finish + Send>;

enum Task {
    Write(Work),
    Checkpoint(Sender<Result<(), StoreError>>),
    Stop,
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    tasks: Sender<Task>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(connection: Connection) -> Result<Self, StoreError> {
        let (tasks, waiting) = channel();
        let thread = std::thread::Builder::new().name("hemora-database".to_owned());
        let thread = thread
            .spawn(move || run(&connection, &waiting))
            .map_err(|error| StoreError::io("the thread of the database".as_ref(), error))?;
        Ok(Self { tasks, thread: Mutex::new(Some(thread)) })
    }

    /// As [`super::Database::write`].
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = sync_channel(1);
        let work = move |connection: Option<&Connection>| -> Finish {
            let outcome = connection.map(|connection| in_savepoint(connection, work));
            Box::new(move |failed| {
                let outcome = match (outcome, failed) {
                    (Some(Err(error)), _) | (_, Some(error)) => Err(error),
                    (Some(outcome), None) => outcome,
                    (None, None) => Err(StoreError::Closed),
                };
                // Nobody waits any more if the receiver is gone.
                let _ = answer.send(outcome);
            })
        };
        self.tasks.send(Task::Write(Box::new(work))).map_err(|_| StoreError::Closed)?;
        answered.recv().map_err(|_| StoreError::Closed)?
    }

    /// As [`super::Database::write_later`].
    pub(super) fn write_later(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let work = move |connection: Option<&Connection>| -> Finish {
            // Nobody asks what came of it.
            let _ = connection.map(|connection| in_savepoint(connection, work));
            Box::new(|_| {})
        };
        self.tasks.send(Task::Write(Box::new(work))).map_err(|_| StoreError::Closed)
    }

    /// As [`super::Database::checkpoint`].
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        let (answer, answered) = channel();
        self.tasks.send(Task::Checkpoint(answer)).map_err(|_| StoreError::Closed)?;
        answered.recv().map_err(|_| StoreError::Closed)?
    }

    /// Ends the thread after what waits already.
    pub(super) fn stop(&self) {
        let _ = self.tasks.send(Task::Stop);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, waiting: &Receiver<Task>) {
    while let Ok(task) = waiting.recv() {
        let mut works = Vec::new();
        let mut next = Some(task);
        let mut after = None;
        while let Some(task) = next.take() {
            match task {
                Task::Write(work) => works.push(work),
                other => {
                    after = Some(other);
                    break;
                }
            }
            if works.len() < TOGETHER {
                next = waiting.try_recv().ok();
            }
        }
        if !works.is_empty() {
            write_together(connection, works);
        }
        match after {
            Some(Task::Checkpoint(answer)) => {
                let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                let _ = answer.send(done.map_err(StoreError::from));
            }
            Some(Task::Stop) => return,
            Some(Task::Write(_)) | None => {}
        }
    }
}

fn write_together(connection: &Connection, works: Vec<Work>) {
    let mut finishes = Vec::with_capacity(works.len());
    let mut failed = connection.execute_batch("BEGIN IMMEDIATE").err();
    for work in works {
        // Where a failure such as a full disk has ended the transaction, a savepoint would be one of
        // its own.
        if failed.is_none() && connection.is_autocommit() {
            failed = Some(rolled_back());
        }
        finishes.push(work(failed.is_none().then_some(connection)));
    }
    if failed.is_none() {
        failed = match connection.is_autocommit() {
            true => Some(rolled_back()),
            false => connection.execute_batch("COMMIT").err(),
        };
    }
    if failed.is_some() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for finish in finishes {
        finish(failed.as_ref().map(|error| StoreError::from(copy(error))));
    }
}

/// Runs one write so that its failure takes back what it did and nothing else.
fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT one")?;
    let outcome = work(connection);
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK TO one")?;
    }
    if !connection.is_autocommit() {
        connection.execute_batch("RELEASE one")?;
    }
    outcome
}

fn rolled_back() -> Error {
    let why = "the transaction ended with another write that failed".to_owned();
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ABORT), Some(why))
}

/// The same failure for each of those who shared a transaction.
fn copy(error: &Error) -> Error {
    match error {
        Error::SqliteFailure(code, text) => Error::SqliteFailure(*code, text.clone()),
        other => Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer() -> (tempfile::TempDir, Writer, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x UNIQUE)").unwrap();
        (folder, Writer::start(connection).unwrap(), path)
    }

    fn insert(writer: &Writer, x: i64) -> Result<usize, StoreError> {
        writer.write(move |connection| Ok(connection.execute("INSERT INTO t VALUES (?1)", [x])?))
    }

    #[test]
    fn a_write_that_fails_takes_nothing_of_others_with_it() {
        let (_folder, writer, path) = writer();
        insert(&writer, 1).unwrap();
        let outcomes: Vec<bool> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..40)
                .map(|x| {
                    scope.spawn({
                        let writer = &writer;
                        move || insert(writer, x / 2).is_ok()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        // Of 0 to 19 twice each, one of each pair, and neither of those that were there before.
        assert_eq!(outcomes.iter().filter(|it| **it).count(), 19);
        let half = writer.write(|connection| {
            connection.execute("INSERT INTO t VALUES (100)", [])?;
            connection.execute("INSERT INTO t VALUES (1)", [])?;
            Ok(())
        });
        assert!(half.is_err());
        writer.stop();
        assert!(matches!(insert(&writer, 200), Err(StoreError::Closed)));
        let connection = Connection::open(path).unwrap();
        let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM t"), 20);
        assert_eq!(count("SELECT count(*) FROM t WHERE x = 100"), 0);
    }

    #[test]
    fn a_transaction_that_ends_early_fails_for_all_who_share_it() {
        let (_folder, writer, _) = writer();
        let ended = writer.write(|connection| Ok(connection.execute_batch("ROLLBACK")?));
        assert!(ended.is_err());
        // The writer lives on.
        assert_eq!(insert(&writer, 1).unwrap(), 1);
    }
}
