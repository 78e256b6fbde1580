//! OHIF as npm has it: its package holds the built viewer.

use std::path::PathBuf;
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr};

use crate::process::{log, run};
use crate::workspace::Workspace;

/// The version that is measured.
const VERSION: &str = "3.13.2";

/// The built viewer.
pub struct Ohif {
    /// Its files.
    pub folder: PathBuf,
    /// Its version.
    pub version: String,
}

/// Fetches the viewer into the target folder, unless it is there.
pub fn built(workspace: &Workspace) -> Result<Ohif> {
    let cache = workspace.target().join(format!("ohif-{VERSION}"));
    let folder = cache.join("package").join("dist");
    let whole = cache.join(".complete");
    if !whole.is_file() {
        log(format!("fetching OHIF {VERSION} (50 MB)"));
        std::fs::create_dir_all(&cache)
            .into_diagnostic()
            .wrap_err("cannot make the folder of OHIF")?;
        let mut pack = Command::new("npm");
        pack.current_dir(&cache).args([
            "pack",
            "--loglevel=error",
            &format!("@ohif/app@{VERSION}"),
        ]);
        run(&mut pack)?;
        let mut unpack = Command::new("tar");
        unpack.current_dir(&cache).args(["xzf", &format!("ohif-app-{VERSION}.tgz")]);
        run(&mut unpack)?;
        std::fs::write(&whole, "").into_diagnostic().wrap_err("cannot mark OHIF as whole")?;
    }
    Ok(Ohif { folder, version: VERSION.to_owned() })
}
