//! Where the training program is, which links libtorch.

use std::path::{Path, PathBuf};
use std::process::Command;

use hemora_base::ExitStatus;
use miette::{Report, Result, miette};

/// How to get the program.
pub const HELP: &str = "training needs libtorch and is a program of its own: build it with `cargo \
                        xtask train-build`, or run it from a checkout with `cargo xtask train -- …`";

/// The training program: the one that HEMORA_TRAIN names, else the one beside this program, else the
/// one in PATH.
pub fn path() -> PathBuf {
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
/// A report with the message of the system's loader, or with how to get hemora-train.
pub fn check(program: &Path) -> Result<()> {
    let output = Command::new(program).arg("--version").output();
    let output = output
        .map_err(|error| miette!(help = HELP, "cannot start {}: {error}", program.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    let reason = reason.trim();
    Err(miette!(
        help = "it needs the libtorch that it was built with: `cargo xtask train-build` builds it anew, \
                `eval \"$(cargo xtask env)\"` sets where libtorch is",
        "{} does not start ({}): {reason}",
        program.display(),
        output.status
    ))
}

/// How a command ends with an error of its steps: where its status is not that of every error, the
/// report is printed here.
///
/// # Errors
/// The report of any other error.
pub fn ended(status: ExitStatus, report: Report) -> Result<ExitStatus> {
    if status == ExitStatus::Failed {
        return Err(report);
    }
    eprintln!("{report:?}");
    Ok(status)
}
