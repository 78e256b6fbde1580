//! One training run, from its config to its best weights.

use std::path::PathBuf;
use std::time::Instant;

use hemora_data::{Augment, Loader, LoaderOptions};
use hemora_nn::{Graph, Weights, networks};
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};
use tch::Device;

use crate::checkpoint::{self, Progress};
use crate::config::RunConfig;
use crate::dataset::{self, RunData};
use crate::files::write_whole;
use crate::metrics::{self, EpochMetrics};
use crate::trainer::{self, Trainer, TrainerOptions};
use crate::validation::{self, aurocs, intervals, predict};
use crate::{Model, Schedule};

/// The files of a run.
struct Folder(PathBuf);

impl Folder {
    fn last(&self) -> PathBuf {
        self.0.join("checkpoints/last.safetensors")
    }
    fn best(&self) -> PathBuf {
        self.0.join("checkpoints/best.safetensors")
    }
    fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }
}

/// Trains as `config` says.
///
/// # Errors
/// A report that names the file or setting and what to do.
pub fn run(config: &RunConfig) -> Result<()> {
    check(config)?;
    let folder = prepare_folder(config)?;
    let threads = trainer::set_threads(config.threads);
    let device = trainer::device(threads);
    let data = dataset::load(config)?;
    let options = LoaderOptions {
        batch: config.batch,
        seed: config.seed,
        threads,
        drop_last: true,
        ..LoaderOptions::default()
    };
    let train = Loader::new(
        data.set.clone(),
        data.split.train.clone(),
        None,
        data.recipe.clone(),
        Some(augmentation()),
        &options,
    )
    .into_diagnostic()?;
    let validate = Loader::new(
        data.set.clone(),
        data.split.validation.clone(),
        None,
        data.recipe.clone(),
        None,
        &LoaderOptions { shuffle: false, drop_last: false, ..options },
    )
    .into_diagnostic()?;

    let steps = config.epochs * train.batches() as u64;
    let (mut trainer, mut progress) = start(config, &folder, &data, device, steps)?;
    while progress.epoch < config.epochs {
        epoch(config, &folder, &data, (&train, &validate), &mut trainer, &mut progress)?;
    }
    finish(config, &folder, &data, &validate, &trainer)
}

/// The augmentation of the default model: what a real second scanner might have done, not more.
fn augmentation() -> Augment {
    Augment {
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
    }
}

fn check(config: &RunConfig) -> Result<()> {
    let positive = [
        ("--learning-rate", config.optimizer().learning_rate),
        ("--clip", config.clip),
        ("--any-weight", config.any_weight),
    ];
    for (flag, value) in positive {
        if !(value.is_finite() && value > 0.0) {
            bail!("{flag} {value}: expected a number above 0");
        }
    }
    for (flag, value) in
        [("--rise", config.rise), ("--dropout", config.dropout), ("--ema", config.ema)]
    {
        if !(0.0..1.0).contains(&value) {
            bail!("{flag} {value}: expected a number from 0 up to 1");
        }
    }
    if config.epochs == 0 {
        bail!("--epochs 0: expected at least 1");
    }
    Ok(())
}

/// Makes the run's folder, or checks that it belongs to the same run.
fn prepare_folder(config: &RunConfig) -> Result<Folder> {
    let folder = Folder(config.out.clone());
    let text = toml::to_string_pretty(config).into_diagnostic()?;
    let path = config.out.join("config.toml");
    if config.restart {
        for file in [folder.last(), folder.best(), folder.metrics(), path.clone()] {
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(miette!("cannot remove {}: {error}", file.display()));
                }
                _ => {}
            }
        }
    }
    std::fs::create_dir_all(config.out.join("checkpoints"))
        .into_diagnostic()
        .wrap_err_with(|| format!("cannot make the folder {}", config.out.display()))?;
    match std::fs::read_to_string(&path) {
        Ok(earlier) if earlier != text => bail!(
            help = "give another --out, the earlier settings, or --restart to start over",
            "{} belongs to a run with other settings",
            path.display()
        ),
        Ok(_) => {}
        Err(_) => write_whole(&path, text.as_bytes()).into_diagnostic()?,
    }
    Ok(folder)
}

fn graph(config: &RunConfig) -> Result<Graph> {
    let names = networks::names().collect::<Vec<_>>().join(", ");
    config
        .task
        .graph(&config.network, config.size, config.dropout)
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

/// A trainer at the start of the run, or where its last checkpoint was written.
fn start(
    config: &RunConfig,
    folder: &Folder,
    data: &RunData,
    device: Device,
    steps: u64,
) -> Result<(Trainer, Progress)> {
    let model = initial_model(config, graph(config)?, device)?;
    debug_assert!(trainer::fits(&model, &data.recipe));
    let optimizer = config.optimizer();
    let options = TrainerOptions {
        task: config.task,
        optimizer,
        schedule: Schedule::new(config.schedule, optimizer.learning_rate, config.rise, steps),
        ema: config.ema,
        clip: Some(config.clip),
        any_weight: config.any_weight,
        seed: config.seed,
    };
    let mut trainer = Trainer::new(model, options);
    let mut progress = Progress::default();
    if folder.last().exists() {
        progress = checkpoint::load(&folder.last(), &mut trainer).into_diagnostic()?;
        eprintln!("going on after epoch {} of {}", progress.epoch, config.epochs);
    }
    // Also without a checkpoint: the run may have been killed just before it wrote its first.
    metrics::keep_epochs(&folder.metrics(), progress.epoch).into_diagnostic()?;
    Ok((trainer, progress))
}

/// Trains and validates an epoch, writes its metrics and checkpoints.
fn epoch(
    config: &RunConfig,
    folder: &Folder,
    data: &RunData,
    (train, validate): (&Loader, &Loader),
    trainer: &mut Trainer,
    progress: &mut Progress,
) -> Result<()> {
    let begin = Instant::now();
    let bar = crate::progress::bar(train.images() as u64, "training");
    let train_loss = trainer.epoch(train, progress.epoch, &|images| bar.inc(images as u64))?;
    bar.finish_and_clear();
    let train_seconds = begin.elapsed().as_secs_f64();
    let kept = trainer.kept_model()?;
    let predictions = predict(&kept, config.task, validate, &trainer.label_weights);
    let auroc = aurocs(&predictions, data).into_diagnostic()?;
    let defined: Vec<f64> = auroc.values().copied().flatten().collect();
    let mean = (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64);
    progress.epoch += 1;
    progress.step = trainer.optimizer.steps();
    let line = EpochMetrics {
        epoch: progress.epoch,
        step: progress.step,
        train_loss,
        validation_loss: predictions.loss,
        mean_auroc: mean,
        images_per_second: train.images() as f64 / train_seconds,
        seconds: begin.elapsed().as_secs_f64(),
        auroc,
    };
    let any = line.auroc.get("any").map(|auroc| format!(" any {},", shown(*auroc)));
    eprintln!(
        "epoch {}/{}: loss {:.4}, validation loss {:.4}, AUROC{} mean {}; {:.1} images/s",
        line.epoch,
        config.epochs,
        line.train_loss,
        line.validation_loss,
        any.unwrap_or_default(),
        shown(mean),
        line.images_per_second
    );
    if mean > progress.best {
        progress.best = mean;
        checkpoint::save_weights(&folder.best(), &kept, &kept.weights(), *progress)
            .into_diagnostic()?;
    }
    metrics::append(&folder.metrics(), &line).into_diagnostic()?;
    checkpoint::save(&folder.last(), trainer, *progress).into_diagnostic()
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}"))
}

/// Validates the best checkpoint and writes what the bundle needs.
fn finish(
    config: &RunConfig,
    folder: &Folder,
    data: &RunData,
    validate: &Loader,
    trainer: &Trainer,
) -> Result<()> {
    let weights = if folder.best().exists() {
        let bytes = std::fs::read(folder.best()).into_diagnostic()?;
        Weights::from_safetensors(&bytes).into_diagnostic()?
    } else {
        trainer.kept_weights()
    };
    let model = Model::with_weights(graph(config)?, &weights, trainer.model.device());
    let model = model.into_diagnostic()?;
    let predictions = predict(&model, config.task, validate, &trainer.label_weights);
    let intervals = intervals(&predictions, data, config.seed).into_diagnostic()?;
    validation::write_predictions(&folder.0.join("validation.csv"), &predictions, data)
        .into_diagnostic()?;
    test(config, folder, data, &model, trainer)?;
    let metadata = [
        ("network".to_owned(), config.network.clone()),
        ("task".to_owned(), config.task.to_string()),
        ("input".to_owned(), serde_json::to_string(&data.recipe).into_diagnostic()?),
        ("metrics".to_owned(), serde_json::to_string(&intervals).into_diagnostic()?),
    ];
    let weights = weights.to_safetensors(metadata.into_iter().collect()).into_diagnostic()?;
    let model = folder.0.join("model.safetensors");
    write_whole(&model, &weights).into_diagnostic()?;
    for row in &intervals {
        println!(
            "{:<18} AUROC {} ({}–{})  {} positive of {} images",
            row.label.name(),
            shown(row.auroc.value),
            shown(row.auroc.low),
            shown(row.auroc.high),
            row.positives,
            row.images
        );
    }
    println!("best weights: {}", model.display());
    Ok(())
}

/// Predicts the test images, if there are any, with the kept weights.
fn test(
    config: &RunConfig,
    folder: &Folder,
    data: &RunData,
    model: &Model,
    trainer: &Trainer,
) -> Result<()> {
    if data.test.is_empty() {
        return Ok(());
    }
    let options = LoaderOptions { batch: config.batch, shuffle: false, ..LoaderOptions::default() };
    let (set, recipe) = (data.set.clone(), data.recipe.clone());
    let loader = Loader::new(set, data.test.clone(), None, recipe, None, &options);
    let predictions =
        predict(model, config.task, &loader.into_diagnostic()?, &trainer.label_weights);
    validation::write_predictions(&folder.0.join("test.csv"), &predictions, data).into_diagnostic()
}
