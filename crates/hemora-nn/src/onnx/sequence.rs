//! Operations on sequences as ONNX operations.
//!
//! The model takes `[N, slices, columns]`; within it a sequence is an image `[N, channels, slices,
//! columns]`, so that all that works on images works on it.

use super::operations::{int, ints, text};
use super::write::{INPUT, Writer};
use crate::{Gru, Node, NodeId, SliceConv, Tensor};

/// A dimension of the input that a reshaping keeps.
pub(super) const KEPT: i64 = 0;
/// The dimension that a reshaping works out.
pub(super) const REST: i64 = -1;

/// Where the blocks of PyTorch's gates (reset, update, new) stand in ONNX' order (update, reset,
/// hidden).
const GATES: [usize; 3] = [1, 0, 2];

impl Writer<'_> {
    /// The slices' columns become channels of an image of one column.
    pub(super) fn sequence_input(&mut self) -> String {
        let name = |part: &str| format!("{INPUT}.{part}");
        let channels = self.transposed(name("channels"), INPUT.to_owned(), &[0, 2, 1]);
        let axes = self.numbers(&[3]);
        self.push_as("Unsqueeze", name("sequence"), vec![channels, axes], Vec::new())
    }

    /// The channels and columns of the output become columns of slices.
    pub(super) fn sequence_output(&mut self, id: NodeId) -> String {
        let shape = self.graph.shape(id);
        let units = (shape[0] * shape[2]) as i64;
        let name = |part: &str| format!("output.{part}");
        let value = self.values[id.index()].clone();
        let slices = self.transposed(name("slices"), value, &[0, 2, 1, 3]);
        self.reshaped(name("units"), slices, &[KEPT, KEPT, units])
    }

    /// A convolution of an image with a kernel of one column.
    pub(super) fn slice_conv(
        &mut self,
        node: &Node,
        conv: SliceConv,
        inputs: Vec<String>,
        mut weight: Tensor,
        bias: Tensor,
    ) -> String {
        weight.shape.push(1);
        let weight = self.initializer(&format!("{}.weight", node.name), &weight);
        let bias = self.initializer(&format!("{}.bias", node.name), &bias);
        let padding = conv.padding();
        let attributes = vec![
            ints("kernel_shape", &[conv.kernel, 1]),
            ints("dilations", &[conv.dilation, 1]),
            ints("pads", &[padding, 0, padding, 0]),
        ];
        self.push("Conv", node, [inputs, vec![weight, bias]].concat(), attributes)
    }

    /// A fully connected layer on each slice.
    pub(super) fn slice_linear(&mut self, node: &Node, inputs: Vec<String>) -> String {
        let mut weight = self.tensor(node, "weight").clone();
        weight.shape.extend([1, 1]);
        let weight = self.initializer(&format!("{}.weight", node.name), &weight);
        let bias = self.parameter(node, "bias");
        self.push("Conv", node, [inputs, vec![weight, bias]].concat(), Vec::new())
    }

    /// The values of each slice in other columns.
    pub(super) fn columns(&mut self, node: &Node, columns: usize, inputs: Vec<String>) -> String {
        let shape = self.graph.shape(node.inputs[0]);
        let channels = (shape[0] * shape[2] / columns) as i64;
        let label = |part: &str| format!("{}.{part}", node.name);
        let input = inputs.into_iter().next().unwrap_or_default();
        let slices = self.transposed(label("slices"), input, &[0, 2, 1, 3]);
        let shape = [KEPT, KEPT, channels, columns as i64];
        let shaped = self.reshaped(label("shaped"), slices, &shape);
        self.transposed(node.name.clone(), shaped, &[0, 2, 1, 3])
    }

    /// Layer by layer; between them `[slices, N, values]`, as the operator takes it.
    pub(super) fn gru(&mut self, node: &Node, gru: Gru, inputs: Vec<String>) -> String {
        let shape = self.graph.shape(node.inputs[0]);
        let values = (shape[0] * shape[2]) as i64;
        let both = 2 * gru.hidden as i64;
        let label = |part: &str| format!("{}.{part}", node.name);
        let input = inputs.into_iter().next().unwrap_or_default();
        let slices = self.transposed(label("slices"), input, &[2, 0, 1, 3]);
        let mut last = self.reshaped(label("vectors"), slices, &[KEPT, KEPT, values]);
        for layer in 0..gru.layers {
            let name = |part: &str| format!("{}.l{layer}.{part}", node.name);
            if layer > 0 {
                let pairs = self.transposed(name("pairs"), last, &[0, 2, 1, 3]);
                last = self.reshaped(name("input"), pairs, &[KEPT, KEPT, both]);
            }
            let weights = ["weight_ih", "weight_hh"].map(|kind| {
                let tensor = self.both_ways(node, &[kind], layer);
                self.initializer(&name(kind), &tensor)
            });
            let biases = self.both_ways(node, &["bias_ih", "bias_hh"], layer);
            let biases = self.initializer(&name("biases"), &biases);
            let attributes = vec![
                int("hidden_size", gru.hidden as i64),
                int("linear_before_reset", 1),
                text("direction", "bidirectional"),
            ];
            let [weight_ih, weight_hh] = weights;
            let inputs = vec![last, weight_ih, weight_hh, biases];
            last = self.push_as("GRU", name("both"), inputs, attributes);
        }
        // [slices, 2, N, hidden] to [N, 2 · hidden, slices, 1].
        let channels = self.transposed(label("channels"), last, &[2, 1, 3, 0]);
        self.reshaped(node.name.clone(), channels, &[KEPT, both, REST, 1])
    }

    /// A layer's parameters of some kinds, one after the other, forward and reverse, with the gates
    /// in ONNX' order.
    fn both_ways(&self, node: &Node, kinds: &[&str], layer: usize) -> Tensor {
        let mut all = Tensor { shape: Vec::new(), values: Vec::new() };
        for suffix in Gru::suffixes(layer) {
            for kind in kinds {
                let tensor = self.tensor(node, &format!("{kind}_{suffix}"));
                let block = tensor.values.len() / GATES.len();
                for gate in GATES {
                    all.values.extend_from_slice(&tensor.values[gate * block..][..block]);
                }
                all.shape = tensor.shape.clone();
            }
        }
        all.shape[0] *= kinds.len();
        all.shape.insert(0, 2);
        all
    }

    pub(super) fn channels(
        &mut self,
        node: &Node,
        first: usize,
        count: usize,
        mut inputs: Vec<String>,
    ) -> String {
        // From, to, and of which dimension.
        for number in [first, first + count, 1] {
            inputs.push(self.numbers(&[number as i64]));
        }
        self.push("Slice", node, inputs, Vec::new())
    }

    pub(super) fn transposed(&mut self, name: String, input: String, order: &[usize]) -> String {
        self.push_as("Transpose", name, vec![input], vec![ints("perm", order)])
    }

    pub(super) fn reshaped(&mut self, name: String, input: String, shape: &[i64]) -> String {
        let shape = self.numbers(shape);
        self.push_as("Reshape", name, vec![input, shape], Vec::new())
    }
}
