//! The processes that train together: what the run asks of them, also when it is alone.

use std::path::Path;
use std::time::Duration;

use hemora_c10d::{GroupOptions, Place, ProcessGroup};
use hemora_data::Share;
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};
use tch::{Device, Tensor};

use crate::config::{RunConfig, commented};

/// Seconds that ranks wait for each other, where `HEMORA_RANK_TIMEOUT` says nothing.
const TIMEOUT: u64 = 600;

/// The processes of a run; of one process there is no group.
#[derive(Debug, Default)]
pub struct Ranks(Option<ProcessGroup>);

impl Ranks {
    /// Meets the other processes that `place` tells of.
    ///
    /// # Errors
    /// A report if they cannot be met.
    pub fn join(place: Option<Place>, device: Device) -> Result<Self> {
        let Some(place) = place.filter(|place| place.world > 1) else { return Ok(Self(None)) };
        let timeout = match std::env::var("HEMORA_RANK_TIMEOUT") {
            Err(_) => TIMEOUT,
            Ok(text) => match text.parse() {
                Ok(seconds) if seconds > 0 => seconds,
                _ => bail!("HEMORA_RANK_TIMEOUT=`{text}`: expected seconds, at least 1"),
            },
        };
        let hint = "start the same command again: it goes on from the last checkpoint".to_owned();
        let options = GroupOptions { device, timeout: Duration::from_secs(timeout), hint };
        let group = ProcessGroup::open(place, options).into_diagnostic()?;
        Ok(Self(Some(group)))
    }

    /// Number of processes.
    pub fn world(&self) -> usize {
        self.0.as_ref().map_or(1, ProcessGroup::world)
    }

    /// This process, from 0.
    pub fn rank(&self) -> usize {
        self.0.as_ref().map_or(0, ProcessGroup::rank)
    }

    /// Whether this is the process that writes files and says how far the run is.
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
    /// A report if the file cannot be read.
    pub fn read_first(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        let mut bytes = None;
        if self.is_first() && path.exists() {
            let read = std::fs::read(path).into_diagnostic();
            bytes = Some(read.wrap_err_with(|| path.display().to_string())?);
        }
        let Some(group) = &self.0 else { return Ok(bytes) };
        let size = bytes.as_ref().map_or(-1, |bytes| bytes.len() as i64);
        let length = Tensor::from_slice(&[size]);
        group.broadcast(std::slice::from_ref(&length));
        let Ok(length) = usize::try_from(length.int64_value(&[0])) else { return Ok(None) };
        let own = bytes.unwrap_or_else(|| vec![0; length]);
        let shared = Tensor::from_slice(&own);
        group.broadcast(std::slice::from_ref(&shared));
        Ok(Some(Vec::try_from(shared).into_diagnostic()?))
    }

    /// Refuses processes that were started with different settings, but for what may differ.
    ///
    /// # Errors
    /// A report that names the first such process.
    pub fn agree_on(&self, config: &RunConfig) -> Result<()> {
        let Some(group) = &self.0 else { return Ok(()) };
        let text = commented(config);
        let parts = group.all_gather(&Tensor::from_slice(text.as_bytes()));
        for (rank, part) in parts.iter().enumerate() {
            if Vec::<u8>::try_from(part).into_diagnostic()? != text.as_bytes() {
                bail!("rank {rank} was started with other settings than rank {}", self.rank());
            }
        }
        Ok(())
    }

    /// Leaves the others: when the work is done, or with the reason why it is not.
    ///
    /// # Errors
    /// `outcome`'s.
    pub fn end<T>(&self, outcome: Result<T>) -> Result<T> {
        if let Some(group) = &self.0 {
            match &outcome {
                Ok(_) => group.finish(),
                Err(report) => group.fail(&report.to_string()),
            }
        }
        outcome
    }
}

/// This process' place among those of its run.
///
/// # Errors
/// A report if the launcher's variables make no sense.
pub fn place() -> Result<Option<Place>> {
    Place::from_environment().map_err(|error| miette!("{error}"))
}
