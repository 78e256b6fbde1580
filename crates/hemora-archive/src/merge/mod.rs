//! Shares to one result: tables of studies and slices, a worklist and a ranked page.

mod page;
mod shares;
mod streams;
mod worklist;

use std::collections::{BTreeMap, BTreeSet};

use hemora_ct::NOTICE;
use hemora_objects::Place;

use crate::manifest::{self, FORMAT_VERSION};
use crate::part::PICTURED;
use crate::pictured::PicturedLines;
use crate::store::Store;
use crate::tables::{Row, TableKind, key_of, rank_of};
use crate::{ArchiveError, Counts, MergedManifest, TableRef};
use page::SkippedTally;
use shares::Shares;
use worklist::Worklist;

/// Name of the merged manifest.
const MANIFEST: &str = "merged.json";
/// Kind of the merged manifest.
const KIND: &str = "triage-merged";

/// Makes of the shares in `folders` one result in `out`: `studies.parquet` (the most suspicious first),
/// `slices.parquet` and `skipped.parquet` (in the order of the studies' keys), `worklist.csv` of the most
/// suspicious studies, `report.html` with the pictures of those that are pictured, and last of all `merged.json`.
/// `progress(done, total)` counts rows.
///
/// The tables do not depend on the number of shares. Held at a time are a group of rows of each share, and the
/// studies that are shown.
///
/// # Errors
/// [`ArchiveError`] if shares are missing, not whole or not of one job, if a table is not what its share wrote,
/// or if a file cannot be read or written.
pub fn merge(
    folders: &[Place],
    out: &Place,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<MergedManifest, ArchiveError> {
    let shares = Shares::find(folders)?;
    let job = shares.job()?;
    let store = Store::new(out);
    // What is there of an earlier merge is not taken for whole while this one writes.
    store.remove(MANIFEST)?;
    let mut counts = Counts::default();
    shares.manifests().for_each(|manifest| counts.add(manifest.counts));
    let total = usize::try_from(counts.studies + counts.slices + counts.skipped);
    let (total, mut done) = (total.unwrap_or(usize::MAX), 0);
    let (mut worklist, mut tally) = (Worklist::default(), SkippedTally::default());
    let mut tables = BTreeMap::new();
    for kind in TableKind::ALL {
        let file = format!("{}.parquet", kind.name());
        let (rows, sha256) = kind.write(&store, &file, |push| {
            let mut each = |row: Row| {
                match kind {
                    TableKind::Studies => worklist.add(&row),
                    TableKind::Skipped => tally.add(&row),
                    TableKind::Slices => {}
                }
                done += 1;
                progress(done, total);
                push(row)
            };
            match kind {
                TableKind::Studies => streams::in_order(&shares, kind, rank_of, &mut each),
                TableKind::Slices | TableKind::Skipped => {
                    let key = |row: &Row| key_of(row).to_owned();
                    streams::in_order(&shares, kind, key, &mut each)
                }
            }
        })?;
        tables.insert(kind.name().to_owned(), TableRef { file, rows, sha256 });
    }
    tables.insert("worklist".to_owned(), worklist.write(&store, "worklist.csv")?);
    let mut pictured = PicturedLines::new(job.options.pictured_studies);
    for file in shares.files(PICTURED) {
        pictured.add(file?.path())?;
    }
    let report = page::write(&store, "report.html", &pictured, (&job, counts, tally))?;
    tables.insert("report".to_owned(), report);
    let engines: BTreeSet<&str> = shares.manifests().map(|it| it.job.engine.as_str()).collect();
    let merged = MergedManifest {
        format_version: FORMAT_VERSION,
        kind: KIND.to_owned(),
        notice: NOTICE.to_owned(),
        shards: shares.count(),
        engines: engines.into_iter().map(str::to_owned).collect(),
        job,
        counts,
        tables,
    };
    manifest::write(&store, MANIFEST, &merged)?;
    Ok(merged)
}
