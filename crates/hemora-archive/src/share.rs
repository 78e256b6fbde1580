//! The triage of one share of an index.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hemora_base::WorkShard;
use hemora_data::{FileStamp, FolderLock, IndexError};
use hemora_infer::{LoadedModel, Pictures, SeriesPolicy};
use hemora_objects::Place;

use crate::chunk::Scoring;
use crate::manifest::{self, ShareManifest};
use crate::part::{ChunkManifest, PICTURED, Part, pictured_file};
use crate::pictured::PicturedLines;
use crate::plan::Plan;
use crate::rank::Leaders;
use crate::store::Store;
use crate::tables::{TableKind, in_table, rank_of};
use crate::{ArchiveError, Counts, Job, TableRef};

/// Triage of one share of an index.
pub struct ShareTriage<'a> {
    /// The model; all shares of a job need the same.
    pub model: &'a LoadedModel,
    /// The index.
    pub index: PathBuf,
    /// The share.
    pub shard: WorkShard,
    /// Where the share's tables go, which all shares of a job may have in common; made if it is not there.
    pub out: Place,
    /// Which series of a study are scored.
    pub policy: SeriesPolicy,
    /// Studies that the share keeps for the ranked page, and slices that are drawn of each.
    pub pictures: Pictures,
}

/// How a share ended.
#[derive(Debug)]
pub struct ShareOutcome {
    /// What it holds.
    pub manifest: ShareManifest,
    /// Whether it was whole before.
    pub was_done: bool,
}

impl ShareTriage<'_> {
    /// Scores the studies of the share and writes its tables of studies, slices and skipped images, the studies
    /// that a page would show, and last of all its manifest. `progress(done, total)` counts images and is called
    /// from any thread.
    ///
    /// A share that was killed is taken up after its last whole chunk; one that is whole is left as it is. An
    /// image that cannot be read, or whose file is gone or has changed since it was indexed, is in the table of
    /// skipped images with its reason. Held at a time are the headers and results of a chunk of a few hundred
    /// images, a few hundred bytes for each of 131,072 images, and a row a study of the share.
    ///
    /// # Errors
    /// [`ArchiveError`] if the index cannot be read, the folder holds this share of another job or another
    /// process works on it, or a file cannot be written.
    pub fn run(
        &self,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<ShareOutcome, ArchiveError> {
        let store = Store::new(&self.out);
        let stem = manifest::stem(self.shard);
        let part = Part::new(&store, &stem);
        let before = self.index_stamp()?;
        let job = Job::new(self.model, &self.index, self.policy, self.pictures)?;
        let _held = self.lock(&store, &part)?;
        let name = format!("{stem}.json");
        if let Some(manifest) = manifest::read_share(&store, self.shard)? {
            self.check_job(&store, &manifest.job, &job)?;
            part.remove()?;
            return Ok(ShareOutcome { manifest, was_done: true });
        }
        self.check_job(&store, &part.begin(&job)?, &job)?;
        let chunks = self.score(&part, progress)?;
        if self.index_stamp()? != before {
            let reason = "it has changed while it was read; triage it again in another folder";
            return Err(ArchiveError::document(self.index.display(), reason));
        }
        let (counts, tables) = self.put_together(&store, &stem, &part, &chunks)?;
        let manifest = ShareManifest::new(self.shard, job, counts, tables);
        manifest::write(&store, &name, &manifest)?;
        part.remove()?;
        Ok(ShareOutcome { manifest, was_done: false })
    }

    /// Keeps other processes from the share; in object storage nothing does, where two of them write the same.
    fn lock(&self, store: &Store, part: &Part<'_>) -> Result<Option<FolderLock>, ArchiveError> {
        let Some(folder) = part.local() else { return Ok(None) };
        match FolderLock::take(&folder) {
            Ok(Some(lock)) => Ok(Some(lock)),
            Ok(None) => Err(ArchiveError::Busy { shard: self.shard, folder: store.to_string() }),
            Err(source) => Err(ArchiveError::io(folder.display(), source)),
        }
    }

    fn index_stamp(&self) -> Result<FileStamp, ArchiveError> {
        let failed = |source| IndexError::Io { path: self.index.clone(), source };
        Ok(FileStamp::of(&self.index).map_err(failed)?)
    }

    fn check_job(&self, store: &Store, there: &Job, job: &Job) -> Result<(), ArchiveError> {
        let differs = there.differences(job, ["there", "here"]);
        if differs.is_empty() {
            return Ok(());
        }
        Err(ArchiveError::OtherJob { shard: self.shard, folder: store.to_string(), differs })
    }

    /// Scores the chunks that are not whole, and says what all hold.
    fn score(
        &self,
        part: &Part<'_>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<ChunkManifest>, ArchiveError> {
        let plan = Plan::new(&self.index, self.shard)?;
        let mut leaders = Leaders::new(self.pictures.studies);
        let mut chunks = Vec::with_capacity(plan.chunks());
        while chunks.len() < plan.chunks() {
            let Some(manifest) = part.chunk(chunks.len())? else { break };
            let kind = TableKind::Studies;
            let file = part.file(&manifest, kind.name())?;
            for row in kind.open(file.path())? {
                leaders.add(rank_of(&row.map_err(in_table(file.path().display()))?));
            }
            chunks.push(manifest);
        }
        let scoring = Scoring { model: self.model, policy: self.policy, pictures: self.pictures };
        let count = |images: u64| usize::try_from(images).unwrap_or(usize::MAX);
        let total = count(plan.images(0..plan.chunks()));
        let mut done = count(plan.images(0..chunks.len()));
        progress(done, total);
        while chunks.len() < plan.chunks() {
            for images in plan.gather(plan.pass(chunks.len()))? {
                let advance = |of_chunk: usize| progress(done + of_chunk, total);
                let scored = scoring.chunk(&images, &mut leaders, &advance)?;
                chunks.push(part.write(chunks.len(), scored)?);
                done += images.len();
            }
        }
        Ok(chunks)
    }

    /// The tables of all chunks as those of the share.
    fn put_together(
        &self,
        store: &Store,
        stem: &str,
        part: &Part<'_>,
        chunks: &[ChunkManifest],
    ) -> Result<(Counts, BTreeMap<String, TableRef>), ArchiveError> {
        let mut tables = BTreeMap::new();
        for kind in TableKind::ALL {
            let file = kind.file(stem);
            let (rows, sha256) = kind.write(store, &file, |push| {
                let mut studies = Vec::new();
                for chunk in chunks {
                    let from = part.file(chunk, kind.name())?;
                    for row in kind.open(from.path())? {
                        let row = row.map_err(in_table(from.path().display()))?;
                        match kind {
                            TableKind::Studies => studies.push(row),
                            TableKind::Slices | TableKind::Skipped => push(row)?,
                        }
                    }
                }
                studies.sort_by_cached_key(rank_of);
                studies.into_iter().try_for_each(push)
            })?;
            tables.insert(kind.name().to_owned(), TableRef { file, rows, sha256 });
        }
        let mut pictured = PicturedLines::new(self.pictures.studies);
        for chunk in chunks {
            pictured.add(part.file(chunk, PICTURED)?.path())?;
        }
        let file = pictured_file(stem);
        let failed = |source| ArchiveError::io(store.name_of(&file), source);
        let (_, sha256) = store.build(&file, |out| pictured.write(out).map_err(failed))?;
        let rows = pictured.iter().len() as u64;
        tables.insert(PICTURED.to_owned(), TableRef { file, rows, sha256 });
        let mut counts = Counts::default();
        chunks.iter().for_each(|chunk| counts.add(chunk.counts));
        Ok((counts, tables))
    }
}
