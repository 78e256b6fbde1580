//! A bucket and the client that asks for it. All clients share a runtime of two threads.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use object_store::aws::AmazonS3;
use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;
use super::variables::Variables;
use crate::PlaceError;

/// Threads that move bytes; whoever calls waits.
const THREADS: usize = 2;

/// A bucket. Nothing of it is shown but its name: the rest may hold secrets.
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) endpoint: String,
    pub(super) store: AmazonS3,
    variables: Variables,
    says_who: OnceLock<bool>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "bucket {}", self.name)
    }
}

impl Bucket {
    /// The bucket as the environment's variables have it: the same client for all that ask.
    pub(super) fn of_environment(name: &str) -> Result<Arc<Self>, PlaceError> {
        static KNOWN: Mutex<Option<HashMap<String, Arc<Bucket>>>> = Mutex::new(None);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        if let Some(bucket) = known.get(name) {
            return Ok(Arc::clone(bucket));
        }
        let bucket = Arc::new(Self::new(name, Variables::of_environment())?);
        known.insert(name.to_owned(), Arc::clone(&bucket));
        Ok(bucket)
    }

    pub(super) fn new(name: &str, variables: Variables) -> Result<Self, PlaceError> {
        // The client takes its TLS from the program; where the program has chosen, that counts.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = variables.client(name)?;
        let endpoint = variables.endpoint();
        Ok(Self { name: name.to_owned(), endpoint, store, variables, says_who: OnceLock::new() })
    }

    /// Waits for what `ask` asks of the object `url`.
    pub(super) fn wait<T>(
        &self,
        url: &str,
        ask: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, PlaceError> {
        if !self.says_who.get_or_init(|| self.variables.somebody_says_who()) {
            return Err(PlaceError::NoCredentials { object: url.to_owned() });
        }
        let runtime = runtime().map_err(|error| PlaceError::File {
            path: Path::new("threads for object storage").to_owned(),
            error,
        })?;
        runtime.block_on(ask).map_err(|failure| failure.of(self, url))
    }
}

fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let mut builder = Builder::new_multi_thread();
    let made = builder.worker_threads(THREADS).thread_name("objects").enable_all().build()?;
    // Of two that were made at the same time one is given up.
    Ok(RUNTIME.get_or_init(|| made))
}
