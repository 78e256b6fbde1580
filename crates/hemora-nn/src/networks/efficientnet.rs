//! EfficientNet-Lite0 to 2: no squeeze-and-excitation, ReLU6, TensorFlow's "same" padding. Names
//! and layout are those of timm's `tf_efficientnet_lite0` to `2`.

use super::dense::add_dense_head;
use super::{Head, Options, add_pooled_head};
use crate::{
    BatchNorm, Conv, Graph, GraphBuilder, GraphError, Init, NodeId, Op, Padding, RunningVariance,
};

/// TensorFlow's eps; PyTorch's momentum, which timm trains with.
const NORM: BatchNorm =
    BatchNorm { eps: 1e-3, momentum: 0.1, running_variance: RunningVariance::Unbiased };

struct Stage {
    blocks: usize,
    kernel: usize,
    stride: usize,
    expansion: usize,
    channels: usize,
}

const fn stage(
    blocks: usize,
    kernel: usize,
    stride: usize,
    expansion: usize,
    channels: usize,
) -> Stage {
    Stage { blocks, kernel, stride, expansion, channels }
}

const STAGES: [Stage; 7] = [
    stage(1, 3, 1, 1, 16),
    stage(2, 3, 2, 6, 24),
    stage(2, 5, 2, 6, 40),
    stage(3, 3, 2, 6, 80),
    stage(3, 5, 1, 6, 112),
    stage(4, 5, 2, 6, 192),
    stage(1, 3, 1, 6, 320),
];

/// How much wider and deeper than Lite0.
struct Scale {
    width: f64,
    depth: f64,
}

impl Scale {
    /// Channels, a multiple of 8 near `channels` times the width and never a tenth below it.
    fn channels(&self, channels: usize) -> usize {
        let wanted = channels as f64 * self.width;
        let near = ((wanted + 4.0) as usize / 8 * 8).max(8);
        if (near as f64) < 0.9 * wanted { near + 8 } else { near }
    }

    /// Blocks of a stage; the first and the last stage keep theirs.
    fn blocks(&self, index: usize, blocks: usize) -> usize {
        match index {
            0 => blocks,
            last if last + 1 == STAGES.len() => blocks,
            _ => (blocks as f64 * self.depth).ceil() as usize,
        }
    }
}

pub(super) fn lite0(options: &Options) -> Result<Graph, GraphError> {
    lite("efficientnet-lite0", options, &LITE0, None)
}

pub(super) fn lite1(options: &Options) -> Result<Graph, GraphError> {
    lite("efficientnet-lite1", options, &Scale { width: 1.0, depth: 1.1 }, None)
}

pub(super) fn lite2(options: &Options) -> Result<Graph, GraphError> {
    lite("efficientnet-lite2", options, &LITE2, None)
}

pub(super) fn lite0_dense(options: &Options) -> Result<Graph, GraphError> {
    lite("efficientnet-lite0-dense", options, &LITE0, Some(DENSE_TAPS))
}

pub(super) fn lite2_dense(options: &Options) -> Result<Graph, GraphError> {
    lite("efficientnet-lite2-dense", options, &LITE2, Some(DENSE_TAPS))
}

pub(super) fn lite0_fine(options: &Options) -> Result<Graph, GraphError> {
    lite("efficientnet-lite0-fine", options, &LITE0, Some(FINE_TAPS))
}

pub(super) fn lite2_fine(options: &Options) -> Result<Graph, GraphError> {
    lite("efficientnet-lite2-fine", options, &LITE2, Some(FINE_TAPS))
}

const LITE0: Scale = Scale { width: 1.0, depth: 1.0 };
const LITE2: Scale = Scale { width: 1.1, depth: 1.2 };

/// Stages whose feature maps a dense head reads: the last ones of strides 8, 16 and 32.
const DENSE_TAPS: &[usize] = &[2, 4, 6];
/// The same with that of stride 4, for maps of half the grain.
const FINE_TAPS: &[usize] = &[1, 2, 4, 6];

/// With `dense_taps` a dense head reads the feature maps of these stages.
fn lite(
    name: &str,
    options: &Options,
    scale: &Scale,
    dense_taps: Option<&[usize]>,
) -> Result<Graph, GraphError> {
    let shape = [options.channels, options.size, options.size];
    let (mut builder, input) = GraphBuilder::new(name, shape)?;
    let mut net = Net { builder: &mut builder };
    let stem = ConvSpec { channels: 32, kernel: 3, stride: 2, groups: 1, relu6: true };
    let mut last = net.conv(["conv_stem", "bn1"], input, stem)?;
    let mut taps = Vec::new();
    for (index, stage) in STAGES.iter().enumerate() {
        let stage = &Stage { channels: scale.channels(stage.channels), ..*stage };
        for block in 0..scale.blocks(index, stage.blocks) {
            let name = format!("blocks.{index}.{block}");
            let stride = if block == 0 { stage.stride } else { 1 };
            last = net.block(&name, last, stage, stride)?;
        }
        if dense_taps.is_some_and(|taps| taps.contains(&index)) {
            taps.push(last);
        }
    }
    let last = net.conv(["conv_head", "bn2"], last, ConvSpec::pointwise(1280))?;
    let names = ["global_pool", "classifier"];
    if dense_taps.is_some() {
        add_dense_head(&mut builder, names, &taps, last, options)?;
    } else {
        add_pooled_head(&mut builder, names, last, options, Head::Sigmoid(6))?;
    }
    Ok(builder.finish())
}

/// A convolution and what follows its batch norm.
#[derive(Clone, Copy)]
struct ConvSpec {
    channels: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
    relu6: bool,
}

impl ConvSpec {
    /// 1×1, with ReLU6.
    const fn pointwise(channels: usize) -> Self {
        Self { channels, kernel: 1, stride: 1, groups: 1, relu6: true }
    }

    /// One kernel a channel, with ReLU6.
    const fn depth_wise(channels: usize, kernel: usize, stride: usize) -> Self {
        Self { channels, kernel, stride, groups: channels, relu6: true }
    }

    /// The same without ReLU6, as at the end of a block.
    const fn linear(self) -> Self {
        Self { relu6: false, ..self }
    }
}

struct Net<'a> {
    builder: &'a mut GraphBuilder,
}

impl Net<'_> {
    /// Convolution, batch norm and, if the spec has it, ReLU6.
    fn conv(
        &mut self,
        [conv, norm]: [&str; 2],
        from: NodeId,
        spec: ConvSpec,
    ) -> Result<NodeId, GraphError> {
        let layer = Conv {
            channels: spec.channels,
            kernel: spec.kernel,
            stride: spec.stride,
            padding: Padding::Same,
            groups: spec.groups,
            bias: false,
            init: Init::HeNormalFanOut,
        };
        let node = self.builder.conv(conv, from, layer)?;
        let node = self.builder.batch_norm(norm, node, NORM)?;
        if spec.relu6 { self.builder.relu6(node) } else { Ok(node) }
    }

    /// An inverted residual; without expansion a depth-wise separable convolution.
    fn block(
        &mut self,
        name: &str,
        from: NodeId,
        stage: &Stage,
        stride: usize,
    ) -> Result<NodeId, GraphError> {
        let inputs = self.builder.channels(from);
        let wide = inputs * stage.expansion;
        let channels = stage.channels;
        let depth_wise = ConvSpec::depth_wise(wide, stage.kernel, stride);
        let narrow = ConvSpec::pointwise(channels).linear();
        let mut part = |conv: &str, norm: &str, from, spec| {
            self.conv([&format!("{name}.{conv}"), &format!("{name}.{norm}")], from, spec)
        };
        let last = if stage.expansion == 1 {
            let node = part("conv_dw", "bn1", from, depth_wise)?;
            part("conv_pw", "bn2", node, narrow)?
        } else {
            let node = part("conv_pw", "bn1", from, ConvSpec::pointwise(wide))?;
            let node = part("conv_dw", "bn2", node, depth_wise)?;
            part("conv_pwl", "bn3", node, narrow)?
        };
        if stride == 1 && inputs == channels {
            self.builder.add(&format!("{name}.add"), Op::Add, &[from, last])
        } else {
            Ok(last)
        }
    }
}
