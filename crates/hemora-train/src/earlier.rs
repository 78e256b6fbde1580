//! Finished runs whose networks can teach another one.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use hemora_ct::InputRecipe;
use hemora_nn::Weights;
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};
use tch::Device;

use crate::config::RunConfig;
use crate::dataset::RunData;
use crate::folder::Folder;
use crate::validation::plain;
use crate::{Model, start};

/// A finished run none of whose training images this run validates or tests on.
pub struct EarlierRun {
    config: RunConfig,
    model: PathBuf,
}

impl EarlierRun {
    /// The run in the folder `path`; of a cross-validation, that of the fold which `config` holds out.
    ///
    /// # Errors
    /// A report if it has not ended, or may have seen images that this run validates or tests on.
    pub fn open(path: &Path, config: &RunConfig, data: &RunData) -> Result<Self> {
        let of_fold = path.join(format!("fold-{}", config.fold));
        let path = if of_fold.is_dir() { of_fold } else { path.to_owned() };
        let (folder, earlier) = Folder::finished(path.clone())?;
        let mut held = HashSet::new();
        for table in [folder.validation(), folder.test()].iter().filter(|table| table.is_file()) {
            let name = || table.display().to_string();
            let text = std::fs::read_to_string(table).into_diagnostic().wrap_err_with(name)?;
            let ids = text.lines().skip(1).filter_map(|line| line.split_once(','));
            held.extend(ids.map(|(id, _)| id.to_owned()));
        }
        let ours = data.split.validation.iter().chain(&data.test);
        let seen: Vec<&str> =
            ours.map(|&index| data.set.id(index)).filter(|id| !held.contains(&plain(id))).collect();
        if let Some(example) = seen.first() {
            bail!(
                help = "train it with the same images, --seed, --validation, --folds and --fold or \
                        --split, so that both hold out the same",
                "{}: {} of the images that this run holds out were not held out there, {example} \
                 among them",
                path.display(),
                seen.len()
            );
        }
        Ok(Self { config: earlier, model: folder.model() })
    }

    fn name(&self) -> String {
        self.model.display().to_string()
    }

    /// Its network, if it says of the same input what this run learns.
    ///
    /// # Errors
    /// A report that names the file and what differs.
    pub fn network(&self, config: &RunConfig, data: &RunData, device: Device) -> Result<Model> {
        if self.config.task != config.task {
            let (theirs, ours) = (self.config.task, config.task);
            bail!("{}: of the task {theirs}; expected {ours}", self.name());
        }
        let name = || self.name();
        let bytes = std::fs::read(&self.model).into_diagnostic().wrap_err_with(name)?;
        let metadata = Weights::metadata(&bytes).into_diagnostic().wrap_err_with(name)?;
        let input: Option<InputRecipe> = metadata
            .get("input")
            .map(|text| serde_json::from_str(text).into_diagnostic())
            .transpose()
            .wrap_err_with(name)?;
        let same = match input {
            Some(input) => input == data.recipe,
            // Somebody's colours: all that is known of them is how many there are.
            None => !data.describes && self.config.size == config.size,
        };
        if !same {
            return Err(miette!(
                help = "it must have been trained with the same --input, --size and preparation",
                "{}: of another input than this run's",
                self.name()
            ));
        }
        let weights = Weights::from_safetensors(&bytes).into_diagnostic().wrap_err_with(name)?;
        let graph = start::graph(&self.config, data.recipe.channels.len())?;
        let model = Model::with_weights(graph, &weights, device).into_diagnostic();
        Ok(model.wrap_err_with(name)?.computing_in(config.precision).laid_out(config.layout))
    }
}
