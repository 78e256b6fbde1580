//! What CI runs: formatting, lints, documentation, tests; the cheapest first.
//!
//! Dependencies are compiled twice and no more: as metadata for clippy, which the documentation
//! uses again, and with code for the tests. So no step here sets flags of the compiler (they
//! would start a third set), and none builds for release.

use miette::{Result, miette};

use crate::environment::Environment;
use crate::process::{cargo, log, run};
use crate::workspace::Workspace;
use crate::{browser, dist};

/// What released programs have and a plain build leaves out. Every step has it, so that dependencies have one set
/// of features.
pub const RELEASED: [&str; 2] = ["--features", "hemora/s3,hemora/postgres,hemora-store/postgres"];

/// Formatting; it needs no set-up.
pub fn format(workspace: &Workspace) -> Result<()> {
    log("formatting");
    run(cargo(workspace).args(["fmt", "--all", "--check"]))
        .map_err(|error| miette!(help = "`cargo fmt --all` mends it", "{error}"))
}

/// Lints and documentation.
pub fn check(workspace: &Workspace, environment: &Environment) -> Result<()> {
    log("lints");
    let mut clippy = cargo(workspace);
    clippy.args(["clippy", "--workspace", "--all-targets", "--locked"]).args(RELEASED);
    clippy.args(["--", "-D", "warnings"]);
    environment.apply(&mut clippy)?;
    run(&mut clippy)?;

    log("documentation");
    let mut doc = cargo(workspace);
    doc.args(["doc", "--workspace", "--no-deps", "--locked"]).args(RELEASED);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    environment.apply(&mut doc)?;
    run(&mut doc)
}

/// All tests, those of `hemora-train` and of the pages in a browser too. `arguments` go to `cargo test`; with any,
/// the browser stays closed.
pub fn test(workspace: &Workspace, environment: &Environment, arguments: &[String]) -> Result<()> {
    run_tests(workspace, environment, arguments, Peers::Optional)
}

/// All tests as CI runs them: one that finds no peer to compare with fails.
pub fn test_with_peers(workspace: &Workspace, environment: &Environment) -> Result<()> {
    run_tests(workspace, environment, &[], Peers::Required)
}

/// Whether a test may skip itself when it finds no peer to compare with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peers {
    Optional,
    Required,
}

fn run_tests(
    workspace: &Workspace,
    environment: &Environment,
    arguments: &[String],
    peers: Peers,
) -> Result<()> {
    if shared_data(workspace).is_none() {
        log(
            "no shared data (HEMORA_SHARED, or ../shared): the tests on real scans skip themselves",
        );
    }
    log("tests");
    let mut test = cargo(workspace);
    test.args(["test", "--no-fail-fast", "--locked"]);
    if !arguments.iter().any(|argument| argument == "-p" || argument == "--package") {
        test.arg("--workspace").args(RELEASED);
    }
    test.args(arguments);
    environment.apply(&mut test)?;
    if peers == Peers::Required {
        test.env("HEMORA_REQUIRE_PEERS", "1");
    }
    run(&mut test)?;
    // Somebody who names tests wants these alone.
    if !arguments.is_empty() {
        return Ok(());
    }
    let required = peers == Peers::Required || std::env::var_os("HEMORA_REQUIRE_PEERS").is_some();
    browser::test(workspace, environment, required)?;
    dist::test(workspace, required)
}

/// Where the tests look for real scans.
fn shared_data(workspace: &Workspace) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("HEMORA_SHARED")
        .map_or_else(|| workspace.root().join("..").join("shared"), Into::into);
    folder.is_dir().then_some(folder)
}
