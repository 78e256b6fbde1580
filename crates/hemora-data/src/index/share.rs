//! A share of an index: what one machine of several makes of its part of the files.

use std::path::{Path, PathBuf};

use hemora_base::{WorkShard, write_json};
use hemora_objects::Mirror;

use super::build::{IndexReport, absolute, build};
use super::file::{IndexError, IndexReader};
use super::manifest::{Job, Manifest, file_sha256, refuse_other_kind, share_name};

/// Indexes a share of what [`build_index`](crate::build_index) indexes, into the folder or prefix `out`: the files and archives
/// whose absolute path the share holds, so that each is read once over all shares, with the table
/// `shard-00003-of-00008.index.parquet`, an index of its own, and last `shard-00003-of-00008.json`, which says
/// that it is whole. [`merge_index`](crate::merge_index) makes one index of all shares.
///
/// A share that is there is brought up to date, and one that was killed is taken up where it was. A share
/// without files is whole too. Ids that are repeated and labels without an image are found when shares are merged; of
/// the latter the report of a share says nothing.
///
/// # Errors
/// As [`build_index`](crate::build_index), but a path that is not there, or is empty, is an error: other machines may have
/// it, and its files would be missing. [`IndexError::Share`] if the folder has such a share of another kind.
pub fn index_share(
    paths: &[PathBuf],
    labels: &[PathBuf],
    share: WorkShard,
    out: &Path,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<IndexReport, IndexError> {
    let mirror = Mirror::of(out)?;
    let made = make(&absolute(paths), &absolute(labels), share, &mirror, progress);
    made.map_err(|error| error.of_object(&mirror))
}

fn make(
    paths: &[PathBuf],
    labels: &[PathBuf],
    share: WorkShard,
    mirror: &Mirror,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<IndexReport, IndexError> {
    let name = share_name(share);
    let manifest_path = mirror.path().join(format!("{name}.json"));
    mirror.fetch(&manifest_path)?;
    refuse_other_kind(&manifest_path)?;
    let job = Job::new(paths, labels)?;
    let table = mirror.path().join(format!("{name}.index.parquet"));
    let mut report = build(paths, labels, (mirror, &table), share, progress)?;
    report.labels.iter_mut().for_each(|join| join.without_image.clear());
    let rows = IndexReader::open(&table)?.len();
    let in_path = |path: &Path| {
        let path = path.to_owned();
        move |source| IndexError::Io { path, source }
    };
    let sha256 = file_sha256(&table).map_err(in_path(&table))?;
    let manifest = Manifest::new(share, job, (sha256, rows), &report);
    write_json(&manifest_path, &manifest).map_err(in_path(&manifest_path))?;
    // Last of all: it says that the table is there.
    mirror.publish(&manifest_path)?;
    Ok(report)
}
