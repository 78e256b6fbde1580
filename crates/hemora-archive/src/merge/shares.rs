//! The shares that folders hold: whether they are all there, and of one job.

use std::collections::BTreeMap;

use hemora_base::WorkShard;
use hemora_objects::Place;

use crate::manifest::{self, ShareManifest, shard_of, stem};
use crate::store::{LocalFile, Store};
use crate::{ArchiveError, Job};

/// Missing shares that are named.
const NAMED: usize = 20;

/// A share that is whole.
struct Share {
    folder: usize,
    /// Its manifest's name for messages.
    name: String,
    manifest: ShareManifest,
}

/// All shares of a job, by number.
pub(super) struct Shares {
    stores: Vec<Store>,
    shares: BTreeMap<WorkShard, Share>,
}

fn none_in(folders: &[Place]) -> ArchiveError {
    let names: Vec<String> = folders.iter().map(ToString::to_string).collect();
    ArchiveError::NoShares(names.join(", "))
}

impl Shares {
    /// Reads the manifests of all shares in the folders.
    ///
    /// # Errors
    /// If one cannot be read, is missing, or stands in two folders with other content.
    pub(super) fn find(folders: &[Place]) -> Result<Self, ArchiveError> {
        let stores: Vec<Store> = folders.iter().map(Store::new).collect();
        let mut shares: BTreeMap<WorkShard, Share> = BTreeMap::new();
        let mut begun = Vec::new();
        for (folder, store) in stores.iter().enumerate() {
            for file in store.list("")? {
                if let Some((part, _)) = file.split_once(".part/") {
                    let shard = shard_of(part, "");
                    begun
                        .extend(shard.map(|shard| (shard, store.name_of(&format!("{part}.part")))));
                    continue;
                }
                let Some(shard) = shard_of(&file, ".json") else { continue };
                let Some(manifest) = manifest::read_share(store, shard)? else { continue };
                let name = store.name_of(&file);
                let share = Share { folder, name, manifest };
                match shares.get(&shard) {
                    Some(other) if other.manifest != share.manifest => {
                        return Err(different(other, &share));
                    }
                    Some(_) => {}
                    None => {
                        shares.insert(shard, share);
                    }
                }
            }
        }
        let first = shares.keys().chain(begun.iter().map(|(shard, _)| shard)).next();
        let Some(of) = first.map(|shard| shard.of()) else { return Err(none_in(folders)) };
        let all = Self { stores, shares };
        all.check_whole(of, &begun)?;
        Ok(all)
    }

    fn check_whole(&self, of: u32, begun: &[(WorkShard, String)]) -> Result<(), ArchiveError> {
        let one = self.shares.values().next();
        let other = self.shares.iter().find(|(shard, _)| shard.of() != of);
        if let (Some(one), Some((shard, other))) = (one, other) {
            let differs = vec![format!("shares of {of}, and of {}", shard.of())];
            let [one, other] = [one, other].map(|share| share.name.clone());
            return Err(ArchiveError::DifferentJobs { one, other, differs });
        }
        let number = |number| WorkShard::new(number, of);
        let missing: Vec<WorkShard> =
            (1..=of).filter_map(number).filter(|shard| !self.shares.contains_key(shard)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let name = |shard: &WorkShard| match begun.iter().find(|(begun, _)| begun == shard) {
            Some((_, part)) => format!("{shard} (begun and not whole: {part})"),
            None => shard.to_string(),
        };
        let mut names: Vec<String> = missing.iter().take(NAMED).map(name).collect();
        if missing.len() > NAMED {
            names.push(format!("and {} more", missing.len() - NAMED));
        }
        Err(ArchiveError::Missing { count: missing.len(), of, missing: names })
    }

    /// The job of all shares.
    ///
    /// # Errors
    /// If two are of different ones: all but the engine must be the same.
    pub(super) fn job(&self) -> Result<Job, ArchiveError> {
        let mut shares = self.shares.values();
        let first = shares.next().expect("no share is missing");
        let job = first.manifest.job.without_engine();
        match shares.find(|share| share.manifest.job.without_engine() != job) {
            Some(other) => Err(different(first, other)),
            None => Ok(first.manifest.job.clone()),
        }
    }

    /// Number of shares.
    pub(super) fn count(&self) -> u32 {
        self.shares.len() as u32
    }

    /// The manifests by number.
    pub(super) fn manifests(&self) -> impl Iterator<Item = &ShareManifest> {
        self.shares.values().map(|share| &share.manifest)
    }

    /// A file of each share on this machine, checked.
    pub(super) fn files(
        &self,
        table: &str,
    ) -> impl Iterator<Item = Result<LocalFile, ArchiveError>> {
        self.shares.iter().map(move |(shard, share)| {
            let known = share.manifest.tables.get(table).ok_or_else(|| {
                ArchiveError::document(&share.name, format!("it names no table `{table}`"))
            })?;
            // Files of a share begin with its name, whatever a manifest says.
            if !known.file.starts_with(&format!("{}.", stem(*shard))) {
                let reason = format!("its table `{table}` is said to be in `{}`", known.file);
                return Err(ArchiveError::document(&share.name, reason));
            }
            self.stores[share.folder].fetch(&known.file, &known.sha256)
        })
    }
}

fn different(one: &Share, other: &Share) -> ArchiveError {
    let [job, other_job] = [one, other].map(|share| share.manifest.job.without_engine());
    let mut differs = job.differences(&other_job, ["in the one", "in the other"]);
    if differs.is_empty() {
        differs.push("their tables".to_owned());
    }
    let [one, other] = [one, other].map(|share| share.name.clone());
    ArchiveError::DifferentJobs { one, other, differs }
}
