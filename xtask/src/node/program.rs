//! The program that is run as a node, and the folder that it works in.

use std::fs;
use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::process::{cargo, log, run};
use crate::workspace::Workspace;

/// Builds `hemora` for release, unless a program is named that is to be used as it is.
pub fn build(workspace: &Workspace, named: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named {
        let program = std::path::absolute(named).into_diagnostic()?;
        return match program.is_file() {
            true => Ok(program),
            false => Err(miette!("there is no program {}", program.display())),
        };
    }
    log("building hemora for release");
    run(cargo(workspace).args(["build", "--release", "--bin", "hemora"]))?;
    Ok(workspace.target().join("release").join("hemora"))
}

/// An empty folder within the target folder; what an earlier run left there goes.
pub fn fresh_folder(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let folder = workspace.target().join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).into_diagnostic().wrap_err("cannot remove old files")?;
    }
    fs::create_dir_all(&folder).into_diagnostic().wrap_err("cannot make the folder")?;
    Ok(folder)
}
