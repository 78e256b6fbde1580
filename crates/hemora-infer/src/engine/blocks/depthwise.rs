//! Convolutions of each channel for itself, in blocks.

use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch, f32x16};

use super::geometry::Geometry;
use super::{Limits, Point};

/// Points that are summed side by side, and how many where fewer are left.
const POINTS: [usize; 2] = [8, 3];

/// What is convolved with what.
pub(super) struct Depthwise<'a> {
    pub geometry: &'a Geometry,
    /// `[blocks, rows, columns]`.
    pub input: &'a [Point],
    /// `[blocks, rows of the kernel, its columns]`.
    pub kernels: &'a [Point],
    /// `[blocks]`.
    pub bias: &'a [Point],
    pub limits: Limits,
}

impl Depthwise<'_> {
    /// Writes `[blocks, rows, columns]`.
    pub(super) fn run(&self, level: Level, output: &mut [Point]) {
        dispatch!(level, simd => simd.vectorize(
            #[inline(always)]
            || match (self.geometry.kernel[1], self.geometry.stride[1]) {
                (3, 1) => self.convolve::<_, 3, 1>(simd, output),
                (3, 2) => self.convolve::<_, 3, 2>(simd, output),
                (5, 1) => self.convolve::<_, 5, 1>(simd, output),
                (5, 2) => self.convolve::<_, 5, 2>(simd, output),
                _ => self.convolve::<_, 0, 0>(simd, output),
            },
        ));
    }

    /// `WIDTH` and `STEP` are the kernel's columns and the stride over columns, or 0 where they are known only now.
    #[inline(always)]
    fn convolve<S: Simd, const WIDTH: usize, const STEP: usize>(
        &self,
        simd: S,
        output: &mut [Point],
    ) {
        let Geometry { input, output: [rows, columns], kernel, stride, before } = *self.geometry;
        let inputs = self.input.chunks_exact(input[0] * input[1]);
        let kernels = self.kernels.chunks_exact(kernel[0] * kernel[1]);
        let outputs = output.chunks_exact_mut(rows * columns);
        for (((values, taps), bias), output) in inputs.zip(kernels).zip(self.bias).zip(outputs) {
            for (at, to) in output.chunks_exact_mut(columns).enumerate() {
                // The kernel's rows that lie on the image, and the image's under the first of them.
                let top = at * stride[0];
                let first = before[0].saturating_sub(top).min(kernel[0]);
                let last = (input[0] + before[0]).saturating_sub(top).clamp(first, kernel[0]);
                let from = (top + first - before[0].min(top + first)).min(input[0]);
                let row = Row {
                    values: &values[from * input[1]..][..(last - first) * input[1]],
                    kernel: &taps[first * kernel[1]..last * kernel[1]],
                    columns: input[1],
                    width: if WIDTH == 0 { kernel[1] } else { WIDTH },
                    step: if STEP == 0 { stride[1] } else { STEP },
                    before: before[1],
                    bias,
                    limits: self.limits,
                };
                row.convolve(simd, to);
            }
        }
    }
}

/// What a row of a block is made of.
struct Row<'a> {
    /// Rows of the image.
    values: &'a [Point],
    /// As many rows of the kernel.
    kernel: &'a [Point],
    columns: usize,
    width: usize,
    step: usize,
    before: usize,
    bias: &'a Point,
    limits: Limits,
}

impl Row<'_> {
    #[inline(always)]
    fn convolve<S: Simd>(&self, simd: S, to: &mut [Point]) {
        // Columns for which the whole kernel lies on the image.
        let inside = self.before.div_ceil(self.step)
            ..(self.columns + self.before + self.step).saturating_sub(self.width) / self.step;
        let mut column = 0;
        while column < to.len() {
            let left = if column < inside.start { 0 } else { inside.end.saturating_sub(column) };
            let left = left.min(to.len() - column);
            let to = &mut to[column..];
            column += if left >= POINTS[0] {
                self.inside::<S, { POINTS[0] }>(simd, column, to)
            } else if left >= POINTS[1] {
                self.inside::<S, { POINTS[1] }>(simd, column, to)
            } else {
                self.anywhere(simd, column, &mut to[0])
            };
        }
    }

    /// Points for which the whole kernel lies on the image. Returns how many they are.
    #[inline(always)]
    fn inside<S: Simd, const COUNT: usize>(
        &self,
        simd: S,
        column: usize,
        to: &mut [Point],
    ) -> usize {
        let start = column * self.step - self.before;
        let reach = (COUNT - 1) * self.step + self.width;
        let mut sums = [f32x16::from_slice(simd, self.bias); COUNT];
        let rows = self.values.chunks_exact(self.columns);
        for (values, kernel) in rows.zip(self.kernel.chunks_exact(self.width)) {
            let (values, kernel) = (&values[start..][..reach], &kernel[..self.width]);
            for tap in 0..self.width {
                let weight = f32x16::from_slice(simd, &kernel[tap]);
                for (at, sum) in sums.iter_mut().enumerate() {
                    let value = f32x16::from_slice(simd, &values[at * self.step + tap]);
                    *sum = value.mul_add(weight, *sum);
                }
            }
        }
        for (sum, to) in sums.into_iter().zip(&mut to[..COUNT]) {
            self.limits.store(simd, sum, to);
        }
        COUNT
    }

    /// One point, at the border too.
    #[inline(always)]
    fn anywhere<S: Simd>(&self, simd: S, column: usize, to: &mut Point) -> usize {
        let start = column * self.step;
        let first = self.before.saturating_sub(start);
        let from = (start + first).saturating_sub(self.before);
        let mut sum = f32x16::from_slice(simd, self.bias);
        let rows = self.values.chunks_exact(self.columns);
        for (values, kernel) in rows.zip(self.kernel.chunks_exact(self.width)) {
            for (value, weight) in values.iter().skip(from).zip(kernel.iter().skip(first)) {
                let weight = f32x16::from_slice(simd, weight);
                sum = f32x16::from_slice(simd, value).mul_add(weight, sum);
            }
        }
        self.limits.store(simd, sum, to);
        1
    }
}
