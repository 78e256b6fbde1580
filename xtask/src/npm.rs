//! Packages of npm, exactly those of a lock file.

use std::fs;
use std::path::Path;
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::process::{log, run};

/// Installs what `package-lock.json` of `folder` names into its `node_modules`, unless that is done.
pub fn install(folder: &Path) -> Result<()> {
    let lock = fs::read_to_string(folder.join("package-lock.json"))
        .into_diagnostic()
        .wrap_err_with(|| format!("{} has no package-lock.json", folder.display()))?;
    // Within the folder that it speaks of, so that both go together.
    let stamp = folder.join("node_modules").join(".installed-lock.json");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    log(format!("npm: installing the packages of {}", folder.display()));
    let mut npm = Command::new("npm");
    npm.current_dir(folder).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    run(&mut npm).map_err(|error| {
        miette!(
            help = "npm's own lines above say why. Without a connection to registry.npmjs.org, name a \
                    mirror in npm_config_registry or a proxy in HTTPS_PROXY",
            "cannot install the packages of {}: {error}",
            folder.display()
        )
    })?;
    fs::write(&stamp, lock)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", stamp.display()))
}
