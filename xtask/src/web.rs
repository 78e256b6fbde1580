//! The node's pages: `web/` built into the files that hemora-serve takes in.
//!
//! The built files are committed, so that `cargo build` needs no node. CI builds them again from the npm lock
//! and compares bytes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::process::{log, run};
use crate::workspace::Workspace;

/// How the pages are built.
#[derive(Debug, Args)]
pub struct Options {
    /// Change nothing: fail where the committed files are not what the sources give
    #[arg(long)]
    check: bool,
}

impl Options {
    /// What CI does.
    pub const CHECK: Self = Self { check: true };
}

/// Builds the pages from the npm lock, or checks what is committed.
pub fn web(workspace: &Workspace, options: &Options) -> Result<()> {
    let sources = workspace.root().join("web");
    let types = sources.join("src").join("api").join("schema.d.ts");
    let page = workspace.root().join("crates").join("hemora-serve").join("page");
    let schema = workspace.root().join("schemas").join("node-1.openapi.json");
    log("npm ci of web/");
    run(npm(&sources).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])).map_err(
        |error| {
            miette!(help = "it needs node 18 or later, npm and a way to its registry", "{error}")
        },
    )?;
    if !options.check {
        log("types of the API, checks, bundle");
        run(npm(&sources).args(["run", "--silent", "types"]))?;
        run(npm(&sources).args(["run", "--silent", "check"]))?;
        return run(npm(&sources).args(["run", "--silent", "build", "--"]).arg(&page));
    }
    // Of its own, so that nothing in the checkout changes.
    let fresh = workspace.target().join("web");
    log("types of the API");
    let fresh_types = fresh.join("schema.d.ts");
    let mut make = npm(&sources);
    make.args(["exec", "--offline", "--", "openapi-typescript"]).arg(&schema).arg("--output");
    run(make.arg(&fresh_types).arg("--default-non-nullable=false"))?;
    same(&read(&types)?, &read(&fresh_types)?, &types)?;
    log("checks of the pages");
    run(npm(&sources).args(["run", "--silent", "check"]))?;
    log("bundle");
    let fresh_page = fresh.join("page");
    run(npm(&sources).args(["run", "--silent", "build", "--"]).arg(&fresh_page))?;
    let (committed, built) = (files(&page)?, files(&fresh_page)?);
    let names: Vec<&str> = committed.keys().chain(built.keys()).map(String::as_str).collect();
    for name in names {
        let of = |files: &BTreeMap<String, Vec<u8>>| files.get(name).cloned().unwrap_or_default();
        same(&of(&committed), &of(&built), &page.join(name))?;
    }
    log("the committed pages are what web/ gives");
    Ok(())
}

/// npm in a folder.
fn npm(folder: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.current_dir(folder);
    npm
}

fn same(committed: &[u8], built: &[u8], path: &Path) -> Result<()> {
    if committed == built {
        return Ok(());
    }
    let path = path.display();
    Err(miette!(
        help = "`cargo xtask web` builds them; commit what it writes",
        "{path} is not what web/ and its lock give"
    ))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", path.display()))
}

/// The files of a folder by name.
fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let entries = std::fs::read_dir(folder)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot list {}", folder.display()))?;
    let paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .into_diagnostic()?;
    let name =
        |path: &Path| path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned();
    paths.iter().map(|path| Ok((name(path), read(path)?))).collect()
}
