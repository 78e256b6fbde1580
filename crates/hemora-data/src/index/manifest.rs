//! What is written last of a share of an index, and says that the share is whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hemora_base::{WorkShard, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::build::{InNoRow, IndexReport};
use super::file::{IndexError, READER};
use crate::table_file::open_table;

/// What the manifests of shares of an index say that they are of.
const KIND: &str = "index";
/// Goes up when a manifest says something else than before.
const VERSION: u32 = 1;
/// More bytes than a manifest has.
const MAX_BYTES: u64 = 256 << 20;

/// `shard-00003-of-00008.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    kind: String,
    version: u32,
    /// `3/8`.
    shard: String,
    /// The version of Hemora that wrote it.
    hemora: String,
    /// What decides the rows.
    pub(super) job: Job,
    /// SHA-256 of the share's table.
    pub(super) table_sha256: String,
    /// Rows of the table.
    pub(super) rows: usize,
    pub(super) counts: Counts,
    /// Folders that could not be listed: every share of a job meets them.
    pub(super) unlisted_folders: Vec<String>,
    /// Files of this share that are in no row.
    pub(super) unlisted_files: Vec<String>,
}

/// What all shares of a job have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    /// How files are read.
    reader: String,
    /// What is indexed, absolute.
    paths: Vec<String>,
    pub(super) labels: Vec<JobTable>,
}

/// A label table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobTable {
    /// Absolute.
    pub(super) path: PathBuf,
    pub(super) sha256: String,
}

/// What a run of a share did.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counts {
    images: usize,
    failed: usize,
    pub(super) unchanged: usize,
    pub(super) same_content: usize,
    pub(super) read: usize,
    pub(super) other_files: usize,
}

impl Manifest {
    pub(super) fn new(
        share: WorkShard,
        job: Job,
        (table_sha256, rows): (String, usize),
        report: &IndexReport,
    ) -> Self {
        let IndexReport { unchanged, same_content, read, other_files, .. } = *report;
        let InNoRow { folders, files } = report.in_no_row.clone();
        let (images, failed) = (report.slices, report.failed);
        Self {
            kind: KIND.to_owned(),
            version: VERSION,
            shard: share.to_string(),
            hemora: env!("CARGO_PKG_VERSION").to_owned(),
            job,
            table_sha256,
            rows,
            counts: Counts { images, failed, unchanged, same_content, read, other_files },
            unlisted_folders: folders,
            unlisted_files: files,
        }
    }

    /// Reads the manifest of a share.
    pub(super) fn read(path: &Path, share: WorkShard) -> Result<Self, IndexError> {
        let text = read_text(path).map_err(|source| in_path(path, source))?;
        let broken = |reason: String| IndexError::Share { path: path.to_owned(), reason };
        let Kind { kind, version } =
            serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        if (kind.as_str(), version) != (KIND, VERSION) {
            return Err(broken(format!(
                "found a share of kind `{kind}`, version {version}; expected `{KIND}`, version {VERSION}"
            )));
        }
        let manifest: Self =
            serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        if manifest.shard != share.to_string() {
            let found = &manifest.shard;
            return Err(broken(format!("it says that it is share {found}, its name {share}")));
        }
        Ok(manifest)
    }
}

/// Refuses the place of a manifest that is of another kind of job.
pub(super) fn refuse_other_kind(path: &Path) -> Result<(), IndexError> {
    let kind = read_text(path).ok().and_then(|text| serde_json::from_str(&text).ok());
    match kind {
        Some(Kind { kind, .. }) if kind != KIND => {
            let reason = format!(
                "it is of a job of kind `{kind}`; give the index another folder with --out"
            );
            Err(IndexError::Share { path: path.to_owned(), reason })
        }
        // What is broken is written anew.
        _ => Ok(()),
    }
}

/// What kind of job the manifest of a share is of.
pub(super) fn kind_of(path: &Path) -> Result<String, IndexError> {
    let text = read_text(path).map_err(|source| in_path(path, source))?;
    let kind: Result<Kind, _> = serde_json::from_str(&text);
    let broken = |error: serde_json::Error| error.to_string();
    kind.map(|it| it.kind)
        .map_err(|error| IndexError::Share { path: path.to_owned(), reason: broken(error) })
}

/// What every manifest has, whatever its job did.
#[derive(Deserialize)]
struct Kind {
    kind: String,
    #[serde(default)]
    version: u32,
}

impl Job {
    pub(super) fn new(paths: &[PathBuf], labels: &[PathBuf]) -> Result<Self, IndexError> {
        let text = |path: &PathBuf| match path.to_str() {
            Some(text) => Ok(text.to_owned()),
            None => {
                let reason = "the path is not UTF-8 text; rename it".to_owned();
                Err(IndexError::Share { path: path.clone(), reason })
            }
        };
        let table = |path: &PathBuf| {
            let sha256 = table_sha256(path).map_err(|source| in_path(path, source))?;
            Ok(JobTable { path: text(path)?.into(), sha256 })
        };
        Ok(Self {
            reader: READER.to_owned(),
            paths: paths.iter().map(text).collect::<Result<_, _>>()?,
            labels: labels.iter().map(table).collect::<Result<_, IndexError>>()?,
        })
    }

    /// What another job has that this one has not, in words.
    pub(super) fn differs_from(&self, other: &Self) -> Option<String> {
        let named = |tables: &[JobTable]| {
            let table = |it: &JobTable| format!("{} ({})", it.path.display(), &it.sha256);
            tables.iter().map(table).collect::<Vec<_>>()
        };
        let differ = |what: &str, one: &[String], other: &[String]| {
            let texts =
                [one, other].map(|it| if it.is_empty() { "none".into() } else { it.join(", ") });
            (one != other).then(|| format!("{what}: {} here, {} there", texts[0], texts[1]))
        };
        let reader = |job: &Self| vec![job.reader.clone()];
        differ("paths", &self.paths, &other.paths)
            .or_else(|| differ("label tables", &named(&self.labels), &named(&other.labels)))
            .or_else(|| differ("version of the reader", &reader(self), &reader(other)))
    }
}

/// What the files of a share are called, without their extension.
pub(super) fn share_name(share: WorkShard) -> String {
    format!("shard-{:05}-of-{:05}", share.number(), share.of())
}

/// The share that the manifest of this name is of.
pub(super) fn share_of(name: &str) -> Option<WorkShard> {
    let (number, of) = name.strip_prefix("shard-")?.strip_suffix(".json")?.split_once("-of-")?;
    let share = WorkShard::new(number.parse().ok()?, of.parse().ok()?)?;
    (format!("{}.json", share_name(share)) == name).then_some(share)
}

/// SHA-256 of a file's bytes.
pub(super) fn file_sha256(path: &Path) -> io::Result<String> {
    sha256_of(File::open(path)?)
}

/// SHA-256 of the bytes of a label table, which may be an object.
pub(super) fn table_sha256(path: &Path) -> io::Result<String> {
    sha256_of(open_table(path)?)
}

fn sha256_of(mut bytes: impl Read) -> io::Result<String> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        match bytes.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    match u64::try_from(read) {
        Ok(read) if read <= MAX_BYTES => Ok(text),
        _ => Err(io::Error::other("more than 256 MiB; expected the manifest of a share")),
    }
}

fn in_path(path: &Path, source: io::Error) -> IndexError {
    IndexError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_known_by_their_names() {
        let share = WorkShard::new(3, 8).unwrap();
        let name = format!("{}.json", share_name(share));
        assert_eq!((name.as_str(), share_of(&name)), ("shard-00003-of-00008.json", Some(share)));
        let large = WorkShard::new(123_456, 200_000).unwrap();
        assert_eq!(share_of(&format!("{}.json", share_name(large))), Some(large));
        for other in
            ["shard-3-of-8.json", "shard-00009-of-00008.json", "shard-00003-of-00008.index.parquet"]
        {
            assert_eq!(share_of(other), None, "{other}");
        }
    }
}
