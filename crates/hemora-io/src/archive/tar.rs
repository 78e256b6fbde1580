//! Tar archives, plain or in gzip: their blocks, and their entries one by one.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use tar::Header;

use super::{Identity, changed};
use crate::ReadError;
use crate::formats::is_gzip;
use crate::source::{MAX_BYTES, read_all};

/// What a tar archive is made of, bytes.
pub(super) const BLOCK: u64 = 512;

/// Most bytes that an archive in gzip is inflated to: what is not compressed has no such limit, since
/// its entries are found without reading all before them.
pub(super) const MAX_INFLATED: u64 = 16 << 30;

/// Whether a block is the header of an entry, by its checksum.
pub(super) fn is_header(block: &[u8; BLOCK as usize]) -> bool {
    let header = Header::from_byte_slice(block);
    let mut summed = header.clone();
    summed.set_cksum();
    header.cksum().is_ok_and(|sum| summed.cksum().is_ok_and(|right| sum == right))
}

/// The bytes of an archive from front to back.
pub(super) struct Stream {
    content: Content,
    position: u64,
}

enum Content {
    Plain { file: BufReader<File>, length: u64 },
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
}

impl Stream {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let content = if begins_as_gzip(&mut file)? {
            Content::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(file))))
        } else {
            Content::Plain { file: BufReader::new(file), length }
        };
        Ok(Self { content, position: 0 })
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Whether the archive is in gzip and reaches the limit.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.content, Content::Gzip(_)) && self.position >= MAX_INFLATED
    }

    /// The next block; `None` at the end and beyond the limit.
    pub(super) fn block(&mut self) -> io::Result<Option<[u8; BLOCK as usize]>> {
        if self.is_over() {
            return Ok(None);
        }
        let mut block = [0; BLOCK as usize];
        match self.read_exact(&mut block) {
            Ok(()) => Ok(Some(block)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Passes over as many bytes, as far as they are there; how many there were.
    pub(super) fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        match &mut self.content {
            Content::Plain { file, length } => {
                let bytes = bytes.min(length.saturating_sub(self.position));
                file.seek_relative(i64::try_from(bytes).map_err(io::Error::other)?)?;
                self.position += bytes;
                Ok(bytes)
            }
            Content::Gzip(_) => {
                let bytes = bytes.min(MAX_INFLATED.saturating_sub(self.position));
                io::copy(&mut self.take(bytes), &mut io::sink())
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.content {
            Content::Plain { file, .. } => file.read(buffer)?,
            Content::Gzip(inflating) => inflating.read(buffer)?,
        };
        self.position += count as u64;
        Ok(count)
    }
}

fn begins_as_gzip(file: &mut File) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(3).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(is_gzip(&head))
}

/// An archive in gzip, inflated as far as the last entry that was read.
struct Inflating {
    identity: Identity,
    stream: Stream,
    /// Its block and its bytes, if they are few.
    last: Option<(usize, Vec<u8>)>,
}

/// Larger entries are not kept.
const MAX_KEPT: usize = 32 << 20;

thread_local! {
    // An entry can only be found from the front: go on where the last one ended.
    static LAST: RefCell<Option<Inflating>> = const { RefCell::new(None) };
}

/// Opens the entry whose header is block `index` and hands over a reader and the bytes that it has, or
/// claims to have.
pub(super) fn with_entry<T>(
    path: &Path,
    index: usize,
    name: &str,
    read: impl FnOnce(&mut dyn Read, u64) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let mut file = File::open(path)?;
    if !begins_as_gzip(&mut file)? {
        let mut stream = Stream::open(path)?;
        stream.skip(index as u64 * BLOCK)?;
        let size = entry_size(&mut stream, name)?;
        return read(&mut stream.take(size), size);
    }
    let identity = Identity::new(path, &file.metadata()?);
    let known = LAST.take().filter(|known| known.identity == identity);
    let mut inflating = match known {
        Some(known) if known.reaches(index) => known,
        _ => Inflating { identity, stream: Stream::open(path)?, last: None },
    };
    let bytes = inflating.entry(index, name)?;
    let result = read(&mut bytes.as_slice(), bytes.len() as u64);
    inflating.last = (bytes.len() <= MAX_KEPT).then_some((index, bytes));
    LAST.replace(Some(inflating));
    result
}

impl Inflating {
    /// Whether an entry was read last or lies ahead.
    fn reaches(&self, index: usize) -> bool {
        self.last.as_ref().is_some_and(|last| last.0 == index)
            || self.stream.position() <= index as u64 * BLOCK
    }

    fn entry(&mut self, index: usize, name: &str) -> Result<Vec<u8>, ReadError> {
        if let Some((_, bytes)) = self.last.take().filter(|last| last.0 == index) {
            return Ok(bytes);
        }
        let ahead = index as u64 * BLOCK - self.stream.position();
        self.stream.skip(ahead).map_err(ReadError::Gzip)?;
        let size = entry_size(&mut self.stream, name)?;
        match read_all(&mut (&mut self.stream).take(size), size) {
            Err(ReadError::Io(error)) => Err(ReadError::Gzip(error)),
            bytes => bytes,
        }
    }
}

/// Reads the header of the entry `name` and gives its size, which is below the limit.
fn entry_size(stream: &mut Stream, name: &str) -> Result<u64, ReadError> {
    let block = stream.block().map_err(ReadError::Gzip)?.filter(is_header).ok_or_else(changed)?;
    size_of_entry(&block, name)
}

fn size_of_entry(block: &[u8; BLOCK as usize], name: &str) -> Result<u64, ReadError> {
    let header = Header::from_byte_slice(block);
    // A long name, or one with other letters, stands in an entry of its own before the header.
    let is_plain = name.len() < 100 && name.is_ascii();
    if is_plain && entry_name(&header.path_bytes()) != name {
        return Err(changed());
    }
    let size = header.entry_size().map_err(|error| ReadError::Archive(error.to_string()))?;
    if size > MAX_BYTES { Err(ReadError::TooLarge { limit: MAX_BYTES }) } else { Ok(size) }
}

/// The name of an entry as a text, without the “./” that tar puts before names in the folder where it
/// runs.
pub(super) fn entry_name(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut name = text.trim_end_matches('\0');
    while let Some(rest) = name.strip_prefix("./") {
        name = rest.trim_start_matches('/');
    }
    name.to_owned()
}

/// What an archive in gzip inflates to, for those who read its entries in any order; `None` of one that
/// is not in gzip, or is larger than the limit for a file.
pub(crate) fn inflated(path: &Path) -> Result<Option<Vec<u8>>, ReadError> {
    let mut stream = Stream::open(path)?;
    match stream.content {
        Content::Plain { .. } => return Ok(None),
        Content::Gzip(_) => {}
    }
    match read_all(&mut stream, 0) {
        Ok(bytes) => Ok(Some(bytes)),
        // Entries before the damage can be read one by one.
        Err(ReadError::TooLarge { .. } | ReadError::Io(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The entry whose header is block `index` of an inflated archive.
pub(crate) fn entry_of<'a>(
    archive: &'a [u8],
    index: usize,
    name: &str,
) -> Result<&'a [u8], ReadError> {
    let rest = index.checked_mul(BLOCK as usize).and_then(|at| archive.get(at..));
    let (block, content) = rest.and_then(<[u8]>::split_first_chunk).ok_or_else(changed)?;
    let size =
        size_of_entry(Some(block).filter(|block| is_header(block)).ok_or_else(changed)?, name)?;
    Ok(&content[..content.len().min(size as usize)])
}
