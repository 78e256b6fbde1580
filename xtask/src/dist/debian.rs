//! The Debian package: program, manual, service and configuration, from the files of `deploy/`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr};

use super::Squeeze;
use super::archive::gzip;
use super::program::Program;
use super::staging::{Share, read};
use crate::process::{log, run};
use crate::programs;
use crate::workspace::Workspace;

/// Writes `hemora_VERSION-1_amd64.deb`; without dpkg-deb there is none, which is said.
pub fn make(
    workspace: &Workspace,
    program: &Program,
    share: &Share,
    out: &Path,
    squeeze: Squeeze,
) -> Result<Option<PathBuf>> {
    if programs::find("dpkg-deb").is_none() {
        log("no Debian package: there is no dpkg-deb");
        return Ok(None);
    }
    let tree = Tree { root: workspace.target().join("debian-package") };
    if tree.root.exists() {
        fs::remove_dir_all(&tree.root).into_diagnostic()?;
    }
    let deploy = workspace.root().join("deploy");
    let debian = deploy.join("debian");
    tree.file("usr/bin/hemora", 0o755, &read(&program.path)?)?;
    tree.file("lib/systemd/system/hemora.service", 0o644, &read(&deploy.join("hemora.service"))?)?;
    tree.file("etc/hemora/hemora.toml", 0o644, &read(&deploy.join("hemora.toml"))?)?;
    for entry in &share.manual {
        // Debian's zsh looks for what packages bring in a folder of its own; pages are compressed.
        let place = entry.place.replace("zsh/site-functions", "zsh/vendor-completions");
        if place.starts_with("share/man/") {
            tree.file(&format!("usr/{place}.gz"), 0o644, &gzip(&entry.bytes)?)?;
        } else {
            tree.file(&format!("usr/{place}"), 0o644, &entry.bytes)?;
        }
    }
    let documents = "usr/share/doc/hemora";
    tree.file(&format!("{documents}/copyright"), 0o644, &read(&debian.join("copyright"))?)?;
    for entry in share.licences.iter().filter(|entry| entry.place == "THIRD-PARTY.txt") {
        let place = format!("{documents}/{}.gz", entry.place);
        tree.file(&place, 0o644, &gzip(&entry.bytes)?)?;
    }
    let changes = read(&workspace.root().join("CHANGELOG.md"))?;
    tree.file(&format!("{documents}/changelog.gz"), 0o644, &gzip(&changes)?)?;
    let changes = gzip(changelog(program, share.time)?.as_bytes())?;
    tree.file(&format!("{documents}/changelog.Debian.gz"), 0o644, &changes)?;
    let overrides = read(&debian.join("hemora.lintian-overrides"))?;
    tree.file("usr/share/lintian/overrides/hemora", 0o644, &overrides)?;

    let size = tree.kibibytes(&tree.root)?;
    let control = String::from_utf8_lossy(&read(&debian.join("control"))?)
        .replace("@VERSION@", &program.version)
        .replace("@SIZE@", &size.to_string())
        .replace("@DEPENDS@", &program.debian_packages());
    tree.file("DEBIAN/control", 0o644, control.as_bytes())?;
    tree.file("DEBIAN/conffiles", 0o644, b"/etc/hemora/hemora.toml\n")?;
    for script in ["postinst", "prerm", "postrm"] {
        tree.file(&format!("DEBIAN/{script}"), 0o755, &read(&debian.join(script))?)?;
    }
    tree.sums()?;

    let path = out.join(format!("hemora_{}-1_amd64.deb", program.version));
    let mut pack = Command::new("dpkg-deb");
    pack.env("SOURCE_DATE_EPOCH", share.time.to_string()).arg("--root-owner-group");
    match squeeze {
        Squeeze::Well => pack.arg("-Zxz"),
        Squeeze::Quickly => pack.args(["-Zgzip", "-z1"]),
    };
    run(pack.arg("--build").arg(&tree.root).arg(&path).stdout(std::process::Stdio::null()))?;
    fs::remove_dir_all(&tree.root).into_diagnostic()?;
    Ok(Some(path))
}

/// Debian's own list of changes, of one entry: what changed in Hemora stands in the other list.
fn changelog(program: &Program, time: u64) -> Result<String> {
    let mut date = Command::new("date");
    date.args(["--utc", "--rfc-email", "--date"]).arg(format!("@{time}")).env("LC_ALL", "C");
    let date = crate::process::read(&mut date)?;
    Ok(format!(
        "hemora ({}-1) unstable; urgency=medium\n\n  * Hemora {}: see changelog.gz.\n\n \
         -- The Hemora contributors <maintainers@hemora.example>  {}\n",
        program.version,
        program.version,
        date.trim()
    ))
}

/// The files of the package before they are packed.
struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Writes a file and the folders above it.
    fn file(&self, place: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        let path = self.root.join(place);
        let write = || -> std::io::Result<()> {
            let parent = path.parent().unwrap_or(&self.root);
            fs::create_dir_all(parent)?;
            // Whatever the umask of the one who packs.
            for folder in parent.ancestors().take_while(|folder| folder.starts_with(&self.root)) {
                fs::set_permissions(folder, Permissions::from_mode(0o755))?;
            }
            fs::write(&path, bytes)?;
            fs::set_permissions(&path, Permissions::from_mode(mode))
        };
        write().into_diagnostic().wrap_err_with(|| format!("cannot write {}", path.display()))
    }

    /// What the files take on a disk, as the package says it.
    fn kibibytes(&self, folder: &Path) -> Result<u64> {
        super::staging::entries(folder)?.iter().try_fold(0, |sum, path| {
            let size = if path.is_dir() {
                1 + self.kibibytes(path)?
            } else {
                path.metadata().into_diagnostic()?.len().div_ceil(1024)
            };
            Ok(sum + size)
        })
    }

    /// `DEBIAN/md5sums`, with which `dpkg --verify` finds files that changed.
    fn sums(&self) -> Result<()> {
        let mut sums = Command::new("sh");
        sums.current_dir(&self.root).args([
            "-c",
            "find etc lib usr -type f ! -path 'etc/*' -print0 | LC_ALL=C sort -z | xargs -0 md5sum",
        ]);
        let text = crate::process::read(&mut sums)?;
        self.file("DEBIAN/md5sums", 0o644, text.as_bytes())
    }
}
