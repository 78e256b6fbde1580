//! The operations of dense heads as ONNX operations.

use super::operations::{int, ints, text};
use super::write::Writer;
use crate::Node;

impl Writer<'_> {
    /// Of each output pixel the input pixel floor(at · input / output).
    pub(super) fn nearest(
        &mut self,
        node: &Node,
        inputs: Vec<String>,
        [rows, columns]: [usize; 2],
    ) -> String {
        let [_, from_rows, from_columns] = *self.graph.shape(node.inputs[0]) else {
            unreachable!("the builder checked that it is an image")
        };
        let scale = |to: usize, from: usize| {
            let scale = to as f32 / from as f32;
            // Engines take the whole part of the product, in 64 bits too, where rounding may have left it
            // a pixel short.
            let reached = (from as f64 * f64::from(scale)) as usize;
            if reached < to { scale.next_up() } else { scale }
        };
        let scales = crate::Tensor {
            shape: vec![4],
            values: vec![1.0, 1.0, scale(rows, from_rows), scale(columns, from_columns)],
        };
        let scales = self.initializer(&format!("{}.scales", node.name), &scales);
        let attributes = vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ];
        let inputs = vec![inputs[0].clone(), String::new(), scales];
        self.push("Resize", node, inputs, attributes)
    }

    /// log(mean(exp(s · x))) / s, of x less its maximum, so that nothing overflows.
    pub(super) fn log_mean_exp(
        &mut self,
        node: &Node,
        inputs: Vec<String>,
        sharpness: f64,
    ) -> String {
        let label = |part: &str| format!("{}.{part}", node.name);
        let flat = self.numbers(&[0, 0, -1]);
        let flat = vec![inputs[0].clone(), flat];
        let flat = self.push_as("Reshape", label("flat"), flat, Vec::new());
        let over = vec![ints("axes", &[2]), int("keepdims", 1)];
        let maximum = self.push_as("ReduceMax", label("maximum"), vec![flat.clone()], over.clone());
        let below = vec![flat, maximum.clone()];
        let below = self.push_as("Sub", label("below"), below, Vec::new());
        let factor = self.scalar(&label("sharpness"), sharpness as f32);
        let scaled = self.push_as("Mul", label("scaled"), vec![below, factor.clone()], Vec::new());
        let powers = self.push_as("Exp", label("exp"), vec![scaled], Vec::new());
        let mean = self.push_as("ReduceMean", label("mean"), vec![powers], over);
        let log = self.push_as("Log", label("log"), vec![mean], Vec::new());
        let log = self.push_as("Div", label("unscaled"), vec![log, factor], Vec::new());
        let sum = self.push_as("Add", label("above"), vec![log, maximum], Vec::new());
        self.push("Flatten", node, vec![sum], vec![int("axis", 1)])
    }
}
