//! `.env/torch`: libtorch for `hemora-train`, taken from PyTorch's wheel on pypi.org.
//!
//! The wheel is built for CUDA. Its CUDA libraries would be linked and need 5 GB of NVIDIA
//! packages more, so a CPU set-up lays them aside; `--cuda` keeps them and installs those
//! packages. Even the CPU library needs the two small NVIDIA packages named below.

use std::fs;
use std::path::{Path, PathBuf};

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::peers::{pip, run_pip};
use crate::process::log;
use crate::workspace::Workspace;

/// The version that the crate `tch` 0.24 is made for.
const TORCH: &str = "torch==2.11.0";

/// What `libtorch_cpu.so` of the Linux wheel loads besides itself.
const NEEDED_ON_LINUX: [&str; 2] = ["nvidia-cuda-cupti==13.0.*", "nvidia-cuda-runtime==13.0.*"];

/// Headers that the process group of NCCL includes (3 MB), beside what libtorch depends on.
const HEADERS_FOR_NCCL: [&str; 2] = ["nvidia-cuda-cccl==13.0.*", "nvidia-cuda-crt==13.0.*"];

/// Installs libtorch, unless that is done.
///
/// With `cuda`, the CUDA libraries and the packages that they need come too.
pub fn set_up(workspace: &Workspace, cuda: bool) -> Result<()> {
    let folder = workspace.torch();
    if let Some(own) = own_libtorch(workspace) {
        log(format!("libtorch: yours is used, LIBTORCH={}", own.display()));
        return Ok(());
    }
    let stamped = fs::read_to_string(stamp(&folder)).unwrap_or_default();
    if stamped == stamp_text(true) || (!cuda && stamped == stamp_text(false)) {
        log("libtorch: in place (.env/torch)");
        return Ok(());
    }
    if cuda || missing(&folder).is_some() {
        install(workspace, &folder, cuda)?;
    } else {
        log("libtorch: found whole in .env/torch");
    }
    if !cuda {
        lay_cuda_aside(&folder)?;
    }
    if let Some(what) = missing(&folder) {
        return Err(miette!(
            help = "remove .env/torch and run `cargo xtask setup` again",
            "libtorch is not whole after its installation: {what}"
        ));
    }
    write_stamp(&folder, cuda)?;
    log("libtorch: done");
    Ok(())
}

/// The folder of another libtorch, when the developer named one in `LIBTORCH`.
pub fn own_libtorch(workspace: &Workspace) -> Option<PathBuf> {
    let named = PathBuf::from(std::env::var_os("LIBTORCH")?);
    (named != libtorch(workspace)).then_some(named)
}

/// What `LIBTORCH` is set to: the folder with `include` and `lib`.
pub fn libtorch(workspace: &Workspace) -> PathBuf {
    workspace.torch().join("torch")
}

/// The folders that hold libtorch's libraries and those it loads.
pub fn library_folders(workspace: &Workspace) -> Vec<PathBuf> {
    if let Some(own) = own_libtorch(workspace) {
        return vec![own.join("lib")];
    }
    let mut folders = vec![libtorch(workspace).join("lib")];
    let packages = fs::read_dir(workspace.torch().join("nvidia")).into_iter().flatten();
    let mut nvidia: Vec<_> =
        packages.filter_map(|entry| Some(entry.ok()?.path().join("lib"))).collect();
    nvidia.retain(|path| path.is_dir());
    nvidia.sort();
    folders.append(&mut nvidia);
    folders
}

fn install(workspace: &Workspace, folder: &Path, cuda: bool) -> Result<()> {
    if folder.exists() {
        log("libtorch: removing an unfinished or different installation");
        fs::remove_dir_all(folder).into_diagnostic().wrap_err("cannot remove .env/torch")?;
    }
    let size = if cuda { "3 GB" } else { "550 MB" };
    log(format!("libtorch: installing {TORCH} (about {size} to download)"));
    let mut command = pip(workspace);
    command.args(["install", "--target"]).arg(folder).arg(TORCH);
    if !cuda {
        command.arg("--no-deps");
        if cfg!(target_os = "linux") {
            command.args(NEEDED_ON_LINUX);
        }
    } else if cfg!(target_os = "linux") {
        command.args(HEADERS_FOR_NCCL);
    }
    run_pip(&mut command, "libtorch")
}

/// The CUDA part of libtorch, by the names of its libraries.
fn is_cuda_library(name: &str) -> bool {
    name.starts_with("libtorch_cuda")
        || name.starts_with("libc10_cuda.")
        || name.starts_with("libtorch_nvshmem.")
}

fn aside(folder: &Path) -> PathBuf {
    folder.join("cuda-aside")
}

fn lay_cuda_aside(folder: &Path) -> Result<()> {
    let aside = aside(folder);
    fs::create_dir_all(&aside).into_diagnostic().wrap_err("cannot make cuda-aside")?;
    let library = folder.join("torch").join("lib");
    let entries = fs::read_dir(&library)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot read {}", library.display()))?;
    for entry in entries {
        let entry = entry.into_diagnostic().wrap_err("cannot read torch/lib")?;
        if is_cuda_library(&entry.file_name().to_string_lossy()) {
            fs::rename(entry.path(), aside.join(entry.file_name()))
                .into_diagnostic()
                .wrap_err_with(|| format!("cannot move {}", entry.path().display()))?;
        }
    }
    Ok(())
}

fn stamp(folder: &Path) -> PathBuf {
    folder.join(".complete")
}

fn stamp_text(cuda: bool) -> String {
    format!("{TORCH}\nlibraries {}\n", if cuda { "cuda" } else { "cpu" })
}

/// Written last, so a stamp means that everything before it is done.
fn write_stamp(folder: &Path, cuda: bool) -> Result<()> {
    let beside = folder.join(".complete.part");
    fs::write(&beside, stamp_text(cuda))
        .and_then(|()| fs::rename(&beside, stamp(folder)))
        .into_diagnostic()
        .wrap_err("cannot write .env/torch/.complete")
}

/// What the folder lacks, or nothing when each package stands there whole.
fn missing(folder: &Path) -> Option<String> {
    let needed = if cfg!(target_os = "linux") { &NEEDED_ON_LINUX[..] } else { &[] };
    std::iter::once(&TORCH).chain(needed).find_map(|pinned| missing_of(folder, pinned))
}

/// Compares a package with its own list of files and sizes, `RECORD`.
fn missing_of(folder: &Path, pinned: &str) -> Option<String> {
    let Some(record) = find_record(folder, pinned) else {
        return Some(format!("there is no package {pinned}"));
    };
    let Ok(lines) = fs::read_to_string(&record) else {
        return Some(format!("{} is absent or cannot be read", record.display()));
    };
    lines.lines().filter_map(parse_record).find_map(|(path, size)| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let places = [folder.join(path), aside(folder).join(name)];
        let whole = places.iter().any(|place| fs::metadata(place).is_ok_and(|at| at.len() == size));
        (!whole).then(|| format!("{path} is absent or has not its {size} bytes"))
    })
}

/// The `RECORD` of a package pinned as `name==version` or `name==major.minor.*`.
fn find_record(folder: &Path, pinned: &str) -> Option<PathBuf> {
    let (name, version) = pinned.split_once("==")?;
    let prefix = format!("{}-{}", name.replace('-', "_"), version.trim_end_matches('*'));
    let entries = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found = entries.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.strip_suffix(".dist-info").is_some_and(|stem| {
            if version.ends_with('*') { stem.starts_with(&prefix) } else { stem == prefix }
        })
    });
    found.next().map(|path| path.join("RECORD"))
}

/// One line `path,sha256=…,size`. Lines without a size are compiled by pip and may vary;
/// those that leave the folder are start scripts, which lie elsewhere here.
fn parse_record(line: &str) -> Option<(&str, u64)> {
    let (rest, size) = line.rsplit_once(',')?;
    let (path, _hash) = rest.rsplit_once(',')?;
    if path.starts_with("..") || path.starts_with('"') || path.contains(".dist-info/") {
        return None;
    }
    Some((path, size.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with the three packages, each with one library.
    fn installed() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let packages = [
            ("torch-2.11.0", "torch/lib/libtorch_cuda.so"),
            ("nvidia_cuda_cupti-13.0.85", "nvidia/cu13/lib/libcupti.so.13"),
            ("nvidia_cuda_runtime-13.0.96", "nvidia/cu13/lib/libcudart.so.13"),
        ];
        for (package, library) in packages {
            let record = folder.path().join(format!("{package}.dist-info"));
            let library_path = folder.path().join(library);
            fs::create_dir_all(&record).unwrap();
            fs::create_dir_all(library_path.parent().unwrap()).unwrap();
            fs::write(library_path, "1234567").unwrap();
            let lines = format!("../../bin/torchrun,sha256=x,9\n{library},sha256=x,7\na.pyc,,\n");
            fs::write(record.join("RECORD"), lines).unwrap();
        }
        folder
    }

    #[test]
    fn whole_with_the_cuda_libraries_in_place_or_aside() {
        let folder = installed();
        assert_eq!(missing(folder.path()), None);
        lay_cuda_aside(folder.path()).unwrap();
        assert!(!folder.path().join("torch/lib/libtorch_cuda.so").exists());
        assert_eq!(missing(folder.path()), None);
    }

    #[test]
    fn a_cut_or_absent_file_is_named() {
        let folder = installed();
        let library = folder.path().join("torch/lib/libtorch_cuda.so");
        fs::write(&library, "123").unwrap();
        assert!(missing(folder.path()).unwrap().contains("libtorch_cuda.so"));
        fs::remove_file(&library).unwrap();
        assert!(missing(folder.path()).unwrap().contains("libtorch_cuda.so"));
    }

    #[test]
    fn another_version_is_not_taken() {
        let folder = installed();
        let named = |version: &str| folder.path().join(format!("torch-{version}.dist-info"));
        fs::rename(named("2.11.0"), named("2.11.01")).unwrap();
        assert!(missing(folder.path()).unwrap().contains("torch==2.11.0"));
    }

    #[test]
    fn only_the_cuda_libraries_are_laid_aside() {
        for name in ["libtorch_cuda.so", "libtorch_cuda_linalg.so", "libc10_cuda.so"] {
            assert!(is_cuda_library(name), "{name}");
        }
        for name in ["libtorch_cpu.so", "libtorch.so", "libc10.so", "libgomp.so.1"] {
            assert!(!is_cuda_library(name), "{name}");
        }
    }
}
