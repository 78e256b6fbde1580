//! The link of the first start, with which the first administrator is made.

use std::sync::{Mutex, PoisonError};

use super::secret::{fresh, hash_of};

/// The link, while there are no users.
#[derive(Debug, Default)]
pub(crate) struct FirstLink {
    /// SHA-256 of the secret in it.
    secret: Mutex<Option<[u8; 32]>>,
}

impl FirstLink {
    /// Makes the link; one that was made before ends. `base` is where people reach the node.
    pub(crate) fn make(&self, base: &str) -> String {
        let secret = fresh();
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = Some(hash_of(&secret));
        // A fragment is not sent to the node or a proxy, and so is in no log of theirs.
        format!("{}/login#setup={secret}", base.trim_end_matches('/'))
    }

    /// Whether `secret` is that of the link. Hashes are compared: how long that takes says nothing about
    /// the secret.
    pub(crate) fn is(&self, secret: &str) -> bool {
        let known = self.secret.lock().unwrap_or_else(PoisonError::into_inner);
        known.is_some_and(|known| known == hash_of(secret))
    }

    /// Ends the link.
    pub(crate) fn end(&self) {
        *self.secret.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_link_works_and_it_ends() {
        let first = FirstLink::default();
        assert!(!first.is(""), "no link was made");
        let secret = |link: String| link.split_once("#setup=").unwrap().1.to_owned();
        let old = secret(first.make("http://127.0.0.1:8050"));
        let link = first.make("https://ich.example/");
        assert!(link.starts_with("https://ich.example/login#setup="), "{link}");
        let new = secret(link);
        assert!(first.is(&new) && !first.is(&old) && !first.is(""));
        first.end();
        assert!(!first.is(&new));
    }
}
