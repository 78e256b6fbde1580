//! Files, folders and zip archives to studies.

use std::path::PathBuf;

use crate::{ReadError, Source, Study};

/// A file that was not used, and why.
#[derive(Debug)]
pub struct Skipped {
    /// The file or entry.
    pub source: Source,
    /// Why.
    pub reason: ReadError,
}

/// Everything found under some paths.
#[derive(Debug, Default)]
pub struct Collection {
    /// Studies in the order of their UIDs.
    pub studies: Vec<Study>,
    /// What was not used, in the order of the sources.
    pub skipped: Vec<Skipped>,
}

/// Reads the headers below `paths` (files, folders, zip archives) on all cores and groups them.
/// `progress(done, total)` is called from any thread.
///
/// Never fails as a whole: what cannot be used is in [`Collection::skipped`].
pub fn collect(_paths: &[PathBuf], _progress: &(dyn Fn(usize, usize) + Sync)) -> Collection {
    unimplemented!()
}
