//! `.env/peers`: the Python packages that tests and benchmarks compare Hemora with.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::process::{log, read, run};
use crate::workspace::Workspace;

/// The oldest Python that the pinned packages run on.
const OLDEST_PYTHON: (u32, u32) = (3, 11);

/// Makes the virtual environment and installs the pinned packages, unless that is done.
pub fn set_up(workspace: &Workspace) -> Result<()> {
    let requirements = fs::read_to_string(workspace.peers_requirements())
        .into_diagnostic()
        .wrap_err("cannot read tools/peers-requirements.txt")?;
    if is_complete(workspace, &requirements) {
        log("Python peers: in place (.env/peers)");
        return Ok(());
    }
    make_venv(workspace)?;
    log("Python peers: installing the packages of tools/peers-requirements.txt (about 150 MB)");
    let mut pip = pip(workspace);
    pip.arg("install").arg("--requirement").arg(workspace.peers_requirements());
    run_pip(&mut pip, "the Python peers")?;
    fs::write(stamp(workspace), requirements)
        .into_diagnostic()
        .wrap_err("cannot write .env/peers/.complete")?;
    log("Python peers: done");
    Ok(())
}

/// Whether the environment holds what `requirements` asks for.
fn is_complete(workspace: &Workspace, requirements: &str) -> bool {
    let stamped = fs::read_to_string(stamp(workspace)).is_ok_and(|text| text == requirements);
    // The interpreter is a link that dangles when the system's Python is replaced.
    stamped && workspace.peers_python().exists()
}

fn stamp(workspace: &Workspace) -> PathBuf {
    workspace.peers().join(".complete")
}

/// Makes `.env/peers` with its own pip, unless it is there and works.
fn make_venv(workspace: &Workspace) -> Result<()> {
    if pip(workspace).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    let python = find_python()?;
    let folder = workspace.peers();
    log(format!("Python peers: making the virtual environment {}", folder.display()));
    let mut venv = Command::new(&python);
    venv.args(["-m", "venv", "--clear"]).arg(&folder);
    run(&mut venv).map_err(|error| {
        miette!(
            help = "on Debian and Ubuntu the module is a package of its own: \
                    `apt-get install python3-venv`; then run `cargo xtask setup` again",
            "{} cannot make a virtual environment: {error}",
            python.display()
        )
    })
}

/// A Python that is new enough: `HEMORA_PYTHON`, or `python3` on the path.
pub fn find_python() -> Result<PathBuf> {
    let python = std::env::var_os("HEMORA_PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
    let program = "import sys; print(sys.version_info[0], sys.version_info[1])";
    let printed = read(Command::new(&python).args(["-c", program])).map_err(|error| {
        miette!(
            help = "install Python 3.11 or newer with its venv module \
                    (Debian, Ubuntu: `apt-get install python3 python3-venv`), \
                    or name an interpreter in HEMORA_PYTHON",
            "no Python found: {error}"
        )
    })?;
    match parse_version(&printed) {
        Some(version) if version >= OLDEST_PYTHON => Ok(python),
        _ => Err(miette!(
            help = "name a newer interpreter in HEMORA_PYTHON, such as \
                    `HEMORA_PYTHON=/usr/bin/python3.12 cargo xtask setup`",
            "{} is Python {}, and the pinned packages need {}.{} or newer",
            python.display(),
            printed.trim().replace(' ', "."),
            OLDEST_PYTHON.0,
            OLDEST_PYTHON.1
        )),
    }
}

/// Reads "3 11".
fn parse_version(printed: &str) -> Option<(u32, u32)> {
    let (major, minor) = printed.trim().split_once(' ')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The environment's own pip, which does not depend on the system having one.
pub fn pip(workspace: &Workspace) -> Command {
    let mut command = Command::new(workspace.peers_python());
    command.args(["-m", "pip", "--disable-pip-version-check"]);
    if !std::io::stderr().is_terminal() {
        command.arg("--quiet");
    }
    command
}

/// Runs a pip command that downloads `what`.
pub fn run_pip(command: &mut Command, what: &str) -> Result<()> {
    run(command).map_err(|error| {
        miette!(
            help = "pip's own lines above say why. Without a connection to pypi.org, name a mirror \
                    in PIP_INDEX_URL or a proxy in HTTPS_PROXY; with a full disk, free some \
                    (4 GB are enough); then run `cargo xtask setup` again",
            "cannot install {what}: {error}"
        )
    })
}

/// ONNX Runtime's library inside the environment, when it is there.
pub fn onnxruntime(workspace: &Workspace) -> Option<PathBuf> {
    let versions = fs::read_dir(workspace.peers().join("lib")).ok()?;
    versions.filter_map(|entry| find_onnxruntime(&entry.ok()?.path())).next()
}

/// Looks below one `lib/python3.N`. The file's name ends with the version.
fn find_onnxruntime(python: &Path) -> Option<PathBuf> {
    let folder = python.join("site-packages").join("onnxruntime").join("capi");
    let mut found = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    found.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("libonnxruntime.so")
            || name.starts_with("libonnxruntime.dylib")
            || (name.starts_with("libonnxruntime.") && name.ends_with(".dylib"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_python_prints() {
        assert_eq!(parse_version("3 12\n"), Some((3, 12)));
        assert_eq!(parse_version("Python 3.12"), None);
        assert!((3, 9) < OLDEST_PYTHON && (3, 11) >= OLDEST_PYTHON);
    }

    #[test]
    fn finds_the_library_and_not_its_providers() {
        let folder = tempfile::tempdir().unwrap();
        let capi = folder.path().join("site-packages/onnxruntime/capi");
        fs::create_dir_all(&capi).unwrap();
        fs::write(capi.join("libonnxruntime_providers_shared.so"), "").unwrap();
        assert_eq!(find_onnxruntime(folder.path()), None);
        let library = capi.join("libonnxruntime.so.1.32.0");
        fs::write(&library, "").unwrap();
        assert_eq!(find_onnxruntime(folder.path()), Some(library));
    }
}
