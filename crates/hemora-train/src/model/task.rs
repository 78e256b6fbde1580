//! What a network learns to predict of a slice.

use hemora_ct::{LABEL_COUNT, Label};
use hemora_nn::networks::{self, Head};
use hemora_nn::{Graph, GraphError};
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

/// The labels that are learned and how the last layer gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// The six labels, each a probability of its own.
    Labels,
    /// Any hemorrhage or none, with the network's own last layer: a sigmoid of one unit, for
    /// `resnet50` a softmax of two (docs/references.md#seed-networks).
    Any,
    /// The five subtypes, each a probability of its own.
    Subtypes,
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Task::Labels => "labels",
            Task::Any => "any",
            Task::Subtypes => "subtypes",
        })
    }
}

impl Task {
    /// The labels in the order of the scores' columns.
    pub fn labels(self) -> &'static [Label] {
        match self {
            Task::Labels => &Label::ALL,
            Task::Any => &Label::ALL[LABEL_COUNT - 1..],
            Task::Subtypes => &Label::ALL[..LABEL_COUNT - 1],
        }
    }

    /// The network `name` for this task and inputs `[channels, size, size]`; `None` if there is none
    /// of that name.
    pub fn graph(
        self,
        name: &str,
        [channels, size]: [usize; 2],
        dropout: f64,
    ) -> Option<Result<Graph, GraphError>> {
        let options = |head| networks::Options { channels, size, head, dropout };
        let labels = Some(Head::Sigmoid(self.labels().len()));
        if self != Task::Any {
            return networks::build(name, &options(labels));
        }
        match networks::build(name, &options(None))? {
            // A network of which the own last layer is of other labels gets one unit.
            Ok(graph) if graph.shape(graph.output())[0] > 2 => {
                networks::build(name, &options(labels))
            }
            own => Some(own),
        }
    }

    /// Log odds `[N, labels]` of a network's logits `[N, units]`.
    pub fn scores(self, logits: Tensor) -> Tensor {
        // The log odds of the second of two classes of a softmax.
        if self == Task::Any && logits.size()[1] == 2 {
            return logits.narrow(1, 1, 1) - logits.narrow(1, 0, 1);
        }
        logits
    }

    /// The columns `[N, labels]` of targets `[N, 6]`.
    pub fn targets(self, targets: &Tensor) -> Tensor {
        let labels = self.labels();
        targets.narrow(1, labels[0].index() as i64, labels.len() as i64)
    }

    /// Weight of each label in the loss, `[labels]`: 1, and `any_weight` for any.
    pub fn weights(self, any_weight: f64, device: Device) -> Tensor {
        let weight = |label: &Label| if *label == Label::Any { any_weight as f32 } else { 1.0 };
        Tensor::from_slice(&self.labels().iter().map(weight).collect::<Vec<_>>()).to(device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_classes_of_a_softmax_become_the_log_odds_of_the_second() {
        let logits = Tensor::from_slice(&[0.5f32, 2.0, 1.0, -1.0]).reshape([2, 2]);
        let softmax = logits.softmax(1, tch::Kind::Float);
        let odds = Task::Any.scores(logits).sigmoid();
        for row in 0..2 {
            let difference = odds.double_value(&[row, 0]) - softmax.double_value(&[row, 1]);
            assert!(difference.abs() < 1e-6, "{difference}");
        }
    }

    #[test]
    fn networks_keep_their_own_head_for_any_hemorrhage() {
        for (name, units) in
            [("simple-nn", 1), ("deep-cnn", 1), ("resnet50", 2), ("efficientnet-lite0", 1)]
        {
            let graph = Task::Any.graph(name, [3, 64], 0.0).unwrap().unwrap();
            assert_eq!(graph.shape(graph.output()), [units], "{name}");
            let graph = Task::Subtypes.graph(name, [3, 64], 0.0).unwrap().unwrap();
            assert_eq!(graph.shape(graph.output()), [5], "{name}");
        }
        assert!(Task::Any.graph("none", [3, 64], 0.0).is_none());
    }

    #[test]
    fn targets_are_the_tasks_columns() {
        let targets = Tensor::from_slice(&[0f32, 1.0, 0.0, 0.0, 1.0, 2.0]).reshape([1, 6]);
        assert_eq!(Task::Any.targets(&targets).double_value(&[0, 0]), 2.0);
        assert_eq!(Task::Subtypes.targets(&targets).size(), [1, 5]);
        assert_eq!(Task::Labels.targets(&targets).size(), [1, 6]);
        let weights = Task::Labels.weights(2.0, Device::Cpu);
        assert_eq!(weights.double_value(&[5]), 2.0);
        assert_eq!(weights.double_value(&[0]), 1.0);
    }
}
