//! The zip archive of a bundle: three entries and the networks of series, stored without compression.

use std::io::{Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::series::series_entry;
use super::{BundleError, ModelInfo};

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

/// Most bytes of a network of series: those of ours have a few million.
pub(super) const SERIES_LIMIT: u64 = 1 << 26;

/// The description and the bytes of the other entries.
pub(super) struct Parts {
    pub info: ModelInfo,
    pub model: Vec<u8>,
    pub card: Vec<u8>,
    pub series: Vec<Vec<u8>>,
}

/// Reads the three entries and the networks of series that the description names; others are left
/// alone.
pub(super) fn read(file: impl Read + Seek) -> Result<Parts, BundleError> {
    let mut archive =
        ZipArchive::new(file).map_err(|error| BundleError::Archive(error.to_string()))?;
    let description = entry(&mut archive, DESCRIPTION, TEXT_LIMIT)?;
    let card = entry(&mut archive, CARD, TEXT_LIMIT)?;
    let model = entry(&mut archive, MODEL, MODEL_LIMIT)?;
    let info = ModelInfo::from_json(&description)?;
    let networks = 0..info.series_sha256().count();
    let series = networks.map(|index| entry(&mut archive, &series_entry(index), SERIES_LIMIT));
    Ok(Parts { model, card, series: series.collect::<Result<_, _>>()?, info })
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

/// Writes the entries: the same parts always give the same bytes.
pub(super) fn write(
    file: impl Write + Seek,
    model: &[u8],
    description: &[u8],
    card: &[u8],
    series: &[Vec<u8>],
) -> Result<(), BundleError> {
    let failed = |error: zip::result::ZipError| BundleError::Archive(error.to_string());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(file);
    let three = [
        (DESCRIPTION.to_owned(), description, TEXT_LIMIT),
        (CARD.to_owned(), card, TEXT_LIMIT),
        (MODEL.to_owned(), model, MODEL_LIMIT),
    ];
    let series = series.iter().enumerate();
    let series = series.map(|(index, bytes)| (series_entry(index), bytes.as_slice(), SERIES_LIMIT));
    for (name, bytes, limit) in three.into_iter().chain(series) {
        if bytes.len() as u64 > limit {
            return Err(BundleError::TooLarge { part: name, limit });
        }
        archive.start_file(&*name, options).map_err(failed)?;
        archive.write_all(bytes).map_err(BundleError::io(format!("cannot write {name}")))?;
    }
    archive.finish().map_err(failed)?;
    Ok(())
}
