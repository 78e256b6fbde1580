//! Images per second of a bundle's network of slices alone, on all cores, as JSON.
//!
//! `engine_rate BUNDLE ENGINE REPEATS`: the median over the repeats of 16 images a core.
//! `cargo xtask bench triage` runs it beside PyTorch.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use hemora_infer::{EngineError, load_engine};
use hemora_model::Bundle;
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, engine, repeats] = arguments.as_slice() else {
        return Err("expected BUNDLE ENGINE REPEATS".into());
    };
    let repeats: usize = repeats.parse()?;
    let bundle = Bundle::open(Path::new(bundle))?;
    let (member, networks) = bundle.members().next().ok_or("no member")?;
    let recipe = &member.input;
    let (channels, size) = (recipe.channels.len(), recipe.size);
    let engine = load_engine(engine.parse()?, &networks.slices, channels, size, None)?.engine;
    let threads = rayon::current_num_threads();
    let grey = |index: usize| (index % 251) as f32 / 125.0 - 1.0;
    let image: Vec<f32> = (0..channels * size * size).map(grey).collect();
    let images = 16 * threads;
    let mut seconds = Vec::with_capacity(repeats);
    // The first two passes allocate.
    for repeat in 0..repeats + 2 {
        let started = Instant::now();
        (0..images)
            .into_par_iter()
            .try_for_each(|_| engine.run(&image).map(|_| ()))
            .map_err(|error: EngineError| error.to_string())?;
        if repeat > 1 {
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    seconds.sort_by(f64::total_cmp);
    let rate = images as f64 / seconds.get(seconds.len() / 2).ok_or("no repeats")?;
    println!("{{\"images_per_s\": {rate}, \"threads\": {threads}}}");
    Ok(())
}
