//! The device and the threads that a training computes with.

use hemora_base::{Event, ThreadCount};
use hemora_c10d::ProcessRank;
use tch::Device;

use crate::config::ComputePlan;
use crate::model::Precision;
use crate::output::Reporter;

/// Why there is no device for a training.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// More processes than GPUs.
    #[error(
        "process {rank} of this machine has no GPU: there are {gpus}; start as many processes as there \
         are GPUs"
    )]
    NoGpu {
        /// The process, from 0.
        rank: usize,
        /// GPUs of this machine.
        gpus: usize,
    },
    /// Half precision without a GPU.
    #[error("--precision f16 needs a GPU: use bf16, or f32")]
    HalfPrecision,
}

/// Where tensors are, and with how many threads they are computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compute {
    /// The device.
    pub device: Device,
    /// Threads, for loading too.
    pub threads: usize,
}

impl Compute {
    /// The GPU where there is one, each process of a machine its own, and so many threads.
    ///
    /// # Errors
    /// [`DeviceError`] if the precision needs a GPU and there is none, or a machine has more processes
    /// than GPUs.
    pub fn start(
        plan: &ComputePlan,
        process: Option<&ProcessRank>,
        reporter: Reporter,
    ) -> Result<Self, DeviceError> {
        let threads = set_threads(plan.threads, process, reporter);
        let mut device = Device::cuda_if_available();
        if let (Device::Cuda(_), Some(process)) = (device, process) {
            let (rank, gpus) = (process.local_rank, tch::Cuda::device_count() as usize);
            if rank >= gpus {
                return Err(DeviceError::NoGpu { rank, gpus });
            }
            device = Device::Cuda(rank);
        }
        if plan.precision == Precision::F16 && !device.is_cuda() {
            return Err(DeviceError::HalfPrecision);
        }
        // cuDNN's fastest convolutions add up in any order, and tch cannot forbid them alone.
        tch::Cuda::set_user_enabled_cudnn(!plan.deterministic);
        let name = format!("{device:?}, {threads} threads");
        reporter.log(&format!("device: {name}"));
        reporter.event(&Event::Device { device: name });
        Ok(Self { device, threads })
    }
}

/// Sets libtorch's threads, at most one per core; without a number as many, of which the processes of
/// one machine each take a part.
pub fn set_threads(
    requested: Option<usize>,
    process: Option<&ProcessRank>,
    reporter: Reporter,
) -> usize {
    let count = ThreadCount::from_requested(requested.unwrap_or(0));
    if let Some(note) = count.note() {
        reporter.warn(&note);
    }
    let threads = match requested {
        Some(_) => count.threads,
        None => (count.threads / process.map_or(1, |process| process.local_world)).max(1),
    };
    tch::set_num_threads(threads as i32);
    threads
}
