//! The program as it is packed: profile `dist`, linked so that it runs on systems of 2018 and later.
//!
//! A program needs the C library that it was linked with, or a later one. cargo-zigbuild links with the stubs of
//! an old one that the Zig compiler holds; both come from PyPI, pinned, into an environment of their own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use miette::{IntoDiagnostic, Result, miette};

use crate::peers;
use crate::process::{cargo, log, run};
use crate::workspace::Workspace;

/// Debian 10, Ubuntu 20.04, RHEL 8: the oldest that are in use in clusters and hospitals.
const OLDEST_GLIBC: &str = "2.28";
/// What a plain build leaves out, to be quick.
pub(super) const FEATURES: &str = "s3,postgres";
const TARGET: &str = "x86_64-unknown-linux-gnu";
const TOOLS: [&str; 2] = ["cargo-zigbuild==0.24.1", "ziglang==0.17.1"];

/// Builds the program and returns where it is.
pub fn build(workspace: &Workspace, host_libc: bool) -> Result<PathBuf> {
    let mut build = cargo(workspace);
    let target = if host_libc {
        build.arg("build");
        TARGET.to_owned()
    } else {
        let tools = tools(workspace)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(tools.join("bin")).chain(std::env::split_paths(&path));
        build.arg("zigbuild");
        build.env("PATH", std::env::join_paths(folders).map_err(|error| miette!("PATH: {error}"))?);
        format!("{TARGET}.{OLDEST_GLIBC}")
    };
    log("building hemora (profile dist): 10 to 30 minutes on two cores");
    build.args(["--locked", "--package", "hemora", "--features", FEATURES, "--profile", "dist"]);
    build.args(["--target", &target]);
    run(&mut build)?;
    Ok(workspace.target().join(TARGET).join("dist").join("hemora"))
}

/// The environment with cargo-zigbuild and Zig, made if it is not there.
fn tools(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.root().join(".env").join("dist");
    let (complete, wanted) = (folder.join(".complete"), TOOLS.join("\n"));
    // Other versions than these, or an installation that was cut off, are made anew.
    if fs::read_to_string(&complete).is_ok_and(|made| made == wanted) {
        return Ok(folder);
    }
    log("installing cargo-zigbuild and Zig into .env/dist (80 MB)");
    run(Command::new(peers::find_python()?).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin").join("python"));
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install"]).args(TOOLS);
    run(&mut pip).map_err(|error| {
        miette!(
            help = "pip's own lines above say why; `cargo xtask dist --host-libc` needs neither",
            "cannot install cargo-zigbuild: {error}"
        )
    })?;
    fs::write(&complete, wanted).into_diagnostic()?;
    Ok(folder)
}
