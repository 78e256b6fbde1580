//! Packages for people without a compiler: an archive, a Python wheel and a Debian package, each installed and
//! tried where nothing else is.

mod archive;
mod build;
mod chroot;
mod container;
mod debian;
mod licences;
mod program;
mod staging;
mod trial;
mod wheel;

use std::path::{Path, PathBuf};

use clap::Args;
use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::process::log;
use crate::workspace::Workspace;

use program::Program;
use staging::Share;

/// The most that the program may weigh, in MB, so that it installs quickly over any line.
const LIMIT_MB: f64 = 45.0;

/// What is packed.
#[derive(Debug, Args)]
pub struct Options {
    /// Pack this hemora instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Link with this system's own C library instead of an old one: needs no download, runs on systems as new as
    /// this one
    #[arg(long, conflicts_with = "binary")]
    host_libc: bool,
    /// Folder of the packages
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do not install and try them
    #[arg(long)]
    untried: bool,
    /// Do what `cargo xtask test` does of it: pack the hemora that `cargo test` built, quickly, and try the packages
    #[arg(long, conflicts_with_all = ["binary", "host_libc", "out", "untried"])]
    pub test: bool,
}

/// Makes the packages, prints their sizes, and tries them.
pub fn dist(workspace: &Workspace, options: &Options) -> Result<()> {
    let out = options.out.clone().unwrap_or_else(|| workspace.target().join("packages"));
    let binary = match &options.binary {
        Some(named) => named.clone(),
        None => build::build(workspace, options.host_libc)?,
    };
    let packages = make(workspace, &binary, &out, Squeeze::Well)?;
    if !options.untried {
        trial::all(workspace, &packages)?;
    }
    Ok(())
}

/// Packs the hemora that `cargo test` built and tries the packages. Without the programs that this takes it is
/// skipped, or is an error where they are `required`.
pub fn test(workspace: &Workspace, required: bool) -> Result<()> {
    let missing = trial::missing();
    if let Some(name) = missing.first() {
        if required {
            return Err(miette!(
                help = "as root on Debian or Ubuntu `cargo xtask setup` installs it",
                "the tests of the packages need {name}, and there is none"
            ));
        }
        log(format!("packages: skipped, there is no {}", missing.join(", no ")));
        return Ok(());
    }
    log("packages");
    let folder = workspace.target().join("dist-test");
    std::fs::create_dir_all(&folder).into_diagnostic()?;
    let binary = program::stripped(&workspace.target().join("debug").join("hemora"), &folder)?;
    let packages = make(workspace, &binary, &folder.join("packages"), Squeeze::Quickly)?;
    trial::python_types(workspace)?;
    trial::all(workspace, &packages)
}

/// How hard packages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Squeeze {
    Well,
    Quickly,
}

impl Squeeze {
    /// As gzip and zip count it.
    fn level(self) -> u32 {
        match self {
            Self::Well => 9,
            Self::Quickly => 1,
        }
    }
}

/// The packages that were made; no Debian package where there is no dpkg-deb.
struct Packages {
    archive: PathBuf,
    wheel: PathBuf,
    debian: Option<PathBuf>,
}

fn make(workspace: &Workspace, binary: &Path, out: &Path, squeeze: Squeeze) -> Result<Packages> {
    std::fs::create_dir_all(out)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot make the folder {}", out.display()))?;
    let program = Program::read(binary)?;
    let weight = megabytes(&program.path)?;
    log(format!("hemora {}: {weight:.1} MB, needs {}", program.version, program.needs()));
    if squeeze == Squeeze::Well {
        log(format!("{:.0} images/s of the built-in model on one core", program.rate()?));
        if weight > LIMIT_MB {
            log(format!("it weighs more than the {LIMIT_MB} MB that it should"));
        }
    }
    log("licences, man pages and completions");
    let share = Share::make(workspace, &program)?;
    let archive = archive::make(&program, &share, out, squeeze)?;
    let wheel = wheel::make(workspace, &program, &share, out, squeeze)?;
    let debian = debian::make(workspace, &program, &share, out, squeeze)?;
    container::write(workspace, out)?;
    for path in [Some(&archive), Some(&wheel), debian.as_ref()].into_iter().flatten() {
        log(format!("{}: {:.1} MB", path.display(), megabytes(path)?));
    }
    Ok(Packages { archive, wheel, debian })
}

/// The size of a file in millions of bytes.
fn megabytes(path: &Path) -> Result<f64> {
    let size = std::fs::metadata(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", path.display()))?
        .len();
    // Sizes of files are far below 2^53.
    #[expect(clippy::cast_precision_loss)]
    Ok(size as f64 / 1e6)
}
