//! Jobs that wait for object storage, done beside work that does not.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::PlaceError;

type Job<'env> = Box<dyn FnOnce() -> Result<(), PlaceError> + Send + 'env>;

/// Takes jobs, such as uploads, which threads of their own do.
pub struct Beside<'env, 'run> {
    jobs: SyncSender<Job<'env>>,
    failed: &'run Mutex<Option<PlaceError>>,
}

impl<'env> Beside<'env, '_> {
    /// Hands over a job. As many jobs wait as are done at the same time; while there are more this waits. When
    /// one has failed, no further one is begun.
    pub fn push(&self, job: impl FnOnce() -> Result<(), PlaceError> + Send + 'env) {
        // The threads end before this does only by a panic, which ends the run.
        let _ = self.jobs.send(Box::new(job));
    }

    /// Whether a job has failed, so that what is left to do is in vain.
    pub fn has_failed(&self) -> bool {
        lock(self.failed).is_some()
    }
}

/// Runs `work`, which hands jobs to its [`Beside`], and waits for all of them; `at_work` are done at the same
/// time.
///
/// # Errors
/// Why the first job failed that did, whatever `work` returned.
pub fn beside<'env, T>(
    at_work: usize,
    work: impl FnOnce(&Beside<'env, '_>) -> T,
) -> Result<T, PlaceError> {
    let (jobs, queue) = sync_channel::<Job<'env>>(at_work);
    let (queue, failed) = (Mutex::new(queue), Mutex::new(None));
    let next = || lock(&queue).recv().ok();
    let do_jobs = || {
        while let Some(job) = next() {
            if lock(&failed).is_some() {
                continue;
            }
            if let Err(error) = job() {
                lock(&failed).get_or_insert(error);
            }
        }
    };
    let done = thread::scope(|scope| {
        for _ in 0..at_work {
            scope.spawn(do_jobs);
        }
        work(&Beside { jobs, failed: &failed })
    });
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(done),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn jobs_are_done_at_the_same_time_and_all_of_them() {
        let (together, done) = (Barrier::new(4), AtomicUsize::new(0));
        let said = beside(4, |jobs| {
            for _ in 0..40 {
                jobs.push(|| {
                    together.wait();
                    done.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                });
            }
            "all were handed over"
        });
        assert_eq!(said.unwrap(), "all were handed over");
        assert_eq!(done.into_inner(), 40);
    }

    #[test]
    fn the_first_failure_ends_the_work_and_is_told() {
        let done = AtomicUsize::new(0);
        let fail = |reason| PlaceError::BadName { name: "a".to_owned(), reason };
        let failed = beside(1, |jobs| {
            jobs.push(|| Err(fail("the first")));
            while !jobs.has_failed() {
                thread::yield_now();
            }
            for _ in 0..5 {
                jobs.push(|| {
                    done.fetch_add(1, Ordering::Relaxed);
                    Err(fail("another"))
                });
            }
        });
        assert!(failed.unwrap_err().to_string().contains("the first"));
        assert_eq!(done.into_inner(), 0);
    }
}
