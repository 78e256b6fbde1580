//! `hemora train`: starts hemora-train, the program that links libtorch.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use miette::{Result, miette};

use crate::cli::TrainArgs;

/// How to get the program.
pub const HELP: &str = "training needs libtorch and is a program of its own: build it with `cargo \
                        xtask train-build`, or run it from a checkout with `cargo xtask train -- …`";

/// The training program: the one that HEMORA_TRAIN names, else the one beside this program, else the
/// one in PATH.
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("HEMORA_TRAIN") {
        return named.into();
    }
    let name = format!("hemora-train{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe().ok().map(|path| path.with_file_name(&name));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from(&name))
}

/// Checks that the training program is there and starts, before work that would end at it.
///
/// # Errors
/// A report with what the system's loader said, or that says how to get hemora-train.
pub fn check(program: &Path) -> Result<()> {
    let asked = Command::new(program).arg("--version").output();
    let asked = asked
        .map_err(|error| miette!(help = HELP, "cannot start {}: {error}", program.display()))?;
    if asked.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&asked.stderr);
    let said = said.trim();
    Err(miette!(
        help = "it needs the libtorch that it was built with: `cargo xtask train-build` builds it anew, \
                `eval \"$(cargo xtask env)\"` says where libtorch is",
        "{} does not start ({}): {said}",
        program.display(),
        asked.status
    ))
}

/// Runs the command.
///
/// # Errors
/// A report that says how to get hemora-train when it is absent.
pub fn run(arguments: &TrainArgs) -> Result<ExitCode> {
    let program = program();
    let status = Command::new(&program).args(&arguments.arguments).status();
    let status = status
        .map_err(|error| miette!(help = HELP, "cannot start {}: {error}", program.display()))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
