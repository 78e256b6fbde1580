//! The documents that say of what a share, or shares that were merged, are made.

use std::collections::BTreeMap;

use hemora_base::WorkShard;
use hemora_ct::NOTICE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::store::Store;
use crate::{ArchiveError, Job};

/// Version of the documents; raised when a reader of the old one could misread the new.
pub(crate) const FORMAT_VERSION: u32 = 1;
/// Kind of a share of triage.
const TRIAGE: &str = "triage";
/// Most bytes of a document.
const LIMIT: u64 = 16 << 20;

/// What a share holds: written last, so that a share without it is not whole. The same job and share make the
/// same document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareManifest {
    /// Version of this document's format, 1.
    pub format_version: u32,
    /// `triage`.
    pub kind: String,
    /// States that the results are for research use and not for diagnosis.
    pub notice: String,
    /// The share, `I/N`.
    pub shard: String,
    /// The job that it is a share of.
    pub job: Job,
    /// What was counted.
    pub counts: Counts,
    /// Its files: `studies`, `slices`, `skipped`, `pictured`.
    pub tables: BTreeMap<String, TableRef>,
}

/// What was counted. Every row of the index is a scored slice or skipped: `rows` is the sum of `slices` and
/// `skipped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Rows of the index.
    pub rows: u64,
    /// Studies with a result.
    pub studies: u64,
    /// Scored series.
    pub series: u64,
    /// Scored slices.
    pub slices: u64,
    /// Images without a result.
    pub skipped: u64,
    /// Of those, images that failed; the others are left out by rule.
    pub failed: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.rows += other.rows;
        self.studies += other.studies;
        self.series += other.series;
        self.slices += other.slices;
        self.skipped += other.skipped;
        self.failed += other.failed;
    }
}

/// A file of a share, or of what was merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRef {
    /// Its name.
    pub file: String,
    /// Rows or lines.
    pub rows: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// What shares make together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergedManifest {
    /// Version of this document's format, 1.
    pub format_version: u32,
    /// `triage-merged`.
    pub kind: String,
    /// States that the results are for research use and not for diagnosis.
    pub notice: String,
    /// Number of shares.
    pub shards: u32,
    /// The job.
    pub job: Job,
    /// The engines that ran the model, in alphabetical order.
    pub engines: Vec<String>,
    /// What was counted.
    pub counts: Counts,
    /// Its files: `studies`, `slices`, `skipped`, `worklist`, `report`.
    pub tables: BTreeMap<String, TableRef>,
}

impl ShareManifest {
    pub(crate) fn new(
        shard: WorkShard,
        job: Job,
        counts: Counts,
        tables: BTreeMap<String, TableRef>,
    ) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            kind: TRIAGE.to_owned(),
            notice: NOTICE.to_owned(),
            shard: shard.to_string(),
            job,
            counts,
            tables,
        }
    }
}

/// What the files of a share begin with, `shard-00003-of-00008`.
pub(crate) fn stem(shard: WorkShard) -> String {
    format!("shard-{:05}-of-{:05}", shard.number(), shard.of())
}

/// The share whose manifest has this name, `shard-00003-of-00008.json`.
pub(crate) fn shard_of(name: &str, suffix: &str) -> Option<WorkShard> {
    let (number, of) = name.strip_suffix(suffix)?.strip_prefix("shard-")?.split_once("-of-")?;
    let shard = WorkShard::new(number.parse().ok()?, of.parse().ok()?)?;
    (format!("{}{suffix}", stem(shard)) == name).then_some(shard)
}

/// Reads the manifest of a share; `None` if it is not there.
pub(crate) fn read_share(
    store: &Store,
    shard: WorkShard,
) -> Result<Option<ShareManifest>, ArchiveError> {
    #[derive(Deserialize)]
    struct Kind {
        kind: String,
    }
    let name = format!("{}.json", stem(shard));
    let wrong = |reason| Err(ArchiveError::document(store.name_of(&name), reason));
    let bytes = store.read(&name, LIMIT)?;
    match bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        Some(Kind { kind }) if kind != TRIAGE => {
            return wrong(format!(
                "it is of a job of kind `{kind}`; give the shares of a triage a folder of their own"
            ));
        }
        _ => {}
    }
    let manifest: Option<ShareManifest> = read(store, &name)?;
    match &manifest {
        Some(manifest) if manifest.shard != shard.to_string() => {
            wrong(format!("it says that it is share {}, its name {shard}", manifest.shard))
        }
        _ => Ok(manifest),
    }
}

/// Reads a document; `None` if it is not there.
pub(crate) fn read<T: DeserializeOwned>(
    store: &Store,
    name: &str,
) -> Result<Option<T>, ArchiveError> {
    // What another version wrote is told apart from what is broken.
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let Some(bytes) = store.read(name, LIMIT)? else { return Ok(None) };
    let wrong = |reason| ArchiveError::document(store.name_of(name), reason);
    let failed = |error: serde_json::Error| wrong(format!("not the document expected: {error}"));
    let Version { format_version } = serde_json::from_slice(&bytes).map_err(failed)?;
    if format_version != FORMAT_VERSION {
        return Err(wrong(format!(
            "format version {format_version}; this program reads {FORMAT_VERSION}: use the program \
             that wrote it"
        )));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(failed)
}

/// Writes a document.
pub(crate) fn write(
    store: &Store,
    name: &str,
    document: &impl Serialize,
) -> Result<(), ArchiveError> {
    let mut bytes = serde_json::to_vec_pretty(document)
        .map_err(|error| ArchiveError::document(store.name_of(name), error))?;
    bytes.push(b'\n');
    store.write(name, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_shares_are_read_back_and_others_passed_over() {
        let shard = WorkShard::new(3, 8).unwrap();
        assert_eq!(stem(shard), "shard-00003-of-00008");
        assert_eq!(shard_of("shard-00003-of-00008.json", ".json"), Some(shard));
        assert_eq!(shard_of("shard-00003-of-00008.part", ".part"), Some(shard));
        for name in [
            "shard-3-of-8.json",
            "shard-00009-of-00008.json",
            "merged.json",
            "shard-00003-of-00008",
        ] {
            assert_eq!(shard_of(name, ".json"), None, "{name}");
        }
    }
}
