//! The layer table of a network.

use std::fmt;

use serde::Serialize;

use crate::sequence::SLICES;
use crate::{Graph, NodeId, Op, Padding};

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSummary {
    /// Name of the layer.
    pub name: String,
    /// What it does, in a few words.
    pub operation: String,
    /// Output shape without the batch dimension; the slices of a sequence are 0.
    pub shape: Vec<usize>,
    /// Trainable values.
    pub trainable: usize,
    /// Running statistics.
    pub other: usize,
    /// Multiply-additions for one image, or one slice of a sequence.
    pub multiply_adds: u64,
}

/// Layers, parameter counts and multiply-additions of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Name of the network.
    pub network: String,
    /// The layers in order.
    pub layers: Vec<LayerSummary>,
    /// Trainable values in all.
    pub trainable: usize,
    /// Running statistics in all.
    pub other: usize,
    /// Multiply-additions for one image, or one slice of a sequence (convolutions, linear and
    /// recurrent layers).
    pub multiply_adds: u64,
}

impl Summary {
    /// Counts a graph.
    pub fn new(graph: &Graph) -> Self {
        let layers: Vec<LayerSummary> = graph.iter().map(|(id, _)| layer(graph, id)).collect();
        Self {
            network: graph.name().to_owned(),
            trainable: layers.iter().map(|layer| layer.trainable).sum(),
            other: layers.iter().map(|layer| layer.other).sum(),
            multiply_adds: layers.iter().map(|layer| layer.multiply_adds).sum(),
            layers,
        }
    }
}

fn layer(graph: &Graph, id: NodeId) -> LayerSummary {
    let node = graph.node(id);
    let parameters = graph.node_parameters(id);
    let count = |trainable: bool| {
        parameters
            .iter()
            .filter(|parameter| parameter.role.is_trainable() == trainable)
            .map(|parameter| parameter.len())
            .sum()
    };
    let weight = parameters.first().map_or(0, |parameter| parameter.len() as u64);
    let multiply_adds = match node.op {
        Op::Conv(_) => {
            weight * graph.shape(id)[1..].iter().map(|&pixels| pixels as u64).product::<u64>()
        }
        Op::Linear(_) => weight,
        Op::SliceConv(_) => weight * graph.shape(id)[2] as u64,
        Op::Gru(_) => {
            let matrices = parameters.iter().filter(|parameter| parameter.shape.len() == 2);
            matrices.map(|parameter| parameter.len() as u64).sum()
        }
        _ => 0,
    };
    LayerSummary {
        name: node.name.clone(),
        operation: describe(&node.op),
        shape: graph.shape(id).to_vec(),
        trainable: count(true),
        other: count(false),
        multiply_adds,
    }
}

fn describe(op: &Op) -> String {
    match op {
        Op::Input { .. } => "input".to_owned(),
        Op::Conv(conv) => {
            let kind = match conv.groups {
                1 => "conv".to_owned(),
                groups if groups == conv.channels => "depth-wise conv".to_owned(),
                groups => format!("conv in {groups} groups"),
            };
            let padding = match conv.padding {
                Padding::Valid => ", valid".to_owned(),
                Padding::Same | Padding::Ceil => String::new(),
                Padding::All(pixels) => format!(", pad {pixels}"),
            };
            let stride =
                if conv.stride > 1 { format!(", stride {}", conv.stride) } else { String::new() };
            format!("{kind} {0}×{0}{stride}{padding}", conv.kernel)
        }
        Op::BatchNorm(norm) => format!("batch norm, eps {}", norm.eps),
        Op::Relu => "ReLU".to_owned(),
        Op::Relu6 => "ReLU6".to_owned(),
        Op::MaxPool(pool) => format!("max pool {0}×{0}, stride {1}", pool.kernel, pool.stride),
        Op::AveragePool(pool) => {
            format!("average pool {0}×{0}, stride {1}", pool.kernel, pool.stride)
        }
        Op::SpatialMean => "mean of rows and columns".to_owned(),
        Op::LayerNorm { eps } => format!("layer norm, eps {eps}"),
        Op::LayerScale => "layer scale".to_owned(),
        Op::Gelu => "GELU".to_owned(),
        Op::Multiply => "multiply".to_owned(),
        Op::Concat => "concat".to_owned(),
        Op::GlobalAveragePool => "global average pool".to_owned(),
        Op::Flatten => "flatten".to_owned(),
        Op::Linear(_) => "linear".to_owned(),
        Op::SliceConv(conv) => {
            let dilation = match conv.dilation {
                1 => String::new(),
                dilation => format!(", dilation {dilation}"),
            };
            format!("conv over {} slices{dilation}", conv.kernel)
        }
        Op::Gru(gru) => format!("GRU both ways, {} layers", gru.layers),
        Op::Attention(attention) => format!("attention, {} heads", attention.heads),
        Op::Channels { first, count } => format!("channels {first}–{}", first + count - 1),
        Op::Columns { columns } => format!("in {columns} columns"),
        Op::ChannelDropout { probability } => format!("dropout of channels {probability}"),
        Op::Add => "add".to_owned(),
        Op::Mean => "mean of both".to_owned(),
        Op::Nearest { rows, columns } => format!("nearest pixel, {rows}×{columns}"),
        Op::LogMeanExp { sharpness } => format!("smooth maximum, sharpness {sharpness}"),
        Op::Dropout { probability } => format!("dropout {probability}"),
        Op::Sigmoid => "sigmoid".to_owned(),
        Op::Softmax => "softmax".to_owned(),
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = ["layer", "operation", "output", "parameters"].map(str::to_owned);
        let mut rows = vec![heading];
        for layer in &self.layers {
            let shape: Vec<String> = layer.shape.iter().map(|&size| dimension(size)).collect();
            let parameters = layer.trainable + layer.other;
            rows.push([
                layer.name.clone(),
                layer.operation.clone(),
                shape.join(" × "),
                if parameters == 0 { String::new() } else { grouped(parameters as u64) },
            ]);
        }
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let [a, b, c, d] = [width(0), width(1), width(2), width(3)];
        writeln!(formatter, "{}", self.network)?;
        for (index, [name, operation, shape, parameters]) in rows.iter().enumerate() {
            writeln!(formatter, "{name:<a$}  {operation:<b$}  {shape:<c$}  {parameters:>d$}")?;
            if index == 0 {
                writeln!(formatter, "{}", "─".repeat(a + b + c + d + 6))?;
            }
        }
        writeln!(formatter, "{}", "─".repeat(a + b + c + d + 6))?;
        writeln!(formatter, "trainable parameters    {:>14}", grouped(self.trainable as u64))?;
        writeln!(formatter, "running statistics      {:>14}", grouped(self.other as u64))?;
        let slices = self.layers.iter().any(|layer| layer.shape.contains(&SLICES));
        let unit = if slices { "slice" } else { "image" };
        write!(formatter, "multiply-adds per {unit} {:>14}", grouped(self.multiply_adds))
    }
}

fn dimension(size: usize) -> String {
    if size == SLICES { "slices".to_owned() } else { size.to_string() }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::{Head, Options, build};

    #[test]
    fn the_table_names_layers_and_totals() {
        let graph = build("deep-cnn", &Options::default()).unwrap().unwrap();
        let summary = Summary::new(&graph);
        assert_eq!(summary.trainable, graph.trainable_parameters());
        let text = summary.to_string();
        assert!(text.contains("conv_2") && text.contains("30,536,385"), "{text}");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(999), "999");
    }

    /// Billions of multiply-additions at 224 px with 1,000 classes, as usually published; some count
    /// other layers too.
    #[test]
    fn multiply_adds_are_near_the_published_ones() {
        let options = Options { size: 224, head: Some(Head::Linear(1000)), ..Options::default() };
        for (name, published) in [
            ("efficientnet-lite0", 0.40),
            ("resnet18", 1.82),
            ("resnet34", 3.67),
            ("densenet121", 2.87),
            ("densenet169", 3.40),
            ("se-resnext101-32x4d", 8.02),
            ("convnext-nano", 2.46),
            ("convnext-tiny", 4.47),
        ] {
            let graph = build(name, &options).unwrap().unwrap();
            let counted = Summary::new(&graph).multiply_adds as f64 / 1e9;
            assert!(
                (counted / published - 1.0).abs() < 0.06,
                "{name}: {counted} is not {published}"
            );
        }
    }
}
