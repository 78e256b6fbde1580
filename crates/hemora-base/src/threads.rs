//! How many threads a program may start.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// A number of threads that this machine can run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadCount {
    /// Threads, at least 1 and at most one per core.
    pub threads: usize,
    /// What was asked for, where it was more than there are cores.
    pub cut_from: Option<usize>,
}

impl ThreadCount {
    /// `requested` threads, 0 for one per core; more than there are cores are cut to the cores.
    pub fn from_requested(requested: usize) -> Self {
        Self::with_cores(requested, available_parallelism().map_or(1, NonZeroUsize::get))
    }

    fn with_cores(requested: usize, cores: usize) -> Self {
        match requested {
            0 => Self { threads: cores, cut_from: None },
            _ if requested > cores => Self { threads: cores, cut_from: Some(requested) },
            _ => Self { threads: requested, cut_from: None },
        }
    }

    /// A line for the user where the number was cut.
    pub fn note(&self) -> Option<String> {
        let requested = self.cut_from?;
        Some(format!(
            "--threads {requested}: this machine has {} cores and uses as many",
            self.threads
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_threads_than_cores_are_cut_with_a_word() {
        assert_eq!(ThreadCount::with_cores(0, 4), ThreadCount { threads: 4, cut_from: None });
        assert_eq!(ThreadCount::with_cores(3, 4), ThreadCount { threads: 3, cut_from: None });
        let cut = ThreadCount::with_cores(100_000, 4);
        assert_eq!((cut.threads, cut.cut_from), (4, Some(100_000)));
        assert!(cut.note().unwrap().contains("100000"));
    }
}
