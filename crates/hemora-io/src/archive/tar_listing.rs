//! What a tar archive holds. Damage costs the entry that it is in: the next header is looked for.

use std::io::{self, Read};
use std::path::Path;

use tar::{EntryType, Header, PaxExtensions};

use super::Listed;
use super::tar::{BLOCK, MAX_INFLATED, Stream, entry_name, is_header};
use crate::ReadError;

/// Most entries of an archive, and most bytes that their names take together.
const MAX_ENTRIES: usize = 1 << 20;
const MAX_NAMES: usize = 64 << 20;
/// Longest name of an entry, and of what stands before an entry, bytes.
const MAX_NAME: usize = 4096;
const MAX_EXTENSION: u64 = 1 << 20;
/// How often entries are looked for again: what is in gzip is inflated from its beginning for it.
const MAX_RESCUES: usize = 16;

/// The files of an archive in their order, each with why it is not to be read, if so.
pub(super) fn entries(path: &Path) -> Result<Vec<Listed>, ReadError> {
    let mut listing = Listing::default();
    let mut stream = Stream::open(path)?;
    // An entry that claims too many bytes hides those behind it: they are looked for from where its own
    // begin.
    while let Some(from) = listing.walk(&mut stream) {
        stream = Stream::open(path)?;
        if stream.skip(from).is_err() {
            break;
        }
        (listing.is_lost, listing.rescues) = (true, listing.rescues + 1);
    }
    match listing.files.pop() {
        // Nothing but damage: the archive as a whole cannot be read.
        Some(Listed { problem: Some(problem), .. }) if listing.headers == 0 => Err(problem),
        last => {
            listing.files.extend(last);
            Ok(listing.files)
        }
    }
}

#[derive(Debug, Default)]
struct Listing {
    files: Vec<Listed>,
    headers: usize,
    /// Bytes of all names.
    names: usize,
    /// Whether nobody knows where the next header is.
    is_lost: bool,
    /// Where the bytes of the last entry begin.
    last: Option<u64>,
    rescues: usize,
    /// What stands before the next entry: its name, and its size.
    next_name: Option<String>,
    next_size: Option<u64>,
}

impl Listing {
    /// Lists to the end, or to where no entry is where one should be: then the bytes of the last
    /// entry begin at what is returned.
    fn walk(&mut self, stream: &mut Stream) -> Option<u64> {
        let mut zeros = 0;
        while self.files.len() < MAX_ENTRIES && self.names < MAX_NAMES {
            let at = stream.position();
            let block = match stream.block() {
                Ok(Some(block)) => block,
                Ok(None) if stream.is_over() => {
                    let limit = MAX_INFLATED >> 30;
                    self.fail(at, format!("it inflates to more than {limit} GiB"));
                    return None;
                }
                Ok(None) => {
                    if zeros == 0 && !self.is_lost {
                        self.fail(at, "its end is missing, and entries may be".to_owned());
                    }
                    return None;
                }
                Err(error) => {
                    self.fail(at, format!("it cannot be inflated further: {error}"));
                    return None;
                }
            };
            // Two blocks of zeros are the end, where no entry is being looked for.
            if block.iter().all(|&byte| byte == 0) {
                zeros += usize::from(!self.is_lost);
                if zeros == 2 {
                    // The checksum of gzip is behind the end.
                    if let Err(error) = stream.skip(u64::MAX) {
                        self.fail(at, format!("it cannot be inflated further: {error}"));
                    }
                    return None;
                }
                continue;
            }
            zeros = 0;
            if !is_header(&block) {
                if !self.is_lost {
                    self.fail(at, "no entry begins where one should".to_owned());
                    self.is_lost = true;
                    if let Some(from) = self.go_back() {
                        return Some(from);
                    }
                }
                continue;
            }
            self.is_lost = false;
            self.headers += 1;
            self.last = Some(at + BLOCK);
            match self.entry(at, Header::from_byte_slice(&block), stream) {
                Ok(true) => {}
                Ok(false) if stream.is_over() => {}
                Ok(false) => return self.go_back(),
                Err(error) => {
                    self.fail(at, format!("it cannot be inflated further: {error}"));
                    return None;
                }
            }
        }
        self.fail(stream.position(), "it has more entries than are read".to_owned());
        None
    }

    /// Where the bytes of the last entry begin, if it may be gone back to.
    fn go_back(&mut self) -> Option<u64> {
        self.last.take().filter(|_| self.rescues < MAX_RESCUES)
    }

    /// Passes over what is no file. Whether it is all there.
    fn pass(&mut self, at: u64, stream: &mut Stream, bytes: u64) -> io::Result<bool> {
        let is_whole = stream.skip(bytes)? == bytes;
        if !is_whole {
            self.fail(at, "it ends inside of an entry".to_owned());
        }
        Ok(is_whole)
    }

    /// Takes an entry in and passes over it. Whether its bytes are all there.
    fn entry(&mut self, at: u64, header: &Header, stream: &mut Stream) -> io::Result<bool> {
        let kind = header.entry_type();
        let size = match (kind, self.next_size.take(), header.entry_size()) {
            // They have none, whatever they claim.
            (EntryType::Symlink | EntryType::Directory, ..) => 0,
            (EntryType::Char | EntryType::Block | EntryType::Fifo, ..) => 0,
            (_, Some(size), _) | (_, None, Ok(size)) => size,
            (_, None, Err(error)) => {
                self.fail(at, error.to_string());
                self.is_lost = true;
                return Ok(true);
            }
        };
        let mut left = size.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
        match kind {
            EntryType::GNULongName | EntryType::XHeader if size <= MAX_EXTENSION => {
                let mut content = Vec::new();
                stream.take(size).read_to_end(&mut content)?;
                left -= content.len() as u64;
                if kind == EntryType::GNULongName {
                    self.next_name = Some(entry_name(&content));
                } else {
                    self.extend(&content);
                }
                return self.pass(at, stream, left);
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            _ => {
                self.next_name = None;
                return self.pass(at, stream, left);
            }
        }
        let name = self.next_name.take().unwrap_or_else(|| entry_name(&header.path_bytes()));
        let present = stream.skip(left)?;
        let problem = match kind {
            _ if name.len() > MAX_NAME => {
                Some(ReadError::Archive("the name is too long".to_owned()))
            }
            EntryType::GNUSparse => Some(ReadError::Archive("the entry is sparse".to_owned())),
            _ if present < size => Some(ReadError::Truncated { inside: "its archive" }),
            _ => None,
        };
        // Old archives have folders as files whose names end so.
        if !name.ends_with('/') {
            self.push(at, name.chars().take(MAX_NAME).collect(), problem);
        }
        // The last block need not be full.
        Ok(present >= size)
    }

    /// What stands in a header of its own before an entry (POSIX.1-2001, pax).
    fn extend(&mut self, content: &[u8]) {
        for extension in PaxExtensions::new(content).flatten() {
            match extension.key_bytes() {
                b"path" => self.next_name = Some(entry_name(extension.value_bytes())),
                b"size" => self.next_size = extension.value().ok().and_then(|it| it.parse().ok()),
                _ => {}
            }
        }
    }

    fn push(&mut self, at: u64, name: String, problem: Option<ReadError>) {
        self.names += name.len();
        self.files.push(Listed { index: (at / BLOCK) as usize, name, problem });
    }

    /// Names a place where the archive is damaged.
    fn fail(&mut self, at: u64, what: String) {
        (self.next_name, self.next_size) = (None, None);
        self.push(at, format!("byte {at}"), Some(ReadError::Archive(what)));
    }
}
