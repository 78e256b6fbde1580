//! Training: Hemora beside PyTorch with channels-last, the same batches and threads.

use std::path::{Path, PathBuf};
use std::process::Command;

use miette::{IntoDiagnostic, Result, WrapErr, miette};
use serde_json::Value;

use super::measure::median;
use super::table::table;
use crate::environment::Environment;
use crate::process::{cargo, log, read, run};
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct TrainOptions {
    /// Networks whose training step is measured
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "simple-nn,deep-cnn,resnet50,efficientnet-lite0"
    )]
    networks: Vec<String>,
    /// Networks of which a whole epoch is measured
    #[arg(long, value_delimiter = ',', default_value = "simple-nn,efficientnet-lite0")]
    epochs: Vec<String>,
    /// Height and width of the images, pixels
    #[arg(long, default_value_t = 192, value_parser = clap::value_parser!(u32).range(32..=1024))]
    size: u32,
    /// Images a batch
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1024))]
    batch: u32,
    /// Steps that are timed, after two that are not
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    /// Images of an epoch
    #[arg(long, default_value_t = 512)]
    images: u32,
    /// Threads; one per core without it
    #[arg(long)]
    threads: Option<usize>,
}

/// Measures, and prints tables to stdout.
pub fn train(
    workspace: &Workspace,
    environment: &Environment,
    options: &TrainOptions,
) -> Result<()> {
    if options.images < options.batch {
        return Err(miette!("--images {}: expected at least a batch", options.images));
    }
    log("building for release");
    let mut build = cargo(workspace);
    build.args(["build", "--release", "--package", "hemora-train", "--example", "train_bench"]);
    environment.apply(&mut build)?;
    run(&mut build)?;
    let bench = Bench { workspace, environment, options };
    let folder = bench.images()?;
    let mut steps = Vec::new();
    for network in &options.networks {
        log(format!("training steps of {network}"));
        let arguments = [network.clone(), options.size.to_string(), options.batch.to_string()];
        let arguments = [&arguments[..], &[options.steps.to_string()]].concat();
        let rate = |answer: &Value| step_rate(answer, options.batch);
        steps.push((network.clone(), bench.both("step", &arguments, rate)?));
    }
    let mut epochs = Vec::new();
    for network in &options.epochs {
        log(format!("an epoch of {network}"));
        let arguments = [folder.to_string_lossy().into_owned(), network.clone()];
        let sizes = [options.size.to_string(), options.batch.to_string()];
        epochs.push((
            network.clone(),
            bench.both("epoch", &[arguments, sizes].concat(), epoch_rate)?,
        ));
    }
    print!("{}", report(options, bench.threads(), &steps, &epochs));
    Ok(())
}

/// Images a second of Hemora, and of PyTorch where it was asked for.
type Rates = (f64, Option<f64>);

struct Bench<'a> {
    workspace: &'a Workspace,
    environment: &'a Environment,
    options: &'a TrainOptions,
}

impl Bench<'_> {
    fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.options.threads.unwrap_or_else(cores)
    }

    fn ours(&self, arguments: &[String]) -> Result<Value> {
        let program = self.workspace.target().join("release/examples/train_bench");
        let mut command = Command::new(program);
        command.args(arguments);
        self.environment.apply(&mut command)?;
        json(&read(&mut command)?)
    }

    /// Runs `mode` in Hemora and, where HEMORA_TORCH_PYTHON names one, in PyTorch.
    fn both(
        &self,
        mode: &str,
        arguments: &[String],
        rate: impl Fn(&Value) -> Result<f64>,
    ) -> Result<Rates> {
        let mut all = vec![mode.to_owned()];
        all.extend_from_slice(arguments);
        all.push(self.threads().to_string());
        let ours = rate(&self.ours(&all)?)?;
        let Some(python) = std::env::var_os("HEMORA_TORCH_PYTHON") else { return Ok((ours, None)) };
        let mut command = Command::new(python);
        command.arg(self.workspace.root().join("tools/peer_train.py")).args(&all);
        Ok((ours, Some(rate(&json(&read(&mut command)?)?)?)))
    }

    /// Phantoms as PNG, the same every time; kept from run to run.
    fn images(&self) -> Result<PathBuf> {
        let TrainOptions { images, size, .. } = self.options;
        let folder = self.workspace.target().join(format!("bench-train/{images}-{size}"));
        // The table is written last: where it is, everything is there.
        if !self.options.epochs.is_empty() && !folder.join("labels.csv").is_file() {
            log(format!("making {images} images"));
            let numbers = [images, size].map(u32::to_string);
            let arguments = [&["images".to_owned()][..], &numbers, &[shown(&folder)]].concat();
            self.ours(&arguments)?;
        }
        Ok(folder)
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).into_diagnostic().wrap_err("a program printed no JSON")
}

/// Images a second of the median step.
fn step_rate(answer: &Value, batch: u32) -> Result<f64> {
    let seconds: Option<Vec<f64>> =
        answer["seconds"].as_array().and_then(|all| all.iter().map(Value::as_f64).collect());
    let seconds = seconds.filter(|all| !all.is_empty());
    let seconds = seconds.ok_or_else(|| miette!("a program gave no `seconds` of its steps"))?;
    Ok(f64::from(batch) / median(&seconds))
}

/// Images a second of an epoch, reading the files included.
fn epoch_rate(answer: &Value) -> Result<f64> {
    match (answer["images"].as_f64(), answer["total_s"].as_f64()) {
        (Some(images), Some(seconds)) => Ok(images / seconds),
        _ => Err(miette!("a program gave no `images` or no `total_s`")),
    }
}

fn report(
    options: &TrainOptions,
    threads: usize,
    steps: &[(String, Rates)],
    epochs: &[(String, Rates)],
) -> String {
    let TrainOptions { size, batch, images, .. } = options;
    let mut rows = vec![["images/s", "Hemora", "PyTorch", "ratio"].map(str::to_owned).to_vec()];
    let parts = [("a step", steps), ("an epoch", epochs)];
    for (what, measured) in parts {
        for (network, (ours, peer)) in measured {
            let peer_shown = peer.map_or("-".to_owned(), |peer| format!("{peer:.1}"));
            let ratio = peer.map_or("-".to_owned(), |peer| format!("{:.2}", ours / peer));
            rows.push(vec![format!("{network}, {what}"), format!("{ours:.1}"), peer_shown, ratio]);
        }
    }
    format!(
        "{size} x {size} pixels, batches of {batch}, {threads} threads, 32-bit floats, Adadelta; \
         PyTorch with channels-last.\nSteps: the median. Epochs: {images} PNG files, read, augmented \
         and trained on once.\n\n{}",
        table(&rows)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_images_a_second_and_ratios_ours_over_theirs() {
        let answer =
            json(r#"{"seconds": [2.0, 90.0, 1.0], "images": 12, "total_s": 3.0}"#).unwrap();
        assert_eq!(step_rate(&answer, 16).unwrap(), 8.0);
        assert_eq!(epoch_rate(&answer).unwrap(), 4.0);
        assert!(step_rate(&json(r#"{"seconds": []}"#).unwrap(), 16).is_err());
        let options = TrainOptions {
            networks: Vec::new(),
            epochs: Vec::new(),
            size: 64,
            batch: 16,
            steps: 3,
            images: 32,
            threads: None,
        };
        let steps = [("a-net".to_owned(), (8.0, Some(4.0)))];
        let text = report(&options, 2, &steps, &[("a-net".to_owned(), (6.0, None))]);
        assert!(text.contains("| a-net, a step   |    8.0 |     4.0 |  2.00 |"), "{text}");
        assert!(text.contains("| a-net, an epoch |    6.0 |       - |     - |"), "{text}");
    }
}
