//! Bundles read from disk or memory, and written.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::Path;

use hemora_base::{sha256_hex, write_whole};

use super::archive::{
    self, Archive, CARD, DESCRIPTION, MEMBERS_LIMIT, MODEL, MODEL_LIMIT, SERIES_LIMIT, TEXT_LIMIT,
};
use super::member::member_folder;
use super::series::series_entry;
use super::{BundleError, Member, ModelInfo, SeriesStage};
use crate::ModelRef;

/// A model with its description, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    info: ModelInfo,
    networks: BundleNetworks,
    card: String,
}

/// The networks of a bundle, ONNX models.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BundleNetworks {
    /// Those of each member.
    pub members: Vec<MemberNetworks>,
    /// Those of series that read all members as one.
    pub series: Vec<Vec<u8>>,
}

/// The networks of a member, ONNX models.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberNetworks {
    /// The network of slices.
    pub slices: Vec<u8>,
    /// The networks of series: those of all stages one after the other.
    pub series: Vec<Vec<u8>>,
}

impl From<MemberNetworks> for BundleNetworks {
    fn from(member: MemberNetworks) -> Self {
        Self { members: vec![member], series: Vec::new() }
    }
}

impl From<Vec<u8>> for BundleNetworks {
    fn from(slices: Vec<u8>) -> Self {
        MemberNetworks { slices, series: Vec::new() }.into()
    }
}

impl Bundle {
    /// Opens a bundle, or a plain ONNX model with its description beside it: `<name>.json` or
    /// `model.json`, optionally `<name>.md` or `card.md`, and `series/0.onnx` and so on where the
    /// description names networks of series. The description is that of a bundle of one member.
    ///
    /// # Errors
    /// [`BundleError`] if the file cannot be read, is damaged, or describes what cannot be used.
    pub fn open(path: &Path) -> Result<Self, BundleError> {
        let file = open_file(path)?;
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx")) {
            return Self::open_plain(path, file);
        }
        Self::read(BufReader::new(file))
    }

    /// Reads a bundle from memory.
    ///
    /// # Errors
    /// As [`Bundle::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        Self::read(Cursor::new(bytes))
    }

    /// Writes a bundle whole or not at all. The format version and all hashes in `info` are replaced by
    /// those of `networks`. The same arguments always give the same bytes.
    ///
    /// # Errors
    /// [`BundleError`] if the description cannot be used, there are fewer or more networks than it
    /// names, or the file cannot be written.
    pub fn write(
        path: &Path,
        info: &ModelInfo,
        networks: impl Into<BundleNetworks>,
        card: &str,
    ) -> Result<Self, BundleError> {
        let networks = networks.into();
        let mut info = ModelInfo { format_version: super::FORMAT_VERSION, ..info.clone() };
        set_hashes(&mut info, &networks)?;
        info.check()?;
        let mut description = serde_json::to_vec_pretty(&info)?;
        description.push(b'\n');
        // As a reader will have it: numbers may lose their last digit on the way.
        let info = ModelInfo::from_json(&description)?;
        let mut entries = vec![
            (DESCRIPTION.to_owned(), description.as_slice()),
            (CARD.to_owned(), card.as_bytes()),
        ];
        let mut sizes = vec![TEXT_LIMIT; 2];
        for (index, member) in networks.members.iter().enumerate() {
            let folder = member_folder(index);
            entries.push((format!("{folder}/{MODEL}"), &member.slices));
            sizes.push(MODEL_LIMIT);
            for (index, network) in member.series.iter().enumerate() {
                entries.push((format!("{folder}/{}", series_entry(index)), network));
                sizes.push(SERIES_LIMIT);
            }
        }
        let of_members: u64 = entries[2..].iter().map(|(_, bytes)| bytes.len() as u64).sum();
        archive::check_size("all members", of_members, MEMBERS_LIMIT)?;
        for (index, network) in networks.series.iter().enumerate() {
            entries.push((series_entry(index), network));
            sizes.push(SERIES_LIMIT);
        }
        for ((name, bytes), limit) in entries.iter().zip(sizes) {
            archive::check_size(name, bytes.len() as u64, limit)?;
        }
        write_whole(path, |file| archive::write(file, &entries))
            .map_err(BundleError::io(format!("cannot write {}", path.display())))?;
        Ok(Self { info, networks, card: card.to_owned() })
    }

    /// The description.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The members with their networks.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (&Member, &MemberNetworks)> {
        self.info.members.iter().zip(&self.networks.members)
    }

    /// The bundle's own networks of series, ONNX models: those that read all members as one.
    pub fn series(&self) -> &[Vec<u8>] {
        &self.networks.series
    }

    /// The model card, Markdown; empty if a plain ONNX model has none.
    pub fn card(&self) -> &str {
        &self.card
    }

    /// The description and the networks.
    pub fn into_parts(self) -> (ModelInfo, BundleNetworks) {
        (self.info, self.networks)
    }

    /// The model's name, version and hashes for a result.
    pub fn model_ref(&self) -> ModelRef {
        let ModelInfo { name, version, members, stacking, series, .. } = &self.info;
        let (name, version) = (name.clone(), version.clone());
        if let ([member], true) = (members.as_slice(), self.info.is_single()) {
            let series_sha256 = member.series_sha256().cloned().collect();
            let sha256 = member.sha256.clone();
            return ModelRef { name, version, sha256, series_sha256, member_sha256: Vec::new() };
        }
        // What makes the probabilities, so that another calibration of the whole is the same model.
        let made_of = serde_json::to_vec(&(members, stacking, series)).unwrap_or_default();
        ModelRef {
            name,
            version,
            sha256: sha256_hex(&made_of),
            series_sha256: self.info.series_sha256().cloned().collect(),
            member_sha256: members.iter().map(|member| member.sha256.clone()).collect(),
        }
    }

    fn read(file: impl Read + Seek) -> Result<Self, BundleError> {
        let mut archive = Archive::open(file)?;
        let info = ModelInfo::from_json(&archive.entry(DESCRIPTION, TEXT_LIMIT)?)?;
        let card = archive.entry(CARD, TEXT_LIMIT)?;
        let mut left = MEMBERS_LIMIT;
        let mut of_member = |name: &str, limit: u64| -> Result<(String, Vec<u8>), BundleError> {
            let bytes = archive.entry(name, limit.min(left))?;
            left -= bytes.len() as u64;
            Ok((name.to_owned(), bytes))
        };
        let mut members = Vec::with_capacity(info.members.len());
        for (index, member) in info.members.iter().enumerate() {
            let folder = format!("{}/", member_folder(index));
            members.push(read_member(member, &folder, &mut of_member)?);
        }
        let mut series = Vec::new();
        for (index, expected) in info.series_sha256().enumerate() {
            let name = series_entry(index);
            let bytes = archive.entry(&name, SERIES_LIMIT)?;
            check_hash(name, &bytes, expected)?;
            series.push(bytes);
        }
        let networks = BundleNetworks { members, series };
        Ok(Self { info, networks, card: text(card)? })
    }

    fn open_plain(path: &Path, file: File) -> Result<Self, BundleError> {
        let name = path.display().to_string();
        let mut model = Some(archive::read_limited(file, &name, MODEL_LIMIT)?);
        let named = path.with_extension("json");
        let beside = [named.clone(), path.with_file_name(DESCRIPTION)];
        let Some(description) = beside.iter().find(|path| path.is_file()) else {
            let name = named.file_name().unwrap_or_default();
            return Err(BundleError::NoDescription(name.to_string_lossy().into_owned()));
        };
        let cards = [path.with_extension("md"), path.with_file_name(CARD)];
        let card = match cards.iter().find(|path| path.is_file()) {
            Some(card) => read_file(card, TEXT_LIMIT)?,
            None => Vec::new(),
        };
        let info = ModelInfo::from_json(&read_file(description, TEXT_LIMIT)?)?;
        let ([member], None) = (info.members.as_slice(), &info.series) else {
            let problem = format!(
                "has {} members, or the bundle networks of series; expected the one member whose \
                 network is the ONNX model",
                info.members.len()
            );
            return Err(BundleError::value("members", problem));
        };
        let read = &mut |name: &str, limit: u64| match model.take() {
            // The network of slices is asked for first, and is the model whatever its name.
            Some(model) => Ok((path.display().to_string(), model)),
            None => {
                let path = path.with_file_name(name);
                Ok((path.display().to_string(), read_file(&path, limit)?))
            }
        };
        let member = read_member(member, "", read)?;
        Ok(Self { info, networks: member.into(), card: text(card)? })
    }
}

/// Reads an entry by name, at most so many bytes of it; gives its name for messages too.
type ReadEntry<'a> = dyn FnMut(&str, u64) -> Result<(String, Vec<u8>), BundleError> + 'a;

/// Reads a member's networks from `folder` and checks their hashes.
fn read_member(
    member: &Member,
    folder: &str,
    read: &mut ReadEntry<'_>,
) -> Result<MemberNetworks, BundleError> {
    let mut network = |name: String, limit, expected: &str| {
        let (shown, bytes) = read(&name, limit)?;
        check_hash(shown, &bytes, expected)?;
        Ok::<_, BundleError>(bytes)
    };
    let slices = network(format!("{folder}{MODEL}"), MODEL_LIMIT, &member.sha256)?;
    let series = member.series_sha256().enumerate().map(|(index, expected)| {
        network(format!("{folder}{}", series_entry(index)), SERIES_LIMIT, expected)
    });
    Ok(MemberNetworks { slices, series: series.collect::<Result<_, _>>()? })
}

/// Sets all hashes of a description to those of its networks.
fn set_hashes(info: &mut ModelInfo, networks: &BundleNetworks) -> Result<(), BundleError> {
    let (expected, found) = (info.members.len(), networks.members.len());
    if expected != found {
        let problem = format!("has {expected} members, and there are networks of {found}");
        return Err(BundleError::value("members", problem));
    }
    for (index, (member, networks)) in info.members.iter_mut().zip(&networks.members).enumerate() {
        member.sha256 = sha256_hex(&networks.slices);
        let field = format!("members[{index}].series");
        set_stage_hashes(&field, &mut member.series, &networks.series)?;
    }
    let stages = match &mut info.series {
        Some(series) => std::slice::from_mut(&mut series.stage),
        None => &mut [],
    };
    set_stage_hashes("series", stages, &networks.series)
}

fn set_stage_hashes(
    field: &str,
    stages: &mut [SeriesStage],
    networks: &[Vec<u8>],
) -> Result<(), BundleError> {
    let expected: usize = stages.iter().map(|stage| stage.sha256.len()).sum();
    if expected != networks.len() {
        let problem = format!("names {expected} networks, and there are {}", networks.len());
        return Err(BundleError::value(field, problem));
    }
    let hashes = stages.iter_mut().flat_map(|stage| &mut stage.sha256);
    hashes.zip(networks).for_each(|(sha256, network)| *sha256 = sha256_hex(network));
    Ok(())
}

/// Checks that an entry is the one that is described.
fn check_hash(file: String, bytes: &[u8], expected: &str) -> Result<(), BundleError> {
    let found = sha256_hex(bytes);
    if found != expected {
        return Err(BundleError::Hash { file, found, expected: expected.to_owned() });
    }
    Ok(())
}

/// A card's text.
fn text(card: Vec<u8>) -> Result<String, BundleError> {
    String::from_utf8(card)
        .map_err(|_| BundleError::Archive("card.md is not UTF-8 text".to_owned()))
}

fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, BundleError> {
    archive::read_limited(open_file(path)?, &path.display().to_string(), limit)
}

/// Opens a file; a pipe or device would block or never end.
fn open_file(path: &Path) -> Result<File, BundleError> {
    let cannot_open = || BundleError::io(format!("cannot open {}", path.display()));
    if !fs::metadata(path).map_err(cannot_open())?.is_file() {
        return Err(cannot_open()(io::Error::other("it is not a file")));
    }
    File::open(path).map_err(cannot_open())
}
