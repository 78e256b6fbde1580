//! The operations on blocks, as tract wants them.

use fearless_simd::Level;
use tract_onnx::tract_hir::internal::*;

use super::dense::Dense;
use super::depthwise::Depthwise;
use super::geometry::Geometry;
use super::{LANES, Limits, Point, layout};

/// `[1, channels, rows, columns]` to `[blocks, rows, columns, 16]`; channels that there are not are zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ToBlocks;

/// The other way round.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ToPlanes {
    pub channels: usize,
}

/// A convolution that mixes channels. Inputs: the image in blocks, or in planes if it has few; weights and bias as
/// [`Dense`] has them; the lower and the upper limit of the results.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DenseBlocks {
    pub channels: usize,
    pub geometry: Geometry,
}

impl DenseBlocks {
    /// Whether an image of so many channels comes in blocks: fewer would leave most of a block empty.
    pub(super) fn takes_blocks(channels: usize) -> bool {
        channels >= LANES
    }
}

/// A convolution of each channel for itself. Inputs: the image in blocks; kernels and bias as [`Depthwise`] has them; the
/// lower and the upper limit of the results.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DepthwiseBlocks {
    pub geometry: Geometry,
}

/// The 32-bit floats of a tensor.
pub(super) fn floats(tensor: &Tensor) -> TractResult<&[f32]> {
    tensor.try_as_plain_ram()?.as_slice::<f32>()
}

fn points(tensor: &Tensor) -> TractResult<&[Point]> {
    Ok(floats(tensor)?.as_chunks().0)
}

fn limits(low: &Tensor, high: &Tensor) -> TractResult<Limits> {
    match (floats(low)?, floats(high)?) {
        (&[low], &[high]) => Ok(Limits([low, high])),
        _ => bail!("a limit is one value"),
    }
}

/// What an operation gives.
trait Blocks: Op {
    const NAME: &'static str;

    fn shape(&self, inputs: &[&[usize]]) -> TVec<usize>;

    fn compute(&self, inputs: &[TValue], output: &mut [f32]) -> TractResult<()>;
}

impl Blocks for ToBlocks {
    const NAME: &'static str = "ToBlocks";

    fn shape(&self, inputs: &[&[usize]]) -> TVec<usize> {
        let image = inputs[0];
        tvec!(image[1].div_ceil(LANES), image[2], image[3], LANES)
    }

    fn compute(&self, inputs: &[TValue], output: &mut [f32]) -> TractResult<()> {
        let area = inputs[0].shape()[2..].iter().product();
        layout::to_blocks(floats(&inputs[0])?, area, output.as_chunks_mut().0);
        Ok(())
    }
}

impl Blocks for ToPlanes {
    const NAME: &'static str = "ToPlanes";

    fn shape(&self, inputs: &[&[usize]]) -> TVec<usize> {
        tvec!(1, self.channels, inputs[0][1], inputs[0][2])
    }

    fn compute(&self, inputs: &[TValue], output: &mut [f32]) -> TractResult<()> {
        let area = inputs[0].shape()[1..3].iter().product();
        layout::to_planes(points(&inputs[0])?, area, output);
        Ok(())
    }
}

impl Blocks for DenseBlocks {
    const NAME: &'static str = "DenseBlocks";

    fn shape(&self, inputs: &[&[usize]]) -> TVec<usize> {
        let [rows, columns] = self.geometry.output;
        tvec!(inputs[2][0], rows, columns, LANES)
    }

    fn compute(&self, inputs: &[TValue], output: &mut [f32]) -> TractResult<()> {
        let [image, weights, bias, low, high] = inputs else { bail!("not five inputs") };
        let dense = Dense {
            geometry: &self.geometry,
            channels: self.channels,
            in_blocks: Self::takes_blocks(self.channels),
            input: floats(image)?,
            weights: points(weights)?,
            bias: points(bias)?,
            limits: limits(low, high)?,
        };
        dense.run(Level::new(), output.as_chunks_mut().0);
        Ok(())
    }
}

impl Blocks for DepthwiseBlocks {
    const NAME: &'static str = "DepthwiseBlocks";

    fn shape(&self, inputs: &[&[usize]]) -> TVec<usize> {
        let [rows, columns] = self.geometry.output;
        tvec!(inputs[0][0], rows, columns, LANES)
    }

    fn compute(&self, inputs: &[TValue], output: &mut [f32]) -> TractResult<()> {
        let [image, kernels, bias, low, high] = inputs else { bail!("not five inputs") };
        let depthwise = Depthwise {
            geometry: &self.geometry,
            input: points(image)?,
            kernels: points(kernels)?,
            bias: points(bias)?,
            limits: limits(low, high)?,
        };
        depthwise.run(Level::new(), output.as_chunks_mut().0);
        Ok(())
    }
}

/// What tract asks of every operation.
macro_rules! operations {
    ($($operation:ty),*) => {$(
        impl Op for $operation {
            fn name(&self) -> StaticName {
                <Self as Blocks>::NAME.into()
            }

            fn validation(&self) -> Validation {
                Validation::Rounding
            }

            op_as_typed_op!();
        }

        impl EvalOp for $operation {
            op_out_of_plan!();

            fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
                let shapes: TVec<&[usize]> = inputs.iter().map(|it| it.shape()).collect();
                let mut output = Tensor::zero::<f32>(&self.shape(&shapes))?;
                self.compute(&inputs, output.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?)?;
                Ok(tvec!(output.into_tvalue()))
            }
        }

        impl TypedOp for $operation {
            fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
                let shapes: Option<TVec<&[usize]>> =
                    inputs.iter().map(|it| it.shape.as_concrete()).collect();
                let shapes = shapes.context("an input has no known shape")?;
                Ok(tvec!(f32::fact(self.shape(&shapes))))
            }

            as_op!();
        }
    )*};
}

operations!(ToBlocks, ToPlanes, DenseBlocks, DepthwiseBlocks);
