//! Networks that teach (Hinton et al. 2015, "Distilling the knowledge in a neural network"): they are
//! shown each batch as it was changed for the network that learns, since a teacher that saw other
//! pixels teaches worse (Beyer et al. 2022, "a good teacher is patient and consistent").

use miette::Result;
use tch::{Device, Tensor};

use crate::config::RunConfig;
use crate::dataset::RunData;
use crate::earlier::EarlierRun;
use crate::progress::say;
use crate::{Mode, Model, Task};

/// Networks of finished runs.
pub struct Teachers {
    networks: Vec<Model>,
    task: Task,
    /// Part of the target that is their word.
    weight: f64,
}

impl Teachers {
    /// Those that `config` names; `None` if there are none.
    ///
    /// # Errors
    /// A report that names a run that has not ended, has seen images that this one holds out, or says
    /// something else of other inputs.
    pub fn open(config: &RunConfig, data: &RunData, device: Device) -> Result<Option<Self>> {
        let networks: Vec<Model> = config
            .teacher
            .iter()
            .map(|path| EarlierRun::open(path, config, data)?.network(config, data, device))
            .collect::<Result<_>>()?;
        if networks.is_empty() {
            return Ok(None);
        }
        let (count, weight) = (networks.len(), config.teacher_weight);
        say(&format!("teachers: {count}, whose word is {weight} of the target"));
        Ok(Some(Self { networks, task: config.task, weight }))
    }

    /// Targets `[N, labels]` of images `[N, C, S, S]`: the labels and the teachers' mean probabilities,
    /// weighted.
    pub fn mixed_into(&self, labels: &Tensor, images: &Tensor) -> Tensor {
        tch::no_grad(|| {
            let mut said = labels.zeros_like();
            for network in &self.networks {
                let scores = self.task.scores(network.logits(images, Mode::Evaluate));
                said += scores.sigmoid().to_kind(said.kind());
            }
            labels * (1.0 - self.weight) + said * (self.weight / self.networks.len() as f64)
        })
    }
}

#[cfg(test)]
mod tests {
    use tch::{Kind, no_grad};

    use super::*;

    #[test]
    fn their_mean_word_is_mixed_into_the_labels() {
        let device = Device::Cpu;
        let graph = || Task::Labels.graph("simple-nn", [3, 8], 0.0).unwrap().unwrap();
        let network = |seed| Model::fresh(graph(), device, seed);
        let images = Tensor::rand([2, 3, 8, 8], (Kind::Float, device));
        let said =
            [1, 2].map(|seed| no_grad(|| network(seed).logits(&images, Mode::Evaluate).sigmoid()));
        let networks = vec![network(1), network(2)];
        let teachers = Teachers { networks, task: Task::Labels, weight: 0.25 };
        let labels = Tensor::from_slice(&[1f32, 0.0, 0.0, 1.0, 0.0, 1.0]).expand([2, 6], false);
        let targets = teachers.mixed_into(&labels, &images);
        let expected = labels * 0.75 + (&said[0] + &said[1]) * 0.125;
        assert!((targets - expected).abs().max().double_value(&[]) < 1e-6);
        assert!((&said[0] - &said[1]).abs().max().double_value(&[]) > 1e-3);
    }
}
