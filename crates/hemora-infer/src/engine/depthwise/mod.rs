//! Depthwise convolutions for tract, several times as fast as its own, which took half of the time of an
//! EfficientNet (`cargo xtask bench triage` prints the rates beside PyTorch's).

mod plane;

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_hir::internal::*;

use plane::{Convolve, Geometry, Layout};

/// Replaces the depthwise convolutions of a model whose shapes are known; others stay.
pub(super) fn replace_depthwise(model: &mut TypedModel) -> TractResult<()> {
    for id in 0..model.nodes().len() {
        let Some(op) = DepthwisePlanes::of(model, id)? else { continue };
        let node = model.node(id);
        TypedModelPatch::replace_single_op(model, node, &node.inputs, op)?.apply(model)?;
    }
    Ok(())
}

/// A depthwise convolution of one image, `[1, planes, rows, columns]` or `[planes, rows, columns]` of 32-bit
/// floats. Its inputs are the image, the kernels `[planes, 1, rows, columns]`, and a bias for each plane or one for all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DepthwisePlanes {
    /// Whether there is a first dimension, of one image.
    batch: bool,
    planes: usize,
    geometry: Geometry,
}

impl DepthwisePlanes {
    /// The convolution that is a node of a model, if it is one of these.
    fn of(model: &TypedModel, id: usize) -> TractResult<Option<Self>> {
        let Some(conv) = model.node(id).op_as::<Conv>() else { return Ok(None) };
        let inputs = model.node_input_facts(id)?;
        let spec = &conv.pool_spec;
        let (planes, rank) = (spec.input_channels, spec.kernel_shape.len());
        let is_plain = conv.q_params.is_none()
            && conv.kernel_fmt == KernelFormat::OIHW
            && !spec.data_format.c_is_last()
            && inputs.iter().all(|fact| fact.datum_type == f32::datum_type());
        let is_depthwise = conv.group == planes && spec.output_channels == planes && planes > 1;
        if !(is_plain && is_depthwise && rank == 2 && spec.dilations().iter().all(|it| *it == 1)) {
            return Ok(None);
        }
        // tract leaves the dimension of the batch out where it can.
        let (batch, input) = match inputs[0].shape.as_concrete() {
            Some(&[1, _, rows, columns]) if spec.data_format.has_n() => (true, [rows, columns]),
            Some(&[_, rows, columns]) if !spec.data_format.has_n() => (false, [rows, columns]),
            _ => return Ok(None),
        };
        let padding = spec.computed_padding(&input);
        let pair = |of: &dyn Fn(usize) -> usize| [of(0), of(1)];
        let geometry = Geometry {
            input,
            output: pair(&|axis| padding[axis].convoluted),
            kernel: pair(&|axis| spec.kernel_shape[axis]),
            stride: pair(&|axis| spec.stride(axis)),
            before: pair(&|axis| padding[axis].pad_before),
        };
        let has_points = |sides: [usize; 2]| sides.iter().all(|side| *side > 0);
        let is_usual = has_points(input)
            && has_points(geometry.output)
            && has_points(geometry.kernel)
            && has_points(geometry.stride);
        Ok(is_usual.then_some(Self { batch, planes, geometry }))
    }

    fn output_shape(&self) -> TVec<usize> {
        let [rows, columns] = self.geometry.output;
        let shape = tvec!(1, self.planes, rows, columns);
        shape.into_iter().skip(usize::from(!self.batch)).collect()
    }
}

impl Op for DepthwisePlanes {
    fn name(&self) -> StaticName {
        "DepthwisePlanes".into()
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for DepthwisePlanes {
    op_out_of_plan!();

    fn eval(&self, _: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let (image, kernels, bias) = args_3!(inputs);
        let plain = |tensor: &Tensor| -> TractResult<Vec<f32>> {
            Ok(tensor.try_as_plain_ram()?.as_slice::<f32>()?.to_vec())
        };
        let (kernels, mut bias) = (plain(&kernels)?, plain(&bias)?);
        if bias.len() == 1 {
            bias = bias.repeat(self.planes);
        }
        let mut output = Tensor::zero::<f32>(&self.output_shape())?;
        let layout = Layout::new(self.geometry.clone());
        let mut values = output.try_as_plain_ram_mut()?;
        let convolve = Convolve {
            layout: &layout,
            input: image.try_as_plain_ram()?.as_slice::<f32>()?,
            kernels: &kernels,
            bias: &bias,
            output: values.as_slice_mut::<f32>()?,
            scratch: layout.scratch(),
        };
        convolve.run();
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for DepthwisePlanes {
    fn output_facts(&self, _: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(self.output_shape())))
    }

    as_op!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::tract_core::ops::cnn::{PaddingSpec, PoolSpec};
    use tract_onnx::tract_core::ops::nn::DataFormat;

    /// A model of one depthwise convolution, and how many of its nodes were replaced.
    fn model(
        shape: &[usize],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: PaddingSpec,
        replace: bool,
    ) -> (Arc<TypedRunnableModel>, bool) {
        let format = if shape.len() == 4 { DataFormat::NCHW } else { DataFormat::CHW };
        let planes = shape[shape.len() - 3];
        let mut model = TypedModel::default();
        let image = model.add_source("image", f32::fact(shape)).unwrap();
        let values = |count: usize| (0..count).map(|at| ((at * 37 + 11) % 101) as f32 / 50.0 - 1.0);
        let weights: Vec<f32> = values(planes * kernel[0] * kernel[1]).collect();
        let weights = Tensor::from_shape(&[planes, 1, kernel[0], kernel[1]], &weights).unwrap();
        let bias = Tensor::from_shape(&[planes], &values(planes).collect::<Vec<_>>()).unwrap();
        let weights = model.add_const("weights", weights).unwrap();
        let bias = model.add_const("bias", bias).unwrap();
        let spec = PoolSpec {
            data_format: format,
            kernel_shape: kernel.into_iter().collect(),
            padding,
            dilations: None,
            strides: Some(stride.into_iter().collect()),
            input_channels: planes,
            output_channels: planes,
        };
        let conv = Conv::new(spec, KernelFormat::OIHW, planes, None);
        let output = model.wire_node("conv", conv, &[image, weights, bias]).unwrap();
        model.select_output_outlets(&output).unwrap();
        if replace {
            replace_depthwise(&mut model).unwrap();
        }
        let replaced = model.nodes().iter().any(|node| node.op_is::<DepthwisePlanes>());
        (model.into_optimized().unwrap().into_runnable().unwrap(), replaced)
    }

    #[test]
    fn it_gives_what_tract_gives_whatever_the_kernel_stride_and_border() {
        let explicit = |before: [usize; 2], after: [usize; 2]| {
            PaddingSpec::Explicit(before.into_iter().collect(), after.into_iter().collect())
        };
        let paddings = [
            PaddingSpec::Valid,
            PaddingSpec::SameUpper,
            PaddingSpec::SameLower,
            explicit([1, 1], [1, 1]),
            explicit([2, 0], [0, 3]),
        ];
        let mut compared = 0;
        for side in [[5, 5], [9, 9], [18, 7], [37, 36], [5, 70]] {
            for kernel in [[3, 3], [5, 5], [1, 3], [4, 2], [1, 1]] {
                for stride in [[1, 1], [2, 2], [2, 1], [3, 2]] {
                    for (number, padding) in paddings.iter().enumerate() {
                        // Without the dimension of the batch, as tract has it after its own changes.
                        let shape = [1, 3, side[0], side[1]];
                        let shape = &shape[number % 2..];
                        let run = |replace| {
                            let (model, replaced) =
                                model(shape, kernel, stride, padding.clone(), replace);
                            assert_eq!(replaced, replace, "{shape:?} {kernel:?} {stride:?}");
                            let values = (0..3 * side[0] * side[1])
                                .map(|at| ((at * 29 + 5) % 83) as f32 / 40.0 - 1.0);
                            let values: Vec<f32> = values.collect();
                            let image = Tensor::from_shape(shape, &values).unwrap();
                            model.run(tvec![image.into_tvalue()]).unwrap().remove(0)
                        };
                        let (own, theirs) = (run(true), run(false));
                        assert_eq!(own.shape(), theirs.shape());
                        let values = |of: &Tensor| -> Vec<f32> {
                            of.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec()
                        };
                        for (at, (a, b)) in
                            values(&own).into_iter().zip(values(&theirs)).enumerate()
                        {
                            let what =
                                format!("{shape:?} {kernel:?} {stride:?} {padding:?} at {at}");
                            assert!((a - b).abs() < 1e-4, "{what}: {a}, {b}");
                            compared += 1;
                        }
                    }
                }
            }
        }
        assert!(compared > 100_000, "{compared}");
    }

    #[test]
    fn others_are_left_to_tract() {
        let mut model = TypedModel::default();
        let image = model.add_source("image", f32::fact([1, 4, 8, 8])).unwrap();
        let weights =
            model.add_const("weights", Tensor::zero::<f32>(&[4, 2, 3, 3]).unwrap()).unwrap();
        let bias = model.add_const("bias", Tensor::zero::<f32>(&[4]).unwrap()).unwrap();
        let spec = PoolSpec {
            data_format: DataFormat::NCHW,
            kernel_shape: tvec!(3, 3),
            padding: PaddingSpec::Valid,
            dilations: None,
            strides: None,
            input_channels: 4,
            output_channels: 4,
        };
        let conv = Conv::new(spec, KernelFormat::OIHW, 2, None);
        let output = model.wire_node("conv", conv, &[image, weights, bias]).unwrap();
        model.select_output_outlets(&output).unwrap();
        replace_depthwise(&mut model).unwrap();
        assert!(!model.nodes().iter().any(|node| node.op_is::<DepthwisePlanes>()));
    }
}
