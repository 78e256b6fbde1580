//! What a run starts with: the trainer and the loaders.

use std::path::Path;
use std::rc::Rc;

use hemora_data::{Augment, Loader, LoaderOptions, Share};
use hemora_nn::{Graph, Weights, fit_channels, networks};
use miette::{IntoDiagnostic, Result, WrapErr, miette};
use tch::Device;

use crate::checkpoint::{self, Progress};
use crate::config::RunConfig;
use crate::dataset::RunData;
use crate::files::read_small;
use crate::folder::Folder;
use crate::loss::LossOptions;
use crate::progress::say;
use crate::ranks::Ranks;
use crate::teachers::Teachers;
use crate::trainer::{self, Trainer, TrainerOptions};
use crate::{Model, Schedule, metrics};

/// The network that the settings name, for inputs of so many channels.
///
/// # Errors
/// A report if there is none of that name, or it does not fit the image size.
pub fn graph(config: &RunConfig, channels: usize) -> Result<Graph> {
    let names = networks::names().collect::<Vec<_>>().join(", ");
    config
        .task
        .graph(&config.network, [channels, config.size], config.dropout)
        .ok_or_else(|| miette!("unknown network `{}`; there are {names}", config.network))?
        .into_diagnostic()
}

/// Fresh weights, with those of `path` where they fit.
fn initial_model(config: &RunConfig, graph: Graph, device: Device) -> Result<Model> {
    let fresh = Model::fresh(graph.clone(), device, config.seed as i64);
    let Some(path) = &config.weights else { return Ok(fresh) };
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).into_diagnostic().wrap_err_with(name)?;
    let mut weights = Weights::from_safetensors(&bytes).into_diagnostic().wrap_err_with(name)?;
    fit_channels(&mut weights, &graph);
    let head = graph.node(graph.logits()).name.clone();
    for suffix in ["weight", "bias"] {
        let key = format!("{head}.{suffix}");
        let drawn = fresh.weights().remove(&key);
        let drawn = drawn.ok_or_else(|| miette!("the network ends in no linear layer"))?;
        if weights.get(&key).is_none_or(|loaded| loaded.shape != drawn.shape) {
            weights.insert(&key, drawn);
        }
    }
    Model::with_weights(graph, &weights, device).into_diagnostic().wrap_err_with(name)
}

/// The network that a finished run with the settings `config` left in the file `path`.
///
/// # Errors
/// A report that names the file.
pub fn trained(config: &RunConfig, path: &Path, channels: usize, device: Device) -> Result<Model> {
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).into_diagnostic().wrap_err_with(name)?;
    let weights = Weights::from_safetensors(&bytes).into_diagnostic().wrap_err_with(name)?;
    let model = Model::with_weights(graph(config, channels)?, &weights, device);
    Ok(model.into_diagnostic().wrap_err_with(name)?.laid_out(config.layout))
}

/// A trainer at the start of a run of `steps` steps, `per_epoch` of them an epoch.
///
/// # Errors
/// A report that names the file or setting and what to do.
pub fn trainer(
    config: &RunConfig,
    data: &RunData,
    ranks: Rc<Ranks>,
    device: Device,
    (steps, per_epoch): (u64, u64),
) -> Result<Trainer> {
    let mut model = initial_model(config, graph(config, data.recipe.channels.len())?, device)?;
    if config.is_joint() {
        model = crate::joint::with_series(config, model)?;
    }
    debug_assert!(trainer::fits(&model, &data.recipe));
    let labels: Vec<_> = data.split.train.iter().map(|&index| data.set.labels(index)).collect();
    let loss = LossOptions {
        any_weight: config.any_weight,
        positive_weights: config.class_weights.of(&labels),
        focal: config.focal,
    };
    let options = TrainerOptions {
        task: config.task,
        loss,
        optimizer: config.optimizer(),
        schedule: Schedule::new(&config.schedule(), steps, per_epoch),
        ema: config.ema,
        clip: Some(config.clip).filter(|clip| *clip > 0.0),
        accumulate: config.accumulate,
        precision: config.precision,
        layout: config.layout,
        seed: config.seed,
    };
    let teachers = Teachers::open(config, data, device)?;
    Ok(Trainer::among(ranks, model, options).taught_by(teachers))
}

/// Puts the trainer where the run's last checkpoint was written, if there is one.
///
/// # Errors
/// A report if it cannot be read or belongs to another run.
pub fn resume(config: &RunConfig, folder: &Folder, trainer: &mut Trainer) -> Result<Progress> {
    let mut progress = Progress::default();
    if let Some(bytes) = trainer.ranks().read_first(&folder.last())? {
        progress = checkpoint::restore(&folder.last(), &bytes, trainer).into_diagnostic()?;
        trainer.rate_factor = progress.watch.rate_factor(&config.watch());
        say(&format!("going on after epoch {}, step {}", progress.epoch, progress.step));
    }
    // Also without a checkpoint: the run may have been killed just before it wrote its first.
    if trainer.ranks().is_first() {
        metrics::keep_epochs(&folder.metrics(), progress.epoch).into_diagnostic()?;
    }
    Ok(progress)
}

/// The loaders of the training and the validation images.
///
/// # Errors
/// A report if there are too few images for a batch.
pub fn loaders(
    config: &RunConfig,
    data: &RunData,
    share: Share,
    threads: usize,
) -> Result<(Loader, Loader)> {
    let options = LoaderOptions {
        batch: config.batch,
        seed: config.seed,
        threads,
        drop_last: true,
        share,
        ..LoaderOptions::default()
    };
    let labels: Vec<_> = data.split.train.iter().map(|&index| data.set.labels(index)).collect();
    let augment = if config.no_augment { None } else { Some(augmentation(&config.augment)?) };
    let (set, recipe, train) = (data.set.clone(), data.recipe.clone(), data.split.train.clone());
    let train = match &data.stacks {
        None => {
            let weights = config.sampling.weights(&labels);
            Loader::new(set, train, weights.as_deref(), recipe, augment, &options)
        }
        Some(stacks) => {
            let (stacks, window) = (stacks.clone(), config.window);
            Loader::of_windows(set, stacks, train, window, recipe, augment, &options)
        }
    };
    Ok((train.into_diagnostic()?, in_order(data, &data.split.validation, &options)?))
}

/// A loader of each of `images` once, as they are; where series are known, of a series after the
/// other, from the lowest slice.
///
/// # Errors
/// A report if there are none.
pub fn in_order(data: &RunData, images: &[usize], options: &LoaderOptions) -> Result<Loader> {
    let images = match &data.stacks {
        None => images.to_vec(),
        Some(stacks) => stacks.among(images).concat(),
    };
    let options = LoaderOptions { shuffle: false, drop_last: false, ..*options };
    let (set, recipe) = (data.set.clone(), data.recipe.clone());
    Loader::new(set, images, None, recipe, None, &options).into_diagnostic()
}

/// Largest file of an augmentation, bytes.
const MAX_AUGMENT: u64 = 1 << 16;

/// An augmentation by name, or of a TOML file.
///
/// # Errors
/// A report that names the file and the option.
fn augmentation(name: &str) -> Result<Augment> {
    match name {
        // What a real second scanner might have done, not more.
        "default" => Ok(Augment {
            flip: 0.5,
            rotate_degrees: 20.0,
            scale: 0.15,
            shift: 0.06,
            brightness: 0.06,
            contrast: 0.15,
            gamma: 0.15,
            noise: 0.02,
            blur: 0.15,
            erase: 0.15,
            ..Augment::off()
        }),
        "winner" => Ok(Augment::winner()),
        path => {
            let text = read_small(Path::new(path), MAX_AUGMENT).wrap_err_with(|| {
                format!("--augment {path}: expected default, winner or a TOML file")
            })?;
            let augment: Augment =
                toml::from_str(&text).into_diagnostic().wrap_err(path.to_owned())?;
            augment.check().into_diagnostic().wrap_err(path.to_owned())?;
            Ok(augment)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_for_three_channels_serve_more_and_say_the_same_of_grey() {
        let options = |channels| networks::Options { channels, size: 32, ..Default::default() };
        let graph = |channels| networks::build("resnet18", &options(channels)).unwrap().unwrap();
        let mut weights = Model::fresh(graph(3), Device::Cpu, 1).weights();
        // A first layer whose three channels weigh alike, so that more of them weigh the same in all.
        let mut first = weights.remove("conv1.weight").unwrap();
        for unit in first.values.chunks_exact_mut(3 * 49) {
            unit.copy_within(..49, 49);
            unit.copy_within(..49, 98);
        }
        weights.insert("conv1.weight", first);
        let grey = tch::Tensor::rand([1, 1, 32, 32], (tch::Kind::Float, Device::Cpu));
        let logits = |weights: &Weights, channels: i64| {
            let model =
                Model::with_weights(graph(channels as usize), weights, Device::Cpu).unwrap();
            model.logits(&grey.expand([1, channels, 32, 32], false), crate::Mode::Evaluate)
        };
        let three = logits(&weights, 3);
        fit_channels(&mut weights, &graph(5));
        assert_eq!(weights.get("conv1.weight").unwrap().shape, [64, 5, 7, 7]);
        let difference = (three - logits(&weights, 5)).abs().max().double_value(&[]);
        assert!(difference < 1e-4, "{difference}");
    }

    #[test]
    fn an_augmentation_of_a_file_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.toml");
        let open = |text: &str| {
            std::fs::write(&path, text).unwrap();
            augmentation(path.to_str().unwrap()).map_err(|error| format!("{error:?}"))
        };
        assert_eq!(open("flip = 0.25").unwrap().flip, 0.25);
        assert!(open("flip = 2.0").unwrap_err().contains("flip"));
        assert!(open("flop = 1.0").unwrap_err().contains("flop"));
        assert_eq!(augmentation("winner").unwrap().rotate_degrees, 30.0);
        assert!(format!("{:?}", augmentation("winer").unwrap_err()).contains("winner or a TOML"));
    }
}
