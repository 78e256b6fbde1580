//! The one folder that travels to a GPU machine without a network: the program, pictures, weights and
//! the scripts that unpack, probe and train there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};

use crate::environment::Environment;
use crate::process::{cargo, log, run};
use crate::workspace::Workspace;

/// What is copied as it is, from `tools/gpu`. `pack.py` stays.
const SCRIPTS: [&str; 9] = [
    "env.sh",
    "run.sh",
    "probe.sh",
    "train.sh",
    "jobs.sh",
    "unpack.py",
    "collect.py",
    "half.py",
    "peer.py",
];

/// What the folder holds, and where it is made.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Folder to make; an earlier kit is replaced
    #[arg(default_value = ".gpu-kit")]
    out: PathBuf,
    /// What `hemora-train gather` wrote
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Weights to start from (safetensors); they travel as 16-bit numbers
    #[arg(long, value_name = "FILE")]
    weights: Vec<PathBuf>,
    /// hemora-train that is built already, instead of building it for release
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Every how many slices of PHE-SICH that do not bleed one travels
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    phe_negatives: u32,
    /// Largest height and width of pictures, pixels
    #[arg(long, default_value_t = 288, value_parser = clap::value_parser!(u32).range(32..=1024))]
    side: u32,
    /// Highest quality of the WebP pictures; a lower one is taken until the kit fits
    #[arg(long, default_value_t = 88, value_parser = clap::value_parser!(u32).range(60..=100))]
    quality: u32,
    /// Most that the folder may hold, MiB
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u32).range(1..=1024))]
    limit: u32,
}

/// Makes the folder and prints what is in it.
pub fn make(workspace: &Workspace, environment: &Environment, options: &Options) -> Result<()> {
    if !options.data.join("labels.csv").is_file() {
        return Err(miette!(
            help = "make it with `hemora-train gather`, which writes labels.csv last",
            "{} is no gathered folder: it has no labels.csv",
            options.data.display()
        ));
    }
    let scripts = workspace.root().join("tools/gpu");
    let program = match &options.program {
        Some(program) => program.clone(),
        None => build(workspace, environment)?,
    };
    clear(&options.out)?;
    let stripped = options.out.join("hemora-train");
    run(Command::new("strip").arg("-o").arg(&stripped).arg(&program))?;
    for name in SCRIPTS {
        let (from, to) = (scripts.join(name), options.out.join(name));
        fs::copy(&from, &to)
            .into_diagnostic()
            .wrap_err_with(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    log("packing pictures and weights");
    let limit = u64::from(options.limit) << 20;
    let python = std::env::var_os("HEMORA_PEERS_PYTHON");
    let python = python.map_or_else(|| workspace.peers_python(), PathBuf::from);
    let mut pack = Command::new(python);
    pack.arg("-B").arg(scripts.join("pack.py"));
    pack.arg("--data").arg(&options.data).arg("--program").arg(&stripped);
    pack.arg("--out").arg(&options.out);
    for (name, value) in [
        ("--phe-negatives", u64::from(options.phe_negatives)),
        ("--side", options.side.into()),
        ("--quality", options.quality.into()),
        // The program as it is does not travel, and is there while pictures are packed.
        ("--limit", limit + size_of(&stripped)?),
    ] {
        pack.arg(name).arg(value.to_string());
    }
    for file in &options.weights {
        pack.arg("--weights").arg(file);
    }
    run(&mut pack)?;
    remove(&stripped)?;
    report(&options.out, limit)
}

fn build(workspace: &Workspace, environment: &Environment) -> Result<PathBuf> {
    log("building hemora-train for release");
    let mut build = cargo(workspace);
    build.args(["build", "--release", "--package", "hemora-train"]);
    environment.apply(&mut build)?;
    run(&mut build)?;
    Ok(workspace.target().join("release/hemora-train"))
}

/// Makes the folder empty. One that holds anything must be an earlier kit: nothing else is removed.
fn clear(out: &Path) -> Result<()> {
    let failed = || format!("cannot make {}", out.display());
    let entries = out.read_dir().map_or(0, Iterator::count);
    if entries > 0 {
        if !out.join("run.sh").is_file() || !out.join("unpack.py").is_file() {
            return Err(miette!(
                help = "name a new folder, or remove it yourself",
                "{} holds something that is no kit",
                out.display()
            ));
        }
        fs::remove_dir_all(out).into_diagnostic().wrap_err_with(failed)?;
    }
    fs::create_dir_all(out).into_diagnostic().wrap_err_with(failed)
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path)
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot remove {}", path.display()))
}

fn size_of(path: &Path) -> Result<u64> {
    let metadata = fs::metadata(path).into_diagnostic();
    Ok(metadata.wrap_err_with(|| format!("cannot read {}", path.display()))?.len())
}

/// Prints the size of each entry and of all; an error if they are too large to travel.
fn report(out: &Path, limit: u64) -> Result<()> {
    let sizes = sizes(out)?;
    for (name, size) in &sizes {
        println!("{:>8.2} MiB  {name}", mib(*size));
    }
    let all: u64 = sizes.iter().map(|(_, size)| size).sum();
    println!("{:>8.2} MiB  {}", mib(all), out.display());
    if all > limit {
        return Err(miette!(
            help = "keep fewer slices (--phe-negatives), smaller ones (--side) or fewer weights",
            "{} has {:.2} MiB; expected at most {:.0}",
            out.display(),
            mib(all),
            mib(limit)
        ));
    }
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Every file below a folder with its size, the largest first.
fn sizes(folder: &Path) -> Result<Vec<(String, u64)>> {
    let mut sizes = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let failed = || format!("cannot read {}", next.display());
        for entry in next.read_dir().into_diagnostic().wrap_err_with(failed)? {
            let path = entry.into_diagnostic().wrap_err_with(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                sizes.push((name, size_of(&path)?));
            }
        }
    }
    sizes.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_earlier_kit_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("kit");
        clear(&out).unwrap();
        fs::write(out.join("thesis.txt"), "years").unwrap();
        let refused = clear(&out).unwrap_err().to_string();
        assert!(refused.contains("no kit"), "{refused}");
        assert!(out.join("thesis.txt").is_file());
        fs::write(out.join("run.sh"), "").unwrap();
        fs::write(out.join("unpack.py"), "").unwrap();
        clear(&out).unwrap();
        assert_eq!(out.read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_kit_above_the_limit_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("weights")).unwrap();
        fs::write(folder.path().join("weights/a"), [0; 600]).unwrap();
        fs::write(folder.path().join("b"), [0; 400]).unwrap();
        let expected = [("weights/a".to_owned(), 600), ("b".to_owned(), 400)];
        assert_eq!(sizes(folder.path()).unwrap(), expected);
        report(folder.path(), 1000).unwrap();
        assert!(report(folder.path(), 999).unwrap_err().to_string().contains("expected at most"));
    }

    #[test]
    fn what_is_packed_is_unpacked_and_comes_back() {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/gpu");
        for name in SCRIPTS.iter().chain(&["pack.py"]) {
            assert!(tools.join(name).is_file(), "{name}");
        }
        let Some(python) = std::env::var_os("HEMORA_PEERS_PYTHON") else {
            assert!(std::env::var_os("HEMORA_REQUIRE_PEERS").is_none(), "no HEMORA_PEERS_PYTHON");
            eprintln!("skipped: HEMORA_PEERS_PYTHON names no Python with Pillow and numpy");
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut check = Command::new(python);
        run(check.arg("-B").arg(tools.join("check.py")).arg(folder.path())).unwrap();
    }
}
