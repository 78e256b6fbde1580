//! The shares of an index, made one index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hemora_base::WorkShard;
use hemora_io::Source;

use super::build::{Earlier, IndexReport, finish};
use super::file::{IndexError, IndexReader};
use super::join::Labels;
use super::lock::IndexLock;
use super::manifest::{Job, Manifest, file_sha256, kind_of, share_name, share_of};
use super::row::SliceRow;

/// Shares that an error names.
const NAMED: usize = 20;

/// Makes the index `out` of all shares that [`index_share`](crate::index_share) left in `folders`. It has the bytes of the index
/// that one run over the same files makes: labels are joined, and repeated ids found, over all of them. If
/// `out` is there, unchanged images stay in the parts of its split. Memory holds a group of rows a
/// share, the ids and the label tables. `progress(done, total)` is called for every row.
///
/// # Errors
/// [`IndexError`] names the shares that are missing, broken, of another job than the first, or that could not list a
/// folder which others listed.
pub fn merge_index(
    folders: &[PathBuf],
    out: &Path,
    progress: &dyn Fn(usize, usize),
) -> Result<IndexReport, IndexError> {
    let shares = find(folders)?;
    let mut report = IndexReport::default();
    let job = check(&shares, &mut report)?;
    let labels = labels(&job, &shares)?;
    let mut readers = Vec::with_capacity(shares.len());
    for share in &shares {
        readers.push(share.open()?);
    }
    let _lock = IndexLock::take(out)?;
    let mut earlier = Earlier::open(out)?;
    let split = earlier.split;
    let total = readers.iter().map(IndexReader::len).sum();
    let union = Union::new(readers, &shares)?;
    let rows = union.enumerate().map(|(number, row)| {
        progress(number + 1, total);
        let mut row = row?;
        row.split = earlier.part(&row)?;
        Ok(row)
    });
    finish(rows, (out, split.as_ref()), labels, true, &mut report)?;
    report.gone = earlier.gone()?;
    Ok(report)
}

/// What the shares in `folders` are of: `index` for those that [`index_share`](crate::index_share) made.
///
/// # Errors
/// [`IndexError`] if there are none, or if they are of several kinds.
pub fn job_kind(folders: &[PathBuf]) -> Result<String, IndexError> {
    let mut kinds = BTreeSet::new();
    for path in manifests(folders)?.into_values() {
        kinds.insert(kind_of(&path)?);
    }
    let mut kinds = kinds.into_iter();
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => Ok(kind),
        (None, _) => Err(IndexError::NoShares(folders.to_vec())),
        (Some(one), Some(other)) => Err(IndexError::Jobs(format!(
            "found shares of kind `{one}` and of kind `{other}`; name the folders of one job"
        ))),
    }
}

/// A share that is there.
struct Share {
    share: WorkShard,
    /// Its folder and name, without an extension.
    path: PathBuf,
    manifest: Manifest,
}

impl Share {
    fn table(&self) -> PathBuf {
        self.path.with_extension("index.parquet")
    }

    /// Its rows, if they are those that its manifest was written for.
    fn open(&self) -> Result<IndexReader, IndexError> {
        let path = self.table();
        let broken = |reason: String| IndexError::Share { path: path.clone(), reason };
        let sha256 = file_sha256(&path);
        let sha256 = sha256.map_err(|source| IndexError::Io { path: path.clone(), source })?;
        if sha256 != self.manifest.table_sha256 {
            return Err(broken("it is not the table that the share's manifest names".to_owned()));
        }
        let reader = IndexReader::open_current(&path)?;
        reader.filter(|reader| reader.len() == self.manifest.rows).ok_or_else(|| {
            broken("another version of Hemora wrote it, or its rows are not as many as its manifest says".to_owned())
        })
    }
}

/// The manifests in the folders, in the order of their shares.
fn manifests(folders: &[PathBuf]) -> Result<BTreeMap<WorkShard, PathBuf>, IndexError> {
    let mut found: BTreeMap<WorkShard, PathBuf> = BTreeMap::new();
    for folder in folders {
        let in_folder = |source| IndexError::Io { path: folder.clone(), source };
        for entry in std::fs::read_dir(folder).map_err(in_folder)? {
            let path = entry.map_err(in_folder)?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(share) = name.and_then(share_of) else { continue };
            if let Some(other) = found.insert(share, path.clone()) {
                let reason =
                    format!("share {share} is in {} too; name one of them", other.display());
                return Err(IndexError::Share { path, reason });
            }
        }
    }
    Ok(found)
}

/// All shares of the job in the folders, in their order.
fn find(folders: &[PathBuf]) -> Result<Vec<Share>, IndexError> {
    let found = manifests(folders)?;
    // Of two jobs in one folder neither would be whole.
    let counts: BTreeSet<u32> = found.keys().map(|share| share.of()).collect();
    let of = match counts.iter().collect::<Vec<_>>()[..] {
        [] => return Err(IndexError::NoShares(folders.to_vec())),
        [of] => *of,
        [one, other, ..] => {
            return Err(IndexError::Jobs(format!(
                "found shares of {one} and shares of {other}: two jobs, or one that was begun with another \
                 number of shares; name the folder of one"
            )));
        }
    };
    let is_missing = |share: &WorkShard| !found.contains_key(share);
    let all = (1..=of).filter_map(|number| WorkShard::new(number, of));
    let missing: Vec<String> =
        all.filter(is_missing).take(NAMED).map(|share| share.to_string()).collect();
    if !missing.is_empty() {
        let count = of as usize - found.len();
        return Err(IndexError::Missing { count, of, named: missing.join(", ") });
    }
    let read = |(share, path): (WorkShard, PathBuf)| {
        let manifest = Manifest::read(&path, share)?;
        Ok(Share { share, path: path.with_file_name(share_name(share)), manifest })
    };
    found.into_iter().map(read).collect()
}

/// Adds what the shares met beside their rows; the job that they are all of.
fn check(shares: &[Share], report: &mut IndexReport) -> Result<Job, IndexError> {
    let [first, others @ ..] = shares else { return Err(IndexError::NoShares(Vec::new())) };
    let unlisted = |it: &Share| it.manifest.unlisted_folders.iter().cloned().collect();
    let of_first: BTreeSet<String> = unlisted(first);
    for other in others {
        let (one, number) = (first.share, other.share);
        if let Some(what) = first.manifest.job.differs_from(&other.manifest.job) {
            return Err(IndexError::Jobs(format!(
                "shares {one} and {number} are of two jobs: {what}; run one of them again"
            )));
        }
        let of_other: BTreeSet<String> = unlisted(other);
        if let Some(problem) = of_first.symmetric_difference(&of_other).next() {
            let met = if of_first.contains(problem) { one } else { number };
            return Err(IndexError::Jobs(format!(
                "share {met} could not list a folder that others could, so its files are missing: {problem}; \
                 run share {met} again where the folder can be listed"
            )));
        }
    }
    of_first.into_iter().for_each(|problem| report.fail(problem));
    for Share { manifest, .. } in shares {
        manifest.unlisted_files.iter().for_each(|problem| report.fail(problem.clone()));
        let counts = manifest.counts;
        report.unchanged += counts.unchanged;
        report.same_content += counts.same_content;
        report.read += counts.read;
        report.other_files += counts.other_files;
    }
    Ok(first.manifest.job.clone())
}

/// The label tables of the job, as they were when the shares were made.
fn labels(job: &Job, shares: &[Share]) -> Result<Labels, IndexError> {
    for table in &job.labels {
        let path = table.path.clone();
        let sha256 =
            file_sha256(&path).map_err(|source| IndexError::Io { path: path.clone(), source })?;
        if sha256 != table.sha256 {
            let of = shares.len();
            let reason =
                format!("the label table changed since the {of} shares were made; run them again");
            return Err(IndexError::Share { path, reason });
        }
    }
    let paths: Vec<PathBuf> = job.labels.iter().map(|table| table.path.clone()).collect();
    Ok(Labels::read(&paths)?)
}

/// The rows of all shares in the order of their sources, in which each share has its own.
struct Union<'a> {
    readers: Vec<IndexReader>,
    shares: &'a [Share],
    /// The next row of each share, by where its image is.
    next: BTreeMap<(Source, Option<u64>), (usize, SliceRow)>,
}

impl<'a> Union<'a> {
    fn new(readers: Vec<IndexReader>, shares: &'a [Share]) -> Result<Self, IndexError> {
        let mut union = Self { readers, shares, next: BTreeMap::new() };
        for share in 0..shares.len() {
            union.advance(share)?;
        }
        Ok(union)
    }

    /// Takes the next row of a share in.
    fn advance(&mut self, share: usize) -> Result<(), IndexError> {
        let Some(row) = self.readers[share].next() else { return Ok(()) };
        let row = row?;
        let place = (row.object(), row.frame);
        if let Some((other, row)) = self.next.insert(place, (share, row)) {
            let (one, other) = (self.shares[share].share, self.shares[other].share);
            return Err(IndexError::Jobs(format!(
                "{}: it is in the shares {one} and {other}; run both again",
                row.source()
            )));
        }
        Ok(())
    }
}

impl Iterator for Union<'_> {
    type Item = Result<SliceRow, IndexError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (_, (share, row)) = self.next.pop_first()?;
        Some(self.advance(share).map(|()| row))
    }
}
