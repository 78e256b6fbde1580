//! Flags that several commands have, with one meaning in all of them.

use std::path::PathBuf;

use clap::Args;
use hemora_base::{ThreadCount, WorkShard};
use hemora_infer::EngineKind;
use miette::{IntoDiagnostic, Result, WrapErr};

/// How many threads are started.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ThreadArgs {
    /// Threads; 0 for one per core
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub threads: usize,
}

impl ThreadArgs {
    /// Limits the threads of everything that follows; more than there are cores are cut to the cores,
    /// with a warning.
    ///
    /// # Errors
    /// A report if threads are running already.
    pub fn limit(self) -> Result<()> {
        if self.threads == 0 {
            return Ok(());
        }
        let count = ThreadCount::from_requested(self.threads);
        if let Some(note) = count.note() {
            eprintln!("warning: {note}");
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(count.threads)
            .build_global()
            .into_diagnostic()
            .wrap_err("cannot start threads")
    }
}

/// Which part of a job that several processes or machines share.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ShardArgs {
    /// Do share I of N of the work alone, I from 1 to N, such as 3/8
    #[arg(long, value_name = "I/N")]
    pub shard: Option<WorkShard>,
}

/// Flags of the commands that run a plan of many steps.
#[derive(Debug, Clone, Args)]
pub struct StepArgs {
    /// Threads.
    #[command(flatten)]
    pub threads: ThreadArgs,

    /// Print the steps and what they cost, and stop
    #[arg(long)]
    pub plan: bool,

    /// Forget what an earlier run completed
    #[arg(long)]
    pub restart: bool,

    /// More flags for `hemora train run`, after --
    #[arg(last = true, value_name = "FLAGS")]
    pub flags: Vec<String>,
}

impl StepArgs {
    /// Threads that each program may use; `None` for one per core.
    pub fn threads(&self) -> Option<usize> {
        Some(self.threads.threads).filter(|threads| *threads > 0)
    }
}

/// Flags that choose model and engine.
#[derive(Debug, Clone, Default, Args)]
pub struct EngineArgs {
    /// Model bundle (.hemora), or an ONNX model with its description beside it [default: built in]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// Engine: auto, tract (built in) or onnxruntime (`hemora doctor` says where its library is looked
    /// for; HEMORA_ONNXRUNTIME names one, or is off)
    #[arg(long, default_value_t, value_name = "NAME")]
    pub engine: EngineKind,

    /// Threads.
    #[command(flatten)]
    pub threads: ThreadArgs,
}
