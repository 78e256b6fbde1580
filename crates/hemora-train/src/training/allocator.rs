//! The memory allocator's settings that training needs.
//!
//! A training step allocates and frees hundreds of large tensors. glibc hands such memory back to
//! the kernel at once and takes it anew, page by page: 40 % of a step's time on a CPU. Kept in the
//! heap it is free. glibc reads these settings before `main`, so they are set by starting over.

/// Settings of glibc: large blocks in the heap, which keeps up to 64 GiB and grows 256 MiB at a time.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const SETTINGS: [(&str, &str); 4] = [
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "68719476736"),
    ("MALLOC_TOP_PAD_", "268435456"),
    // With this cuBLAS gives the same bits every time; it too is read only once.
    ("CUBLAS_WORKSPACE_CONFIG", ":4096:8"),
];

/// Starts the program again with the settings, once; goes on with those that the user has set, or
/// without any where that is impossible.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn keep_large_blocks() {
    use std::os::unix::process::CommandExt;

    if SETTINGS.iter().take(3).any(|(name, _)| std::env::var_os(name).is_some()) {
        return;
    }
    let mut arguments = std::env::args_os();
    let (Ok(program), name) = (std::env::current_exe(), arguments.next()) else { return };
    let mut again = std::process::Command::new(program);
    again.args(arguments).envs(SETTINGS);
    if let Some(name) = name {
        again.arg0(name);
    }
    // It returns only when it fails; training then is slower and no less right.
    let _ = again.exec();
}

/// Elsewhere the allocator is left alone.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_large_blocks() {}
