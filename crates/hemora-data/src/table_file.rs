//! The bytes of a table: a file, or what came through a pipe, which can be read once only.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hemora_io::is_object;
use hemora_objects::{Mirror, PlaceError};

/// Most bytes of a table from a pipe, which is held in memory.
const MAX_PIPED: u64 = 1 << 30;

/// The bytes of a table.
#[derive(Debug)]
pub enum TableFile {
    /// A file.
    Disk(File),
    /// What came through a pipe.
    Piped(Cursor<Arc<[u8]>>),
}

impl Read for TableFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Disk(file) => file.read(buffer),
            Self::Piped(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for TableFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self {
            Self::Disk(file) => file.seek(to),
            Self::Piped(bytes) => bytes.seek(to),
        }
    }
}

/// What came through each pipe: a table is opened several times, to hash, to tell its kind and to
/// read it, and a pipe gives its bytes once.
static PIPED: Mutex<Option<HashMap<PathBuf, Arc<[u8]>>>> = Mutex::new(None);

/// Opens a table: a file, or a pipe such as `/dev/stdin` or a shell's `<(…)`, which is read to its
/// end the first time and held in memory until the process ends; or an object, of which a temporary copy is made.
///
/// # Errors
/// Those of the operating system or object storage, and a pipe with more than 1 GiB.
pub fn open_table(path: &Path) -> io::Result<TableFile> {
    if is_object(path) {
        return fetched(path);
    }
    let piped = |bytes: &Arc<[u8]>| Ok(TableFile::Piped(Cursor::new(bytes.clone())));
    let mut known = PIPED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(bytes) = known.get(path) {
        return piped(bytes);
    }
    let mut file = File::open(path)?;
    let kind = file.metadata()?.file_type();
    // A folder is no table either, which reading it tells.
    if kind.is_file() || kind.is_dir() {
        return Ok(TableFile::Disk(file));
    }
    let mut bytes = Vec::new();
    (&mut file).take(MAX_PIPED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PIPED {
        let reason = "the pipe gives more than 1 GiB; write the table to a file";
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    piped(known.entry(path.to_owned()).or_insert(bytes.into()))
}

/// A copy of an object, which is gone when it is closed.
fn fetched(path: &Path) -> io::Result<TableFile> {
    let failed = |error: PlaceError| {
        // Whoever opens the table names it.
        let text = error.to_string();
        let reason = text.strip_prefix(&format!("{}: ", path.display())).unwrap_or(&text);
        io::Error::other(reason.to_owned())
    };
    let copy = Mirror::of_file(path).map_err(failed)?;
    copy.need(copy.path()).map_err(failed)?;
    File::open(copy.path()).map(TableFile::Disk)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_may_be_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::write(pipe, "id,any\na,1\n").unwrap()
        });
        for _ in 0..3 {
            let mut text = String::new();
            open_table(&pipe).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "id,any\na,1\n");
        }
        writer.join().unwrap();
        assert!(matches!(open_table(folder.path()), Ok(TableFile::Disk(_))));
        assert!(open_table(&folder.path().join("none")).is_err());
    }
}
