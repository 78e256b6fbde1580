//! Bundles read from disk or memory, and written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Cursor, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::archive::{self, MODEL_LIMIT, NetworkParts, SERIES_LIMIT, TEXT_LIMIT};
use super::series::series_entry;
use super::{BundleError, ModelInfo};
use crate::ModelRef;

/// A model with its description, checked.
#[derive(Debug, Clone)]
pub struct Bundle {
    info: ModelInfo,
    onnx: Vec<u8>,
    card: String,
    series: Vec<Vec<u8>>,
}

impl Bundle {
    /// Opens a bundle, or a plain ONNX model with its description beside it: `<name>.json` or
    /// `model.json`, optionally `<name>.md` or `card.md`, and `series/0.onnx` and so on where the
    /// description names networks of series.
    ///
    /// # Errors
    /// [`BundleError`] if the file cannot be read, is damaged, or describes what cannot be used.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let file = open_file(path)?;
        if is_onnx(path) {
            return Self::open_plain(path, file);
        }
        Self::from_parts(archive::read_network(BufReader::new(file))?)
    }

    /// Reads a bundle from memory.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        Self::from_parts(archive::read_network(Cursor::new(bytes))?)
    }

    /// Writes a bundle without networks of series: see [`Bundle::write_with_series`].
    ///
    /// # Errors
    /// [`BundleError`] if the description cannot be used or the file cannot be written.
    pub fn write(
        path: &Path,
        info: &ModelInfo,
        onnx: &[u8],
        card: &str,
    ) -> Result<Self, BundleError> {
        Self::write_with_series(path, info, onnx, &[], card)
    }

    /// Writes a bundle beside `path`, syncs and renames it. The hashes in `info` are replaced by those
    /// of `onnx` and `series`, whose networks are those of all stages of `info.series` one after the
    /// other, and the format version by the one that is needed. The same arguments always give the
    /// same bytes.
    ///
    /// # Errors
    /// [`BundleError`] if the description cannot be used, there are fewer or more networks than it
    /// says, or the file cannot be written.
    pub fn write_with_series(
        path: &Path,
        info: &ModelInfo,
        onnx: &[u8],
        series: &[Vec<u8>],
        card: &str,
    ) -> Result<Self, BundleError> {
        let mut info = ModelInfo { sha256: hash(onnx), ..info.clone() };
        info.format_version = info.needed_version();
        let expected = info.series_sha256().count();
        if expected != series.len() {
            let problem = format!("names {expected} networks, and there are {}", series.len());
            return Err(BundleError::Value { field: "series", problem });
        }
        let hashes = info.series.iter_mut().flat_map(|stage| &mut stage.sha256);
        hashes.zip(series).for_each(|(sha256, network)| *sha256 = hash(network));
        info.check()?;
        let description = described(&info)?;
        let names: Vec<String> = (0..series.len()).map(series_entry).collect();
        let mut entries = vec![
            (archive::DESCRIPTION, description.as_slice(), TEXT_LIMIT),
            (archive::CARD, card.as_bytes(), TEXT_LIMIT),
            (archive::MODEL, onnx, MODEL_LIMIT),
        ];
        let of_series = names.iter().zip(series);
        entries.extend(of_series.map(|(name, bytes)| (&**name, bytes.as_slice(), SERIES_LIMIT)));
        write_archive(path, &entries)?;
        Ok(Self { info, onnx: onnx.to_vec(), card: card.to_owned(), series: series.to_vec() })
    }

    /// The description.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The network, an ONNX model.
    pub fn onnx(&self) -> &[u8] {
        &self.onnx
    }

    /// The networks of series, ONNX models: those of all stages one after the other.
    pub fn series(&self) -> &[Vec<u8>] {
        &self.series
    }

    /// The model card, Markdown; empty if a plain ONNX model has none.
    pub fn card(&self) -> &str {
        &self.card
    }

    /// The model's name, version and hash for a result.
    pub fn model_ref(&self) -> ModelRef {
        ModelRef {
            name: self.info.name.clone(),
            version: self.info.version.clone(),
            sha256: self.info.sha256.clone(),
            series_sha256: self.info.series_sha256().cloned().collect(),
            member_sha256: Vec::new(),
        }
    }

    pub(super) fn from_parts(parts: NetworkParts) -> Result<Self, BundleError> {
        let NetworkParts { info, model, card, series } = parts;
        let of_series = info.series_sha256().zip(&series).enumerate();
        let of_series = of_series.map(|(index, (hash, bytes))| (series_entry(index), hash, bytes));
        let model_onnx = (archive::MODEL.to_owned(), &info.sha256, &model);
        for (file, expected, bytes) in std::iter::once(model_onnx).chain(of_series) {
            check_hash(file, bytes, expected)?;
        }
        let card = archive::text(card)?;
        Ok(Self { info, onnx: model, card, series })
    }

    fn open_plain(path: &Path, file: File) -> Result<Self, BundleError> {
        let name = path.display().to_string();
        let model = archive::read_limited(file, &name, MODEL_LIMIT)?;
        let own = path.with_extension("json");
        let beside = [own.clone(), path.with_file_name(archive::DESCRIPTION)];
        let Some(description) = beside.iter().find(|path| path.is_file()) else {
            return Err(BundleError::NoDescription(file_name(&own)));
        };
        let cards = [path.with_extension("md"), path.with_file_name(archive::CARD)];
        let card = match cards.iter().find(|path| path.is_file()) {
            Some(card) => read_text(card)?,
            None => Vec::new(),
        };
        let info = ModelInfo::from_json(&read_text(description)?)?;
        let network = |index: usize| {
            let path = path.with_file_name(series_entry(index));
            read_file(&path, SERIES_LIMIT)
        };
        let series = (0..info.series_sha256().count()).map(network).collect::<Result<_, _>>()?;
        Self::from_parts(NetworkParts { info, model, card, series })
    }
}

fn read_text(path: &Path) -> Result<Vec<u8>, BundleError> {
    read_file(path, TEXT_LIMIT)
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, BundleError> {
    let file =
        File::open(path).map_err(BundleError::io(format!("cannot open {}", path.display())))?;
    archive::read_limited(file, &path.display().to_string(), limit)
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

/// Whether a file is a plain ONNX model, by its name.
pub(super) fn is_onnx(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"))
}

/// Lower-case hexadecimal SHA-256.
pub(super) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks that an entry is the one that is described.
pub(super) fn check_hash(file: String, bytes: &[u8], expected: &str) -> Result<(), BundleError> {
    let found = hash(bytes);
    if found != expected {
        return Err(BundleError::Hash { file, found, expected: expected.to_owned() });
    }
    Ok(())
}

/// Opens a file; a pipe or device would block or never end.
pub(super) fn open_file(path: &Path) -> Result<File, BundleError> {
    let cannot_open = || BundleError::io(format!("cannot open {}", path.display()));
    if !fs::metadata(path).map_err(cannot_open())?.is_file() {
        return Err(cannot_open()(io::Error::other("it is not a file")));
    }
    File::open(path).map_err(cannot_open())
}

/// A description as it stands in a bundle.
pub(super) fn described(info: &impl Serialize) -> Result<Vec<u8>, BundleError> {
    let mut description = serde_json::to_vec_pretty(info)?;
    description.push(b'\n');
    Ok(description)
}

/// Writes an archive beside `path`, syncs and renames it, so that a killed program leaves no
/// half-written file.
pub(super) fn write_archive(
    path: &Path,
    entries: &[(&str, &[u8], u64)],
) -> Result<(), BundleError> {
    replace_file(path, |file| {
        let mut writer = BufWriter::new(file);
        archive::write(&mut writer, entries)?;
        writer.flush().map_err(BundleError::io("cannot write the bundle"))
    })
}

fn replace_file(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<(), BundleError>,
) -> Result<(), BundleError> {
    let beside = beside(path);
    let action = || format!("cannot write {}", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&beside)
        .map_err(BundleError::io(action()))?;
    let written = write(&mut file)
        .and_then(|()| file.sync_all().map_err(BundleError::io(action())))
        .and_then(|()| fs::rename(&beside, path).map_err(BundleError::io(action())));
    if written.is_err() {
        // The reason for the failure is more useful than that of a failed clean-up.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn beside(path: &Path) -> PathBuf {
    path.with_file_name(format!(".{}.{}.tmp", file_name(path), std::process::id()))
}
