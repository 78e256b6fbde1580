//! What `cargo xtask bench prepare` measures; each mode prints its figures as JSON.
//!
//! - `phantoms PATIENTS SIZE FOLDER`: a data set to measure with
//! - `copies FOLDER COUNT OUT`: as many of its slices, or of copies of them under other ids
//! - `ours FOLDER LABELS.csv RECIPE OUT`: index and prepared set
//! - `index FOLDER LABELS.csv INDEX` and `prepare INDEX RECIPE OUT`: each alone
//! - `floor FOLDER IMAGES OUT`: the least it can take, reading the files and encoding as many JPEGs
//!   with nothing in between

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hemora_data::{PrepareRecipe, Selection, build_index, prepare};
use hemora_synth::{PhantomOptions, write_dataset};
use jpeg_decoder::Decoder;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};
use rayon::prelude::*;

#[path = "support/usage.rs"]
mod usage;

use usage::Usage;

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
        ["copies", folder, count, out] => copies(Path::new(folder), count.parse()?, Path::new(out)),
        ["ours", folder, labels, recipe, out] => ours(folder, labels, recipe, Path::new(out)),
        ["index", folder, labels, index] => {
            let began = Instant::now();
            let found =
                build_index(&[folder.into()], &[labels.into()], index.as_ref(), &|_, _| {})?;
            report(found.slices, found.slices, began, "");
            Ok(())
        }
        ["prepare", index, recipe, out] => {
            let began = Instant::now();
            let written = prepared(Path::new(index), recipe, Path::new(out))?;
            report(written, written, began, "");
            Ok(())
        }
        ["floor", folder, images, out] => floor(folder, images, Path::new(out)),
        _ => Err("expected phantoms, copies, ours, index, prepare or floor with arguments".into()),
    }
}

fn report(files: usize, written: usize, began: Instant, more: &str) {
    let Usage { cpu_s, peak_mib } = Usage::now();
    println!(
        "{{\"files\": {files}, \"written\": {written}, {more}\"total_s\": {}, \"cpu_s\": {cpu_s}, \
         \"peak_mib\": {peak_mib}}}",
        began.elapsed().as_secs_f64()
    );
}

fn ours(folder: &str, labels: &str, recipe: &str, out: &Path) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let index = out.join("set.parquet");
    let indexed = build_index(&[folder.into()], &[labels.into()], &index, &|_, _| {})?;
    let (index_s, index_cpu_s) = (began.elapsed().as_secs_f64(), Usage::now().cpu_s);
    let written = prepared(&index, recipe, &out.join("set"))?;
    let prepare_s = began.elapsed().as_secs_f64() - index_s;
    let prepare_cpu_s = Usage::now().cpu_s - index_cpu_s;
    let more = format!("\"prepare_s\": {prepare_s}, \"prepare_cpu_s\": {prepare_cpu_s}, ");
    report(indexed.slices, written, began, &more);
    Ok(())
}

fn prepared(index: &Path, recipe: &str, out: &Path) -> Result<usize, Box<dyn Error>> {
    let recipe = PrepareRecipe::open(recipe)?;
    let go_on = |_, _| ControlFlow::Continue(());
    Ok(prepare(index, out, &recipe, &Selection::default(), &go_on)?.slices)
}

fn floor(folder: &str, images: &str, out: &Path) -> Result<(), Box<dyn Error>> {
    let (files, images) = (files(folder)?, files(images)?);
    // A few decoded images, used in turn, so that decoding is not measured.
    let mut decoded = Vec::new();
    for path in images.iter().take(64) {
        let mut decoder = Decoder::new(BufReader::new(fs::File::open(path)?));
        let pixels = decoder.decode()?;
        let info = decoder.info().ok_or("no frame")?;
        decoded.push((pixels, info.width, info.height));
    }
    let step = |(index, path): (usize, &PathBuf)| -> Result<(), String> {
        fs::read(path).map_err(|error| error.to_string())?;
        // As many are encoded as the set has images.
        if index < images.len() {
            let (pixels, width, height) = &decoded[index % decoded.len()];
            let mut file = Vec::new();
            let mut encoder = Encoder::new(&mut file, 90);
            encoder.set_sampling_factor(SamplingFactor::F_2_2);
            encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
            let encoded = encoder.encode(pixels, *width, *height, ColorType::Rgb);
            encoded.map_err(|error| error.to_string())?;
            let written = fs::write(out.join(format!("{index}.jpg")), file);
            written.map_err(|error| error.to_string())?;
        }
        Ok(())
    };
    let (began, before) = (Instant::now(), Usage::now().cpu_s);
    files.par_iter().enumerate().map(step).collect::<Result<(), _>>()?;
    let (total_s, cpu_s) = (began.elapsed().as_secs_f64(), Usage::now().cpu_s - before);
    println!(
        "{{\"files\": {}, \"written\": {}, \"total_s\": {total_s}, \"cpu_s\": {cpu_s}}}",
        files.len(),
        images.len().min(files.len())
    );
    Ok(())
}

/// Phantoms under other ids: made in seconds, where new ones would take many minutes.
fn copies(folder: &Path, count: usize, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut labels: HashMap<String, Vec<String>> = HashMap::new();
    let table = fs::File::open(folder.join("stage_2_train.csv"))?;
    for line in BufReader::new(table).lines().skip(1) {
        let line = line?;
        let (id, rest) = line.split_at(line.rfind('_').ok_or("a label without an id")?);
        labels.entry(id.to_owned()).or_default().push(rest.to_owned());
    }
    let files = files(folder.join("stage_2_train").to_str().ok_or("a path of text")?)?;
    let images = out.join("stage_2_train");
    fs::create_dir_all(&images)?;
    let mut table = String::from("ID,Label\n");
    for index in 0..count {
        let (copy, path) = (index / files.len(), &files[index % files.len()]);
        let id = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name of text")?;
        let name = String::from_utf8(renamed(id.as_bytes(), copy))?;
        fs::write(images.join(format!("{name}.dcm")), renamed(&fs::read(path)?, copy))?;
        for rest in labels.get(id).into_iter().flatten() {
            writeln!(table, "{name}{rest}")?;
        }
    }
    fs::write(out.join("stage_2_train.csv"), table)?;
    println!("{{\"slices\": {count}}}");
    Ok(())
}

/// Bytes with another number in every id of the form `ID_` and eight hexadecimal digits.
fn renamed(bytes: &[u8], copy: usize) -> Vec<u8> {
    let mut renamed = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(10) {
        if !bytes[at..].starts_with(b"ID_") {
            continue;
        }
        let digits = str::from_utf8(&bytes[at + 3..at + 11]).ok();
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(number) = number {
            // An odd step through all numbers: copies of an id never meet.
            let other = number.wrapping_add(0x9e37_79b9u32.wrapping_mul(copy as u32));
            renamed[at + 3..at + 11].copy_from_slice(format!("{other:08x}").as_bytes());
        }
    }
    renamed
}

fn files(folder: &str) -> std::io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
