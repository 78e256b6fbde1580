//! The graph type: operations, nodes and the graph that holds them.

use crate::{Attention, Gru, SliceConv};

/// Index of a node in its graph. Inputs of a node always come before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) usize);

impl NodeId {
    /// Position of the node in [`Graph::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// How a convolution or pooling treats the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// No padding.
    Valid,
    /// TensorFlow's: the output is ceil(input / stride), the odd pixel goes to the bottom right.
    Same,
    /// The same number of pixels on all four sides.
    All(usize),
    /// At the bottom right, what the last window lacks: every pixel is in a window.
    Ceil,
}

/// How fresh weights are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// Uniform in ±sqrt(6 / (fan in + fan out)), Keras' default.
    GlorotUniform,
    /// Normal with variance 2 / fan in, cut off at two deviations, as Keras draws it.
    HeNormal,
    /// Normal with variance 2 / fan out, as timm starts EfficientNets and ResNets.
    HeNormalFanOut,
    /// Normal with standard deviation .02, as timm starts ConvNeXts.
    SmallNormal,
    /// Uniform in ±1 / sqrt(fan in), PyTorch's default.
    TorchUniform,
    /// Uniform in ±1 / sqrt(units), PyTorch's default of recurrent layers.
    Recurrent,
    /// Normal with standard deviation .01, and biases at [`Init::RARE`]: for what most pixels are not
    /// (Lin et al. 2017, "Focal Loss for Dense Object Detection").
    Rare,
}

impl Init {
    /// Biases of [`Init::Rare`] at the start: log odds of about 2 %.
    pub const RARE: f32 = -4.0;
}

/// A two-dimensional convolution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv {
    /// Output channels.
    pub channels: usize,
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
    /// Border.
    pub padding: Padding,
    /// Groups; equal to the channels for a depth-wise convolution.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
    /// How fresh weights are drawn; biases start at 0.
    pub init: Init,
}

/// Which variance a batch norm keeps for inference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunningVariance {
    /// The batch variance divided by n, as Keras.
    Biased,
    /// Divided by n − 1, as PyTorch.
    Unbiased,
}

/// Batch normalisation over channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Weight of the newest batch in the running statistics (PyTorch's convention: Keras'
    /// momentum .99 is .01 here).
    pub momentum: f64,
    /// Which variance is kept.
    pub running_variance: RunningVariance,
}

/// Maximum pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxPool {
    /// Height and width of the window.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
    /// Border; padded pixels never win.
    pub padding: Padding,
}

/// Average pooling without a border; pixels that fill no window are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AveragePool {
    /// Height and width of the window.
    pub kernel: usize,
    /// Step in both directions.
    pub stride: usize,
}

/// A fully connected layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linear {
    /// Output units.
    pub units: usize,
    /// How fresh weights are drawn; biases start at 0.
    pub init: Init,
}

/// One operation. Shapes are without the batch dimension.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Op {
    /// The image, `[channels, rows, columns]`, or the sequence, `[columns, 0, 1]`.
    Input {
        /// Shape of the image; 0 rows for a sequence, whose slices are not counted yet.
        shape: [usize; 3],
    },
    /// Convolution.
    Conv(Conv),
    /// Batch normalisation.
    BatchNorm(BatchNorm),
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// x times the normal distribution's Φ(x), exactly.
    Gelu,
    /// Maximum pooling.
    MaxPool(MaxPool),
    /// Average pooling.
    AveragePool(AveragePool),
    /// Mean over rows and columns: `[channels, rows, columns]` to `[channels]`.
    GlobalAveragePool,
    /// Mean over rows and columns that stays an image: `[channels, rows, columns]` to
    /// `[channels, 1, 1]`.
    SpatialMean,
    /// Layer normalisation over the channels of each pixel, or of a vector.
    LayerNorm {
        /// Added to the variance.
        eps: f64,
    },
    /// Each channel of an image times its weight (`gamma`), which starts at 1e-6.
    LayerScale,
    /// `[channels, rows, columns]` to one vector, channel by channel.
    Flatten,
    /// Fully connected layer, on a vector or on each slice of a sequence of one column.
    Linear(Linear),
    /// Convolution over the slices of a sequence.
    SliceConv(SliceConv),
    /// Recurrent layers over the slices of a sequence, both ways.
    Gru(Gru),
    /// Attention among the slices of a sequence: queries, keys, values, positions.
    Attention(Attention),
    /// Some of the channels of a sequence.
    Channels {
        /// The first of them, from 0.
        first: usize,
        /// Their number.
        count: usize,
    },
    /// A slice's values, channel by channel, in another number of columns: of `[channels, slices,
    /// width]` value `c · width + w` becomes channel `(c · width + w) / columns`.
    Columns {
        /// Columns of the output.
        columns: usize,
    },
    /// An image in another size: of each pixel the value where it comes from, floor(row · rows of the
    /// input / rows).
    Nearest {
        /// Rows of the output.
        rows: usize,
        /// Columns of the output.
        columns: usize,
    },
    /// A smooth maximum over rows and columns, log(mean(exp(s · x))) / s: `[channels, rows, columns]`
    /// to `[channels]`.
    LogMeanExp {
        /// s, above 0: at 0 it is the mean, and the higher, the nearer the maximum.
        sharpness: f64,
    },
    /// Sum of two inputs of one shape.
    Add,
    /// Mean of two inputs of one shape.
    Mean,
    /// Product of two inputs of one shape, or of an image and a factor `[channels, 1, 1]`.
    Multiply,
    /// The inputs' channels one after the other; all else must be the same.
    Concat,
    /// Zeroes values with this probability while training; nothing at inference.
    Dropout {
        /// Probability of a value being zeroed.
        probability: f64,
    },
    /// Zeroes whole channels, the same on all slices, with this probability while training.
    ChannelDropout {
        /// Probability of a channel being zeroed.
        probability: f64,
    },
    /// Logistic function of each value.
    Sigmoid,
    /// Softmax over the units.
    Softmax,
}

/// A named operation and its inputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique name; parameters are named after it.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// The nodes that feed it, all earlier in the graph.
    pub inputs: Vec<NodeId>,
}

/// The nodes of a network that says of each part of the image which labels are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DenseHead {
    /// Log odds of each label in each part of the image, `[labels, rows, columns]`.
    pub maps: NodeId,
    /// Log odds `[labels]` of the image, of its maps.
    pub of_maps: NodeId,
    /// Log odds `[labels]` of the image, of its pooled features. The network's own are the mean of
    /// both.
    pub of_features: NodeId,
}

/// A network: nodes in an order in which each one's inputs come first, made by
/// [`GraphBuilder`](crate::GraphBuilder), which checks shapes as it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    pub(crate) name: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) shapes: Vec<Vec<usize>>,
    pub(crate) features: Option<NodeId>,
    pub(crate) dense: Option<DenseHead>,
}

impl Graph {
    /// Name of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The nodes in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node behind an id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Shape of a node's output without the batch dimension.
    pub fn shape(&self, id: NodeId) -> &[usize] {
        &self.shapes[id.0]
    }

    /// Ids and nodes in order.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeId(index), node))
    }

    /// The node whose output is the network's.
    pub fn output(&self) -> NodeId {
        NodeId(self.nodes.len() - 1)
    }

    /// The node whose values its last linear layer reads, without dropout: of a network of images the
    /// pooled features.
    pub fn pooled(&self) -> NodeId {
        let from = self.node(self.classifier()).inputs[0];
        match self.node(from).op {
            Op::Dropout { .. } => self.node(from).inputs[0],
            _ => from,
        }
    }

    /// The last linear layer, which gives the logits, or of a network with a dense head part of them.
    pub fn classifier(&self) -> NodeId {
        self.dense.map_or_else(|| self.logits(), |dense| dense.of_features)
    }

    /// The nodes that say where labels are, if the network has a dense head.
    pub fn dense(&self) -> Option<DenseHead> {
        self.dense
    }

    /// Whether a node is the last layer or part of a dense head, which weights of another task lack.
    pub fn is_of_head(&self, id: NodeId) -> bool {
        id == self.classifier()
            || self.dense.is_some() && self.node(id).name.starts_with(crate::networks::DENSE)
    }

    /// The same network with `prefix` before the name of each node, so that its parameters can stand
    /// beside another network's.
    pub fn prefixed(mut self, prefix: &str) -> Self {
        self.nodes.iter_mut().for_each(|node| node.name.insert_str(0, prefix));
        self
    }

    /// The last feature map before pooling, if the network has one.
    pub fn features(&self) -> Option<NodeId> {
        self.features
    }

    /// Whether the network reads sequences `[N, slices, columns]` and not images.
    pub fn reads_sequences(&self) -> bool {
        self.input_shape()[1] == crate::sequence::SLICES
    }

    /// Shape of the input image, `[channels, rows, columns]`; of a sequence `[columns, 0, 1]`.
    pub fn input_shape(&self) -> [usize; 3] {
        match self.nodes[0].op {
            Op::Input { shape } => shape,
            _ => unreachable!("the builder puts the input first"),
        }
    }

    /// The node before a final sigmoid or softmax, on which losses are computed stably; the output
    /// itself if there is none.
    pub fn logits(&self) -> NodeId {
        let output = self.node(self.output());
        match output.op {
            Op::Sigmoid | Op::Softmax => output.inputs[0],
            _ => self.output(),
        }
    }
}
