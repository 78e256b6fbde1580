//! The chunks of a share that is not whole yet, in the folder `shard-00003-of-00008.part`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::chunk::Scored;
use crate::manifest::{self, FORMAT_VERSION};
use crate::store::{LocalFile, Store};
use crate::tables::TableKind;
use crate::{ArchiveError, Counts, Job, TableRef};

/// Name of the lines of pictured studies in manifests.
pub(crate) const PICTURED: &str = "pictured";

/// The name of the pictured studies' file behind `stem`.
pub(crate) fn pictured_file(stem: &str) -> String {
    format!("{stem}.{PICTURED}.jsonl")
}

/// What a chunk holds: written last, so that a chunk without it is not whole.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChunkManifest {
    format_version: u32,
    pub(crate) counts: Counts,
    tables: BTreeMap<String, TableRef>,
}

/// What was begun, so that nobody goes on with another job.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    format_version: u32,
    job: Job,
}

/// The folder of a share's chunks.
pub(crate) struct Part<'a> {
    store: &'a Store,
    folder: String,
}

impl<'a> Part<'a> {
    /// That of the share whose files begin with `stem`.
    pub(crate) fn new(store: &'a Store, stem: &str) -> Self {
        Self { store, folder: format!("{stem}.part") }
    }

    /// The folder, unless it is in object storage.
    pub(crate) fn local(&self) -> Option<PathBuf> {
        Some(self.store.local()?.join(&self.folder))
    }

    fn stem(&self, chunk: usize) -> String {
        format!("{}/{chunk:05}", self.folder)
    }

    /// The job that was begun here; begins `job` where there is none.
    pub(crate) fn begin(&self, job: &Job) -> Result<Job, ArchiveError> {
        let name = format!("{}/job.json", self.folder);
        if let Some(Begun { job, .. }) = manifest::read(self.store, &name)? {
            return Ok(job);
        }
        let begun = Begun { format_version: FORMAT_VERSION, job: job.clone() };
        manifest::write(self.store, &name, &begun)?;
        Ok(begun.job)
    }

    /// What a chunk holds, if it is whole.
    pub(crate) fn chunk(&self, chunk: usize) -> Result<Option<ChunkManifest>, ArchiveError> {
        manifest::read(self.store, &format!("{}.json", self.stem(chunk)))
    }

    /// Writes a chunk.
    pub(crate) fn write(
        &self,
        chunk: usize,
        scored: Scored,
    ) -> Result<ChunkManifest, ArchiveError> {
        let stem = self.stem(chunk);
        let mut tables = BTreeMap::new();
        let Scored { studies, slices, skipped, pictured, counts } = scored;
        for (kind, rows) in TableKind::ALL.into_iter().zip([studies, slices, skipped]) {
            let file = kind.file(&stem);
            let fill = |push: &mut dyn FnMut(_) -> _| rows.into_iter().try_for_each(push);
            let (rows, sha256) = kind.write(self.store, &file, fill)?;
            tables.insert(kind.name().to_owned(), TableRef { file, rows, sha256 });
        }
        let file = pictured_file(&stem);
        let failed = |source| ArchiveError::io(self.store.name_of(&file), source);
        let (_, sha256) = self.store.build(&file, |out| {
            pictured.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(failed)
        })?;
        let rows = pictured.len() as u64;
        tables.insert(PICTURED.to_owned(), TableRef { file, rows, sha256 });
        let manifest = ChunkManifest { format_version: FORMAT_VERSION, counts, tables };
        manifest::write(self.store, &format!("{stem}.json"), &manifest)?;
        Ok(manifest)
    }

    /// A file of a chunk on this machine, checked.
    pub(crate) fn file(
        &self,
        manifest: &ChunkManifest,
        name: &str,
    ) -> Result<LocalFile, ArchiveError> {
        let table = manifest.tables.get(name).ok_or_else(|| {
            ArchiveError::document(&self.folder, format!("a chunk has no table `{name}`"))
        })?;
        // It is in this folder, whatever a manifest says.
        let file = table.file.rsplit('/').next().unwrap_or_default();
        self.store.fetch(&format!("{}/{file}", self.folder), &table.sha256)
    }

    /// Removes the chunks, once their share is whole.
    pub(crate) fn remove(&self) -> Result<(), ArchiveError> {
        for name in self.store.list(&self.folder)? {
            self.store.remove(&name)?;
        }
        // Only a folder that somebody put something into stays.
        let _ = self.local().map(std::fs::remove_dir);
        Ok(())
    }
}
