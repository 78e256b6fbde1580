//! Convolutions that mix channels, from planes or blocks to blocks.

use std::borrow::Cow;
use std::ops::Range;

use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch, f32x16};

use super::geometry::Geometry;
use super::{LANES, Limits, Point};

/// Weights of a channel of the output that are summed before the next ones are, so that those of a
/// block stay in the nearest cache.
const WEIGHTS: usize = 256;
/// How many points may be summed side by side.
const POINTS: [usize; 6] = [12, 8, 6, 4, 3, 1];

/// What is convolved with what.
pub(super) struct Dense<'a> {
    pub geometry: &'a Geometry,
    pub channels: usize,
    /// Whether the input is `[blocks, rows, columns, 16]`, or else `[channels, rows, columns]`.
    pub in_blocks: bool,
    pub input: &'a [f32],
    /// `[blocks of the output, blocks of the input, rows of the kernel, its columns, channels in the block]`, or for
    /// planes `[blocks of the output, channels, rows of the kernel, its columns]`; each for a block of the output.
    pub weights: &'a [Point],
    /// `[blocks]`.
    pub bias: &'a [Point],
    pub limits: Limits,
}

impl Dense<'_> {
    /// Writes `[blocks, rows, columns]`. The stride is 1 or 2 in both directions.
    pub(super) fn run(&self, level: Level, output: &mut [Point]) {
        let geometry = self.geometry.in_one_row();
        let lanes = if self.in_blocks { LANES } else { 1 };
        let (input, sides) = padded(self.input, &geometry, lanes);
        let sums = Sums { of: self, geometry: &geometry, input: &input, sides };
        dispatch!(level, simd => simd.vectorize(
            #[inline(always)]
            || match (self.in_blocks, geometry.stride) {
                (true, [1, _]) => sums.run::<_, LANES, 1>(simd, output),
                (true, _) => sums.run::<_, LANES, 2>(simd, output),
                (false, [1, _]) => sums.run::<_, 1, 1>(simd, output),
                (false, _) => sums.run::<_, 1, 2>(simd, output),
            },
        ));
    }
}

/// The input with zeros around it, as far as kernels reach, and its rows and columns then.
fn padded<'a>(input: &'a [f32], geometry: &Geometry, lanes: usize) -> (Cow<'a, [f32]>, [usize; 2]) {
    let Geometry { input: [rows, columns], output, kernel, stride, before } = *geometry;
    let sides = [0, 1].map(|axis| (output[axis] - 1) * stride[axis] + kernel[axis]);
    if before == [0, 0] && sides == [rows, columns] {
        return (Cow::Borrowed(input), sides);
    }
    let planes = input.chunks_exact(rows * columns * lanes);
    let area = sides[0] * sides[1] * lanes;
    let mut padded = vec![0.0; planes.len() * area];
    let start = before[1].min(sides[1]);
    let width = columns.min(sides[1] - start) * lanes;
    for (plane, to) in planes.zip(padded.chunks_exact_mut(area)) {
        let to = to.chunks_exact_mut(sides[1] * lanes).skip(before[0]);
        for (row, to) in plane.chunks_exact(columns * lanes).zip(to) {
            to[start * lanes..][..width].copy_from_slice(&row[..width]);
        }
    }
    (Cow::Owned(padded), sides)
}

/// How many of the points that are left come next: as many as can be, without leaving one or two, which take as long
/// as three.
fn points(left: usize, most: usize) -> usize {
    let sizes = || POINTS.into_iter().filter(|size| *size <= most.min(left));
    let leaves_few = |size: usize| [1, 2, 5].contains(&(left - size));
    sizes().find(|size| !leaves_few(*size)).or_else(|| sizes().next()).unwrap_or(1)
}

struct Sums<'a> {
    of: &'a Dense<'a>,
    geometry: &'a Geometry,
    /// With its border.
    input: &'a [f32],
    /// Rows and columns of the input.
    sides: [usize; 2],
}

/// Points of a row of some blocks of the output, and the channels that are added to them.
struct Tile<'a> {
    block: usize,
    row: usize,
    column: usize,
    channels: &'a Range<usize>,
}

impl Sums<'_> {
    /// `IN` is the number of channels in a block of the input, `STEP` is the stride.
    #[inline(always)]
    fn run<S: Simd, const IN: usize, const STEP: usize>(&self, simd: S, output: &mut [Point]) {
        let Dense { channels: all, bias, .. } = *self.of;
        let lanes = <S::f32s as SimdBase<S>>::LEN;
        let step = (WEIGHTS / self.geometry.taps()).max(1).next_multiple_of(IN);
        for first in (0..all).step_by(step) {
            let channels = &(first..all.min(first + step));
            let mut block = 0;
            while block < bias.len() {
                let blocks = if lanes == LANES { 2.min(bias.len() - block) } else { 1 };
                for row in 0..self.geometry.output[0] {
                    let tile = Tile { block, row, column: 0, channels };
                    // As many sums as the registers hold.
                    match (lanes, blocks) {
                        (LANES, 2) => self.row::<S, IN, STEP, 2, 8>(simd, tile, output),
                        (LANES, _) => self.row::<S, IN, STEP, 1, 12>(simd, tile, output),
                        (8, _) => self.row::<S, IN, STEP, 1, 6>(simd, tile, output),
                        _ => self.row::<S, IN, STEP, 1, 3>(simd, tile, output),
                    }
                }
                block += blocks;
            }
        }
    }

    /// Adds what the channels give to a row of `BLOCKS` blocks, at most `MOST` points at a time.
    #[inline(always)]
    fn row<S: Simd, const IN: usize, const STEP: usize, const BLOCKS: usize, const MOST: usize>(
        &self,
        simd: S,
        mut tile: Tile<'_>,
        output: &mut [Point],
    ) {
        while tile.column < self.geometry.output[1] {
            let points = points(self.geometry.output[1] - tile.column, MOST);
            match points {
                12 if MOST >= 12 => self.add::<S, IN, STEP, BLOCKS, 12>(simd, &tile, output),
                8 if MOST >= 8 => self.add::<S, IN, STEP, BLOCKS, 8>(simd, &tile, output),
                6 if MOST >= 6 => self.add::<S, IN, STEP, BLOCKS, 6>(simd, &tile, output),
                4 if MOST >= 4 => self.add::<S, IN, STEP, BLOCKS, 4>(simd, &tile, output),
                3 => self.add::<S, IN, STEP, BLOCKS, 3>(simd, &tile, output),
                _ => self.add::<S, IN, STEP, BLOCKS, 1>(simd, &tile, output),
            }
            tile.column += points;
        }
    }

    #[inline(always)]
    fn add<
        S: Simd,
        const IN: usize,
        const STEP: usize,
        const BLOCKS: usize,
        const POINTS: usize,
    >(
        &self,
        simd: S,
        tile: &Tile<'_>,
        output: &mut [Point],
    ) {
        let Tile { block, row, column, channels } = *tile;
        let Dense { channels: all, weights, bias, limits, .. } = *self.of;
        let (kernel, [rows, columns]) = (self.geometry.kernel, self.geometry.output);
        let place = |at: usize| ((block + at) * rows + row) * columns + column;
        let mut sums = [[f32x16::splat(simd, 0.0); BLOCKS]; POINTS];
        for at in 0..BLOCKS {
            for (sums, before) in sums.iter_mut().zip(&output[place(at)..][..POINTS]) {
                let before = if channels.start == 0 { &bias[block + at] } else { before };
                sums[at] = f32x16::from_slice(simd, before);
            }
        }
        let taps = self.geometry.taps();
        let mut rest = [weights; BLOCKS];
        for (at, rest) in rest.iter_mut().enumerate() {
            *rest = &weights[(block + at) * all * taps..][channels.start * taps..];
        }
        let mut channel = channels.start;
        while channel < channels.end {
            let lanes = IN.min(channels.end - channel);
            for tap_row in 0..kernel[0] {
                let from = channel / IN * self.sides[0] + row * STEP + tap_row;
                let from = from * self.sides[1] + column * STEP;
                for tap in from..from + kernel[1] {
                    let values = &self.input[tap * IN..][..((POINTS - 1) * STEP + 1) * IN];
                    let mut weights = rest;
                    for (weights, rest) in weights.iter_mut().zip(&mut rest) {
                        (*weights, *rest) = rest.split_at(lanes);
                    }
                    for lane in 0..lanes {
                        for at in 0..BLOCKS {
                            let weight = f32x16::from_slice(simd, &weights[at][lane]);
                            for (point, sums) in sums.iter_mut().enumerate() {
                                // The remainder, so that no bounds are checked.
                                let value = values[point * STEP * IN + lane % IN];
                                sums[at] = f32x16::splat(simd, value).mul_add(weight, sums[at]);
                            }
                        }
                    }
                }
            }
            channel += lanes;
        }
        for at in 0..BLOCKS {
            for (sums, to) in sums.iter().zip(&mut output[place(at)..][..POINTS]) {
                match channels.end == all {
                    true => limits.store(simd, sums[at], to),
                    false => sums[at].store_slice(to),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_length_are_taken_apart_without_small_rests() {
        let parts = |columns: usize, most: usize| {
            let (mut left, mut parts) = (columns, vec![]);
            while left > 0 {
                parts.push(points(left, most));
                left -= parts.last().unwrap();
            }
            parts
        };
        for (columns, most, expected) in [
            (7, 8, &[4, 3][..]),
            (8, 6, &[4, 4]),
            (9, 8, &[6, 3]),
            (14, 8, &[8, 6]),
            (14, 12, &[8, 6]),
            (18, 8, &[8, 6, 4]),
            (5, 3, &[1, 1, 3]),
            (2, 12, &[1, 1]),
        ] {
            assert_eq!(parts(columns, most), expected, "{columns} {most}");
        }
    }
}
