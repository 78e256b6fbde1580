//! The parameters of a graph: names, shapes, roles.

use crate::{Attention, Graph, Init, NodeId, Op};

/// What a parameter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Weights, trained; drawn from the initialiser at the start.
    Weight(Init),
    /// Biases and offsets of norms, trained; 0 at the start.
    Bias,
    /// Biases of what is rare, trained; [`Init::RARE`] at the start.
    RareBias,
    /// Scales of norms, trained; 1 at the start.
    Scale,
    /// Weights of a layer scale, trained; 1e-6 at the start.
    LayerScale,
    /// What attention knows of distances, trained; [`Attention::start`] at the start.
    Distance,
    /// Running mean of a batch norm, not trained; 0 at the start.
    RunningMean,
    /// Running variance of a batch norm, not trained; 1 at the start.
    RunningVariance,
}

impl Role {
    /// Whether the optimizer changes it.
    pub fn is_trainable(self) -> bool {
        !matches!(self, Role::RunningMean | Role::RunningVariance)
    }
}

/// One parameter tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Node's name, a dot, and `weight`, `bias`, `gamma`, `running_mean` or `running_var`, of
    /// attention `distance`, or of a recurrent layer PyTorch's names, such as
    /// `weight_ih_l0_reverse`.
    pub name: String,
    /// PyTorch's layout: convolutions `[out, in / groups, rows, columns]` or over slices
    /// `[out, in, slices]`, linear `[out, in]`.
    pub shape: Vec<usize>,
    /// What it is for.
    pub role: Role,
}

impl Parameter {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Values that feed one output and outputs that one input feeds.
    pub fn fans(&self) -> (usize, usize) {
        let field: usize = self.shape.iter().skip(2).product();
        (self.shape.get(1).map_or(1, |inputs| inputs * field), self.shape[0] * field)
    }
}

/// Makes a node's parameter of its suffix, shape and role.
pub(crate) type ParameterOf<'a> = dyn Fn(&str, Vec<usize>, Role) -> Parameter + 'a;

impl Graph {
    /// The parameters of one node.
    pub fn node_parameters(&self, id: NodeId) -> Vec<Parameter> {
        let node = self.node(id);
        let parameter = |suffix: &str, shape: Vec<usize>, role| Parameter {
            name: format!("{}.{suffix}", node.name),
            shape,
            role,
        };
        match node.op {
            Op::Conv(conv) => {
                let inputs = self.shape(node.inputs[0])[0];
                let shape = vec![conv.channels, inputs / conv.groups, conv.kernel, conv.kernel];
                let mut parameters = vec![parameter("weight", shape, Role::Weight(conv.init))];
                if conv.bias {
                    let role = if conv.init == Init::Rare { Role::RareBias } else { Role::Bias };
                    parameters.push(parameter("bias", vec![conv.channels], role));
                }
                parameters
            }
            Op::SliceConv(conv) => {
                let inputs = self.shape(node.inputs[0])[0];
                let shape = vec![conv.channels, inputs, conv.kernel];
                let mut parameters = vec![parameter("weight", shape, Role::Weight(conv.init))];
                if conv.bias {
                    parameters.push(parameter("bias", vec![conv.channels], Role::Bias));
                }
                parameters
            }
            Op::Gru(gru) => {
                let input = self.shape(node.inputs[0]);
                gru.parameters(input[0] * input[2], &parameter)
            }
            Op::Attention(attention) => {
                let shape = vec![attention.heads, Attention::BELLS];
                vec![parameter("distance", shape, Role::Distance)]
            }
            Op::Linear(linear) => {
                let inputs = self.shape(node.inputs[0])[0];
                vec![
                    parameter("weight", vec![linear.units, inputs], Role::Weight(linear.init)),
                    parameter("bias", vec![linear.units], Role::Bias),
                ]
            }
            Op::BatchNorm(_) => {
                let shape = vec![self.shape(id)[0]];
                vec![
                    parameter("weight", shape.clone(), Role::Scale),
                    parameter("bias", shape.clone(), Role::Bias),
                    parameter("running_mean", shape.clone(), Role::RunningMean),
                    parameter("running_var", shape, Role::RunningVariance),
                ]
            }
            Op::LayerNorm { .. } => {
                let shape = vec![self.shape(id)[0]];
                vec![
                    parameter("weight", shape.clone(), Role::Scale),
                    parameter("bias", shape, Role::Bias),
                ]
            }
            Op::LayerScale => vec![parameter("gamma", vec![self.shape(id)[0]], Role::LayerScale)],
            _ => Vec::new(),
        }
    }

    /// All parameters in the order of their nodes.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.iter().flat_map(|(id, _)| self.node_parameters(id)).collect()
    }

    /// Number of values that training changes.
    pub fn trainable_parameters(&self) -> usize {
        self.count(true)
    }

    /// Number of running statistics.
    pub fn other_parameters(&self) -> usize {
        self.count(false)
    }

    fn count(&self, trainable: bool) -> usize {
        self.parameters()
            .iter()
            .filter(|parameter| parameter.role.is_trainable() == trainable)
            .map(Parameter::len)
            .sum()
    }
}
