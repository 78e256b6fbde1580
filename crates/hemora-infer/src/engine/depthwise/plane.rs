//! A depthwise convolution, plane by plane.
//!
//! tract walks a plane point by point at its borders and row by row inside, and planes of these networks are 9
//! to 144 points wide: most of its time goes into starting again. Here each plane is copied into a padded one,
//! on which the convolution is one long sum of shifted runs, whatever the width; what it gives beyond the end
//! of each row is thrown away. A stride of s takes the plane apart into s × s planes, each of every s-th row and
//! column, so that the runs stay without gaps.

use hemora_ct::widest;

/// Values that are summed at a time: as many as the vector registers of any processor hold beside the
/// values that are added.
const BLOCK: usize = 32;

/// What is convolved with what, rows first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Geometry {
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Zeros above the first row and before the first column.
    pub before: [usize; 2],
}

/// Where the values of a plane lie in the padded ones.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    geometry: Geometry,
    /// Columns of one of the planes that the stride takes apart.
    columns: usize,
    /// Values of one of them.
    area: usize,
    /// Where each row of the plane begins in the padded ones; those that no run reaches are left out.
    rows: Vec<usize>,
    /// For each of the planes side by side that hold parts of a row: its first value that belongs there, and
    /// how far from the row's beginning it goes.
    phases: Vec<(usize, usize)>,
    /// For each value of the kernel, where its run begins.
    offsets: Vec<usize>,
    /// Length of the runs, in whole blocks.
    run: usize,
}

/// Memory of one convolution, used for each of its planes.
pub(super) struct Scratch {
    padded: Vec<f32>,
    sums: Vec<f32>,
}

impl Layout {
    pub(super) fn new(geometry: Geometry) -> Self {
        let Geometry { input, output, kernel, stride, before } = geometry;
        // Rows and columns of a plane that the last run reaches.
        let side = |axis: usize| output[axis] + (kernel[axis] - 1) / stride[axis];
        let (rows, columns) = (side(0), side(1));
        let area = rows * columns;
        let offset = |at: usize| {
            let (row, column) = (at / kernel[1], at % kernel[1]);
            let plane = (row % stride[0]) * stride[1] + column % stride[1];
            plane * area + (row / stride[0]) * columns + column / stride[1]
        };
        let offsets = (0..kernel[0] * kernel[1]).map(offset).collect();
        let row = |row: usize| {
            let row = row + before[0];
            let (plane, row) = (row % stride[0] * stride[1], row / stride[0]);
            plane * area + row * columns
        };
        let reached = (0..input[0]).take_while(|row| (row + before[0]) / stride[0] < rows);
        let phase = |phase: usize| {
            let skip = (phase + stride[1] - before[1] % stride[1]) % stride[1];
            let column = (skip + before[1]) / stride[1];
            (column < columns).then_some((skip, phase * area + column))
        };
        let phases = (0..stride[1]).filter_map(phase).collect();
        let run = ((output[0] - 1) * columns + output[1]).next_multiple_of(BLOCK);
        Self { columns, area, rows: reached.map(row).collect(), phases, offsets, run, geometry }
    }

    pub(super) fn scratch(&self) -> Scratch {
        let [rows, columns] = self.geometry.stride;
        // The longest run may begin at the last plane and go beyond its end.
        let padded = vec![0.0; (rows * columns + 1) * self.area + self.run];
        Scratch { padded, sums: vec![0.0; self.run] }
    }

    /// Copies a plane into the padded ones. Their borders stay zero.
    fn fill(&self, plane: &[f32], padded: &mut [f32]) {
        for (values, first) in plane.chunks_exact(self.geometry.input[1]).zip(&self.rows) {
            for &(skip, start) in &self.phases {
                let from = values.get(skip..).unwrap_or(&[]);
                let to = &mut padded[first + start..];
                let room = self.columns - start % self.area;
                match self.geometry.stride[1] {
                    1 => {
                        let count = room.min(from.len());
                        to[..count].copy_from_slice(&from[..count]);
                    }
                    2 => {
                        // In pairs, for which there are vector instructions.
                        let pairs = from.chunks_exact(2);
                        let last = pairs.remainder().first().filter(|_| pairs.len() < room);
                        let count = room.min(pairs.len());
                        to[..count].iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair[0]);
                        last.into_iter().for_each(|last| to[count] = *last);
                    }
                    step => {
                        let every = from.iter().step_by(step);
                        to[..room].iter_mut().zip(every).for_each(|(to, from)| *to = *from);
                    }
                }
            }
        }
    }
}

/// Convolves all planes of an image.
pub(super) struct Convolve<'a> {
    pub layout: &'a Layout,
    /// Planes one after the other.
    pub input: &'a [f32],
    /// The kernel of each plane.
    pub kernels: &'a [f32],
    /// A value for each plane.
    pub bias: &'a [f32],
    pub output: &'a mut [f32],
    pub scratch: Scratch,
}

impl Convolve<'_> {
    pub(super) fn run(self) {
        let Self {
            layout,
            input,
            kernels,
            bias,
            output,
            scratch: Scratch { mut padded, mut sums },
        } = self;
        let Geometry { input: [rows, columns], output: [out_rows, out_columns], .. } =
            layout.geometry;
        let planes =
            input.chunks_exact(rows * columns).zip(kernels.chunks_exact(layout.offsets.len()));
        let outputs = output.chunks_exact_mut(out_rows * out_columns);
        for (((plane, kernel), bias), output) in planes.zip(bias).zip(outputs) {
            layout.fill(plane, &mut padded);
            sum_runs(&padded, &layout.offsets, kernel, *bias, &mut sums);
            let valid = sums.chunks(layout.columns).map(|row| &row[..out_columns]);
            for (to, from) in output.chunks_exact_mut(out_columns).zip(valid) {
                to.copy_from_slice(from);
            }
        }
    }
}

/// `sums[i]` = `bias` + Σ `kernel[k]` × `padded[offsets[k] + i]`.
fn sum_runs(padded: &[f32], offsets: &[usize], kernel: &[f32], bias: f32, sums: &mut [f32]) {
    widest(
        #[inline(always)]
        || {
            for (at, to) in sums.chunks_exact_mut(BLOCK).enumerate() {
                let mut sum = [bias; BLOCK];
                for (offset, weight) in offsets.iter().zip(kernel) {
                    let from = offset + at * BLOCK;
                    let Some(values) = padded[from..].first_chunk::<BLOCK>() else { return };
                    for (sum, value) in sum.iter_mut().zip(values) {
                        *sum += weight * value;
                    }
                }
                to.copy_from_slice(&sum);
            }
        },
    );
}
