//! Making and bringing up to date of an index: one pass, all cores, a chunk of files at a time.

use std::collections::HashSet;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use hemora_base::WorkShard;
use hemora_io::{ReadError, Source, is_object, list_share, with_readers};
use hemora_objects::Mirror;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::examine::{Examined, examine};
use super::file::{IndexError, IndexReader, write_index};
use super::join::{LabelJoin, Labels};
use super::parts::{Known, Parts};
use super::row::SliceRow;
use crate::prepare::SplitRule;

/// Files that are looked at before their rows are written: what is lost when a run is killed.
const CHUNK: usize = 1024;
/// Files that are named in a report.
const NAMED: usize = 1000;
/// Flag of an image whose id an earlier row has: prepared sets leave it out.
pub(crate) const REPEATED_ID: &str = "repeated_id";

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexReport {
    /// Usable images in the index.
    pub slices: usize,
    /// Images that cannot be used; they stand in the index with their reason.
    pub failed: usize,
    /// The first 1000 of them, with the reason.
    pub failures: Vec<String>,
    /// Files that were not opened, as size and time were those of an earlier run.
    pub unchanged: usize,
    /// Files with another time but the same bytes: hashed, not decoded.
    pub same_content: usize,
    /// Files that were read.
    pub read: usize,
    /// Files that are no CT images; they are not in the index.
    pub other_files: usize,
    /// Images of an earlier index whose files are not there any more.
    pub gone: usize,
    /// Images whose id an earlier row has; flagged `repeated_id`.
    pub repeated_ids: usize,
    /// Images without SeriesInstanceUID; flagged `no_series`.
    pub without_series: usize,
    /// What each label table gave.
    pub labels: Vec<LabelJoin>,
    /// Usable images without labels.
    pub unlabelled: usize,
    /// What is in no row, though it was asked for.
    pub(super) in_no_row: InNoRow,
}

/// Failures that no row of an index tells of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct InNoRow {
    /// Folders and links that cannot be listed, which every share of a job meets.
    pub(super) folders: Vec<String>,
    /// Archives, entries and files, each of one share.
    pub(super) files: Vec<String>,
}

/// Indexes the files, folders, zip archives and objects (`s3://…`) of `paths`, under their absolute paths, into the Parquet file `out`, a row an image
/// (a frame of an enhanced CT object, a slice of a NIfTI volume), labelled by the tables `labels` (of
/// two that name an image, the first counts).
///
/// An index that is there is brought up to date: files with the same size and time are not opened,
/// those with the same bytes not decoded. A run that was killed is taken up where it was. Memory
/// holds one chunk of rows, the paths and the label tables. `progress(done, total)` is called from
/// any thread.
///
/// `out` may be an object, too, which is put together in the folder of temporary files: that holds the earlier
/// index and twice the new one. The label tables may be objects.
///
/// # Errors
/// [`IndexError`] if there are no images, a table cannot be used, or the index cannot be read or
/// written. An image that cannot be read is a row with its reason.
pub fn build_index(
    paths: &[PathBuf],
    labels: &[PathBuf],
    out: &Path,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<IndexReport, IndexError> {
    let mirror = Mirror::of_file(out)?;
    // An index is used from other folders than the one that it was made in.
    let built =
        build(&absolute(paths), labels, (&mirror, mirror.path()), WorkShard::WHOLE, progress);
    built.map_err(|error| error.of_object(&mirror))
}

/// Paths that say the same in every folder.
pub(super) fn absolute(paths: &[PathBuf]) -> Vec<PathBuf> {
    let absolute = |path: &PathBuf| match is_object(path) {
        true => path.clone(),
        false => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
    };
    paths.iter().map(absolute).collect()
}

/// Indexes a share of `paths`, which are absolute, as [`build_index`] does the whole, into a file of a mirror; a
/// share may be empty.
pub(super) fn build(
    paths: &[PathBuf],
    labels: &[PathBuf],
    (mirror, out): (&Mirror, &Path),
    share: WorkShard,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<IndexReport, IndexError> {
    let labels = Labels::read(labels)?;
    let list = list_share(paths, share);
    let mut report = IndexReport::default();
    for skip in &list.skipped {
        let reason = format!("{}: {}", skip.source, skip.reason);
        let path = skip.source.file();
        // Everything else that cannot be listed is met by every share.
        let is_file = path.is_file() || matches!(skip.reason, ReadError::RemoteArchive);
        // Other machines may have it: then its files would be missing, and nobody would know.
        if share != WorkShard::WHOLE && !is_file && paths.iter().any(|it| it == path) {
            return Err(IndexError::NoPath(reason));
        }
        let InNoRow { folders, files } = &mut report.in_no_row;
        if is_file { files } else { folders }.push(reason.clone());
        report.fail(reason);
    }
    if list.sources.is_empty() && share == WorkShard::WHOLE {
        return Err(report.is_empty());
    }
    let parts = Parts::open(mirror, out)?;
    mirror.fetch(out)?;
    let mut earlier = Earlier::open(out)?;
    let split = earlier.split;
    let (done, total) = (AtomicUsize::new(0), list.sources.len());
    for (number, chunk) in list.sources.chunks(CHUNK).enumerate() {
        let mut known = parts.known(number)?;
        let resumed: Vec<Source> = known.values().flatten().map(SliceRow::source).collect();
        let before = report.read + report.same_content;
        earlier.take(chunk, &mut known)?;
        let with_known: Vec<(&Source, Vec<SliceRow>)> =
            chunk.iter().map(|source| (source, known.remove(source).unwrap_or_default())).collect();
        let examine = |(source, known): (&Source, Vec<SliceRow>)| {
            let examined = examine(source, known, &list);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
            examined
        };
        let examined: Vec<Examined> =
            with_readers(chunk, || with_known.into_par_iter().map(examine).collect());
        let rows = report.count(examined);
        // A part that says just this is there already; the index is put together from parts.
        let is_new = report.read + report.same_content > before;
        let is_there =
            parts.path(number).exists() && !is_new && rows.iter().map(SliceRow::source).eq(resumed);
        if !is_there {
            parts.write(number, rows, is_new)?;
        }
    }
    report.gone = earlier.gone()?;
    let rows = (0..total.div_ceil(CHUNK)).map(|number| IndexReader::open(&parts.path(number)));
    let rows = rows.flat_map(|reader| match reader {
        Ok(reader) => Rows::Of(reader),
        Err(error) => Rows::Failed(Some(error)),
    });
    finish(rows, (out, split.as_ref()), labels, share == WorkShard::WHOLE, &mut report)?;
    mirror.publish(out)?;
    parts.remove()?;
    Ok(report)
}

/// The rows of a part, or why there are none.
enum Rows {
    Of(IndexReader),
    Failed(Option<IndexError>),
}

impl Iterator for Rows {
    type Item = Result<SliceRow, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Of(rows) => rows.next(),
            Self::Failed(error) => error.take().map(Err),
        }
    }
}

impl IndexReport {
    /// Counts what was found and keeps its rows.
    fn count(&mut self, examined: Vec<Examined>) -> Vec<SliceRow> {
        let mut rows = Vec::with_capacity(examined.len());
        for examined in examined {
            let of_file = match examined {
                Examined::Unchanged(rows) => {
                    self.unchanged += 1;
                    rows
                }
                Examined::SameContent(rows) => {
                    self.same_content += 1;
                    rows
                }
                Examined::Read(rows) => {
                    self.read += 1;
                    rows
                }
                Examined::OtherFile => {
                    self.other_files += 1;
                    continue;
                }
                Examined::Unnamed(reason) => {
                    self.in_no_row.files.push(reason.clone());
                    self.fail(reason);
                    continue;
                }
            };
            rows.extend(of_file);
        }
        rows
    }

    pub(super) fn fail(&mut self, reason: String) {
        self.failed += 1;
        if self.failures.len() < NAMED {
            self.failures.push(reason);
        }
    }

    /// Why there is nothing in the index.
    fn is_empty(&self) -> IndexError {
        let reason = self.failures.first().cloned();
        IndexError::Empty(reason.unwrap_or_else(|| match self.other_files {
            0 => "no files".to_owned(),
            count => format!("{count} other files"),
        }))
    }
}

/// The rows of an index that is there already, in the order of their sources.
pub(super) struct Earlier {
    rows: Option<Peekable<IndexReader>>,
    /// Rows that belong to no source.
    gone: usize,
    /// The file or entry that was last asked for.
    asked: Option<Source>,
    /// The rule of its split, which unchanged images stay in.
    pub(super) split: Option<SplitRule>,
}

impl Earlier {
    pub(super) fn open(path: &Path) -> Result<Self, IndexError> {
        let reader = path.exists().then(|| IndexReader::open_current(path)).transpose()?.flatten();
        let split = reader.as_ref().and_then(|reader| reader.split_rule().copied());
        Ok(Self { rows: reader.map(Iterator::peekable), gone: 0, asked: None, split })
    }

    /// Adds the rows of `chunk`, which follows the chunk before, unless they are known.
    fn take(&mut self, chunk: &[Source], known: &mut Known) -> Result<(), IndexError> {
        let resumed: HashSet<Source> = known.keys().cloned().collect();
        let (Some(rows), Some(last)) = (&mut self.rows, chunk.last()) else { return Ok(()) };
        let due = |row: &Result<SliceRow, IndexError>| match row {
            Ok(row) => row.object() <= *last,
            Err(_) => true,
        };
        while let Some(row) = rows.next_if(due) {
            let row = row?;
            let object = row.object();
            if chunk.binary_search(&object).is_err() {
                self.gone += 1;
            } else if !resumed.contains(&object) {
                known.entry(object).or_default().push(row);
            }
        }
        Ok(())
    }

    /// The part of the split that an image of these bytes is in, if it is there: as with [`take`](Self::take),
    /// rows are asked for in the order of their sources.
    pub(super) fn part(&mut self, row: &SliceRow) -> Result<Option<String>, IndexError> {
        let place = |row: &SliceRow| (row.object(), row.frame);
        let (of_row, object) = (place(row), row.object());
        let Some(rows) = &mut self.rows else { return Ok(None) };
        let is_before = |it: &Result<SliceRow, IndexError>| match it {
            Ok(it) => place(it) < of_row,
            Err(_) => true,
        };
        while let Some(before) = rows.next_if(is_before) {
            // Further frames of an object that is there are of an earlier state of its file.
            let before = before?.object();
            self.gone += usize::from(before != object && self.asked.as_ref() != Some(&before));
        }
        self.asked = Some(object);
        let same = |it: &Result<SliceRow, IndexError>| matches!(it, Ok(it) if place(it) == of_row);
        let known = rows.next_if(same).transpose()?;
        Ok(known.filter(|known| known.sha256 == row.sha256).and_then(|known| known.split))
    }

    /// How many rows belong to no source, when all chunks were taken.
    pub(super) fn gone(mut self) -> Result<usize, IndexError> {
        for row in self.rows.iter_mut().flatten() {
            row?;
            self.gone += 1;
        }
        Ok(self.gone)
    }
}

/// Writes the rows, which are in the order of their sources, as an index: with their labels and with flags
/// where an id comes again. An index without images is refused where they `are_all`, and is not where they
/// are a share.
pub(super) fn finish(
    rows: impl Iterator<Item = Result<SliceRow, IndexError>>,
    (out, split): (&Path, Option<&SplitRule>),
    mut labels: Labels,
    are_all: bool,
    report: &mut IndexReport,
) -> Result<(), IndexError> {
    write_index(out, split, |writer| {
        // Half a hash stands for an id: of a million ids no two share one, and it is half as long.
        let mut ids: HashSet<[u8; 16]> = HashSet::new();
        for row in rows {
            let mut row = row?;
            if let Some(reason) = &row.error {
                report.fail(format!("{}: {reason}", row.source()));
                writer.push(row)?;
                continue;
            }
            labels.join(&mut row);
            report.unlabelled += usize::from(row.labels.is_none());
            report.without_series += usize::from(row.series_instance_uid.is_none());
            row.flags.retain(|flag| flag != REPEATED_ID);
            let mut half = [0; 16];
            half.copy_from_slice(&Sha256::digest(&row.id)[..16]);
            if !ids.insert(half) {
                report.repeated_ids += 1;
                row.flags.push(REPEATED_ID.to_owned());
                row.flags.sort();
            }
            report.slices += 1;
            writer.push(row)?;
        }
        report.labels = labels.finish();
        if are_all && report.slices == 0 { Err(report.is_empty()) } else { Ok(()) }
    })
}
