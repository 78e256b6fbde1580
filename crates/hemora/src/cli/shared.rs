//! Flags that several commands have, with one meaning in all of them.

use std::path::PathBuf;

use clap::Args;
use hemora_infer::EngineKind;
use miette::Result;

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
        crate::threads::limit_threads(self.threads)
    }
}

/// Flags that choose model and engine.
#[derive(Debug, Clone, Default, Args)]
pub struct EngineArgs {
    /// Model bundle (.hemora), or an ONNX model with its description beside it [default: built in]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// Engine: auto, tract (built in) or onnxruntime (its library is looked for at
    /// HEMORA_ONNXRUNTIME and ORT_DYLIB_PATH)
    #[arg(long, default_value_t, value_name = "NAME")]
    pub engine: EngineKind,

    /// Threads.
    #[command(flatten)]
    pub threads: ThreadArgs,
}
