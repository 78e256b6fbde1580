//! What triage can start from.

use std::path::PathBuf;
use std::sync::Arc;

use hemora_io::Collection;

/// What triage can start from.
#[derive(Debug)]
#[non_exhaustive]
pub enum TriageInput<'a> {
    /// Files, folders (with all folders below) and zip archives on disk, in any order.
    Paths(Vec<PathBuf>),
    /// Files in memory, each with its name, which messages and the result show. Zip archives among
    /// them are not opened.
    Files(Vec<(String, Arc<[u8]>)>),
    /// Studies whose headers were read before.
    Collection(&'a Collection),
}
