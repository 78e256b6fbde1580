//! Bundles read from disk or memory, and written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Cursor, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::archive::{self, MODEL_LIMIT, Parts, TEXT_LIMIT};
use super::{BundleError, ModelInfo};
use crate::ModelRef;

/// A model with its description, checked.
#[derive(Debug, Clone)]
pub struct Bundle {
    info: ModelInfo,
    onnx: Vec<u8>,
    card: String,
}

impl Bundle {
    /// Opens a bundle, or a plain ONNX model with its description beside it: `<name>.json` or
    /// `model.json`, and optionally `<name>.md` or `card.md`.
    ///
    /// # Errors
    /// [`BundleError`] if the file cannot be read, is damaged, or describes what cannot be used.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let cannot_open = || BundleError::io(format!("cannot open {}", path.display()));
        // A pipe or device would block or never end.
        if !fs::metadata(path).map_err(cannot_open())?.is_file() {
            return Err(cannot_open()(io::Error::other("it is not a file")));
        }
        let file = File::open(path).map_err(cannot_open())?;
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
            return Self::open_plain(path, file);
        }
        Self::from_parts(archive::read(BufReader::new(file))?)
    }

    /// Reads a bundle from memory.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        Self::from_parts(archive::read(Cursor::new(bytes))?)
    }

    /// Writes a bundle beside `path`, syncs and renames it. `info.sha256` is replaced by the hash
    /// of `onnx`. The same arguments always give the same bytes.
    ///
    /// # Errors
    /// [`BundleError`] if the description cannot be used or the file cannot be written.
    pub fn write(
        path: &Path,
        info: &ModelInfo,
        onnx: &[u8],
        card: &str,
    ) -> Result<Self, BundleError> {
        let info = ModelInfo { sha256: sha256(onnx), ..info.clone() };
        info.check()?;
        let mut description = serde_json::to_vec_pretty(&info)?;
        description.push(b'\n');
        replace_file(path, |file| {
            let mut writer = BufWriter::new(file);
            archive::write(&mut writer, onnx, &description, card.as_bytes())?;
            writer.flush().map_err(BundleError::io("cannot write the bundle"))
        })?;
        Ok(Self { info, onnx: onnx.to_vec(), card: card.to_owned() })
    }

    /// The description.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The network, an ONNX model.
    pub fn onnx(&self) -> &[u8] {
        &self.onnx
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
        }
    }

    fn from_parts(parts: Parts) -> Result<Self, BundleError> {
        let info = ModelInfo::from_json(&parts.description)?;
        let found = sha256(&parts.model);
        if found != info.sha256 {
            return Err(BundleError::Hash { found, expected: info.sha256 });
        }
        let card = String::from_utf8(parts.card)
            .map_err(|_| BundleError::Archive("card.md is not UTF-8 text".to_owned()))?;
        Ok(Self { info, onnx: parts.model, card })
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
        Self::from_parts(Parts { model, description: read_text(description)?, card })
    }
}

fn read_text(path: &Path) -> Result<Vec<u8>, BundleError> {
    let file =
        File::open(path).map_err(BundleError::io(format!("cannot open {}", path.display())))?;
    archive::read_limited(file, &path.display().to_string(), TEXT_LIMIT)
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

/// Lower-case hexadecimal SHA-256.
fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes beside `path`, syncs and renames, so that a killed program leaves no half-written file.
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
