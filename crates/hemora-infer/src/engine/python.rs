//! The Python environments of a machine, found without running Python.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// More links than this one after the other are a circle.
const MOST_LINKS: usize = 16;
/// `pyvenv.cfg` has a handful of lines; more than this is something else.
const LONGEST_CONFIGURATION: u64 = 1 << 16;

/// The folders below the environment `prefix` that hold installed packages: `lib/pythonX.Y/site-packages`,
/// Debian's `dist-packages`, on Windows `Lib/site-packages`.
pub(super) fn package_folders(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("Lib/site-packages")];
    for library in ["lib", "lib64"] {
        for python in entries(&prefix.join(library)) {
            let name = python.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("python") {
                folders.extend(["site-packages", "dist-packages"].map(|it| python.join(it)));
            }
        }
    }
    folders
}

/// The environments that a Python program may belong to: the one that it lies in, the one of each
/// program that it is a link to, and the one that a virtual environment was made from.
pub(super) fn prefixes(program: &Path) -> Vec<PathBuf> {
    let mut prefixes = Vec::new();
    let mut step = program.to_owned();
    for _ in 0..MOST_LINKS {
        let Some(folder) = step.parent().map(Path::to_owned) else { break };
        if folder.ends_with("shims") {
            // pyenv's programs are scripts that start the Python of one of its versions.
            let versions = folder.with_file_name("versions");
            prefixes.extend(entries(&versions));
        } else {
            let prefix = above_programs(&folder);
            let base = base(&prefix);
            prefixes.push(prefix);
            prefixes.extend(base);
        }
        match fs::read_link(&step) {
            // Joining an absolute path replaces what is before it.
            Ok(target) => step = folder.join(target),
            Err(_) => break,
        }
    }
    prefixes
}

/// The environment whose programs lie in `folder`.
fn above_programs(folder: &Path) -> PathBuf {
    match folder.parent() {
        Some(above) if folder.ends_with("bin") || folder.ends_with("Scripts") => above.to_owned(),
        // On Windows the program lies beside Lib.
        _ => folder.to_owned(),
    }
}

/// The environment that a virtual environment was made from: `home` in its `pyvenv.cfg`.
fn base(prefix: &Path) -> Option<PathBuf> {
    let file = fs::File::open(prefix.join("pyvenv.cfg")).ok()?;
    let mut text = String::new();
    file.take(LONGEST_CONFIGURATION).read_to_string(&mut text).ok()?;
    let home = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "home").then(|| PathBuf::from(value.trim()))
    })?;
    home.is_absolute().then(|| above_programs(&home))
}

/// A folder's entries in the order of their names; none if it cannot be read.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    entries.sort();
    entries
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn touch(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_program_leads_to_its_environment_and_to_the_one_below() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        touch(&root.join("base/bin/python3.12"), "");
        let venv = root.join("venv");
        let home = format!("version = 3.12\nhome = {}\n", root.join("base/bin").display());
        touch(&venv.join("pyvenv.cfg"), &home);
        fs::create_dir_all(venv.join("bin")).unwrap();
        symlink("python3.12", venv.join("bin/python3")).unwrap();
        symlink(root.join("base/bin/python3.12"), venv.join("bin/python3.12")).unwrap();
        let base = root.join("base");
        let found = prefixes(&venv.join("bin/python3"));
        assert_eq!(found, [venv.clone(), base.clone(), venv, base.clone(), base]);
    }

    #[test]
    fn a_circle_of_links_ends_and_pyenv_has_its_versions() {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        symlink("python", bin.join("python3")).unwrap();
        symlink("python3", bin.join("python")).unwrap();
        assert_eq!(prefixes(&bin.join("python3")).len(), MOST_LINKS);

        let pyenv = folder.path().join("pyenv");
        touch(&pyenv.join("shims/python3"), "#!/bin/sh\n");
        fs::create_dir_all(pyenv.join("versions/3.11.7/lib/python3.11/site-packages")).unwrap();
        let [version] = prefixes(&pyenv.join("shims/python3")).try_into().unwrap();
        assert_eq!(version, pyenv.join("versions/3.11.7"));
        let packages = package_folders(&version);
        assert!(packages.contains(&version.join("lib/python3.11/site-packages")), "{packages:?}");
    }
}
