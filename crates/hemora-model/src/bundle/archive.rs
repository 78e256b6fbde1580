//! The zip archive of a bundle: stored entries without compression. That of a network has its three
//! entries and the networks of series, that of an ensemble the bundles of its members.

use std::io::{Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::ensemble::{ENSEMBLE_FORMAT_VERSION, member_entry};
use super::file::check_hash;
use super::info::parsed;
use super::series::series_entry;
use super::{Bundle, BundleError, EnsembleInfo, ModelInfo};

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
/// Most bytes of a member of an ensemble.
pub(super) const MEMBER_LIMIT: u64 = 1 << 31;
/// Most bytes of all members: they are held in memory.
const MEMBERS_LIMIT: u64 = 1 << 33;

/// What an archive holds.
pub(super) enum Parts {
    /// One network.
    Network(Box<NetworkParts>),
    /// Several bundles.
    Ensemble(Box<EnsembleParts>),
}

/// The description of an ensemble and its other entries.
pub(super) struct EnsembleParts {
    pub info: EnsembleInfo,
    pub members: Vec<Bundle>,
    pub series: Vec<Vec<u8>>,
    pub card: String,
}

/// The description of a network and the bytes of the other entries.
pub(super) struct NetworkParts {
    pub info: ModelInfo,
    pub model: Vec<u8>,
    pub card: Vec<u8>,
    pub series: Vec<Vec<u8>>,
}

/// An archive with the two entries that every bundle has.
struct Opened<R> {
    archive: ZipArchive<R>,
    description: Vec<u8>,
    card: Vec<u8>,
}

impl<R: Read + Seek> Opened<R> {
    fn new(file: R) -> Result<Self, BundleError> {
        let archive = ZipArchive::new(file);
        let mut archive = archive.map_err(|error| BundleError::Archive(error.to_string()))?;
        // What is left of a cut-off ensemble ends with a whole archive: that of a member.
        if archive.offset() != 0 {
            let before = archive.offset();
            let problem =
                format!("{before} bytes stand before it, so it was cut off or put together");
            return Err(BundleError::Archive(problem));
        }
        let description = entry(&mut archive, DESCRIPTION, TEXT_LIMIT)?;
        let card = entry(&mut archive, CARD, TEXT_LIMIT)?;
        Ok(Self { archive, description, card })
    }

    fn is_ensemble(&self) -> bool {
        matches!(parsed(&self.description), Ok((ENSEMBLE_FORMAT_VERSION, _)))
    }

    fn network(mut self) -> Result<NetworkParts, BundleError> {
        // Of a newer format nothing else is known, not even that it has a network.
        if let Err(error @ BundleError::Version { .. }) = parsed(&self.description)
            && error.is_newer()
        {
            return Err(error);
        }
        let model = entry(&mut self.archive, MODEL, MODEL_LIMIT)?;
        let info = ModelInfo::from_json(&self.description)?;
        let series = self.series(info.series_sha256().count())?;
        Ok(NetworkParts { model, card: self.card, series, info })
    }

    fn series(&mut self, count: usize) -> Result<Vec<Vec<u8>>, BundleError> {
        let of = |index| entry(&mut self.archive, &series_entry(index), SERIES_LIMIT);
        (0..count).map(of).collect()
    }

    fn ensemble(mut self) -> Result<Parts, BundleError> {
        let info = EnsembleInfo::from_json(&self.description)?;
        let mut left = MEMBERS_LIMIT;
        let mut members = Vec::new();
        for (index, expected) in info.member_sha256().enumerate() {
            let file = member_entry(index);
            let bytes = entry(&mut self.archive, &file, MEMBER_LIMIT.min(left))?;
            left -= bytes.len() as u64;
            check_hash(file, &bytes, expected)?;
            members.push(member(index, &bytes)?);
        }
        let series = self.series(info.series_sha256().count())?;
        let card = text(self.card)?;
        Ok(Parts::Ensemble(Box::new(EnsembleParts { info, members, series, card })))
    }
}

/// Reads the entries that the description names; others are left alone.
pub(super) fn read(file: impl Read + Seek) -> Result<Parts, BundleError> {
    let opened = Opened::new(file)?;
    match opened.is_ensemble() {
        true => opened.ensemble(),
        false => Ok(Parts::Network(Box::new(opened.network()?))),
    }
}

/// The same, of one network: an ensemble is refused before its members are read, so that ensembles in
/// ensembles lead nowhere.
pub(super) fn read_network(file: impl Read + Seek) -> Result<NetworkParts, BundleError> {
    let opened = Opened::new(file)?;
    match opened.is_ensemble() {
        true => Err(BundleError::Ensemble),
        false => opened.network(),
    }
}

/// A member of an ensemble; an ensemble is none.
pub(super) fn member(index: usize, bytes: &[u8]) -> Result<Bundle, BundleError> {
    let in_member =
        |source| BundleError::Member { file: member_entry(index), source: Box::new(source) };
    Bundle::from_bytes(bytes).map_err(in_member)
}

/// A card's text.
pub(super) fn text(card: Vec<u8>) -> Result<String, BundleError> {
    String::from_utf8(card)
        .map_err(|_| BundleError::Archive("card.md is not UTF-8 text".to_owned()))
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

/// Writes entries with the most bytes that each may have: the same always give the same bytes.
pub(super) fn write(
    file: impl Write + Seek,
    entries: &[(&str, &[u8], u64)],
) -> Result<(), BundleError> {
    let failed = |error: zip::result::ZipError| BundleError::Archive(error.to_string());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .system(System::Unix)
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(file);
    for &(name, bytes, limit) in entries {
        if bytes.len() as u64 > limit {
            return Err(BundleError::TooLarge { part: name.to_owned(), limit });
        }
        archive.start_file(name, options).map_err(failed)?;
        archive.write_all(bytes).map_err(BundleError::io(format!("cannot write {name}")))?;
    }
    archive.finish().map_err(failed)?;
    Ok(())
}
