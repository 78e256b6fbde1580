//! Networks that teach (Hinton et al. 2015, "Distilling the knowledge in a neural network"): they are
//! shown each batch as it was changed for the network that learns, since a teacher that saw other
//! pixels teaches worse (Beyer et al. 2022, "a good teacher is patient and consistent").

use std::path::{Path, PathBuf};

use hemora_model::{SliceNetwork, TrainedError, TrainedNetwork};
use hemora_nn::{Weights, WeightsError};
use tch::{Device, Tensor};

use crate::config::{RunConfig, TrainPlan};
use crate::data::{By, RunData};
use crate::model::{Mode, Model, ModelError, Task, trained_model};
use crate::output::{FileError, Folder, FolderError, Reporter, files, not_predicted};

/// Why a finished run cannot teach.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TeacherError {
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// One of its files.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Its weights are no safetensors file.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<WeightsError>,
    },
    /// What stands beside its weights.
    #[error("{}: {source}", path.display())]
    Trained {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<TrainedError>,
    },
    /// It learned something else.
    #[error("{}: of the task {found}; expected {expected}", run.display())]
    Task {
        /// The run.
        run: PathBuf,
        /// Its task.
        found: Task,
        /// That of this run.
        expected: Task,
    },
    /// It was split by image.
    #[error("{}: split by image, so it may have seen patients that this run holds out", .0.display())]
    ByImage(PathBuf),
    /// It reads something else.
    #[error(
        "{}: of another input than this run's; it must have been trained with the same --input, --size \
         and preparation",
        .0.display()
    )]
    Input(PathBuf),
    /// It was trained on images that this run holds out.
    #[error(
        "{}: {images} of the images that this run holds out were not held out there, {example} among \
         them; train it with the same images, --seed, --validation, --folds and --fold or --split, so \
         that both hold out the same",
        run.display()
    )]
    Leak {
        /// The run.
        run: PathBuf,
        /// How many.
        images: usize,
        /// One of them.
        example: String,
    },
}

/// Networks of finished runs.
pub struct Teachers {
    networks: Vec<Model>,
    task: Task,
    /// Part of the target that is their prediction.
    weight: f64,
}

impl Teachers {
    /// Those that a plan names; `None` if there are none.
    ///
    /// # Errors
    /// [`TeacherError`] names a run that has not ended, has seen images that this one holds out, or
    /// learned something else or of other inputs.
    pub fn open(
        plan: &TrainPlan,
        data: &RunData,
        device: Device,
        reporter: Reporter,
    ) -> Result<Option<Self>, TeacherError> {
        let Some(teaching) = &plan.teaching else { return Ok(None) };
        let opened = teaching.runs.iter().map(|run| open(run, plan, data, device));
        let networks: Vec<Model> = opened.collect::<Result<_, _>>()?;
        let (count, weight) = (networks.len(), teaching.weight);
        reporter.log(&format!("teachers: {count}, with {weight} of the target"));
        Ok(Some(Self { networks, task: plan.model.slices.task, weight }))
    }

    /// Targets `[N, labels]` of images `[N, C, S, S]`: the labels and the teachers' mean probabilities,
    /// weighted.
    pub fn mix_into(&self, labels: &Tensor, images: &Tensor) -> Tensor {
        tch::no_grad(|| {
            let mut sum = labels.zeros_like();
            for network in &self.networks {
                let scores = self.task.scores(network.logits(images, Mode::Evaluate));
                sum += scores.sigmoid().to_kind(sum.kind());
            }
            labels * (1.0 - self.weight) + sum * (self.weight / self.networks.len() as f64)
        })
    }
}

/// The network of the finished run in the folder `path`; of a cross-validation, that of the fold which
/// the plan holds out.
fn open(
    path: &Path,
    plan: &TrainPlan,
    data: &RunData,
    device: Device,
) -> Result<Model, TeacherError> {
    let fold = plan.fold().map(|fold| path.join(format!("fold-{}", fold.index + 1)));
    let run = fold.filter(|folder| folder.is_dir()).unwrap_or_else(|| path.to_owned());
    let (folder, theirs) = Folder::finished(&run)?;
    let expected = plan.model.slices.task;
    if theirs.task != expected {
        return Err(TeacherError::Task { run, found: theirs.task, expected });
    }
    if theirs.split_by == By::Image && plan.split.by == By::Patient {
        return Err(TeacherError::ByImage(run));
    }
    refuse_leak(&folder, &run, data)?;
    if !reads_the_same(&folder, &theirs, plan, data)? {
        return Err(TeacherError::Input(run));
    }
    let channels = data.recipe.channels.len();
    let model = trained_model(&theirs.slice_plan(), &folder.model(), channels, device)?;
    Ok(model.computing_in(plan.compute.precision).laid_out(plan.compute.layout))
}

/// Refuses a run that did not hold out what is validated or tested on here.
fn refuse_leak(folder: &Folder, run: &Path, data: &RunData) -> Result<(), TeacherError> {
    let mut tables = vec![folder.validation(), folder.test()];
    tables.retain(|table| table.is_file());
    let ours = data.split.validation.iter().chain(&data.test);
    let seen = not_predicted(&tables, ours.map(|&index| data.set.id(index)))?;
    let Some(example) = seen.first() else { return Ok(()) };
    let (run, images, example) = (run.to_owned(), seen.len(), (*example).to_owned());
    Err(TeacherError::Leak { run, images, example })
}

/// Whether the network of a run was trained on what the plan makes of slices.
fn reads_the_same(
    folder: &Folder,
    theirs: &RunConfig,
    plan: &TrainPlan,
    data: &RunData,
) -> Result<bool, TeacherError> {
    let path = folder.model();
    let metadata = Weights::metadata(&files::read(&path)?)
        .map_err(|source| TeacherError::Weights { path: path.clone(), source: Box::new(source) })?;
    let trained = TrainedNetwork::from_metadata(&metadata)
        .map_err(|source| TeacherError::Trained { path, source: Box::new(source) })?;
    Ok(match trained {
        TrainedNetwork::Slices(SliceNetwork { input: Some(input), .. }) => input == data.recipe,
        // Somebody's colours: all that is known of them is how many there are.
        TrainedNetwork::Slices(_) => !data.describes && theirs.size == plan.model.slices.size,
        TrainedNetwork::Series(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use tch::{Kind, no_grad};

    use super::*;

    #[test]
    fn their_mean_prediction_is_mixed_into_the_labels() {
        let device = Device::Cpu;
        let graph = || Task::Labels.graph("simple-nn", [3, 8], 0.0).unwrap().unwrap();
        let network = |seed| Model::fresh(graph(), device, seed);
        let images = Tensor::rand([2, 3, 8, 8], (Kind::Float, device));
        let networks = vec![network(1), network(2)];
        let predict =
            |at: usize| no_grad(|| networks[at].logits(&images, Mode::Evaluate).sigmoid());
        let predictions = [0, 1].map(predict);
        let teachers = Teachers { networks, task: Task::Labels, weight: 0.25 };
        let labels = Tensor::from_slice(&[1f32, 0.0, 0.0, 1.0, 0.0, 1.0]).expand([2, 6], false);
        let targets = teachers.mix_into(&labels, &images);
        let expected = labels * 0.75 + (&predictions[0] + &predictions[1]) * 0.125;
        assert!((targets - expected).abs().max().double_value(&[]) < 1e-6);
        assert!((&predictions[0] - &predictions[1]).abs().max().double_value(&[]) > 1e-3);
    }
}
