//! The one thread that writes. Whoever waits while it commits is in the next commit, so that many
//! small writes cost one sync.

use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use super::Session;
use crate::StoreError;
use crate::sql::Connection;

/// Writes that share one commit, at most.
const TOGETHER: usize = 256;

type Finish = Box<dyn FnOnce(Option<StoreError>)>;
type Work = Box<dyn FnOnce(Option<&Session>) -> Finish + Send>;

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
    pub(super) fn start(session: Session) -> Result<Self, StoreError> {
        let (tasks, waiting) = channel();
        let thread = std::thread::Builder::new().name("hemora-database".to_owned());
        let thread = thread
            .spawn(move || run(&session, &waiting))
            .map_err(|error| StoreError::io("the thread of the database".as_ref(), error))?;
        Ok(Self { tasks, thread: Mutex::new(Some(thread)) })
    }

    /// As [`super::Database::write`].
    pub(super) fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = sync_channel(1);
        let work = move |session: Option<&Session>| -> Finish {
            let outcome = session.map(|session| in_savepoint(session, work));
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
        work: impl FnOnce(&Connection<'_>) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let work = move |session: Option<&Session>| -> Finish {
            // Nobody asks what came of it.
            let _ = session.map(|session| in_savepoint(session, work));
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

fn run(session: &Session, waiting: &Receiver<Task>) {
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
            write_together(session, works);
        }
        match after {
            Some(Task::Checkpoint(answer)) => {
                let _ = answer.send(session.checkpoint());
            }
            Some(Task::Stop) => return,
            Some(Task::Write(_)) | None => {}
        }
    }
}

fn write_together(session: &Session, works: Vec<Work>) {
    let mut finishes = Vec::with_capacity(works.len());
    let mut failed = session.begin_writing().err();
    for work in works {
        // Where a failure such as a full disk has ended the transaction, a savepoint would be one of
        // its own.
        if failed.is_none() && !session.in_transaction() {
            failed = Some(rolled_back());
        }
        finishes.push(work(failed.is_none().then_some(session)));
    }
    if failed.is_none() {
        failed = match session.in_transaction() {
            false => Some(rolled_back()),
            true => session.commit().err(),
        };
    }
    if failed.is_some() && session.in_transaction() {
        let _ = session.run("ROLLBACK");
    }
    for finish in finishes {
        finish(failed.as_ref().map(copy));
    }
}

/// Runs one write so that its failure takes back what it did and nothing else.
fn in_savepoint<T>(
    session: &Session,
    work: impl FnOnce(&Connection<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    session.run("SAVEPOINT one")?;
    let outcome = work(&session.connection());
    if outcome.is_err() && session.in_transaction() {
        session.run("ROLLBACK TO one")?;
    }
    if session.in_transaction() {
        session.run("RELEASE one")?;
    }
    outcome
}

fn rolled_back() -> StoreError {
    StoreError::Database("the transaction ended with another write that failed".to_owned())
}

/// The same failure for each of those who shared a transaction.
fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full { free, reserve } => StoreError::Full { free: *free, reserve: *reserve },
        StoreError::Database(problem) => StoreError::Database(problem.clone()),
        other => StoreError::Database(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::sql::params;

    fn writer() -> (tempfile::TempDir, Writer, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x UNIQUE)").unwrap();
        (folder, Writer::start(Session::Sqlite(connection)).unwrap(), path)
    }

    fn insert(writer: &Writer, x: i64) -> Result<u64, StoreError> {
        writer.write(move |connection| connection.execute("INSERT INTO t VALUES (?1)", [x]))
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
            connection.execute("INSERT INTO t VALUES (?1)", [100_i64])?;
            connection.execute("INSERT INTO t VALUES (?1)", [1_i64])?;
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
        let ended = writer.write(|connection| connection.execute("ROLLBACK", params![]));
        assert!(ended.is_err());
        // The writer lives on.
        assert_eq!(insert(&writer, 1).unwrap(), 1);
    }
}
