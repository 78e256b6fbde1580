//! The tests of the reader's page in Chromium, against a node that runs; and pictures of its screens.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, miette};

use crate::checks::RELEASED;
use crate::environment::Environment;
use crate::process::{cargo, log, run};
use crate::workspace::Workspace;
use crate::{npm, programs};

/// What the tests need beside the Python peers: the program, and the package of Debian that holds it.
const NEEDED: [&str; 4] = ["node", "npm", "chromium", "storescu"];

/// What is run.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Write pictures of every screen into this folder instead of testing
    #[arg(long, value_name = "DIR")]
    screens: Option<PathBuf>,
    /// The hemora to run; by default it is built
    #[arg(long)]
    program: Option<PathBuf>,
    /// Files of web/tests, such as study.test.mjs; by default all
    files: Vec<String>,
}

/// Builds hemora and runs the browser tests alone, or takes pictures.
pub fn browser(workspace: &Workspace, environment: &Environment, options: &Options) -> Result<()> {
    let program = match &options.program {
        Some(named) => std::path::absolute(named).into_diagnostic()?,
        None => {
            let mut build = cargo(workspace);
            build.args(["build", "--workspace", "--locked"]).args(RELEASED);
            environment.apply(&mut build)?;
            run(&mut build)?;
            built(workspace)
        }
    };
    if let Some(name) = missing().first() {
        return Err(missing_program(name));
    }
    if let Some(folder) = &options.screens {
        let folder = std::path::absolute(folder).into_diagnostic()?;
        let mut screens = script(workspace, environment, "screens.mjs", &program)?;
        return run(screens.arg(folder));
    }
    let mut tests = script(workspace, environment, "run.mjs", &program)?;
    run(tests.args(&options.files))
}

/// Runs the browser tests with the program that `cargo test` built. Without Chromium, node or storescu they
/// are skipped, or are an error where they are `required`.
pub fn test(workspace: &Workspace, environment: &Environment, required: bool) -> Result<()> {
    let missing = missing();
    match missing.first() {
        Some(name) if required => return Err(missing_program(name)),
        Some(_) => {
            log(format!("browser tests: skipped, there is no {}", missing.join(", no ")));
            return Ok(());
        }
        None => log("browser tests"),
    }
    run(&mut script(workspace, environment, "run.mjs", &built(workspace))?)
}

/// The hemora that tests are run with.
fn built(workspace: &Workspace) -> PathBuf {
    workspace.target().join("debug").join("hemora")
}

fn missing() -> Vec<&'static str> {
    NEEDED.into_iter().filter(|program| programs::find(program).is_none()).collect()
}

fn missing_program(name: &str) -> miette::Report {
    miette!(
        help = "as root on Debian or Ubuntu `cargo xtask setup` installs it",
        "the browser tests need {name}, and there is none"
    )
}

/// A script of `web/tests` that gets the program as its first argument.
pub fn script(
    workspace: &Workspace,
    environment: &Environment,
    name: &str,
    program: &Path,
) -> Result<Command> {
    let folder = workspace.root().join("web").join("tests");
    npm::install(&folder)?;
    let mut command = Command::new("node");
    command.arg(folder.join(name)).arg(program);
    environment.apply(&mut command)?;
    if std::env::var_os("CHROMIUM").is_none() {
        command.envs(programs::find("chromium").map(|path| ("CHROMIUM", path)));
    }
    Ok(command)
}
