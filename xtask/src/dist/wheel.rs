//! The Python wheel: the package of `python/`, and the program where pip puts programs.
//!
//! Written here and not by maturin: a wheel is a zip archive with a list of its files, and maturin would want to
//! build the program itself, with its own profile and linker.

use std::fmt::Write as _;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miette::{IntoDiagnostic, Result, WrapErr};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::Squeeze;
use super::program::Program;
use super::staging::{Entry, Share, entries, read};
use crate::workspace::Workspace;

/// Writes `hemora-VERSION-py3-none-manylinux_X_Y_x86_64.whl`; the same program gives the same bytes.
pub fn make(
    workspace: &Workspace,
    program: &Program,
    share: &Share,
    out: &Path,
    squeeze: Squeeze,
) -> Result<PathBuf> {
    let (major, minor) = program.glibc;
    let (version, tag) = (&program.version, format!("py3-none-manylinux_{major}_{minor}_x86_64"));
    let path = out.join(format!("hemora-{version}-{tag}.whl"));
    let (info, data) = (format!("hemora-{version}.dist-info"), format!("hemora-{version}.data"));
    let python = workspace.root().join("python");
    let mut files = Vec::new();
    for source in entries(&python.join("hemora"))?.into_iter().filter(|path| path.is_file()) {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        files.push(Entry::new(format!("hemora/{name}"), read(&source)?));
    }
    files.push(Entry::new(format!("{data}/scripts/hemora"), read(&program.path)?));
    for entry in &share.manual {
        files.push(Entry::new(format!("{data}/data/{}", entry.place), entry.bytes.clone()));
    }
    for entry in &share.licences {
        files.push(Entry::new(format!("{info}/licenses/{}", entry.place), entry.bytes.clone()));
    }
    let readme = String::from_utf8_lossy(&read(&python.join("README.md"))?).into_owned();
    files.push(Entry::new(format!("{info}/METADATA"), metadata(version, share, &readme)));
    let kind = format!(
        "Wheel-Version: 1.0\nGenerator: hemora xtask\nRoot-Is-Purelib: false\nTag: {tag}\n"
    );
    files.push(Entry::new(format!("{info}/WHEEL"), kind));
    let record = record(&files, &info);
    files.push(Entry::new(format!("{info}/RECORD"), record));
    let bytes = zipped(&files, squeeze).wrap_err("cannot write the wheel")?;
    std::fs::write(&path, bytes)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn metadata(version: &str, share: &Share, readme: &str) -> String {
    let mut text = format!(
        "Metadata-Version: 2.4\nName: hemora\nVersion: {version}\n\
         Summary: Finds intracranial hemorrhage in non-contrast head CT. For research use only.\n\
         License-Expression: (MIT OR Apache-2.0) AND LicenseRef-Hemora-Model\n"
    );
    for entry in &share.licences {
        let _ = writeln!(text, "License-File: {}", entry.place);
    }
    text.push_str(
        "Classifier: Operating System :: POSIX :: Linux\nClassifier: Typing :: Typed\n\
         Requires-Python: >=3.9\nProvides-Extra: pandas\n\
         Requires-Dist: pandas; extra == \"pandas\"\n\
         Requires-Dist: pyarrow; extra == \"pandas\"\nProvides-Extra: polars\n\
         Requires-Dist: polars; extra == \"polars\"\nDescription-Content-Type: text/markdown\n\n",
    );
    text + readme
}

/// The list of files with their hashes, which pip checks.
fn record(files: &[Entry], info: &str) -> String {
    let mut text = String::new();
    for file in files {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(&file.bytes));
        let _ = writeln!(text, "{},sha256={hash},{}", file.place, file.bytes.len());
    }
    text + &format!("{info}/RECORD,,\n")
}

fn zipped(files: &[Entry], squeeze: Squeeze) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        // pip makes executable what is so in the archive.
        let mode = if file.place.contains(".data/scripts/") { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(squeeze.level().into()))
            .system(System::Unix)
            .last_modified_time(DateTime::default())
            .unix_permissions(mode);
        zip.start_file(&file.place, options).into_diagnostic()?;
        zip.write_all(&file.bytes).into_diagnostic()?;
    }
    Ok(zip.finish().into_diagnostic()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_has_the_hash_of_every_file_as_pip_reads_it() {
        // Of `printf x | openssl dgst -sha256 -binary | basenc --base64url`.
        let made = record(&[Entry::new("hemora/a.py", "x")], "hemora-1.dist-info");
        assert_eq!(
            made,
            "hemora/a.py,sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE,1\n\
             hemora-1.dist-info/RECORD,,\n"
        );
    }

    #[test]
    fn the_same_files_give_the_same_archive() {
        let files = [Entry::new("hemora-1.data/scripts/hemora", vec![7; 1000])];
        let one = zipped(&files, Squeeze::Quickly).unwrap();
        assert_eq!(one, zipped(&files, Squeeze::Quickly).unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(one)).unwrap();
        assert_eq!(archive.by_index(0).unwrap().unix_mode().unwrap() & 0o777, 0o755);
    }
}
