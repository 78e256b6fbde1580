//! One training run, from its config to its best weights.

use std::path::{Path, PathBuf};
use std::time::Instant;

use hemora_ct::LABEL_COUNT;
use hemora_data::{Augment, Loader, LoaderOptions};
use hemora_nn::{Graph, Weights, networks};
use miette::{IntoDiagnostic, Result, WrapErr, bail, miette};
use tch::{Device, Tensor};

use crate::checkpoint::{self, Progress};
use crate::config::RunConfig;
use crate::dataset::{self, RunData};
use crate::files::write_whole;
use crate::metrics::{self, EpochMetrics};
use crate::validation::{self, aurocs, intervals, predict, to_tensors};
use crate::{AdamW, AdamWOptions, Mode, Model, OneCycle, weighted_binary_cross_entropy};

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
    let threads = match config.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    tch::set_num_threads(threads as i32);
    let device = Device::cuda_if_available();
    eprintln!("device: {device:?}, {threads} threads");
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

    let mut trainer = Trainer::new(config, &folder, &data, device)?;
    trainer.schedule.steps = config.epochs * train.batches() as u64;
    while trainer.progress.epoch < config.epochs {
        trainer.epoch(config, &folder, &data, &train, &validate)?;
    }
    finish(config, &folder, &data, &validate, device)
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
        ("--learning-rate", config.learning_rate),
        ("--clip", config.clip),
        ("--any-weight", config.any_weight),
    ];
    for (flag, value) in positive {
        if !(value.is_finite() && value > 0.0) {
            bail!("{flag} {value}: expected a number above 0");
        }
    }
    for (flag, value) in [("--rise", config.rise), ("--dropout", config.dropout)] {
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
    let options = networks::Options {
        channels: 3,
        size: config.size,
        head: Some(networks::Head::Sigmoid(LABEL_COUNT)),
        dropout: config.dropout,
    };
    let names = networks::names().collect::<Vec<_>>().join(", ");
    networks::build(&config.network, &options)
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

fn label_weights(config: &RunConfig, device: Device) -> Tensor {
    let mut weights = [1f32; LABEL_COUNT];
    weights[LABEL_COUNT - 1] = config.any_weight as f32;
    Tensor::from_slice(&weights).to(device)
}

struct Trainer {
    model: Model,
    optimizer: AdamW,
    schedule: OneCycle,
    progress: Progress,
    label_weights: Tensor,
}

impl Trainer {
    fn new(config: &RunConfig, folder: &Folder, data: &RunData, device: Device) -> Result<Self> {
        let mut model = initial_model(config, graph(config)?, device)?;
        debug_assert_eq!(model.graph().input_shape()[0], data.recipe.channels.len());
        let options = AdamWOptions { weight_decay: config.weight_decay, ..AdamWOptions::default() };
        let mut optimizer = AdamW::new(options);
        let mut progress = Progress::default();
        if folder.last().exists() {
            (model, progress) =
                checkpoint::load(&folder.last(), &model, &mut optimizer).into_diagnostic()?;
            metrics::keep_epochs(&folder.metrics(), progress.epoch).into_diagnostic()?;
            eprintln!("going on after epoch {} of {}", progress.epoch, config.epochs);
        }
        let schedule = OneCycle { peak: config.learning_rate, rise: config.rise, steps: 1 };
        let label_weights = label_weights(config, device);
        Ok(Self { model, optimizer, schedule, progress, label_weights })
    }

    fn epoch(
        &mut self,
        config: &RunConfig,
        folder: &Folder,
        data: &RunData,
        train: &Loader,
        validate: &Loader,
    ) -> Result<()> {
        let start = Instant::now();
        let bar = crate::progress::bar(train.images() as u64, "training");
        let mut losses = 0.0;
        for batch in train.epoch(self.progress.epoch) {
            // Dropout's numbers follow from seed and step, so that a resumed run draws the same.
            tch::manual_seed((config.seed << 32 | self.optimizer.steps()) as i64);
            let (images, targets) = to_tensors(&batch, &self.model);
            let logits = self.model.logits(&images, Mode::Train);
            let loss = weighted_binary_cross_entropy(&logits, &targets, &self.label_weights);
            let value = loss.double_value(&[]);
            if !value.is_finite() {
                bail!(
                    help = "lower --learning-rate; the last checkpoint is kept",
                    "the loss is {value} at step {}",
                    self.optimizer.steps()
                );
            }
            let rate = self.schedule.rate(self.optimizer.steps());
            self.optimizer.step(&self.model, &loss, rate, Some(config.clip));
            losses += value;
            bar.inc(batch.len() as u64);
        }
        bar.finish_and_clear();
        let train_seconds = start.elapsed().as_secs_f64();
        let predictions = predict(&self.model, validate, &self.label_weights);
        let auroc = aurocs(&predictions, data).into_diagnostic()?;
        let defined: Vec<f64> = auroc.values().copied().flatten().collect();
        let mean =
            (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64);
        self.progress.epoch += 1;
        self.progress.step = self.optimizer.steps();
        let line = EpochMetrics {
            epoch: self.progress.epoch,
            step: self.progress.step,
            train_loss: losses / train.batches() as f64,
            validation_loss: predictions.loss,
            mean_auroc: mean,
            images_per_second: train.images() as f64 / train_seconds,
            seconds: start.elapsed().as_secs_f64(),
            auroc,
        };
        eprintln!(
            "epoch {}/{}: loss {:.4}, validation loss {:.4}, AUROC any {}, mean {}; {:.1} images/s",
            line.epoch,
            config.epochs,
            line.train_loss,
            line.validation_loss,
            shown(line.auroc.get("any").copied().flatten()),
            shown(mean),
            line.images_per_second
        );
        if mean > self.progress.best {
            self.progress.best = mean;
            self.save(&folder.best())?;
        }
        metrics::append(&folder.metrics(), &line).into_diagnostic()?;
        self.save(&folder.last())
    }

    fn save(&self, path: &Path) -> Result<()> {
        checkpoint::save(path, &self.model, &self.optimizer, self.progress).into_diagnostic()
    }
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
    device: Device,
) -> Result<()> {
    let path = if folder.best().exists() { folder.best() } else { folder.last() };
    let bytes = std::fs::read(&path).into_diagnostic()?;
    let mut weights = Weights::from_safetensors(&bytes).into_diagnostic()?;
    weights.retain(|name| !name.starts_with("optimizer/"));
    let model = Model::with_weights(graph(config)?, &weights, device).into_diagnostic()?;
    let predictions = predict(&model, validate, &label_weights(config, device));
    let intervals = intervals(&predictions, data, config.seed).into_diagnostic()?;
    validation::write_predictions(&folder.0.join("validation.csv"), &predictions, data)
        .into_diagnostic()?;
    let metadata = [
        ("network".to_owned(), config.network.clone()),
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
