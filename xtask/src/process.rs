//! Running other programs, with errors that say what to do.

use std::process::{Command, Stdio};

use miette::{IntoDiagnostic, Result, WrapErr, miette};

/// Writes a line to stderr about what happens next, so that stdout stays free for results.
pub fn log(line: impl std::fmt::Display) {
    eprintln!("xtask: {line}");
}

/// The command as one would type it.
pub fn typed(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// Runs `command` with its output shown; an error when it cannot start or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let line = typed(command);
    let status =
        command.status().into_diagnostic().wrap_err_with(|| format!("cannot start `{line}`"))?;
    if status.success() { Ok(()) } else { Err(miette!("`{line}` ended with {status}")) }
}

/// Runs `command` and returns its stdout; its stderr is shown.
pub fn read(command: &mut Command) -> Result<String> {
    let line = typed(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        return Err(miette!("`{line}` ended with {}", output.status));
    }
    String::from_utf8(output.stdout)
        .into_diagnostic()
        .wrap_err_with(|| format!("`{line}` printed something that is not UTF-8"))
}

/// A cargo command that starts in the workspace root.
///
/// `cargo run` tells this program which package it belongs to; that must not reach the build
/// scripts of what we build, or they would run again on every change between the two.
pub fn cargo(workspace: &crate::workspace::Workspace) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(workspace.root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}
