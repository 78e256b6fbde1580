//! The programs and libraries that tests compare Hemora with.

use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::require;
use crate::shared::workspace;

const SET_UP: &str = "run `cargo xtask setup`";

/// The Python interpreter with the packages of `tools/peers-requirements.txt`: the one that
/// `HEMORA_PEERS_PYTHON` names, else `.env/peers/bin/python`; `None` if it is missing.
///
/// # Panics
/// If it is missing and `HEMORA_REQUIRE_PEERS` is set.
pub fn python() -> Option<PathBuf> {
    let path = env::var_os("HEMORA_PEERS_PYTHON")
        .map_or_else(|| workspace().join(".env/peers/bin/python"), PathBuf::from);
    let missing = format!("the Python interpreter {}", path.display());
    let remedy = format!("{SET_UP}, or name one in HEMORA_PEERS_PYTHON");
    require(Some(path).filter(|path| path.is_file()), &missing, &remedy)
}

/// ONNX Runtime's library, or the Python environment that holds it: what `HEMORA_ONNXRUNTIME` names,
/// else `.env/peers`; `None` if it is missing.
///
/// # Panics
/// If it is missing and `HEMORA_REQUIRE_PEERS` is set.
pub fn onnxruntime() -> Option<PathBuf> {
    let named = env::var_os("HEMORA_ONNXRUNTIME").map(PathBuf::from);
    let remedy = format!("{SET_UP}, or name the library in HEMORA_ONNXRUNTIME");
    require(named.or_else(installed_onnxruntime), "ONNX Runtime", &remedy)
}

fn installed_onnxruntime() -> Option<PathBuf> {
    let peers = workspace().join(".env/peers");
    let mut versions = std::fs::read_dir(peers.join("lib")).ok()?.flatten();
    let is_installed = |python: &Path| python.join("site-packages/onnxruntime/capi").exists();
    versions.any(|entry| is_installed(&entry.path())).then_some(peers)
}

/// A program on the path or in `/usr/sbin`, such as `dcmdjpeg`; `None`, with a word on how to `install` it,
/// if it is not there.
///
/// # Panics
/// If it is missing and `HEMORA_REQUIRE_PEERS` is set.
pub fn program(name: &str, install: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Debian's Orthanc lies where only root looks.
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    require(found, name, install)
}

/// Runs a Python program with `input` on its standard input and returns its standard output.
///
/// # Panics
/// If the program fails: its standard error is shown.
pub fn run_python(
    python: &Path,
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    input: &[u8],
) -> Vec<u8> {
    let mut child = Command::new(python)
        .args(["-c", program])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", python.display()));
    let mut stdin = child.stdin.take().expect("a pipe was asked for");
    // A thread, since a program that answers before it has read everything would wait for us.
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            // A program that does not read its input closes the pipe early.
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().expect("the program was started")
    });
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "Python: {}\n{errors}", output.status);
    output.stdout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_get_more_input_than_a_pipe_holds_and_their_failures_are_shown() {
        let Some(python) = python() else { return };
        let input = vec![b'x'; 1 << 18];
        let echo = "import sys; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(d + sys.argv[1].encode())";
        let output = run_python(&python, echo, &["!"], &input);
        assert_eq!(output.len(), input.len() + 1);
        let fails = || run_python(&python, "raise SystemExit('no such luck')", &[""; 0], b"");
        let panic = std::panic::catch_unwind(fails).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains("no such luck"), "{message}");
    }

    #[test]
    fn a_program_that_is_not_there_is_none_or_a_failure() {
        let looked = || program("no-such-program-of-hemora", "it does not exist");
        let required = env::var_os("HEMORA_REQUIRE_PEERS");
        match required.filter(|value| !value.is_empty() && value != "0") {
            None => assert_eq!(looked(), None),
            Some(_) => assert!(std::panic::catch_unwind(looked).is_err()),
        }
        assert!(program("sh", "").is_some_and(|path| path.is_absolute()));
    }
}
