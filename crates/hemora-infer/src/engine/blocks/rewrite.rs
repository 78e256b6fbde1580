//! Which operations of a model work on blocks.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::ops::math::{Max, Min};

use super::LANES;
use super::geometry::Geometry;
use super::operations::{DenseBlocks, DepthwiseBlocks, ToBlocks, ToPlanes, floats};

/// Lets convolutions of a model whose shapes are known work on blocks, and what is between them: activations and
/// sums. Results stay the same but for rounding. It finds them before tract has made other operations of them.
pub(in super::super) fn use_blocks(model: &mut TypedModel) -> TractResult<()> {
    model.prop_consts()?;
    for id in model.eval_order()? {
        if let Some(convolution) = Convolution::of(model, id)?
            && convolution.gains()
        {
            convolution.replace(model)?;
        }
    }
    // What is replaced lets its neighbours follow.
    let mut changed = true;
    while changed {
        changed = false;
        for id in model.eval_order()? {
            changed |= skip_planes(model, id)? || by_value(model, id)? || follow(model, id)?;
        }
    }
    Ok(())
}

/// A convolution beside blocks works on blocks too.
fn follow(model: &mut TypedModel, id: usize) -> TractResult<bool> {
    let Some(convolution) = Convolution::of(model, id)? else { return Ok(false) };
    let comes_in_blocks = |node: usize| model.node(node).op_is::<ToPlanes>();
    let takes_blocks = |node: usize| {
        let node = model.node(node);
        let has_others_in_blocks = || node.inputs.iter().any(|it| comes_in_blocks(it.node));
        node.op_is::<ToBlocks>() || node.op_is::<TypedBinOp>() && has_others_in_blocks()
    };
    let successors = &model.node(convolution.last).outputs[0].successors;
    let follows = convolution.is_dense()
        && (comes_in_blocks(model.node(id).inputs[0].node)
            || successors.iter().any(|it| takes_blocks(it.node)));
    if follows {
        convolution.replace(model)?;
    }
    Ok(follows)
}

/// Blocks that become planes and blocks again stay blocks.
fn skip_planes(model: &mut TypedModel, id: usize) -> TractResult<bool> {
    let node = model.node(id);
    if !node.op_is::<ToBlocks>() {
        return Ok(false);
    }
    let before = model.node(node.inputs[0].node);
    if !before.op_is::<ToPlanes>() {
        return Ok(false);
    }
    let blocks = before.inputs[0];
    put_behind(model, id, |model, patch| patch.tap_model(model, blocks))?;
    Ok(true)
}

/// What is computed value by value of images that come in blocks, such as their sum, is computed of the blocks.
fn by_value(model: &mut TypedModel, id: usize) -> TractResult<bool> {
    let node = model.node(id);
    let is_of_floats = node.outputs.iter().all(|it| it.fact.datum_type == f32::datum_type());
    if !node.op_is::<TypedBinOp>() || !is_of_floats {
        return Ok(false);
    }
    let mut planes = None;
    let mut inputs = tvec![];
    for &input in &node.inputs {
        let (before, fact) = (model.node(input.node), model.outlet_fact(input)?);
        let is_one_value = fact.konst.is_some() && fact.shape.volume().is_one();
        match before.op_as::<ToPlanes>() {
            Some(op) if fact.shape == node.outputs[0].fact.shape => {
                planes = Some(op.clone());
                inputs.push(before.inputs[0]);
            }
            None if is_one_value && fact.rank() == 4 => inputs.push(input),
            _ => return Ok(false),
        }
    }
    let Some(planes) = planes else { return Ok(false) };
    put_behind(model, id, |model, patch| {
        let node = model.node(id);
        let inputs = patch.taps(model, &inputs)?;
        let blocks = patch.wire_node(&node.name, node.op.clone(), &inputs)?;
        Ok(patch.wire_node(format!("{}.planes", node.name), planes, &blocks)?[0])
    })?;
    Ok(true)
}

/// Lets all who read the result of a node read what `wire` makes instead.
fn put_behind(
    model: &mut TypedModel,
    id: usize,
    wire: impl FnOnce(&TypedModel, &mut TypedModelPatch) -> TractResult<OutletId>,
) -> TractResult<()> {
    let mut patch = TypedModelPatch::default();
    let result = wire(model, &mut patch)?;
    patch.shunt_outside(model, id.into(), result)?;
    patch.apply(model)
}

/// A convolution of one image `[1, channels, rows, columns]` of 32-bit floats with weights that are known, and the
/// limits that an activation behind it puts to its results.
struct Convolution {
    id: usize,
    /// The last node of the activation, or the convolution.
    last: usize,
    limits: [f32; 2],
    groups: usize,
    /// Of the input and of the output.
    channels: [usize; 2],
    geometry: Geometry,
    /// `[channels of the output, of the input in a group, rows, columns]`.
    weights: Arc<Tensor>,
    /// A value for each channel of the output, or one for all.
    bias: Arc<Tensor>,
}

impl Convolution {
    /// The convolution that is a node of a model, if it is one of these.
    fn of(model: &TypedModel, id: usize) -> TractResult<Option<Self>> {
        let Some(conv) = model.node(id).op_as::<Conv>() else { return Ok(None) };
        let inputs = model.node_input_facts(id)?;
        let spec = &conv.pool_spec;
        let is_plain = conv.q_params.is_none()
            && conv.kernel_fmt == KernelFormat::OIHW
            && spec.data_format.has_n()
            && !spec.data_format.c_is_last()
            && spec.kernel_shape.len() == 2
            && spec.dilations().iter().all(|it| *it == 1)
            && inputs.iter().all(|fact| fact.datum_type == f32::datum_type());
        let Some(&[1, channels, rows, columns]) = inputs[0].shape.as_concrete() else {
            return Ok(None);
        };
        let [Some(weights), Some(bias)] = [1, 2].map(|at| inputs[at].konst.clone()) else {
            return Ok(None);
        };
        if !is_plain || channels == 0 || spec.output_channels == 0 {
            return Ok(None);
        }
        let Some(geometry) = Geometry::of(conv, [rows, columns]) else { return Ok(None) };
        let (last, limits) = activation(model, id)?;
        let channels = [channels, spec.output_channels];
        Ok(Some(Self { id, last, limits, groups: conv.group, channels, geometry, weights, bias }))
    }

    fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.channels == [self.groups; 2]
    }

    fn is_dense(&self) -> bool {
        self.groups == 1 && [[1, 1], [2, 2]].contains(&self.geometry.stride)
    }

    /// Whether blocks pay even if the operations before and behind it work on planes.
    fn gains(&self) -> bool {
        let fill_blocks = self.channels.iter().all(|channels| *channels >= LANES);
        self.is_depthwise() || self.is_dense() && fill_blocks && self.geometry.kernel != [1, 1]
    }

    /// Puts an operation on blocks in its place.
    fn replace(self, model: &mut TypedModel) -> TractResult<()> {
        let [inputs, outputs] = self.channels;
        let in_blocks = self.is_depthwise() || DenseBlocks::takes_blocks(inputs);
        let constants = [
            ("weights", self.weights_in_blocks(in_blocks)?),
            ("bias", self.bias_in_blocks()?),
            ("low", tensor0(self.limits[0])),
            ("high", tensor0(self.limits[1])),
        ];
        let operation: Box<dyn TypedOp> = match self.is_depthwise() {
            true => Box::new(DepthwiseBlocks { geometry: self.geometry }),
            false => Box::new(DenseBlocks { channels: inputs, geometry: self.geometry }),
        };
        put_behind(model, self.last, |model, patch| {
            let node = model.node(self.id);
            let name = &node.name;
            let mut wired = tvec![patch.tap_model(model, node.inputs[0])?];
            if in_blocks {
                wired = patch.wire_node(format!("{name}.blocks"), ToBlocks, &wired)?;
            }
            for (what, tensor) in constants {
                wired.push(patch.add_const(format!("{name}.blocks.{what}"), tensor)?);
            }
            let blocks = patch.wire_node(name, operation, &wired)?;
            let planes = ToPlanes { channels: outputs };
            Ok(patch.wire_node(format!("{name}.planes"), planes, &blocks)?[0])
        })
    }

    /// `[blocks of the output, weights of a channel, 16]`, those of a channel in the order in which they are used.
    fn weights_in_blocks(&self, in_blocks: bool) -> TractResult<Tensor> {
        let [inputs, outputs] = self.channels;
        let weights = floats(&self.weights)?;
        let each = weights.len() / outputs;
        // With blocks, the channels of a block are innermost.
        let taps = self.geometry.taps();
        let order: Vec<usize> = match in_blocks && !self.is_depthwise() {
            true => (0..inputs)
                .step_by(LANES)
                .flat_map(|first| (0..taps).map(move |tap| (first, tap)))
                .flat_map(|(first, tap)| {
                    (first..inputs.min(first + LANES)).map(move |channel| channel * taps + tap)
                })
                .collect(),
            false => (0..each).collect(),
        };
        let blocks = outputs.div_ceil(LANES);
        let mut packed = vec![0.0; blocks * each * LANES];
        for (output, weights) in weights.chunks_exact(each).enumerate() {
            let block = &mut packed[output / LANES * each * LANES..];
            for (to, from) in block.chunks_exact_mut(LANES).zip(&order) {
                to[output % LANES] = weights[*from];
            }
        }
        Tensor::from_shape(&[blocks, each, LANES], &packed)
    }

    /// `[blocks of the output, 16]`.
    fn bias_in_blocks(&self) -> TractResult<Tensor> {
        let outputs = self.channels[1];
        let mut bias = floats(&self.bias)?.to_vec();
        if bias.len() == 1 {
            bias = bias.repeat(outputs);
        }
        let blocks = outputs.div_ceil(LANES);
        bias.resize(blocks * LANES, 0.0);
        Tensor::from_shape(&[blocks, LANES], &bias)
    }
}

/// The limits that the nodes behind a convolution put to its results, first a lower and then an upper one, as
/// activations have them, and the last of these nodes. Limits are none where nothing limits.
fn activation(model: &TypedModel, convolution: usize) -> TractResult<(usize, [f32; 2])> {
    let (mut last, mut limits) = (convolution, [f32::NEG_INFINITY, f32::INFINITY]);
    for (side, limit) in limits.iter_mut().enumerate() {
        // Nobody else may see what is not limited yet.
        let [next] = *model.node(last).outputs[0].successors else { break };
        if model.output_outlets()?.contains(&last.into()) {
            break;
        }
        let node = model.node(next.node);
        let Some(TypedBinOp(operation, _)) = node.op_as() else { break };
        let is_it = if side == 0 { operation.is::<Max>() } else { operation.is::<Min>() };
        let fact = model.outlet_fact(node.inputs[1 - next.slot])?;
        let value = fact.konst.as_ref().filter(|_| is_it).and_then(|it| it.as_uniform());
        let has_shape = node.outputs[0].fact.shape == model.node(last).outputs[0].fact.shape;
        if let Some(value) = value.filter(|it| it.datum_type() == f32::datum_type() && has_shape) {
            *limit = floats(&value)?[0];
            last = next.node;
        }
    }
    Ok((last, limits))
}
