//! Builds graphs layer by layer, checking shapes on the way.

use std::collections::HashSet;

use crate::shape::infer;
use crate::{
    BatchNorm, Conv, DenseHead, Graph, GraphError, Init, Linear, MaxPool, Node, NodeId, Op,
};

/// Builds a [`Graph`]. Each method adds a layer behind the given one and returns its id; the layer
/// added last is the network's output.
#[derive(Debug)]
pub struct GraphBuilder {
    graph: Graph,
    names: HashSet<String>,
}

impl GraphBuilder {
    /// A network with one input image `[channels, rows, columns]`.
    ///
    /// # Errors
    /// [`GraphError`] if a dimension is 0.
    pub fn new(name: &str, shape: [usize; 3]) -> Result<(Self, NodeId), GraphError> {
        let graph = Graph {
            name: name.to_owned(),
            nodes: Vec::new(),
            shapes: Vec::new(),
            features: None,
            dense: None,
        };
        let mut builder = Self { graph, names: HashSet::new() };
        let input = builder.add("input", Op::Input { shape }, &[])?;
        Ok((builder, input))
    }

    /// Adds any operation.
    ///
    /// # Errors
    /// [`GraphError`] if the name is taken or the shapes do not fit.
    pub fn add(&mut self, name: &str, op: Op, inputs: &[NodeId]) -> Result<NodeId, GraphError> {
        let error = |problem| GraphError { layer: name.to_owned(), problem };
        let shapes: Vec<&[usize]> = inputs.iter().map(|&id| self.graph.shape(id)).collect();
        let shape = infer(&op, &shapes).map_err(error)?;
        if !self.names.insert(name.to_owned()) {
            return Err(error("name is used twice".to_owned()));
        }
        self.graph.nodes.push(Node { name: name.to_owned(), op, inputs: inputs.to_vec() });
        self.graph.shapes.push(shape);
        Ok(NodeId(self.graph.nodes.len() - 1))
    }

    /// Adds a convolution.
    ///
    /// # Errors
    /// As [`GraphBuilder::add`].
    pub fn conv(&mut self, name: &str, from: NodeId, conv: Conv) -> Result<NodeId, GraphError> {
        self.add(name, Op::Conv(conv), &[from])
    }

    /// Adds a batch normalisation.
    ///
    /// # Errors
    /// As [`GraphBuilder::add`].
    pub fn batch_norm(
        &mut self,
        name: &str,
        from: NodeId,
        norm: BatchNorm,
    ) -> Result<NodeId, GraphError> {
        self.add(name, Op::BatchNorm(norm), &[from])
    }

    /// Adds max(x, 0) behind a layer.
    ///
    /// # Errors
    /// As [`GraphBuilder::add`].
    pub fn relu(&mut self, from: NodeId) -> Result<NodeId, GraphError> {
        let name = format!("{}.relu", self.graph.node(from).name);
        self.add(&name, Op::Relu, &[from])
    }

    /// Adds min(max(x, 0), 6) behind a layer.
    ///
    /// # Errors
    /// As [`GraphBuilder::add`].
    pub fn relu6(&mut self, from: NodeId) -> Result<NodeId, GraphError> {
        let name = format!("{}.relu6", self.graph.node(from).name);
        self.add(&name, Op::Relu6, &[from])
    }

    /// Adds the product with Φ(x) behind a layer.
    ///
    /// # Errors
    /// As [`GraphBuilder::add`].
    pub fn gelu(&mut self, from: NodeId) -> Result<NodeId, GraphError> {
        let name = format!("{}.gelu", self.graph.node(from).name);
        self.add(&name, Op::Gelu, &[from])
    }

    /// Adds a maximum pooling.
    ///
    /// # Errors
    /// As [`GraphBuilder::add`].
    pub fn max_pool(
        &mut self,
        name: &str,
        from: NodeId,
        pool: MaxPool,
    ) -> Result<NodeId, GraphError> {
        self.add(name, Op::MaxPool(pool), &[from])
    }

    /// Adds a fully connected layer.
    ///
    /// # Errors
    /// As [`GraphBuilder::add`].
    pub fn linear(
        &mut self,
        name: &str,
        from: NodeId,
        units: usize,
        init: Init,
    ) -> Result<NodeId, GraphError> {
        self.add(name, Op::Linear(Linear { units, init }), &[from])
    }

    /// Shape of a layer's output without the batch dimension.
    pub fn shape(&self, node: NodeId) -> &[usize] {
        self.graph.shape(node)
    }

    /// Marks the last feature map, the one that activation maps are computed on.
    pub fn mark_features(&mut self, node: NodeId) {
        self.graph.features = Some(node);
    }

    /// Marks the nodes that say where labels are.
    pub fn mark_dense(&mut self, dense: DenseHead) {
        self.graph.dense = Some(dense);
    }

    /// Channels (or units) of a layer's output.
    pub fn channels(&self, node: NodeId) -> usize {
        self.graph.shape(node)[0]
    }

    /// The finished graph.
    pub fn finish(self) -> Graph {
        self.graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Padding;

    #[test]
    fn layers_that_do_not_fit_are_named() {
        let (mut builder, input) = GraphBuilder::new("test", [3, 8, 8]).unwrap();
        let conv = Conv {
            channels: 4,
            kernel: 9,
            stride: 1,
            padding: Padding::Valid,
            groups: 1,
            bias: true,
            init: Init::HeNormal,
        };
        let error = builder.conv("stem", input, conv).unwrap_err();
        assert_eq!(error.to_string(), "layer `stem`: a kernel of 9 does not fit into 8 pixels");
        let error = builder.linear("head", input, 2, Init::GlorotUniform).unwrap_err();
        assert!(error.to_string().contains("flatten or pool first"), "{error}");
        builder.conv("stem", input, Conv { kernel: 3, ..conv }).unwrap();
        let error = builder.conv("stem", input, Conv { kernel: 3, ..conv }).unwrap_err();
        assert!(error.to_string().contains("used twice"), "{error}");
        let error = builder.conv("odd", input, Conv { kernel: 3, groups: 2, ..conv }).unwrap_err();
        assert!(error.to_string().contains("2 groups do not divide 3"), "{error}");
        assert!(GraphBuilder::new("empty", [3, 0, 8]).is_err());
    }
}
