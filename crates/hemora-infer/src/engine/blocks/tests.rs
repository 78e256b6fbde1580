//! That blocks give what tract's own operations give.

use fearless_simd::Level;
use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat, PaddingSpec, PoolSpec};
use tract_onnx::tract_core::ops::math::{Add, Max, Min};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::dense::Dense;
use super::geometry::Geometry;
use super::operations::{DenseBlocks, DepthwiseBlocks, ToBlocks, ToPlanes};
use super::{LANES, Limits, Point, use_blocks};

/// Values between -1 and 1, the same in every run.
fn values(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|at| ((at * 37 + seed * 11 + 5) % 101) as f32 / 50.0 - 1.0).collect()
}

fn tensor(shape: &[usize], seed: usize) -> Tensor {
    Tensor::from_shape(shape, &values(shape.iter().product(), seed)).unwrap()
}

/// Convolutions of one model.
struct Builder {
    model: TypedModel,
    named: usize,
}

impl Builder {
    fn new(shape: [usize; 4]) -> (Self, OutletId) {
        let mut model = TypedModel::default();
        let image = model.add_source("image", f32::fact(shape)).unwrap();
        (Self { model, named: 0 }, image)
    }

    fn wire(&mut self, operation: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> OutletId {
        self.named += 1;
        self.model.wire_node(format!("node {}", self.named), operation, inputs).unwrap()[0]
    }

    fn constant(&mut self, tensor: Tensor) -> OutletId {
        self.named += 1;
        self.model.add_const(format!("constant {}", self.named), tensor).unwrap()
    }

    fn conv(
        &mut self,
        image: OutletId,
        outputs: usize,
        groups: usize,
        [kernel, stride]: [[usize; 2]; 2],
        padding: PaddingSpec,
    ) -> OutletId {
        let shape = self.model.outlet_fact(image).unwrap().shape.as_concrete().unwrap();
        let inputs = shape[1];
        let spec = PoolSpec {
            data_format: DataFormat::NCHW,
            kernel_shape: kernel.into_iter().collect(),
            padding,
            dilations: None,
            strides: Some(stride.into_iter().collect()),
            input_channels: inputs,
            output_channels: outputs,
        };
        let weights = tensor(&[outputs, inputs / groups, kernel[0], kernel[1]], self.named);
        let weights = self.constant(weights);
        let bias = self.constant(tensor(&[outputs], self.named));
        self.wire(Conv::new(spec, KernelFormat::OIHW, groups, None), &[image, weights, bias])
    }

    fn relu6(&mut self, image: OutletId) -> OutletId {
        let [low, high] = [0.0f32, 6.0].map(|limit| {
            let limit = Tensor::from_shape(&[1, 1, 1, 1], &[limit]).unwrap();
            self.constant(limit)
        });
        let above = self.wire(TypedBinOp(Box::new(Max), None), &[image, low]);
        self.wire(TypedBinOp(Box::new(Min), None), &[above, high])
    }
}

fn run(model: TypedModel, image: &Tensor) -> Vec<Vec<f32>> {
    let plan = model.into_optimized().unwrap().into_runnable().unwrap();
    let outputs = plan.run(tvec![image.clone().into_tvalue()]).unwrap();
    outputs.iter().map(|it| it.try_as_plain_ram().unwrap().as_slice().unwrap().to_vec()).collect()
}

/// The model on blocks, after both have given the same.
fn compared(model: TypedModel, shape: [usize; 4], what: &str) -> TypedModel {
    let mut blocks = model.clone();
    use_blocks(&mut blocks).unwrap();
    let image = tensor(&shape, 3);
    let (theirs, own) = (run(model, &image), run(blocks.clone(), &image));
    assert_eq!(theirs.len(), own.len(), "{what}");
    for (theirs, own) in theirs.iter().zip(&own) {
        assert_eq!(theirs.len(), own.len(), "{what}");
        let largest = theirs.iter().fold(1.0f32, |largest, it| largest.max(it.abs()));
        for (at, (a, b)) in theirs.iter().zip(own).enumerate() {
            assert!((a - b).abs() < 1e-5 * largest, "{what} at {at}: {a}, {b}");
        }
    }
    blocks.into_decluttered().unwrap()
}

fn count<O: Op>(model: &TypedModel) -> usize {
    model.nodes().iter().filter(|node| node.op_is::<O>()).count()
}

fn paddings() -> Vec<PaddingSpec> {
    let explicit = |before: [usize; 2], after: [usize; 2]| {
        PaddingSpec::Explicit(before.into_iter().collect(), after.into_iter().collect())
    };
    vec![
        PaddingSpec::Valid,
        PaddingSpec::SameUpper,
        PaddingSpec::SameLower,
        explicit([1, 1], [1, 1]),
        explicit([2, 0], [0, 3]),
        // Further than the kernel goes.
        explicit([6, 7], [0, 1]),
    ]
}

#[test]
fn depthwise_convolutions_give_what_tract_gives_whatever_the_kernel_stride_and_border() {
    for side in [[5, 5], [9, 9], [18, 7], [5, 40]] {
        for kernel in [[3, 3], [5, 5], [1, 3], [4, 2], [1, 1]] {
            for stride in [[1, 1], [2, 2], [2, 1], [3, 2]] {
                for padding in paddings() {
                    let what = format!("{side:?} {kernel:?} {stride:?} {padding:?}");
                    let shape = [1, 19, side[0], side[1]];
                    let (mut builder, image) = Builder::new(shape);
                    let conv = builder.conv(image, 19, 19, [kernel, stride], padding);
                    builder.model.select_output_outlets(&[conv]).unwrap();
                    let blocks = compared(builder.model, shape, &what);
                    assert_eq!(count::<DepthwiseBlocks>(&blocks), 1, "{what}");
                }
            }
        }
    }
}

#[test]
fn dense_convolutions_give_what_tract_gives_whatever_the_channels_kernel_stride_and_border() {
    for [inputs, outputs] in [[3, 20], [16, 16], [40, 50], [280, 17]] {
        for side in [[5, 5], [9, 14]] {
            for kernel in [[3, 3], [1, 3], [4, 2], [1, 2]] {
                for stride in [[1, 1], [2, 2]] {
                    for padding in paddings() {
                        let what = format!(
                            "{inputs} {outputs} {side:?} {kernel:?} {stride:?} {padding:?}"
                        );
                        let shape = [1, inputs, side[0], side[1]];
                        let (mut builder, image) = Builder::new(shape);
                        let mut conv = builder.conv(image, outputs, 1, [kernel, stride], padding);
                        if inputs < LANES {
                            // Planes are read where blocks are wanted behind them.
                            let one = [[1, 1], [1, 1]];
                            conv = builder.conv(conv, outputs, outputs, one, PaddingSpec::Valid);
                        }
                        builder.model.select_output_outlets(&[conv]).unwrap();
                        let blocks = compared(builder.model, shape, &what);
                        assert_eq!(count::<DenseBlocks>(&blocks), 1, "{what}");
                    }
                }
            }
        }
    }
}

/// A network as EfficientNet is one: a stem of three planes, a depthwise convolution, a sum of two branches, an activation
/// behind it, and what somebody else reads in between.
#[test]
fn a_network_stays_in_blocks_from_the_first_convolution_to_the_last() {
    let shape = [1, 3, 21, 17];
    let (mut builder, image) = Builder::new(shape);
    let one = [[1, 1], [1, 1]];
    let stem = builder.conv(image, 20, 1, [[3, 3], [2, 2]], PaddingSpec::SameUpper);
    let stem = builder.relu6(stem);
    let wide = builder.conv(stem, 70, 1, one, PaddingSpec::Valid);
    let wide = builder.relu6(wide);
    let deep = builder.conv(wide, 70, 70, [[5, 5], [1, 1]], PaddingSpec::SameUpper);
    let deep = builder.relu6(deep);
    let narrow = builder.conv(deep, 20, 1, one, PaddingSpec::Valid);
    let sum = builder.wire(TypedBinOp(Box::new(Add), None), &[stem, narrow]);
    let sum = builder.relu6(sum);
    let head = builder.conv(sum, 33, 1, one, PaddingSpec::Valid);
    builder.model.select_output_outlets(&[head, narrow]).unwrap();
    let blocks = compared(builder.model, shape, "network");
    let counts = [
        count::<DenseBlocks>(&blocks),
        count::<DepthwiseBlocks>(&blocks),
        count::<Conv>(&blocks),
        count::<ToBlocks>(&blocks),
        count::<ToPlanes>(&blocks),
    ];
    assert_eq!(counts, [4, 1, 0, 0, 2]);
}

/// A residual network behind a pooling, whose first sum has a branch of one pointwise convolution.
#[test]
fn a_branch_follows_the_one_that_it_is_added_to() {
    let shape = [1, 24, 9, 9];
    let (mut builder, image) = Builder::new(shape);
    let one = [[1, 1], [1, 1]];
    let short = builder.conv(image, 40, 1, one, PaddingSpec::Valid);
    let long = builder.conv(image, 32, 1, one, PaddingSpec::Valid);
    let long = builder.conv(long, 32, 1, [[3, 3], [1, 1]], PaddingSpec::SameUpper);
    let long = builder.conv(long, 40, 1, one, PaddingSpec::Valid);
    let sum = builder.wire(TypedBinOp(Box::new(Add), None), &[short, long]);
    let sum = builder.relu6(sum);
    builder.model.select_output_outlets(&[sum]).unwrap();
    let blocks = compared(builder.model, shape, "residual");
    assert_eq!([count::<DenseBlocks>(&blocks), count::<ToPlanes>(&blocks)], [4, 1]);
}

/// What is not limited yet and somebody else reads is not limited for him.
#[test]
fn an_activation_is_not_part_of_a_convolution_that_is_read_without_it() {
    let shape = [1, 16, 8, 8];
    for read_as_output in [false, true] {
        let (mut builder, image) = Builder::new(shape);
        let same = [[3, 3], [1, 1]];
        let conv = builder.conv(image, 16, 1, same, PaddingSpec::SameUpper);
        let limited = builder.relu6(conv);
        let second = match read_as_output {
            true => conv,
            false => builder.conv(conv, 16, 16, same, PaddingSpec::SameUpper),
        };
        builder.model.select_output_outlets(&[limited, second]).unwrap();
        compared(builder.model, shape, "two readers");
    }
}

#[test]
fn others_are_left_to_tract() {
    let valid = || PaddingSpec::Valid;
    let cases: [(usize, usize, usize, [[usize; 2]; 2]); 4] = [
        (32, 32, 2, [[3, 3], [1, 1]]),
        (8, 32, 1, [[3, 3], [1, 1]]),
        (32, 32, 1, [[3, 3], [2, 1]]),
        (32, 32, 1, [[1, 1], [1, 1]]),
    ];
    for (inputs, outputs, groups, shape) in cases {
        let (mut builder, image) = Builder::new([1, inputs, 8, 8]);
        let conv = builder.conv(image, outputs, groups, shape, valid());
        builder.model.select_output_outlets(&[conv]).unwrap();
        use_blocks(&mut builder.model).unwrap();
        let found =
            [count::<DenseBlocks>(&builder.model), count::<DepthwiseBlocks>(&builder.model)];
        assert_eq!(found, [0, 0], "{inputs} {outputs} {groups} {shape:?}");
    }
}

#[test]
fn what_is_not_a_number_stays_so() {
    let shape = [1, 16, 8, 8];
    let (mut builder, image) = Builder::new(shape);
    let conv = builder.conv(image, 16, 16, [[3, 3], [1, 1]], PaddingSpec::SameUpper);
    let deep = builder.relu6(conv);
    let conv = builder.conv(deep, 16, 1, [[1, 1], [1, 1]], PaddingSpec::Valid);
    let output = builder.relu6(conv);
    builder.model.select_output_outlets(&[output]).unwrap();
    use_blocks(&mut builder.model).unwrap();
    let mut broken = values(16 * 64, 3);
    broken[0] = f32::NAN;
    let image = Tensor::from_shape(&shape, &broken).unwrap();
    let output = run(builder.model, &image).remove(0);
    assert!(output[0].is_nan(), "{}", output[0]);
    assert!(output[63].is_finite(), "{}", output[63]);
}

/// Whatever instructions a processor has, not only those of the one that runs this test.
#[test]
fn every_kind_of_vectors_gives_the_same_but_for_rounding() {
    let best = Level::new();
    let mut levels = vec![Level::baseline(), best];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(best.as_sse4_2().map(Level::Sse4_2));
        levels.extend(best.as_avx2().map(Level::Avx2));
    }
    let geometry = Geometry {
        input: [7, 20],
        output: [7, 20],
        kernel: [3, 3],
        stride: [1, 1],
        before: [1, 1],
    };
    let (channels, blocks) = (40, 3);
    let points = |count: usize, seed: usize| -> Vec<Point> {
        values(count * LANES, seed).as_chunks().0.to_vec()
    };
    let input = values(3 * 7 * 20 * LANES, 1);
    let (weights, bias) = (points(blocks * channels * 9, 2), points(blocks, 4));
    let dense = Dense {
        geometry: &geometry,
        channels,
        in_blocks: true,
        input: &input,
        weights: &weights,
        bias: &bias,
        limits: Limits([-2.0, 6.0]),
    };
    let outputs: Vec<Vec<Point>> = levels
        .iter()
        .map(|level| {
            let mut output = vec![[f32::NAN; LANES]; blocks * 7 * 20];
            dense.run(*level, &mut output);
            output
        })
        .collect();
    for (output, level) in outputs.iter().zip(&levels) {
        for (a, b) in output.as_flattened().iter().zip(outputs[0].as_flattened()) {
            assert!((a - b).abs() < 1e-4, "{level:?}: {a}, {b}");
        }
    }
    // Those that multiply and add at once round alike, since every sum has its order.
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = levels.iter().position(|level| matches!(level, Level::Avx2(_))) {
        assert_eq!(outputs[avx2], outputs[1]);
    }
}
