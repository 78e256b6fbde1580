//! The machine, as the system describes it.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use serde::Serialize;

/// A machine. What a system does not tell is left out.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// Operating system and instruction set, for instance `linux x86_64`.
    pub system: String,
    /// The processor's name.
    pub processor: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// Instructions that make the networks fast and that the processor has, for instance `avx2`.
    pub instructions: Vec<&'static str>,
    /// Instructions that it lacks and that would make them faster.
    pub missing_instructions: Vec<&'static str>,
    /// Memory.
    pub memory: Option<Memory>,
    /// The disks of the current folder and of temporary files.
    pub disks: Vec<Disk>,
    /// NVIDIA's GPUs by name. Triage does not use them; training does.
    pub gpus: Vec<String>,
}

/// Memory, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// All of it, or what this process may take of it where that is less.
    pub total: u64,
    /// What is not in use by others.
    pub available: u64,
}

/// The disk below a folder.
#[derive(Debug, Clone, Serialize)]
pub struct Disk {
    /// The folder.
    pub folder: PathBuf,
    /// Bytes that may still be written.
    pub free: u64,
}

impl Machine {
    /// This machine.
    pub fn look() -> Self {
        let (instructions, missing): (Vec<_>, Vec<_>) =
            instructions().into_iter().partition(|(_, is_there)| *is_there);
        let names =
            |all: Vec<(&'static str, bool)>| all.into_iter().map(|(name, _)| name).collect();
        let folders = [std::env::current_dir().ok(), Some(std::env::temp_dir())];
        let disk = |folder: PathBuf| Some(Disk { free: free(&folder)?, folder });
        Self {
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            processor: fs::read_to_string("/proc/cpuinfo").ok().and_then(|it| processor(&it)),
            cores: available_parallelism().map_or(1, NonZeroUsize::get),
            instructions: names(instructions),
            missing_instructions: names(missing),
            memory: fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
                let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
                memory(&text, limit.as_deref())
            }),
            disks: folders.into_iter().flatten().filter_map(disk).collect(),
            gpus: gpus(Path::new("/proc/driver/nvidia/gpus")),
        }
    }
}

/// Instructions that matter to the engines, and whether the processor has them.
#[cfg(target_arch = "x86_64")]
fn instructions() -> Vec<(&'static str, bool)> {
    vec![
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("fma", std::arch::is_x86_feature_detected!("fma")),
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
    ]
}

/// Instructions that matter to the engines, and whether the processor has them.
#[cfg(target_arch = "aarch64")]
fn instructions() -> Vec<(&'static str, bool)> {
    vec![("neon", std::arch::is_aarch64_feature_detected!("neon"))]
}

/// None are known of other processors.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn instructions() -> Vec<(&'static str, bool)> {
    Vec::new()
}

/// The name in Linux' `cpuinfo`.
fn processor(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Linux' `meminfo`, and the limit of a container: bytes, or `max` for none.
fn memory(meminfo: &str, limit: Option<&str>) -> Option<Memory> {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    let (total, available) = (bytes("MemTotal")?, bytes("MemAvailable")?);
    let most = limit.and_then(|it| it.trim().parse().ok()).unwrap_or(u64::MAX);
    Some(Memory { total: total.min(most), available: available.min(most) })
}

/// The names of the GPUs that NVIDIA's driver lists, a folder each.
fn gpus(folder: &Path) -> Vec<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path().join("information")).collect())
        .unwrap_or_default();
    files.sort();
    let name = |file: PathBuf| {
        let text = fs::read_to_string(file).ok()?;
        let model = text.lines().find_map(|line| line.strip_prefix("Model:"))?;
        Some(model.trim().to_owned())
    };
    files.into_iter().filter_map(name).collect()
}

#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linux_describes_processor_and_memory() {
        let cpuinfo = "processor\t: 0\nmodel name\t: AMD EPYC 9B14\nflags\t\t: fpu\n";
        assert_eq!(processor(cpuinfo).as_deref(), Some("AMD EPYC 9B14"));
        assert_eq!(processor("processor\t: 0\n"), None);
        let meminfo = "MemTotal:       8000000 kB\nMemFree: 1 kB\nMemAvailable:   5000000 kB\n";
        let found = |limit| memory(meminfo, limit).unwrap();
        let all = Memory { total: 8_192_000_000, available: 5_120_000_000 };
        assert_eq!((found(None), found(Some("max\n"))), (all, all));
        let limited = Memory { total: 4_000_000_000, available: 4_000_000_000 };
        assert_eq!(found(Some("4000000000\n")), limited);
        assert_eq!(memory("MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB", None), None);
    }

    #[test]
    fn the_driver_lists_gpus() {
        let folder = tempfile::tempdir().unwrap();
        assert!(gpus(&folder.path().join("missing")).is_empty());
        for (place, model) in [("0000:81:00.0", "H100"), ("0000:01:00.0", "A10")] {
            let gpu = folder.path().join(place);
            fs::create_dir(&gpu).unwrap();
            let text = format!("Model: \t\t NVIDIA {model}\nIRQ:   \t\t 1\n");
            fs::write(gpu.join("information"), text).unwrap();
        }
        assert_eq!(gpus(folder.path()), ["NVIDIA A10", "NVIDIA H100"]);
    }
}
