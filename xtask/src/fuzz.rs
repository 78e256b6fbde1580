//! The fuzz targets, one after the other: `fuzz/` is a workspace of its own that cargo-fuzz builds.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};

use crate::process::{cargo, log, read, run};
use crate::workspace::Workspace;

/// What is fuzzed, and for how long.
#[derive(Debug, Args)]
pub struct Options {
    /// Seconds for each target
    #[arg(long, default_value_t = 300, value_name = "N")]
    seconds: u64,

    /// The targets [default: all]
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// Builds the targets and runs each for a while; the first crash ends it.
pub fn fuzz(workspace: &Workspace, options: &Options) -> Result<()> {
    let folder = workspace.root().join("fuzz");
    if read(&mut cargo_fuzz(workspace, &folder, "--version")).is_err() {
        bail!(help = "get it with `cargo install cargo-fuzz`", "cargo-fuzz is not installed");
    }
    let list = read(cargo_fuzz(workspace, &folder, "list").arg("--fuzz-dir").arg(&folder))?;
    let all: Vec<&str> = list.lines().collect();
    for target in &options.targets {
        if !all.contains(&target.as_str()) {
            bail!(help = format!("there are {}", all.join(", ")), "no fuzz target `{target}`");
        }
    }
    let wanted = |target: &&&str| {
        options.targets.is_empty() || options.targets.iter().any(|it| it == **target)
    };
    run(cargo_fuzz(workspace, &folder, "build").arg("--fuzz-dir").arg(&folder))?;
    for target in all.iter().filter(wanted) {
        log(format!("fuzzing {target} for {} s", options.seconds));
        run_target(workspace, &folder, target, options.seconds)?;
    }
    Ok(())
}

fn run_target(workspace: &Workspace, folder: &Path, target: &str, seconds: u64) -> Result<()> {
    let corpus = folder.join("corpus").join(target);
    std::fs::create_dir_all(&corpus).into_diagnostic()?;
    let scratch = scratch()?;
    let mut fuzzer = cargo_fuzz(workspace, folder, "run");
    fuzzer.arg("--fuzz-dir").arg(folder).arg(target).arg(&corpus);
    fuzzer.arg(folder.join("seeds").join(target)).arg("--");
    fuzzer.arg(format!("-max_total_time={seconds}"));
    // An image of the largest size that is read takes a gigabyte; its pixels take seconds.
    fuzzer.args(["-rss_limit_mb=4096", "-timeout=60", "-max_len=65536", "-print_final_stats=1"]);
    let result = run(fuzzer.env("TMPDIR", &scratch));
    std::fs::remove_dir_all(&scratch).into_diagnostic().wrap_err("cannot remove the inputs")?;
    result.map_err(|error| {
        miette!(
            help = "the input is in fuzz/artifacts; mend what it breaks, and add a test with it",
            "{target}: {error}"
        )
    })
}

/// Where targets put their inputs as files: in memory, if the system has such a place.
fn scratch() -> Result<PathBuf> {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(format!("hemora-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// A cargo-fuzz command. Its instrumentation is not stable, but a stable compiler has it.
fn cargo_fuzz(workspace: &Workspace, folder: &Path, command: &str) -> Command {
    let mut fuzz = cargo(workspace);
    fuzz.current_dir(folder).args(["fuzz", command]).env("RUSTC_BOOTSTRAP", "1");
    fuzz.env_remove("CARGO_TARGET_DIR");
    fuzz
}
