//! The ranks of a job and what they do together.

use std::cell::Cell;
use std::time::Duration;

use tch::{Device, Kind, Tensor};

use crate::bucket::{flatten, restore};
use crate::process::{Launcher, ProcessRank};
use crate::shim::{self, C10dError, Group, Store};
use crate::watch::{Job, Watch, beat_key, claim_end};

/// How a group is made.
#[derive(Debug, Clone)]
pub struct GroupOptions {
    /// Where the tensors are. Those on a GPU are exchanged by NCCL if this was built with it, else
    /// by Gloo through the host's memory.
    pub device: Device,
    /// Longest time for all ranks to come, and for one collective.
    pub timeout: Duration,
    /// What to do after a job that ended because a rank was lost.
    pub hint: String,
}

/// The processes of a job. All of them call the same methods in the same order.
///
/// When another rank is lost or fails, or a collective fails, the methods do not return: they say
/// which rank it was and end the process with status 1.
#[derive(Debug)]
pub struct ProcessGroup {
    process: ProcessRank,
    device: Device,
    job: Job,
    // Dropped in this order: the group uses the store, which rank 0 may keep.
    group: Option<Group>,
    watch: Watch,
    store: Store,
    end: Cell<End>,
}

/// How far this rank is from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It works.
    Open,
    /// It has left when the work was done.
    Orderly,
    /// It has told the others that it ends.
    Early,
}

impl ProcessGroup {
    /// Meets the other ranks.
    ///
    /// # Errors
    /// [`C10dError`] if the store cannot be reached, a rank does not come, or the backend fails.
    pub fn open(process: ProcessRank, options: GroupOptions) -> Result<Self, C10dError> {
        let GroupOptions { device, timeout, hint } = options;
        let ProcessRank { rank, world, ref host, port, .. } = process;
        let at = format!("{host}:{port}");
        let serves = rank == 0 && process.launcher != Launcher::Torchrun;
        let prefix = format!("hemora/{}", process.attempt);
        let connect = |serves| {
            Store::open(host, port, serves, timeout, &prefix).map_err(|error| {
                let what = if serves { "serve" } else { "reach" };
                C10dError(format!(
                    "rank {rank} of {world} cannot {what} the store at {at} (MASTER_ADDR, \
                     MASTER_PORT): {error}"
                ))
            })
        };
        let store = connect(serves)?;
        let nccl = device.is_cuda() && shim::has_nccl();
        let backend = if nccl { "nccl" } else { "gloo" };
        let own = format!("host {}, pid {}", shim::host(), std::process::id());
        store.set(&beat_key(rank), "0 0")?;
        store.set(&format!("backend/{rank}"), backend)?;
        store.set(&format!("who/{rank}"), &own)?;
        let mut names = Vec::with_capacity(world);
        for other in 0..world {
            let missing = |error| {
                let seconds = timeout.as_secs();
                C10dError(format!("rank {other} of {world} did not come in {seconds} s: {error}"))
            };
            let who = store.get(&format!("who/{other}"), timeout).map_err(missing)?;
            names.push(format!("rank {other} ({who})"));
            let theirs = store.get(&format!("backend/{other}"), timeout)?;
            if theirs != backend {
                let name = &names[other];
                return Err(C10dError(format!("{name} would use {theirs}, this rank {backend}")));
            }
        }
        let keeper = match process.launcher {
            Launcher::Torchrun => format!("the store of torchrun at {at}"),
            _ => format!("{}, which keeps the store,", names[0]),
        };
        let job = Job { rank, names, serves, keeper, hint };
        let watch = Watch::start(job.clone(), connect(false)?);
        let group = Group::open(&store, rank, world, timeout, nccl)?;
        Ok(Self {
            process,
            device,
            job,
            group: Some(group),
            watch,
            store,
            end: Cell::new(End::Open),
        })
    }

    /// This process, from 0.
    pub fn rank(&self) -> usize {
        self.process.rank
    }

    /// Number of processes.
    pub fn world(&self) -> usize {
        self.process.world
    }

    /// `gloo` or `nccl`.
    pub fn backend(&self) -> &'static str {
        if self.uses_nccl() { "nccl" } else { "gloo" }
    }

    /// Each tensor becomes its sum over the ranks, bit by bit the same on all of them.
    pub fn all_reduce_sum(&self, tensors: &[Tensor]) {
        self.on_flat(tensors, |group, flat| group.all_reduce(flat));
    }

    /// Each tensor becomes that of rank 0.
    pub fn broadcast(&self, tensors: &[Tensor]) {
        self.on_flat(tensors, |group, flat| group.broadcast(flat));
    }

    /// The tensors `[length]` of all ranks in the order of the ranks; their kind is the same, their
    /// lengths may differ.
    pub fn all_gather(&self, tensor: &Tensor) -> Vec<Tensor> {
        let device = self.exchange_device();
        let length = tensor.numel() as i64;
        let lengths = self.gather_equal(&Tensor::from_slice(&[length]).to_device(device));
        let lengths: Vec<i64> = lengths.iter().map(|length| length.int64_value(&[0])).collect();
        // Gloo gathers equal lengths only.
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let padded = Tensor::zeros([longest], (tensor.kind(), device));
        padded.narrow(0, 0, length).copy_(&tensor.detach().reshape([-1]));
        let gathered = self.gather_equal(&padded);
        let parts = gathered.iter().zip(lengths);
        parts.map(|(part, length)| part.narrow(0, 0, length).to_device(tensor.device())).collect()
    }

    /// Returns when all ranks have called it.
    pub fn barrier(&self) {
        let one = Tensor::ones([1], (Kind::Float, self.exchange_device()));
        self.all_reduce_sum(std::slice::from_ref(&one));
        // Reading the value waits for the GPU too.
        debug_assert_eq!(one.double_value(&[0]) as usize, self.world());
    }

    /// Tells the other ranks that this one ends, and why; they say it and end too.
    pub fn fail(&self, reason: &str) {
        self.end_early(&format!("ended with an error: {reason}"));
    }

    /// Leaves when the work is done. The keeper of the store waits for the others.
    pub fn finish(&self) {
        self.barrier();
        self.watch.stop(false);
        self.end.set(End::Orderly);
    }

    fn end_early(&self, what: &str) {
        self.end.set(End::Early);
        // First, so that this rank can end in its own words.
        self.watch.stop(true);
        claim_end(&self.store, &self.job, &format!("{} {what}", self.job.names[self.rank()]));
    }

    fn uses_nccl(&self) -> bool {
        self.device.is_cuda() && shim::has_nccl()
    }

    /// Where tensors are exchanged.
    fn exchange_device(&self) -> Device {
        if self.uses_nccl() { self.device } else { Device::Cpu }
    }

    fn on_flat(
        &self,
        tensors: &[Tensor],
        collective: impl Fn(&Group, &[Tensor]) -> Result<(), C10dError>,
    ) {
        tch::no_grad(|| {
            let (ranges, flat): (Vec<_>, Vec<_>) =
                flatten(tensors, self.exchange_device()).into_iter().unzip();
            self.collective(|group| collective(group, &flat));
            for (range, flat) in ranges.into_iter().zip(&flat) {
                restore(&tensors[range], flat);
            }
        });
    }

    fn gather_equal(&self, tensor: &Tensor) -> Vec<Tensor> {
        let outputs: Vec<Tensor> = (0..self.world()).map(|_| tensor.zeros_like()).collect();
        self.collective(|group| group.all_gather(tensor, &outputs));
        outputs
    }

    fn collective(&self, run: impl FnOnce(&Group) -> Result<(), C10dError>) {
        self.watch.enters_collective();
        let group = self.group.as_ref().expect("there until it is dropped");
        if let Err(error) = run(group) {
            self.watch.failed(&error);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if self.end.get() == End::Open {
            let panicked = std::thread::panicking();
            self.end_early(if panicked { "panicked" } else { "ended before the others" });
        }
        if self.end.get() == End::Early {
            // Taking the backend down may wait for ranks that no longer answer.
            std::mem::forget(self.group.take());
        }
    }
}
