//! Convolutions of images in blocks of 16 channels, several times as fast as tract's own (`cargo xtask bench networks`
//! prints the rates beside ONNX Runtime's).
//!
//! tract holds an image plane by plane. A kernel that slides over a plane begins anew with every row, and for what
//! mixes planes it gathers them first. Here 16 channels of a point lie side by side, as many as the widest
//! registers hold, and neither is needed. An activation behind a convolution is part of it. What cannot
//! work on blocks gets planes.

mod dense;
mod depthwise;
mod geometry;
mod layout;
mod operations;
mod rewrite;
#[cfg(test)]
mod tests;

use fearless_simd::{Simd, SimdBase, f32x16};

pub(super) use rewrite::use_blocks;

/// Channels in a block.
const LANES: usize = 16;

/// The sixteen channels of a point.
type Point = [f32; LANES];

/// What is less than the first value becomes it, and what is more than the second.
#[derive(Debug, Clone, Copy)]
struct Limits([f32; 2]);

impl Limits {
    #[inline(always)]
    fn store<S: Simd>(self, simd: S, values: f32x16<S>, to: &mut Point) {
        // In this order a value that is not a number stays so, and is found at the end.
        let [low, high] = self.0.map(|limit| f32x16::splat(simd, limit));
        high.min(low.max(values)).store_slice(to);
    }
}
