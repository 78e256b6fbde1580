//! The programs of the system that tests compare Hemora with or look through: a DICOM toolkit, an archive,
//! validators, strace, a database, a browser, a scheduler of jobs.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr};

use crate::process::{log, run};

/// Each program, or library of one, with the package of Debian and Ubuntu that holds it.
const PROGRAMS: [(&str, &str); 14] = [
    ("storescu", "dcmtk"),
    ("Orthanc", "orthanc"),
    ("/usr/share/orthanc/plugins/libOrthancDicomWeb.so", "orthanc-dicomweb"),
    ("dciodvfy", "dicom3tools"),
    ("promtool", "prometheus"),
    ("strace", "strace"),
    ("/usr/lib/postgresql", "postgresql"),
    ("chromium", "chromium"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("objdump", "binutils"),
    ("lintian", "lintian"),
    ("debootstrap", "debootstrap"),
    ("slurmctld", "slurm-wlm"),
];

/// Says to the scripts of packages that no service is to be started (deb-systemd-invoke asks it).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs the programs that are not there, where this is Debian or Ubuntu and the user is root; elsewhere
/// says how. Tests that find none skip themselves, and fail in CI.
pub fn set_up() -> Result<()> {
    let missing: Vec<&str> =
        PROGRAMS.iter().filter(|(program, _)| !is_there(program)).map(|(_, name)| *name).collect();
    if missing.is_empty() {
        log("programs that tests compare with: in place");
        return Ok(());
    }
    let packages = missing.join(" ");
    if !(is_there("apt-get") && is_root()) {
        log(format!(
            "missing: {packages}; the tests that compare with them skip themselves. On Debian and \
             Ubuntu: `sudo apt-get install --no-install-recommends {packages}`"
        ));
        return Ok(());
    }
    log(format!("installing {packages}"));
    let _no_services = NoServices::begin()?;
    run(Command::new("apt-get").args(["update", "-q"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "-q", "-y", "--no-install-recommends"]).args(&missing);
    run(&mut install)
}

/// Whether a file or a program on the path is there.
fn is_there(program: &str) -> bool {
    find(program).is_some()
}

/// Where a file, or a program on the path, is.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if Path::new(program).is_absolute() {
        return Path::new(program).exists().then(|| program.into());
    }
    // Debian's Orthanc lies where only root looks.
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether this is the superuser.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// While it lives, packages start no services: an archive that listens is not what a developer asked for.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn begin() -> Result<Self> {
        let ours = !Path::new(POLICY).exists();
        if ours {
            use std::os::unix::fs::PermissionsExt;
            let write = || {
                std::fs::write(POLICY, "#!/bin/sh\nexit 101\n")?;
                std::fs::set_permissions(POLICY, std::fs::Permissions::from_mode(0o755))
            };
            write().into_diagnostic().wrap_err_with(|| format!("cannot write {POLICY}"))?;
        }
        Ok(Self { ours })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = std::fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_the_path_and_files_by_their_path() {
        assert!(is_there("sh") && is_there("/bin/sh"));
        assert!(!is_there("no-such-program-of-hemora") && !is_there("/no/such/file"));
    }
}
