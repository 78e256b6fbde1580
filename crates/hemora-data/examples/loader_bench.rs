//! What `cargo xtask bench loader` measures; prints its figures as JSON.
//!
//! `loader_bench memory|files SET SIZE BATCH THREADS SECONDS`: batches of the JPEGs of a prepared
//! set, decoded once or whenever they are used, for about so many seconds.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hemora_ct::{InputRecipe, Window};
use hemora_data::{Augment, ImageSet, JpegSet, Loader, LoaderOptions, LoaderSet};

#[allow(dead_code, reason = "the other benchmark uses more")]
#[path = "support/usage.rs"]
mod usage;

use usage::Usage;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let &[kind, set, size, batch, threads, seconds] = arguments.as_slice() else {
        return Err("expected memory or files, a set, size, batch, threads and seconds".into());
    };
    let (folder, size, seconds) = (Path::new(set), size.parse()?, seconds.parse::<f64>()?);
    let images = ImageSet::open(&folder.join("images"), &folder.join("labels.csv"))?;
    let recipe = InputRecipe::grey(size, Window::BRAIN);
    let began = Instant::now();
    let set: LoaderSet = match kind {
        "memory" => Arc::new(images.load(&recipe, 256, &|_, _| {})?).into(),
        "files" => Arc::new(JpegSet::new(&images)?).into(),
        _ => return Err("expected memory or files".into()),
    };
    let load_s = began.elapsed().as_secs_f64();
    let options = LoaderOptions {
        batch: batch.parse()?,
        threads: threads.parse()?,
        drop_last: true,
        ..LoaderOptions::default()
    };
    let count = images.images().len();
    let loader = Loader::new(set, (0..count).collect(), None, recipe, Some(augment()), &options)?;
    // The first epoch fills the buffers.
    let (mut images, mut sum) = (0, 0.0);
    let mut started = (Instant::now(), Usage::now().cpu_s);
    for epoch in 0.. {
        for batch in loader.epoch(epoch) {
            if let Some((index, reason)) = batch.skipped().first() {
                return Err(format!("image {index}: {reason}").into());
            }
            images += batch.len();
            sum += f64::from(batch.inputs()[0]);
        }
        if epoch == 0 {
            (images, started) = (0, (Instant::now(), Usage::now().cpu_s));
        } else if started.0.elapsed().as_secs_f64() > seconds {
            break;
        }
    }
    let (total_s, cpu_s) = (started.0.elapsed().as_secs_f64(), Usage::now().cpu_s - started.1);
    println!(
        "{{\"images\": {images}, \"total_s\": {total_s}, \"cpu_s\": {cpu_s}, \"load_s\": {load_s}, \
         \"first_values\": {sum}}}"
    );
    Ok(())
}

/// What `tools/peer_loader.py` does as well.
fn augment() -> Augment {
    Augment {
        flip: 0.5,
        rotate_degrees: 20.0,
        scale: 0.1,
        shift: 0.06,
        crop: 0.5,
        brightness: 0.05,
        contrast: 0.1,
        erase: 0.1,
        ..Augment::off()
    }
}
