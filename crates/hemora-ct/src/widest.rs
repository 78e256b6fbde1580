//! Loops over pixels with the widest vector instructions that the processor has.

use fearless_simd::{Level, Simd as _, dispatch};

/// Runs `work` as compiled for the widest vector instructions that this processor has, where the program
/// itself is compiled for any x86-64. It gives the same bits whatever the processor: nothing is reordered or
/// contracted.
///
/// Only what is inlined into `work` gains: mark the closure, and what it calls, `#[inline(always)]`.
#[inline(always)]
pub fn widest<T>(work: impl FnOnce() -> T) -> T {
    dispatch!(Level::new(), simd => simd.vectorize(work))
}
