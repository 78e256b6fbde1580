//! What this process has used so far, as Linux counts it; nothing elsewhere.

use std::fs;

/// Time and memory.
pub struct Usage {
    /// Seconds of all cores together.
    pub cpu_s: f64,
    /// Most memory held at any time, MiB.
    pub peak_mib: f64,
}

impl Usage {
    /// Until now.
    pub fn now() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        // The name before may hold anything, its closing bracket is the last one.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let ticks = after_name.split_whitespace().skip(11).take(2);
        let ticks: f64 = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        // Linux shows ticks of a hundredth of a second on every platform.
        Self { cpu_s: ticks / 100.0, peak_mib: kib.unwrap_or(0.0) / 1024.0 }
    }
}
