//! Installs each package where nothing else is, and triages a phantom there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use super::{Packages, archive, chroot};
use crate::node::fresh_folder;
use crate::process::{log, read, run};
use crate::workspace::Workspace;
use crate::{peers, programs};

/// What packing and trying need, beside Python.
const NEEDED: [&str; 4] = ["objdump", "strip", "dpkg-deb", "lintian"];

/// The programs that are not there.
pub fn missing() -> Vec<&'static str> {
    NEEDED.into_iter().filter(|program| programs::find(program).is_none()).collect()
}

/// Tries every package that was made.
pub fn all(workspace: &Workspace, packages: &Packages) -> Result<()> {
    let folder = fresh_folder(workspace, "dist-trial")?;
    log("trying the archive");
    archive::unpack(&packages.archive, &folder)?;
    let installed = only_folder(&folder)?;
    for file in ["share/man/man1/hemora-triage.1", "share/doc/hemora/THIRD-PARTY.txt"] {
        if !installed.join(file).is_file() {
            return Err(miette!("{} holds no {file}", packages.archive.display()));
        }
    }
    triage(&installed.join("bin").join("hemora"), &folder)?;
    log("trying the wheel");
    wheel(workspace, &packages.wheel, &folder)?;
    if let Some(package) = &packages.debian {
        log("trying the Debian package");
        lint(package)?;
        unit(workspace, package, &folder)?;
        chroot::all(workspace, package, &packages.archive, &folder)?;
    }
    fs::remove_dir_all(&folder).into_diagnostic()?;
    log("every package installs and triages a phantom");
    Ok(())
}

/// The checks of the package's types, with the mypy of the Python peers.
pub fn python_types(workspace: &Workspace) -> Result<()> {
    let mut mypy = Command::new(workspace.peers_python());
    mypy.current_dir(workspace.root().join("python"));
    run(mypy
        .args(["-m", "mypy", "--no-error-summary", "--cache-dir"])
        .arg(workspace.target().join("mypy")))
}

/// A program that sees nothing of this environment: neither libraries nor engines that are named in it.
fn alone(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    command.env("HEMORA_ONNXRUNTIME", "off");
    command
}

/// Lets an installed program make a phantom and triage it.
fn triage(program: &Path, folder: &Path) -> Result<()> {
    let (phantoms, out) = (folder.join("phantoms"), folder.join("out"));
    let mut synth = alone(program);
    synth.arg("synth").arg(&phantoms).args(["--patients", "1", "--seed", "3", "--size", "96"]);
    run(synth.stdout(Stdio::null()))?;
    let mut triage = alone(program);
    triage.arg("triage").arg(phantoms.join("stage_2_train")).arg("--out").arg(&out);
    run(triage.stdout(Stdio::null()))?;
    let text = fs::read_to_string(out.join("result.json")).into_diagnostic()?;
    scored(&text).wrap_err_with(|| format!("{} triaged nothing", program.display()))
}

/// Whether a result has one study with a probability.
pub fn scored(result: &str) -> Result<()> {
    let result: Value = serde_json::from_str(result).into_diagnostic()?;
    let probability = &result["studies"][0]["probabilities"]["any"];
    match probability.as_f64() {
        Some(value) if (0.0..=1.0).contains(&value) => Ok(()),
        _ => Err(miette!("a probability was expected, and found was {probability}")),
    }
}

/// Installs the wheel in an environment that reaches no index, and runs the tests of the package there.
fn wheel(workspace: &Workspace, wheel: &Path, folder: &Path) -> Result<()> {
    let environment = folder.join("environment");
    run(Command::new(peers::find_python()?).args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin").join("python");
    let mut pip = alone(&python);
    pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-index"]);
    run(pip.arg(wheel))?;
    let mut tests = alone(&python);
    // From elsewhere, so that what is imported is what was installed.
    tests.current_dir(folder);
    run(tests.arg(workspace.root().join("python").join("tests").join("test_hemora.py")))?;
    run(alone(&environment.join("bin").join("hemora")).arg("--version").stdout(Stdio::null()))
}

/// Debian's own check of packages: nothing may be left but what the package declares.
fn lint(package: &Path) -> Result<()> {
    if programs::find("lintian").is_none() {
        log("the package is not checked: there is no lintian");
        return Ok(());
    }
    let mut lintian = Command::new("lintian");
    lintian.args(["--fail-on", "error,warning", "--tag-display-limit", "0"]);
    // Root may look too: nothing of the package is run.
    run(lintian.arg("--allow-root").arg(package))
}

/// What systemd says of the unit, with the package's files in their places.
fn unit(workspace: &Workspace, package: &Path, folder: &Path) -> Result<()> {
    if programs::find("systemd-analyze").is_none() {
        log("the service is not checked: there is no systemd-analyze");
        return Ok(());
    }
    /// Of 10, where 10 is a service without any protection.
    const EXPOSURE: &str = "--threshold=15";
    let root = folder.join("package");
    run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&root))?;
    // systemd asks whether the program is there: of the unit the path in the folder is checked.
    let text = fs::read_to_string(workspace.root().join("deploy").join("hemora.service"));
    let text = text.into_diagnostic()?;
    let program = root.join("usr/bin/hemora");
    let placed = text
        .replace("/usr/bin/hemora", &program.display().to_string())
        .lines()
        .filter(|line| !line.starts_with("Documentation="))
        .collect::<Vec<_>>()
        .join("\n");
    let unit = folder.join("hemora.service");
    fs::write(&unit, placed).into_diagnostic()?;
    let said = Command::new("systemd-analyze").arg("verify").arg(&unit).output();
    let said = said.into_diagnostic()?;
    let words = String::from_utf8_lossy(&said.stderr);
    // Of other units of the machine it may complain too.
    let ours: Vec<&str> = words.lines().filter(|line| line.contains("hemora.service")).collect();
    if !ours.is_empty() || !said.status.success() {
        return Err(miette!("systemd-analyze verify of hemora.service: {words}"));
    }
    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--no-pager", "--offline=yes", EXPOSURE]).arg(&unit);
    read(&mut security).map(drop)
}

fn only_folder(folder: &Path) -> Result<PathBuf> {
    let found = super::staging::entries(folder)?;
    match found.as_slice() {
        [one] => Ok(one.clone()),
        other => Err(miette!("one folder was expected in the archive, and it has {}", other.len())),
    }
}
