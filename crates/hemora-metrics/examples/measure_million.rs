//! Measures many slices and times it; `cargo xtask bench eval` runs it beside scikit-learn.
//!
//!     measure_million ITEMS REPEATS DATA
//!
//! Makes random slices, about 35 a patient, writes them to the file DATA (per item, little endian:
//! patient u32, six labels u8, six probabilities f64; all items of one field before the next), and
//! prints seconds, also those that the
//! processors worked, and figures as JSON.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::time::Instant;

use hemora_ct::Label;
use hemora_metrics::{BootstrapOptions, Clusters, LabelColumn, MeasureOptions, measure};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Slices of a patient, about as in the RSNA 2019 data.
const SLICES: usize = 35;

/// Share of positives per label, about as in the RSNA 2019 data.
const PREVALENCES: [f64; 6] = [0.004, 0.048, 0.035, 0.047, 0.063, 0.144];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [items, repeats, data] = arguments.as_slice() else {
        return Err("expected ITEMS REPEATS DATA".into());
    };
    let (items, repeats): (usize, usize) = (items.parse()?, repeats.parse()?);
    let patients: Vec<u32> = (0..items).map(|item| (item / SLICES) as u32).collect();
    let columns = columns(items);
    write(data, &patients, &columns)?;

    let (start, cpu) = (Instant::now(), cpu_seconds());
    let clusters = Clusters::new(&patients);
    let plain = MeasureOptions { bootstrap: None, ..MeasureOptions::default() };
    let set = measure(&columns, &clusters, &[], &plain)?;
    let metrics_s = start.elapsed().as_secs_f64();
    let metrics_cpu_s = cpu_seconds() - cpu;

    let (start, cpu) = (Instant::now(), cpu_seconds());
    let options = BootstrapOptions { repeats, ..BootstrapOptions::default() };
    let resampled = MeasureOptions { bootstrap: Some(options), ..plain };
    let intervals = measure(&columns, &clusters, &[], &resampled)?;
    let bootstrap_s = start.elapsed().as_secs_f64();
    let bootstrap_cpu_s = cpu_seconds() - cpu;

    let values: Vec<[Option<f64>; 4]> = set
        .labels
        .iter()
        .map(|label| {
            let interval = [label.auroc, label.average_precision, label.log_loss, label.brier];
            interval.map(|figure| figure.value)
        })
        .collect();
    let limits: Vec<_> =
        intervals.labels.iter().map(|label| [label.auroc.low, label.auroc.high]).collect();
    let cores = std::thread::available_parallelism()?.get();
    println!(
        "{}",
        serde_json::json!({
            "metrics_s": metrics_s,
            "metrics_cpu_s": metrics_cpu_s,
            "bootstrap_s": bootstrap_s,
            "bootstrap_cpu_s": bootstrap_cpu_s,
            "repeats": repeats,
            "cores": cores,
            "values": values,
            "auroc_limits": limits,
        })
    );
    Ok(())
}

/// Seconds that all threads of this process have worked, where the system tells; else 0.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The fields behind the name in brackets; of those the 12th and 13th, in hundredths (proc(5)).
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Probabilities as a decent model gives them: f32, with a part that a patient's slices share.
fn columns(items: usize) -> Vec<LabelColumn> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    Label::ALL
        .into_iter()
        .zip(PREVALENCES)
        .map(|(label, prevalence)| {
            let mut column = LabelColumn { label, probabilities: Vec::new(), truth: Vec::new() };
            let mut shared = 0.0;
            for item in 0..items {
                if item % SLICES == 0 {
                    shared = rng.random::<f64>() * 2.0 - 1.0;
                }
                let truth = rng.random::<f64>() < prevalence;
                let noise: f64 = (0..4).map(|_| rng.random::<f64>() - 0.5).sum::<f64>() * 2.0;
                let odds = if truth { 1.5 } else { -3.0 } + shared + noise;
                column.probabilities.push(f64::from((1.0 / (1.0 + (-odds).exp())) as f32));
                column.truth.push(truth);
            }
            column
        })
        .collect()
}

fn write(path: &str, patients: &[u32], columns: &[LabelColumn]) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for patient in patients {
        file.write_all(&patient.to_le_bytes())?;
    }
    for column in columns {
        file.write_all(&column.truth.iter().map(|&label| u8::from(label)).collect::<Vec<_>>())?;
    }
    for column in columns {
        for probability in &column.probabilities {
            file.write_all(&probability.to_le_bytes())?;
        }
    }
    file.flush()
}
