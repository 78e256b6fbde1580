//! Where ONNX Runtime's shared library may be.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Names a library file, or a folder or Python environment that holds one.
pub(super) const VARIABLE: &str = "HEMORA_ONNXRUNTIME";
/// The variable that `ort` itself knows: a library file.
pub(super) const ORT_VARIABLE: &str = "ORT_DYLIB_PATH";

/// Whether one of the two variables names a library.
pub(super) fn is_named() -> bool {
    [VARIABLE, ORT_VARIABLE].iter().any(|variable| set(variable).is_some())
}

/// The libraries to try in order, and what was looked at without finding one. Python environments
/// are searched only when `explicit` or `HEMORA_ONNXRUNTIME` names them: a library that merely
/// happens to lie on the machine must not change results.
pub(super) fn candidates(explicit: Option<&Path>) -> (Vec<PathBuf>, Vec<String>) {
    let named = match explicit {
        Some(path) => vec![("the path given", Some(path.to_owned()))],
        None => vec![
            (VARIABLE, set(VARIABLE).map(PathBuf::from)),
            (ORT_VARIABLE, set(ORT_VARIABLE).map(PathBuf::from)),
        ],
    };
    let (mut found, mut notes) = (Vec::new(), Vec::new());
    for (origin, path) in named {
        let Some(path) = path else {
            notes.push(format!("{origin} (not set)"));
            continue;
        };
        match inside(&path) {
            Some(library) => found.push(library),
            None => notes.push(format!("{origin} {} (no such library)", path.display())),
        }
    }
    if explicit.is_none() {
        // Looked up by the system's loader.
        found.push(PathBuf::from(soname()));
    }
    (found, notes)
}

fn set(variable: &str) -> Option<std::ffi::OsString> {
    env::var_os(variable).filter(|value| !value.is_empty())
}

fn soname() -> String {
    format!("{}onnxruntime{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX)
}

/// The library that `path` is, or holds.
fn inside(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return std::path::absolute(path).ok();
    }
    if !path.exists() && path.file_name() == Some(path.as_os_str()) {
        // A bare name is for the system's loader.
        return Some(path.to_owned());
    }
    let mut folders =
        vec![path.to_owned(), path.join("lib"), path.join("capi"), path.join("onnxruntime/capi")];
    // A Python environment: lib/pythonX.Y/site-packages, on Windows Lib/site-packages.
    folders.push(path.join("Lib/site-packages/onnxruntime/capi"));
    for python in entries(&path.join("lib")) {
        folders.push(python.join("site-packages/onnxruntime/capi"));
    }
    folders
        .iter()
        .flat_map(|folder| entries(folder))
        .find(|file| file.is_file() && file.file_name().is_some_and(is_library))
        .and_then(|file| std::path::absolute(file).ok())
}

/// `libonnxruntime.so`, `libonnxruntime.so.1.23.2`, `libonnxruntime.1.23.2.dylib`,
/// `onnxruntime.dll`, but not the providers beside them.
fn is_library(name: &OsStr) -> bool {
    let Some(rest) = name
        .to_str()
        .and_then(|name| name.strip_prefix(env::consts::DLL_PREFIX)?.strip_prefix("onnxruntime"))
    else {
        return false;
    };
    let suffix = env::consts::DLL_SUFFIX;
    let is_version = |text: &str| text.chars().all(|c| c == '.' || c.is_ascii_digit());
    rest.strip_prefix(suffix).is_some_and(is_version)
        || rest.strip_suffix(suffix).is_some_and(is_version)
}

/// A folder's entries in the order of their names; none if it cannot be read.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    entries.sort();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_python_environment_is_searched() {
        let environment = tempfile::tempdir().unwrap();
        let capi = environment.path().join("lib/python3.12/site-packages/onnxruntime/capi");
        std::fs::create_dir_all(&capi).unwrap();
        for name in ["libonnxruntime_providers_shared.so", "onnxruntime_pybind11_state.so"] {
            std::fs::write(capi.join(name), "").unwrap();
        }
        assert_eq!(inside(environment.path()), None);
        let library = capi.join("libonnxruntime.so.1.23.2");
        std::fs::write(&library, "").unwrap();
        for path in [environment.path(), capi.as_path(), library.as_path()] {
            assert_eq!(inside(path).as_deref(), Some(library.as_path()));
        }
    }

    #[test]
    fn an_explicit_path_is_the_only_one_tried() {
        let missing = Path::new("/no/such/onnxruntime");
        let (found, notes) = candidates(Some(missing));
        assert!(found.is_empty());
        assert!(notes[0].contains("/no/such/onnxruntime"), "{notes:?}");
    }
}
