//! The archive: `tar -C /usr/local --strip-components=1 -xf` installs it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};
use miette::{IntoDiagnostic, Result, WrapErr};
use tar::{Builder, EntryType, Header};

use super::Squeeze;
use super::program::Program;
use super::staging::{Share, read};

/// Writes `hemora-VERSION-x86_64-linux.tar.gz`; the same program gives the same bytes.
pub fn make(program: &Program, share: &Share, out: &Path, squeeze: Squeeze) -> Result<PathBuf> {
    let name = format!("hemora-{}-x86_64-linux", program.version);
    let path = out.join(format!("{name}.tar.gz"));
    let write = || -> std::io::Result<()> {
        let file = BufWriter::new(File::create(&path)?);
        let gzip = GzBuilder::new().write(file, Compression::new(squeeze.level()));
        let mut tar = Builder::new(gzip);
        let bytes = std::fs::read(&program.path)?;
        append(&mut tar, &format!("{name}/bin/hemora"), 0o755, share.time, &bytes)?;
        for entry in &share.manual {
            append(&mut tar, &format!("{name}/{}", entry.place), 0o644, share.time, &entry.bytes)?;
        }
        for entry in &share.licences {
            let place = format!("{name}/share/doc/hemora/{}", entry.place);
            append(&mut tar, &place, 0o644, share.time, &entry.bytes)?;
        }
        tar.into_inner()?.finish()?.flush()
    };
    write().into_diagnostic().wrap_err_with(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn append(
    tar: &mut Builder<impl Write>,
    place: &str,
    mode: u32,
    time: u64,
    bytes: &[u8],
) -> std::io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(mode);
    header.set_mtime(time);
    header.set_size(bytes.len() as u64);
    tar.append_data(&mut header, place, bytes)
}

/// The bytes of an archive as gzip stores them, for the files of a Debian package.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
    gzip.write_all(bytes).into_diagnostic()?;
    gzip.finish().into_diagnostic()
}

/// Unpacks an archive that [`make`] wrote, for its trial.
pub fn unpack(path: &Path, into: &Path) -> Result<()> {
    let bytes = read(path)?;
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
    tar.unpack(into).into_diagnostic().wrap_err_with(|| format!("cannot unpack {}", path.display()))
}
