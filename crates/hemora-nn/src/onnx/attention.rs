//! Attention among slices as ONNX operations.

use super::operations::int;
use super::sequence::{KEPT, REST};
use super::write::Writer;
use crate::{Attention, Node, Tensor};

impl Writer<'_> {
    pub(super) fn attention(
        &mut self,
        node: &Node,
        attention: Attention,
        inputs: &[String],
    ) -> String {
        let label = |part: &str| format!("{}.{part}", node.name);
        let channels = self.graph.shape(node.inputs[0])[0];
        let (heads, each) = (attention.heads as i64, channels / attention.heads);
        let divided = [KEPT, heads, each as i64, REST];
        let [queries, keys, values, positions] = inputs else {
            unreachable!("the builder gives attention four inputs")
        };
        // [N, channels, slices, 1] to [N, heads, channels of each, slices].
        let [queries, keys, values] = [("queries", queries), ("keys", keys), ("values", values)]
            .map(|(name, value)| {
                self.reshaped(label(&format!("{name}.heads")), value.clone(), &divided)
            });
        let queries = self.transposed(label("queries.slices"), queries, &[0, 1, 3, 2]);
        let products = self.plain("MatMul", label("products"), [queries, keys]);
        let scale = Tensor { shape: Vec::new(), values: vec![1.0 / (each as f32).sqrt()] };
        let scale = self.initializer(&label("scale"), &scale);
        let scores = self.plain("Mul", label("scores"), [products, scale]);
        let distance = self.distance(node, positions);
        let scores = self.plain("Add", label("with_distance"), [scores, distance]);
        let weights = vec![int("axis", -1)];
        let weights = self.push_as("Softmax", label("weights"), vec![scores], weights);
        let values = self.transposed(label("values.slices"), values, &[0, 1, 3, 2]);
        let mixed = self.plain("MatMul", label("mixed"), [weights, values]);
        let mixed = self.transposed(label("channels"), mixed, &[0, 1, 3, 2]);
        self.reshaped(node.name.clone(), mixed, &[KEPT, channels as i64, REST, 1])
    }

    /// What each head has learned of the distance between two slices, `[N, heads, slices, slices]`.
    fn distance(&mut self, node: &Node, positions: &str) -> String {
        let label = |part: &str| format!("{}.distance.{part}", node.name);
        let turned = self.transposed(label("turned"), positions.to_owned(), &[0, 1, 3, 2]);
        let apart = self.plain("Sub", label("apart"), [positions.to_owned(), turned]);
        let axis = self.numbers(&[4]);
        let apart = self.plain("Unsqueeze", label("each"), [apart, axis]);
        let column = |part: usize| Tensor {
            shape: vec![Attention::BELLS],
            values: Attention::bells().map(|bell| bell[part]).to_vec(),
        };
        let middles = self.initializer("attention.middles", &column(0));
        let widths = self.initializer("attention.widths", &column(1));
        let off = self.plain("Sub", label("off"), [apart, middles]);
        let off = self.plain("Div", label("off.widths"), [off, widths]);
        let squares = self.plain("Mul", label("squares"), [off.clone(), off]);
        let negative = self.plain("Neg", label("negative"), [squares]);
        let bells = self.plain("Exp", label("bells"), [negative]);
        // [heads, bells] to [bells, heads].
        let tensor = self.tensor(node, "distance");
        let heads = tensor.shape[0];
        let values = (0..Attention::BELLS)
            .flat_map(|bell| (0..heads).map(move |head| head * Attention::BELLS + bell))
            .map(|index| tensor.values[index])
            .collect();
        let weights = Tensor { shape: vec![Attention::BELLS, heads], values };
        let weights = self.initializer(&label("weights"), &weights);
        let sums = self.plain("MatMul", label("sums"), [bells, weights]);
        // [N, 1, slices, slices, heads] to [N, heads, slices, slices].
        let heads = self.transposed(label("heads"), sums, &[0, 4, 2, 3, 1]);
        let axis = self.numbers(&[4]);
        self.plain("Squeeze", label("all"), [heads, axis])
    }

    /// An operation without attributes.
    fn plain<const N: usize>(&mut self, op: &str, name: String, inputs: [String; N]) -> String {
        self.push_as(op, name, inputs.to_vec(), Vec::new())
    }
}
