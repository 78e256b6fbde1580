//! What `cargo xtask bench prepare` measures; each mode prints its figures as JSON.
//!
//! - `phantoms PATIENTS SIZE FOLDER`: a data set to measure with
//! - `ours FOLDER LABELS.csv RECIPE OUT`: index and prepared set
//! - `floor FOLDER IMAGES OUT`: the least it can take, reading the files and encoding as many JPEGs
//!   with nothing in between

use std::error::Error;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hemora_data::{PrepareRecipe, Selection, build_index, prepare};
use hemora_synth::{PhantomOptions, write_dataset};
use jpeg_decoder::Decoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["phantoms", patients, size, folder] => {
            let options = PhantomOptions::default().with_size(size.parse()?);
            let summary =
                write_dataset(Path::new(folder), 1, patients.parse()?, &options, &|_, _| {})?;
            println!("{{\"slices\": {}}}", summary.slices);
            Ok(())
        }
        ["ours", folder, labels, recipe, out] => ours(folder, labels, recipe, Path::new(out)),
        ["floor", folder, images, out] => floor(folder, images, Path::new(out)),
        _ => Err("expected phantoms, ours or floor with their arguments".into()),
    }
}

fn ours(folder: &str, labels: &str, recipe: &str, out: &Path) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let index = out.join("set.parquet");
    let indexed = build_index(&[folder.into()], &[labels.into()], &index, &|_, _| {})?;
    let index_s = began.elapsed().as_secs_f64();
    let recipe = PrepareRecipe::open(recipe)?;
    let go_on = |_, _| ControlFlow::Continue(());
    let report = prepare(&index, &out.join("set"), &recipe, &Selection::default(), &go_on)?;
    let total_s = began.elapsed().as_secs_f64();
    println!(
        "{{\"files\": {}, \"written\": {}, \"index_s\": {index_s}, \"prepare_s\": {}, \
         \"total_s\": {total_s}, \"peak_mib\": {}}}",
        indexed.slices,
        report.slices,
        total_s - index_s,
        peak_mib()
    );
    Ok(())
}

fn floor(folder: &str, images: &str, out: &Path) -> Result<(), Box<dyn Error>> {
    let (files, images) = (files(folder)?, files(images)?);
    // A few decoded images, used in turn, so that decoding is not measured.
    let mut decoded = Vec::new();
    for path in images.iter().take(64) {
        let mut decoder = Decoder::new(std::fs::File::open(path)?);
        let pixels = decoder.decode()?;
        let info = decoder.info().ok_or("no frame")?;
        decoded.push((pixels, info.width, info.height));
    }
    let step = |(index, path): (usize, &PathBuf)| -> Result<usize, String> {
        let read = std::fs::read(path).map_err(|error| error.to_string())?.len();
        // As many are encoded as the set has images.
        if index < images.len() {
            let (pixels, width, height) = &decoded[index % decoded.len()];
            let mut file = Vec::new();
            let mut encoder = Encoder::new(&mut file, 90);
            encoder.set_sampling_factor(SamplingFactor::F_2_2);
            let encoded = encoder.encode(pixels, *width, *height, ColorType::Rgb);
            encoded.map_err(|error| error.to_string())?;
            let written = std::fs::write(out.join(format!("{index}.jpg")), file);
            written.map_err(|error| error.to_string())?;
        }
        Ok(read)
    };
    let began = Instant::now();
    let bytes: usize = files.par_iter().enumerate().map(step).sum::<Result<_, String>>()?;
    let total_s = began.elapsed().as_secs_f64();
    println!(
        "{{\"files\": {}, \"written\": {}, \"bytes\": {bytes}, \"total_s\": {total_s}}}",
        files.len(),
        images.len().min(files.len())
    );
    Ok(())
}

fn files(folder: &str) -> std::io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// Most memory that this process has held, MiB, as Linux counts it; 0 elsewhere.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
