//! The zip archive of a bundle: stored entries without compression, each with a limit.

use std::io::{self, Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::BundleError;

/// A network of slices, in the folder of its member.
pub(super) const MODEL: &str = "model.onnx";
/// The description.
pub(super) const DESCRIPTION: &str = "model.json";
/// The model card.
pub(super) const CARD: &str = "card.md";

/// Most bytes of a network of slices: the protocol buffers that it is made of end there.
pub(super) const MODEL_LIMIT: u64 = 1 << 31;
/// Most bytes of a description or card.
pub(super) const TEXT_LIMIT: u64 = 1 << 24;
/// Most bytes of a network of series: those of ours have a few million.
pub(super) const SERIES_LIMIT: u64 = 1 << 26;
/// Most bytes of all members' networks: they are held in memory.
pub(super) const MEMBERS_LIMIT: u64 = 1 << 33;

/// An archive whose entries are read by name; others are left alone.
pub(super) struct Archive<R>(ZipArchive<R>);

impl<R: Read + Seek> Archive<R> {
    pub(super) fn open(file: R) -> Result<Self, BundleError> {
        let archive = ZipArchive::new(file);
        let archive = archive.map_err(|error| BundleError::Archive(error.to_string()))?;
        // A zip reader looks for the end of an archive; what stands before it is not of a bundle.
        if archive.offset() != 0 {
            let before = archive.offset();
            let problem =
                format!("{before} bytes stand before it, so it was cut off or put together");
            return Err(BundleError::Archive(problem));
        }
        Ok(Self(archive))
    }

    /// The bytes of an entry, at most `limit`.
    pub(super) fn entry(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, BundleError> {
        let problem = |problem: String| BundleError::Archive(format!("{name}: {problem}"));
        let file = self.0.by_name(name).map_err(|error| problem(error.to_string()))?;
        // Stored bytes cannot be more than the archive has, so no entry grows while it is read.
        if file.compression() != CompressionMethod::Stored {
            return Err(problem("is compressed; the entries of a bundle are stored".to_owned()));
        }
        read_limited(file, name, limit)
    }
}

/// Reads all of `reader`, at most `limit` bytes.
pub(super) fn read_limited(
    reader: impl Read,
    name: &str,
    limit: u64,
) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| BundleError::Archive(format!("{name}: {error}")))?;
    check_size(name, bytes.len() as u64, limit)?;
    Ok(bytes)
}

/// Checks the number of bytes of an entry.
pub(super) fn check_size(name: &str, bytes: u64, limit: u64) -> Result<(), BundleError> {
    match bytes > limit {
        true => Err(BundleError::TooLarge { part: name.to_owned(), limit }),
        false => Ok(()),
    }
}

/// Writes entries: the same always give the same bytes.
pub(super) fn write(file: impl Write + Seek, entries: &[(String, &[u8])]) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(file);
    for (name, bytes) in entries {
        archive.start_file(name.as_str(), options)?;
        archive.write_all(bytes)?;
    }
    archive.finish()?;
    Ok(())
}
