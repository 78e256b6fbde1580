//! Data-parallel training over libtorch's c10d: Gloo on the CPU, NCCL on GPUs.
//!
//! A [`ProcessGroup`] joins the processes that `torchrun` or `srun` started (a [`ProcessRank`] is read from
//! their environment) and sums, broadcasts and gathers tensors over them. A job that lost a rank
//! cannot go on: every other rank names the lost one and ends, as an MPI job does.

mod bucket;
mod group;
mod process;
mod shim;
mod watch;

pub use group::{GroupOptions, ProcessGroup};
pub use process::{LaunchError, Launcher, ProcessRank};
pub use shim::C10dError;
