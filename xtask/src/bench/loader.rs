//! Batches of a prepared set: Hemora's loader beside a PyTorch `DataLoader` on the same JPEGs.

use std::path::PathBuf;
use std::process::Command;

use miette::{Result, miette};
use serde_json::Value;

use super::data::{Data, absolute, figure};
use super::table::table;
use crate::process::log;
use crate::workspace::Workspace;

/// What is measured.
#[derive(Debug, clap::Args)]
pub struct LoaderOptions {
    /// A prepared set of JPEGs. Default: phantoms, prepared with the recipe `howard`
    #[arg(long)]
    set: Option<PathBuf>,
    /// Phantom patients, about 35 slices each
    #[arg(long, default_value_t = 30)]
    patients: usize,
    /// Height and width of the network's input, pixels
    #[arg(long, default_value_t = 224)]
    size: usize,
    /// Images a batch
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Seconds for which each program makes batches, at least
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// How often each program runs
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..))]
    repeats: u8,
}

/// Measures, and prints a table to stdout.
pub fn loader(workspace: &Workspace, options: &LoaderOptions) -> Result<()> {
    let data = Data::build(workspace, "bench-data")?;
    let set = match &options.set {
        Some(set) => absolute(set)?,
        None => prepared(&data, options.patients)?,
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from).to_string();
    let [size, batch, seconds] =
        [options.size.to_string(), options.batch.to_string(), options.seconds.to_string()];
    let torch = std::env::var_os("HEMORA_TORCH_PYTHON");
    let (mut memory, mut files, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    for repeat in 0..options.repeats {
        log(format!("run {} of {}", repeat + 1, options.repeats));
        for (kind, runs) in [("memory", &mut memory), ("files", &mut files)] {
            let mut command = data.program("loader_bench");
            command.arg(kind).arg(&set).args([&size, &batch, &cores, &seconds]);
            runs.push(Data::figures(&mut command)?);
        }
        if let Some(python) = &torch {
            let mut command = Command::new(python);
            command.arg(workspace.root().join("tools/peer_loader.py")).arg(&set);
            command.args(["--size", &size, "--batch", &batch, "--workers", &cores]);
            peer.push(Data::figures(command.args(["--seconds", &seconds]))?);
        }
    }
    print!("{}", report(options, &cores, &memory, &files, &peer)?);
    if torch.is_none() {
        log("no PyTorch line: HEMORA_TORCH_PYTHON names no interpreter with torch");
    }
    Ok(())
}

/// A prepared set of phantoms, kept from run to run.
fn prepared(data: &Data, patients: usize) -> Result<PathBuf> {
    let (dicom, labels) = data.phantoms(patients, 512)?;
    let folder = dicom.with_file_name("prepared");
    let set = folder.join("set");
    if !set.join("labels.csv").is_file() {
        log("preparing them");
        let mut command = data.program("prepare_bench");
        command.arg("ours").arg(&dicom).arg(&labels).arg("howard").arg(&folder);
        std::fs::create_dir_all(&folder)
            .map_err(|error| miette!("{}: {error}", folder.display()))?;
        Data::figures(&mut command)?;
    }
    Ok(set)
}

fn report(
    options: &LoaderOptions,
    cores: &str,
    memory: &[Value],
    files: &[Value],
    peer: &[Value],
) -> Result<String> {
    let rate = |runs: &[Value]| -> Result<f64> {
        Ok(figure(runs, "images")? / figure(runs, "total_s")? / options.batch as f64)
    };
    let theirs = if peer.is_empty() { None } else { Some(rate(peer)?) };
    let stated = |name: &str| peer.first().and_then(|run| run[name].as_str()).unwrap_or("?");
    let torch = format!("PyTorch {} DataLoader, {}", stated("torch"), stated("with"));
    let lines = [
        ("Hemora, decoded once and kept in memory", memory),
        ("Hemora, decoded for every batch", files),
        (&torch, peer),
    ];
    let head = ["program", "batches/s", "images/s", "times PyTorch"].map(str::to_owned);
    let mut rows = vec![head.to_vec()];
    for (name, runs) in lines.into_iter().filter(|(_, runs)| !runs.is_empty()) {
        let rate = rate(runs)?;
        rows.push(vec![
            name.to_owned(),
            format!("{rate:.1}"),
            format!("{:.0}", rate * options.batch as f64),
            theirs.map_or_else(|| "–".to_owned(), |theirs| format!("{:.1}", rate / theirs)),
        ]);
    }
    Ok(format!(
        "batches of {} at {} pixels, {cores} threads or workers, medians of {} runs; flip, shift, \
         scale, rotation, crop, brightness, contrast, erasing. Decoding all into memory took \
         {:.2} s.\n\n{}",
        options.batch,
        options.size,
        options.repeats,
        figure(memory, "load_s")?,
        table(&rows)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_batches_a_second_and_without_a_peer_there_is_no_ratio() {
        let options = LoaderOptions {
            set: None,
            patients: 1,
            size: 224,
            batch: 32,
            seconds: 1.0,
            repeats: 1,
        };
        let run = |images: f64| serde_json::json!({"images": images, "total_s": 2.0, "load_s": 0.5, "torch": "2.11"});
        let ours = [run(1280.0)];
        let text = report(&options, "2", &ours, &ours, &[run(320.0)]).unwrap();
        let line = text.lines().find(|line| line.contains("every batch")).unwrap();
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        assert_eq!(cells[2..5], ["20.0", "640", "4.0"]);
        assert!(text.contains("PyTorch 2.11"), "{text}");
        let alone = report(&options, "2", &ours, &ours, &[]).unwrap();
        assert!(alone.contains('–') && !alone.contains("PyTorch ?"), "{alone}");
    }
}
