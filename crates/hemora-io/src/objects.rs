//! Files in object storage: a path that is a URL, `s3://bucket/key`, wherever a path is expected.

use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use hemora_objects::{Listed, Object, Place, PlaceError, is_object_url, split_object_url};

use crate::cache::Cache;
use crate::source::MAX_BYTES;
use crate::{ReadError, Source};

/// Objects that are read at the same time: whoever reads one waits for the network most of the time.
const AT_WORK: usize = 16;
/// Objects of a series that are fetched while the one before them is worked on.
pub(crate) const AHEAD: usize = 8;
/// Most bytes of objects that were fetched and not given up yet.
const KEPT_BYTES: u64 = 64 << 20;
/// Bytes of the first piece of an object whose header is read; few headers are longer.
const FIRST_PIECE: usize = 64 << 10;

/// Whether a path is the URL of an object, or of all objects below a prefix.
pub fn is_object(path: &Path) -> bool {
    path.to_str().is_some_and(is_object_url)
}

/// By what a file or an object is told from an earlier version of it without being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    /// Bytes.
    pub size: u64,
    /// When it was last written; `None` where nobody keeps that.
    pub modified: Option<SystemTime>,
}

impl FileState {
    /// That of a file on disk, or of an object, as it is now.
    ///
    /// # Errors
    /// What the operating system or the object storage reports.
    pub fn of(path: &Path) -> io::Result<Self> {
        if !is_object(path) {
            let metadata = std::fs::metadata(path)?;
            return Ok(Self { size: metadata.len(), modified: metadata.modified().ok() });
        }
        let (place, key) = place_of(path).map_err(io::Error::other)?;
        let found = place.look_up(&key).map_err(io::Error::other)?;
        let found =
            found.ok_or_else(|| io::Error::new(ErrorKind::NotFound, "there is no such object"))?;
        Ok(Self::listed(&found))
    }

    fn listed(listed: &Listed) -> Self {
        Self { size: listed.size, modified: listed.modified }
    }
}

/// The bucket of a URL, and the key.
fn place_of(path: &Path) -> Result<(Place, String), PlaceError> {
    let text = path.to_str().unwrap_or_default();
    let (bucket, key) = split_object_url(text)?;
    Ok((Place::parse(&format!("s3://{bucket}"))?, key.to_owned()))
}

/// An error of object storage as that of the file `path`, which the caller names.
fn refused(path: &Path) -> impl FnOnce(PlaceError) -> ReadError {
    let named = format!("{}: ", path.display());
    move |error| {
        let text = error.to_string();
        ReadError::Object(text.strip_prefix(&named).unwrap_or(&text).to_owned())
    }
}

/// All bytes of an object, up to the limit for a file.
pub(crate) fn read_object(path: &Path) -> Result<Vec<u8>, ReadError> {
    let read = place_of(path).and_then(|(place, key)| place.read(&key, MAX_BYTES));
    match read {
        Err(PlaceError::TooLarge { .. }) => Err(ReadError::TooLarge { limit: MAX_BYTES }),
        read => read.map_err(refused(path))?.ok_or(ReadError::Missing),
    }
}

/// Opens an object, of which only what is read is fetched, and hands it over with its size.
pub(crate) fn with_object<T>(
    path: &Path,
    read: impl FnOnce(&mut dyn Read, u64) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let opened = place_of(path).and_then(|(place, key)| place.open(&key, FIRST_PIECE));
    let mut object: Object = opened.map_err(refused(path))?.ok_or(ReadError::Missing)?;
    let size = object.size();
    if size > MAX_BYTES {
        return Err(ReadError::TooLarge { limit: MAX_BYTES });
    }
    read(&mut object, size)
}

/// What a URL names.
pub(crate) enum Found {
    /// An object of just this name.
    Object(FileState),
    /// The objects below it, with their paths and their names below it.
    Below(Vec<(PathBuf, String, FileState)>),
}

/// Looks for the object that a URL names, else for those below it. A URL that ends in `/` names no object.
pub(crate) fn find(path: &Path) -> Result<Found, ReadError> {
    let (place, key) = place_of(path).map_err(refused(path))?;
    let is_folder = key.is_empty() || path.to_str().is_some_and(|text| text.ends_with('/'));
    if !is_folder && let Some(found) = place.look_up(&key).map_err(refused(path))? {
        return Ok(Found::Object(FileState::listed(&found)));
    }
    let listed = place.list(&key).map_err(refused(path))?;
    match (listed.is_empty(), key.is_empty()) {
        (true, true) => return Err(ReadError::Empty),
        (true, false) => return Err(ReadError::Missing),
        (false, _) => {}
    }
    let below = listed.into_iter().map(|entry| {
        let state = FileState::listed(&entry);
        let name = entry.name.strip_prefix(&key).unwrap_or(&entry.name).trim_start_matches('/');
        (PathBuf::from(place.full_name(&entry.name)), name.to_owned(), state)
    });
    Ok(Found::Below(below.collect()))
}

/// Runs `work`, which reads these sources on all cores, on more threads than there are cores if objects are
/// among them.
pub fn with_readers<T: Send>(sources: &[Source], work: impl FnOnce() -> T + Send) -> T {
    if !sources.iter().any(|source| is_object(source.file())) {
        return work();
    }
    let threads = rayon::current_num_threads().max(AT_WORK);
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(work),
        // A system that gives no more threads has those that are there.
        Err(_) => work(),
    }
}

/// Objects that are fetched before they are asked for: those that were last, up to a number of bytes.
#[derive(Debug)]
pub(crate) struct Ahead(Cache<PathBuf, Vec<u8>>);

impl Default for Ahead {
    fn default() -> Self {
        Self(Cache::new(KEPT_BYTES))
    }
}

impl Ahead {
    /// The bytes of an object. One that is being fetched is waited for.
    pub(crate) fn bytes(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        Ok(self.get(path)?.to_vec())
    }

    fn get(&self, path: &Path) -> Result<Arc<Vec<u8>>, ReadError> {
        self.0.get(&path.to_owned(), 0, || {
            let bytes = read_object(path)?;
            let size = bytes.len() as u64;
            Ok((bytes, size))
        })
    }

    /// Begins to fetch an object on a thread that waits for nothing else.
    pub(crate) fn fetch(ahead: &Arc<Self>, path: &Path) {
        static THREADS: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
        let made = || rayon::ThreadPoolBuilder::new().num_threads(AHEAD).build().ok();
        if let Some(threads) = THREADS.get_or_init(made) {
            let (ahead, path) = (Arc::clone(ahead), path.to_owned());
            // An error is told to whoever asks for the object, who tries again.
            threads.spawn(move || drop(ahead.get(&path)));
        }
    }
}
