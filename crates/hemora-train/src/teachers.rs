//! Networks that teach (Hinton et al. 2015, "Distilling the knowledge in a neural network"): they are
//! shown each batch as it was changed for the network that learns, since a teacher that saw other
//! pixels teaches worse (Beyer et al. 2022, "a good teacher is patient and consistent").

use std::path::Path;

use hemora_ct::InputRecipe;
use hemora_nn::Weights;
use miette::{IntoDiagnostic, Result, WrapErr, bail};
use tch::{Device, Tensor};

use crate::config::RunConfig;
use crate::dataset::RunData;
use crate::folder::Folder;
use crate::progress::say;
use crate::validation::not_predicted;
use crate::{Mode, Model, Task, start};

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
            .map(|path| open(path, config, data, device))
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

/// The network of the finished run in the folder `path`; of a cross-validation, that of the fold which
/// `config` holds out.
fn open(path: &Path, config: &RunConfig, data: &RunData, device: Device) -> Result<Model> {
    let of_fold = path.join(format!("fold-{}", config.fold));
    let path = if of_fold.is_dir() { of_fold } else { path.to_owned() };
    let name = path.display();
    let (folder, theirs) = Folder::finished(path.clone())?;
    if theirs.task != config.task {
        bail!("{name}: of the task {}; expected {}", theirs.task, config.task);
    }
    if theirs.split_by == "image" && config.split_by != "image" {
        bail!("{name}: split by image, so it may have seen patients that this run holds out");
    }
    refuse_leak(&folder, &path, data)?;
    if !reads_the_same(&folder, &theirs, config, data)? {
        bail!(
            help = "it must have been trained with the same --input, --size and preparation",
            "{name}: of another input than this run's"
        );
    }
    let model = start::trained(&theirs, &folder.model(), data.recipe.channels.len(), device)?;
    Ok(model.computing_in(config.precision).laid_out(config.layout))
}

/// Refuses a run that did not hold out what is validated or tested on here.
fn refuse_leak(folder: &Folder, path: &Path, data: &RunData) -> Result<()> {
    let mut tables = vec![folder.validation(), folder.test()];
    tables.retain(|table| table.is_file());
    let ours = data.split.validation.iter().chain(&data.test);
    let seen = not_predicted(&tables, ours.map(|&index| data.set.id(index)))?;
    let Some(example) = seen.first() else { return Ok(()) };
    bail!(
        help = "train it with the same images, --seed, --validation, --folds and --fold or --split, \
                so that both hold out the same",
        "{}: {} of the images that this run holds out were not held out there, {example} among them",
        path.display(),
        seen.len()
    );
}

/// Whether the network of a run was trained on what `config` makes of slices.
fn reads_the_same(
    folder: &Folder,
    theirs: &RunConfig,
    config: &RunConfig,
    data: &RunData,
) -> Result<bool> {
    let name = || folder.model().display().to_string();
    let bytes = std::fs::read(folder.model()).into_diagnostic().wrap_err_with(name)?;
    let metadata = Weights::metadata(&bytes).into_diagnostic().wrap_err_with(name)?;
    let Some(text) = metadata.get("input") else {
        // Somebody's colours: all that is known of them is how many there are.
        return Ok(!data.describes && theirs.size == config.size);
    };
    let input: InputRecipe = serde_json::from_str(text).into_diagnostic().wrap_err_with(name)?;
    Ok(input == data.recipe)
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
