//! What commands write: files, folders, standard output.

use std::io::{BufWriter, Write};
use std::path::Path;

use hemora_io::is_object;
use miette::{IntoDiagnostic, Result, WrapErr, bail};
use serde::Serialize;

/// Lets `fill` write a temporary file beside `path`, then syncs and renames it.
///
/// # Errors
/// A report that names the file.
pub fn write_whole(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<()> {
    hemora_base::write_whole(path, |file| fill(file))
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// Writes a value as indented JSON.
///
/// # Errors
/// A report that names the file.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    hemora_base::write_json(path, value)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot write {}", path.display()))
}

/// Makes a folder and what is above it.
///
/// # Errors
/// A report that names the folder.
pub fn make_folder(path: &Path) -> Result<()> {
    on_disk(path)?;
    std::fs::create_dir_all(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot make the folder {}", path.display()))
}

/// Refuses an output in object storage where only a disk will do: the system would take its URL for a folder
/// that is called `s3:`.
///
/// # Errors
/// A report that names it.
fn on_disk(path: &Path) -> Result<()> {
    if is_object(path) {
        bail!(
            help = "give a folder or file on a disk, and copy it to the bucket when it is whole",
            "{}: this command writes to a disk, not to object storage",
            path.display()
        );
    }
    Ok(())
}

/// Refuses to mix an earlier run's files with this one's; `flag` names another folder.
///
/// # Errors
/// A report if `path` holds anything.
pub fn refuse_filled(path: &Path, flag: &str) -> Result<()> {
    if std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!(
            help = format!("remove it, or give another folder with {flag}"),
            "{} is not empty",
            path.display()
        );
    }
    Ok(())
}

/// Writes to standard output; a reader that went away (`hemora … | head`) is no error.
///
/// # Errors
/// A report of any other failure.
pub fn print(write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let mut output = BufWriter::new(std::io::stdout().lock());
    match write(&mut output).and_then(|()| output.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).into_diagnostic().wrap_err("cannot write to standard output")
        }
        _ => Ok(()),
    }
}
