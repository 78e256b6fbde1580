//! What a built program says of itself: its version, and what of the system it needs.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::process::{read, run};

/// Libraries that every Linux with glibc has, each with the Debian package that holds it. A program that needs
/// another one is not portable.
const LIBRARIES: [(&str, &str); 7] = [
    ("libc.so.6", "libc6"),
    ("libm.so.6", "libc6"),
    ("libpthread.so.0", "libc6"),
    ("libdl.so.2", "libc6"),
    ("librt.so.1", "libc6"),
    ("ld-linux-x86-64.so.2", "libc6"),
    ("libgcc_s.so.1", "libgcc-s1"),
];

/// A built program.
#[derive(Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its version, such as `0.1.0`.
    pub version: String,
    /// The oldest glibc that has all its symbols, such as `(2, 28)`.
    pub glibc: (u32, u32),
    /// Whether it needs GCC's library beside the C library.
    pub libgcc: bool,
}

impl Program {
    /// Asks the program and its headers; an error where it needs a library that not every system has.
    pub fn read(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).into_diagnostic()?;
        let printed = read(Command::new(&path).arg("--version"))?;
        let version = printed.split_whitespace().last().unwrap_or_default().to_owned();
        let headers = read(Command::new("objdump").arg("-p").arg(&path))?;
        let libraries = libraries(&headers);
        for library in &libraries {
            if !LIBRARIES.iter().any(|(name, _)| name == library) {
                return Err(miette!(
                    help = "it would not start where that library is missing: find the dependency \
                            that links it",
                    "{} needs {library}",
                    path.display()
                ));
            }
        }
        let glibc = oldest_glibc(&headers)
            .ok_or_else(|| miette!("{} is not linked with glibc", path.display()))?;
        let libgcc = libraries.contains(&"libgcc_s.so.1");
        Ok(Self { version, glibc, libgcc, path })
    }

    /// What of the system it needs, in words.
    pub fn needs(&self) -> String {
        let (major, minor) = self.glibc;
        let gcc = if self.libgcc { " and libgcc_s" } else { "" };
        format!("glibc {major}.{minor} or later{gcc}")
    }

    /// Images a second of the built-in model on one core, which shows whether packing slowed the program down.
    pub fn rate(&self) -> Result<f64> {
        let printed = read(
            Command::new(&self.path).args(["doctor", "--json"]).env("HEMORA_ONNXRUNTIME", "off"),
        )?;
        rate(&printed)
            .ok_or_else(|| miette!("hemora doctor --json gave no speed of the built-in engine"))
    }

    /// The Debian packages that it needs.
    pub fn debian_packages(&self) -> String {
        let (major, minor) = self.glibc;
        let gcc = if self.libgcc { ", libgcc-s1" } else { "" };
        format!("libc6 (>= {major}.{minor}){gcc}")
    }
}

fn rate(doctor: &str) -> Option<f64> {
    let doctor: serde_json::Value = serde_json::from_str(doctor).ok()?;
    let engines = doctor["engines"].as_array()?;
    engines.iter().find(|engine| engine["name"] == "tract")?["images_per_s"].as_f64()
}

/// A copy of a program without names of functions and lines.
pub fn stripped(program: &Path, folder: &Path) -> Result<PathBuf> {
    let copy = folder.join("hemora");
    let mut strip = Command::new("strip");
    run(strip.arg("-o").arg(&copy).arg(program)).wrap_err("strip is part of binutils")?;
    Ok(copy)
}

fn libraries(headers: &str) -> Vec<&str> {
    headers.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")).map(str::trim).collect()
}

/// The highest version of glibc among the references, which are lines such as
/// `0x06969189 0x00 12 GLIBC_2.28`.
fn oldest_glibc(headers: &str) -> Option<(u32, u32)> {
    let versions = headers.lines().filter_map(|line| line.trim().rsplit_once(" GLIBC_"));
    versions
        .filter_map(|(_, version)| {
            let mut parts = version.split('.').map(str::parse::<u32>);
            Some((parts.next()?.ok()?, parts.next()?.ok()?))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: &str = "Dynamic Section:\n  NEEDED               libgcc_s.so.1\n  \
        NEEDED               libc.so.6\n\nVersion References:\n  required from libc.so.6:\n    \
        0x06969189 0x00 12 GLIBC_2.9\n    0x06969188 0x00 11 GLIBC_2.28\n    \
        0x09691a75 0x00 10 GLIBC_2.2.5\n  required from libgcc_s.so.1:\n    0x0b792650 0x00 09 GCC_3.0\n";

    #[test]
    fn the_newest_symbol_says_which_glibc_is_needed() {
        assert_eq!(oldest_glibc(HEADERS), Some((2, 28)));
        assert_eq!(oldest_glibc("statically linked"), None);
        assert_eq!(libraries(HEADERS), ["libgcc_s.so.1", "libc.so.6"]);
    }

    #[test]
    fn the_speed_is_that_of_the_built_in_engine() {
        let doctor = r#"{"engines": [{"name": "onnxruntime", "images_per_s": null},
            {"name": "tract", "images_per_s": 130.5}]}"#;
        assert_eq!(rate(doctor), Some(130.5));
        assert_eq!(rate(r#"{"engines": []}"#), None);
    }

    #[test]
    fn a_program_that_needs_a_library_of_its_own_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let none = folder.path().join("hemora");
        std::fs::write(&none, "no program").unwrap();
        assert!(Program::read(&none).is_err());
    }
}
