//! What a convolution slides over what.

use tract_onnx::tract_core::ops::cnn::Conv;

/// Sizes in points, rows first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Geometry {
    pub input: [usize; 2],
    pub output: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Zeros above the first row and before the first column.
    pub before: [usize; 2],
}

impl Geometry {
    /// Of a convolution in two dimensions, of an image of `input` rows and columns; none if something has no points.
    pub(super) fn of(conv: &Conv, input: [usize; 2]) -> Option<Self> {
        let spec = &conv.pool_spec;
        let padding = spec.computed_padding(&input);
        let pair = |of: &dyn Fn(usize) -> usize| [of(0), of(1)];
        let geometry = Self {
            input,
            output: pair(&|axis| padding[axis].convoluted),
            kernel: pair(&|axis| spec.kernel_shape[axis]),
            stride: pair(&|axis| spec.stride(axis)),
            before: pair(&|axis| padding[axis].pad_before),
        };
        let Self { input, output, kernel, stride, .. } = geometry;
        let has_points = [input, output, kernel, stride].iter().flatten().all(|side| *side > 0);
        has_points.then_some(geometry)
    }

    /// Places in the kernel.
    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The same as one long row, where it does not matter what is a row.
    pub(super) fn in_one_row(&self) -> Self {
        if self.kernel != [1, 1] || self.stride != [1, 1] || self.input != self.output {
            return self.clone();
        }
        let points = [1, self.input[0] * self.input[1]];
        Self { input: points, output: points, ..self.clone() }
    }
}
