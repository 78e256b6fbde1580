//! The processes that train together: what the run asks of them, also when it is alone.

use std::path::Path;
use std::time::Duration;

use hemora_c10d::{C10dError, GroupOptions, LaunchError, ProcessGroup, ProcessRank};
use hemora_data::Share;
use tch::{Device, Tensor};

use crate::config::{RunConfig, commented};
use crate::output::FileError;
use crate::output::files;

/// Seconds that ranks wait for each other, where `HEMORA_RANK_TIMEOUT` says nothing.
const TIMEOUT: u64 = 600;

/// Why processes cannot train together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RanksError {
    /// The launcher's variables make no sense.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The processes cannot meet.
    #[error(transparent)]
    Group(#[from] C10dError),
    /// A time that cannot be waited.
    #[error("HEMORA_RANK_TIMEOUT=`{0}`: expected seconds, at least 1")]
    Timeout(String),
    /// Processes with different settings.
    #[error("rank {other} was started with other settings than rank {own}")]
    OtherSettings {
        /// The other.
        other: usize,
        /// This one.
        own: usize,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// Bytes of another process that are none.
    #[error("the bytes of another process cannot be read: {0}")]
    Bytes(#[from] tch::TchError),
}

/// The processes of a run; of one process there is no group.
#[derive(Debug, Default)]
pub struct Ranks(Option<ProcessGroup>);

impl Ranks {
    /// Meets the other processes of the job that `process` belongs to.
    ///
    /// # Errors
    /// [`RanksError`] if they cannot be met.
    pub fn join(process: Option<ProcessRank>, device: Device) -> Result<Self, RanksError> {
        let process = process.filter(|process| process.world > 1);
        let Some(process) = process else { return Ok(Self(None)) };
        let timeout = match std::env::var("HEMORA_RANK_TIMEOUT") {
            Err(_) => TIMEOUT,
            Ok(text) => match text.parse() {
                Ok(seconds) if seconds > 0 => seconds,
                _ => return Err(RanksError::Timeout(text)),
            },
        };
        let hint = "start the same command again: it goes on from the last checkpoint".to_owned();
        let options = GroupOptions { device, timeout: Duration::from_secs(timeout), hint };
        Ok(Self(Some(ProcessGroup::open(process, options)?)))
    }

    /// Number of processes.
    pub fn world(&self) -> usize {
        self.0.as_ref().map_or(1, ProcessGroup::world)
    }

    /// This process, from 0.
    pub fn rank(&self) -> usize {
        self.0.as_ref().map_or(0, ProcessGroup::rank)
    }

    /// Whether this is the process that writes files and reports how far the run is.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// `gloo` or `nccl`, where there are more processes than one.
    pub fn backend(&self) -> Option<&'static str> {
        self.0.as_ref().map(ProcessGroup::backend)
    }

    /// Which part of every batch is this process'.
    pub fn share(&self) -> Share {
        Share { rank: self.rank(), of: self.world() }
    }

    /// Each tensor becomes its sum over the processes.
    pub fn sum(&self, tensors: &[Tensor]) {
        if let Some(group) = &self.0 {
            group.all_reduce_sum(tensors);
        }
    }

    /// Each tensor becomes that of the first process.
    pub fn copy_first(&self, tensors: &[Tensor]) {
        if let Some(group) = &self.0 {
            group.broadcast(tensors);
        }
    }

    /// The tensors `[length]` of all processes, one after the other.
    pub fn gather(&self, tensor: &Tensor) -> Tensor {
        match &self.0 {
            Some(group) => Tensor::cat(&group.all_gather(tensor), 0),
            None => tensor.shallow_clone(),
        }
    }

    /// A file's bytes as the first process reads them; `None` if it has none there. So a checkpoint
    /// needs no file system that all processes see.
    ///
    /// # Errors
    /// [`RanksError`] if the file cannot be read.
    pub fn read_first(&self, path: &Path) -> Result<Option<Vec<u8>>, RanksError> {
        let mut bytes = None;
        if self.is_first() && path.exists() {
            bytes = Some(files::read(path)?);
        }
        let Some(group) = &self.0 else { return Ok(bytes) };
        let size = bytes.as_ref().map_or(-1, |bytes| bytes.len() as i64);
        let length = Tensor::from_slice(&[size]);
        group.broadcast(std::slice::from_ref(&length));
        let Ok(length) = usize::try_from(length.int64_value(&[0])) else { return Ok(None) };
        let bytes = bytes.unwrap_or_else(|| vec![0; length]);
        let shared = Tensor::from_slice(&bytes);
        group.broadcast(std::slice::from_ref(&shared));
        Ok(Some(Vec::try_from(shared)?))
    }

    /// Refuses processes that were started with different settings, but for what may differ.
    ///
    /// # Errors
    /// [`RanksError`] names the first such process.
    pub fn agree_on(&self, config: &RunConfig) -> Result<(), RanksError> {
        let Some(group) = &self.0 else { return Ok(()) };
        let text = commented(config);
        let parts = group.all_gather(&Tensor::from_slice(text.as_bytes()));
        for (rank, part) in parts.iter().enumerate() {
            if Vec::<u8>::try_from(part)? != text.as_bytes() {
                return Err(RanksError::OtherSettings { other: rank, own: self.rank() });
            }
        }
        Ok(())
    }

    /// Leaves the others: when the work is done, or with the reason why it is not.
    ///
    /// # Errors
    /// `outcome`'s.
    pub fn end<T, E: std::fmt::Display>(&self, outcome: Result<T, E>) -> Result<T, E> {
        if let Some(group) = &self.0 {
            match &outcome {
                Ok(_) => group.finish(),
                Err(error) => group.fail(&error.to_string()),
            }
        }
        outcome
    }
}

/// This process among those of its run; `None` for one on its own.
///
/// # Errors
/// [`RanksError`] if the launcher's variables make no sense.
pub fn this_process() -> Result<Option<ProcessRank>, RanksError> {
    Ok(ProcessRank::from_environment()?)
}

/// Whether this is one of several processes of a run.
///
/// # Errors
/// [`RanksError`] if the launcher's variables make no sense.
pub fn is_one_of_several() -> Result<bool, RanksError> {
    Ok(this_process()?.is_some_and(|process| process.world > 1))
}
