//! Passwords: argon2id, a few at once.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

/// Passwords that are hashed at once: each takes 19 MiB and a core for some hundredths of a second.
const AT_ONCE: usize = 2;

/// Requests that may wait for that; more are sent away.
const WAITING: usize = 64;

/// The hash of a password that nobody has, for names that nobody has: both take the same time.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes passwords where it holds nobody up.
pub(crate) struct Passwords {
    at_once: Arc<Semaphore>,
    waiting: Semaphore,
}

/// Too many wait for their password to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

impl Default for Passwords {
    fn default() -> Self {
        Self { at_once: Arc::new(Semaphore::new(AT_ONCE)), waiting: Semaphore::new(WAITING) }
    }
}

impl Passwords {
    /// Runs work that hashes a password, when it is its turn.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let _waits = self.waiting.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| Busy)?;
        // The turn goes with the work, which goes on where its request was given up.
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        worked.await.map_err(|_| Busy)
    }
}

/// The hash of a password, to be kept: argon2id with a random salt, 19 MiB and two passes (OWASP Password
/// Storage Cheat Sheet). Slow: within [`Passwords::in_turn`].
///
/// # Errors
/// What the library says.
pub(crate) fn hash(password: &str) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| format!("the password is not hashed: {error}"))
}

/// Whether a password is that of `hash`; without one the answer is no and takes as long. Slow: within
/// [`Passwords::in_turn`].
pub(crate) fn verify(hash: Option<&str>, password: &str) -> bool {
    let Ok(known) = PasswordHash::new(hash.unwrap_or(NOBODY)) else { return false };
    let same = Argon2::default().verify_password(password.as_bytes(), &known).is_ok();
    same && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_its_own_and_no_other() {
        let one = hash("correct horse").unwrap();
        assert!(one.starts_with("$argon2id$"), "{one}");
        assert_ne!(one, hash("correct horse").unwrap(), "each has its salt");
        assert!(verify(Some(&one), "correct horse"));
        assert!(!verify(Some(&one), "correct horsf"));
        assert!(!verify(None, "correct horse"));
        assert!(!verify(Some("no hash"), "correct horse"));
    }

    #[test]
    fn nobody_costs_what_somebody_costs() {
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cost(NOBODY), cost(&hash("correct horse").unwrap()));
        let nobody = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(nobody.hash.unwrap().len(), 32);
    }

    #[test]
    fn two_at_once_and_no_more_than_some_wait() {
        let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
        runtime.block_on(async {
            let passwords = Arc::new(Passwords::default());
            let (begun, seen) = std::sync::mpsc::channel();
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let wait = Arc::new(std::sync::Mutex::new(wait));
            let mut all = Vec::new();
            for _ in 0..WAITING {
                let (passwords, begun, wait) =
                    (Arc::clone(&passwords), begun.clone(), Arc::clone(&wait));
                all.push(tokio::spawn(async move {
                    let work = move || {
                        begun.send(()).unwrap();
                        let _ = wait.lock().unwrap().recv();
                    };
                    passwords.in_turn(work).await
                }));
            }
            seen.recv().unwrap();
            seen.recv().unwrap();
            while passwords.waiting.available_permits() > 0 {
                tokio::task::yield_now().await;
            }
            assert!(seen.try_recv().is_err(), "the third waits");
            assert_eq!(passwords.in_turn(|| ()).await, Err(Busy));
            drop(go);
            for task in all {
                assert_eq!(task.await.unwrap(), Ok(()));
            }
        });
    }
}
