//! The zip archive of a bundle: three entries, stored without compression.

use std::io::{Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::BundleError;

/// The network.
pub(super) const MODEL: &str = "model.onnx";
/// The description.
pub(super) const DESCRIPTION: &str = "model.json";
/// The model card.
pub(super) const CARD: &str = "card.md";

/// Most bytes of a network: the protocol buffers that it is made of end there.
pub(super) const MODEL_LIMIT: u64 = 1 << 31;
/// Most bytes of a description or card.
pub(super) const TEXT_LIMIT: u64 = 1 << 24;

/// The bytes of the three entries.
pub(super) struct Parts {
    pub model: Vec<u8>,
    pub description: Vec<u8>,
    pub card: Vec<u8>,
}

/// Reads the three entries; others are left alone.
pub(super) fn read(file: impl Read + Seek) -> Result<Parts, BundleError> {
    let mut archive =
        ZipArchive::new(file).map_err(|error| BundleError::Archive(error.to_string()))?;
    Ok(Parts {
        description: entry(&mut archive, DESCRIPTION, TEXT_LIMIT)?,
        card: entry(&mut archive, CARD, TEXT_LIMIT)?,
        model: entry(&mut archive, MODEL, MODEL_LIMIT)?,
    })
}

fn entry<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    limit: u64,
) -> Result<Vec<u8>, BundleError> {
    let problem = |problem: String| BundleError::Archive(format!("{name}: {problem}"));
    let file = archive.by_name(name).map_err(|error| problem(error.to_string()))?;
    // Stored bytes cannot be more than the archive has, so no entry grows while it is read.
    if file.compression() != CompressionMethod::Stored {
        return Err(problem("is compressed; the entries of a bundle are stored".to_owned()));
    }
    read_limited(file, name, limit)
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
    if bytes.len() as u64 > limit {
        return Err(BundleError::TooLarge { part: name.to_owned(), limit });
    }
    Ok(bytes)
}

/// Writes the three entries: the same parts always give the same bytes.
pub(super) fn write(
    file: impl Write + Seek,
    model: &[u8],
    description: &[u8],
    card: &[u8],
) -> Result<(), BundleError> {
    let failed = |error: zip::result::ZipError| BundleError::Archive(error.to_string());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(file);
    for (name, bytes, limit) in [
        (DESCRIPTION, description, TEXT_LIMIT),
        (CARD, card, TEXT_LIMIT),
        (MODEL, model, MODEL_LIMIT),
    ] {
        if bytes.len() as u64 > limit {
            return Err(BundleError::TooLarge { part: name.to_owned(), limit });
        }
        archive.start_file(name, options).map_err(failed)?;
        archive.write_all(bytes).map_err(BundleError::io(format!("cannot write {name}")))?;
    }
    archive.finish().map_err(failed)?;
    Ok(())
}
