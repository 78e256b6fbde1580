//! The shares of an index, made one index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use hemora_base::WorkShard;
use hemora_io::Source;
use hemora_objects::{Mirror, beside};

use super::build::{Earlier, IndexReport, finish};
use super::file::{IndexError, IndexReader};
use super::join::Labels;
use super::lock::IndexLock;
use super::manifest::{Job, Manifest, file_sha256, kind_of, share_name, share_of, table_sha256};
use super::row::SliceRow;

/// Shares that an error names.
const NAMED: usize = 20;
/// Objects that are fetched at the same time.
const AT_WORK: usize = 16;

/// Makes the index `out` of all shares that [`index_share`](crate::index_share) left in `folders`. It has the bytes of the index
/// that one run over the same files makes: labels are joined, and repeated ids found, over all of them. If
/// `out` is there, unchanged images stay in the parts of its split. Memory holds a group of rows a
/// share, the ids and the label tables. `progress(done, total)` is called for every row.
///
/// Shares and `out` may lie in object storage; the tables are then copied to the folder of temporary files.
///
/// # Errors
/// [`IndexError`] names the shares that are missing, broken, of another job than the first, or that could not list a
/// folder which others listed.
pub fn merge_index(
    folders: &[PathBuf],
    out: &Path,
    progress: &dyn Fn(usize, usize),
) -> Result<IndexReport, IndexError> {
    let (folders, target) = (mirrors(folders)?, Mirror::of_file(out)?);
    let merged = merge(&folders, &target, progress);
    merged.map_err(|error| of_objects(error, folders.iter().chain([&target])))
}

fn merge(
    folders: &[Mirror],
    target: &Mirror,
    progress: &dyn Fn(usize, usize),
) -> Result<IndexReport, IndexError> {
    let shares = find(folders)?;
    let mut report = IndexReport::default();
    let job = check(&shares, &mut report)?;
    let labels = labels(&job, &shares)?;
    fetch(shares.iter().map(|share| (share.mirror, share.table())))?;
    let mut readers = Vec::with_capacity(shares.len());
    for share in &shares {
        readers.push(share.open()?);
    }
    let out = target.path();
    let _lock = IndexLock::take(out)?;
    target.fetch(out)?;
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
    target.publish(out)?;
    Ok(report)
}

fn mirrors(folders: &[PathBuf]) -> Result<Vec<Mirror>, IndexError> {
    Ok(folders.iter().map(|folder| Mirror::of(folder)).collect::<Result<_, _>>()?)
}

/// An error of what lies in several places.
fn of_objects<'a>(error: IndexError, mirrors: impl Iterator<Item = &'a Mirror>) -> IndexError {
    mirrors.fold(error, IndexError::of_object)
}

/// Copies those files that are objects to this machine.
fn fetch<'a>(files: impl Iterator<Item = (&'a Mirror, PathBuf)>) -> Result<(), IndexError> {
    let mut objects = files.filter(|(mirror, _)| mirror.is_remote()).peekable();
    if objects.peek().is_some() {
        beside(AT_WORK, |jobs| {
            objects.for_each(|(mirror, file)| jobs.push(move || mirror.need(&file)));
        })?;
    }
    Ok(())
}

/// What the shares in `folders` are of: `index` for those that [`index_share`](crate::index_share) made.
///
/// # Errors
/// [`IndexError`] if there are none, or if they are of several kinds.
pub fn job_kind(folders: &[PathBuf]) -> Result<String, IndexError> {
    let mirrors = mirrors(folders)?;
    let kinds = manifests(&mirrors).and_then(|found| {
        found.into_values().map(|(_, path)| kind_of(&path)).collect::<Result<BTreeSet<_>, _>>()
    });
    let mut kinds = kinds.map_err(|error| of_objects(error, mirrors.iter()))?.into_iter();
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => Ok(kind),
        (None, _) => Err(IndexError::NoShares(folders.to_vec())),
        (Some(one), Some(other)) => Err(IndexError::Jobs(format!(
            "found shares of kind `{one}` and of kind `{other}`; name the folders of one job"
        ))),
    }
}

/// A share that is there.
struct Share<'a> {
    share: WorkShard,
    mirror: &'a Mirror,
    /// Its folder and name, without an extension.
    path: PathBuf,
    manifest: Manifest,
}

impl Share<'_> {
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
fn manifests(folders: &[Mirror]) -> Result<BTreeMap<WorkShard, (&Mirror, PathBuf)>, IndexError> {
    let mut found: BTreeMap<WorkShard, (&Mirror, PathBuf)> = BTreeMap::new();
    for mirror in folders {
        for path in files(mirror)? {
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(share) = name.and_then(share_of) else { continue };
            if let Some((of_other, other)) = found.insert(share, (mirror, path.clone())) {
                let other = of_other.shown(&other);
                let reason =
                    format!("share {share} is in {} too; name one of them", other.display());
                return Err(IndexError::Share { path, reason });
            }
        }
    }
    fetch(found.values().cloned())?;
    Ok(found)
}

/// The files of a folder, or those that the objects right below a prefix would be.
fn files(folder: &Mirror) -> Result<Vec<PathBuf>, IndexError> {
    let path = folder.path();
    if folder.is_remote() {
        let names = folder.objects(path)?.into_iter().filter(|name| !name.contains('/'));
        return Ok(names.map(|name| path.join(name)).collect());
    }
    let in_folder = |source| IndexError::Io { path: path.to_owned(), source };
    let entries = std::fs::read_dir(path).map_err(in_folder)?;
    entries.map(|entry| Ok(entry.map_err(in_folder)?.path())).collect()
}

/// All shares of the job in the folders, in their order.
fn find(folders: &[Mirror]) -> Result<Vec<Share<'_>>, IndexError> {
    let found = manifests(folders)?;
    // Of two jobs in one folder neither would be whole.
    let counts: BTreeSet<u32> = found.keys().map(|share| share.of()).collect();
    let of = match counts.iter().collect::<Vec<_>>()[..] {
        [] => {
            let shown = |folder: &Mirror| folder.shown(folder.path());
            return Err(IndexError::NoShares(folders.iter().map(shown).collect()));
        }
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
    let read = |(share, (mirror, path)): (WorkShard, (_, PathBuf))| {
        let manifest = Manifest::read(&path, share)?;
        Ok(Share { share, mirror, path: path.with_file_name(share_name(share)), manifest })
    };
    found.into_iter().map(read).collect()
}

/// Adds what the shares met beside their rows; the job that they are all of.
fn check(shares: &[Share<'_>], report: &mut IndexReport) -> Result<Job, IndexError> {
    let [first, others @ ..] = shares else { return Err(IndexError::NoShares(Vec::new())) };
    let unlisted = |it: &Share<'_>| it.manifest.unlisted_folders.iter().cloned().collect();
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
fn labels(job: &Job, shares: &[Share<'_>]) -> Result<Labels, IndexError> {
    for table in &job.labels {
        let path = table.path.clone();
        let sha256 =
            table_sha256(&path).map_err(|source| IndexError::Io { path: path.clone(), source })?;
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
    shares: &'a [Share<'a>],
    /// The next row of each share, by where its image is.
    next: BTreeMap<(Source, Option<u64>), (usize, SliceRow)>,
}

impl<'a> Union<'a> {
    fn new(readers: Vec<IndexReader>, shares: &'a [Share<'a>]) -> Result<Self, IndexError> {
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
