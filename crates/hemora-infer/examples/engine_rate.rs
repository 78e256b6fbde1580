//! Slices per second of a bundle's networks of slices alone, all members and views, on all cores, as JSON.
//!
//! `engine_rate BUNDLE ENGINE REPEATS`: the median over the repeats of 16 slices a core.
//! `cargo xtask bench triage` runs it beside PyTorch, `cargo xtask bench archive` beside whole archives.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use hemora_infer::{EngineError, EngineKind, load_engine};
use hemora_model::Bundle;
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, engine, repeats] = arguments.as_slice() else {
        return Err("expected BUNDLE ENGINE REPEATS".into());
    };
    let repeats: usize = repeats.parse()?;
    let bundle = Bundle::open(Path::new(bundle))?;
    let kind: EngineKind = engine.parse()?;
    let mut members = Vec::new();
    for (member, networks) in bundle.members() {
        let (channels, size) = (member.input.channels.len(), member.input.size);
        let engine = load_engine(kind, &networks.slices, channels, size, None)?.engine;
        let grey = |index: usize| (index % 251) as f32 / 125.0 - 1.0;
        let image: Vec<f32> = (0..channels * size * size).map(grey).collect();
        members.push((engine, image, member.views.all().len()));
    }
    let slice = || -> Result<(), EngineError> {
        for (engine, image, views) in &members {
            for _ in 0..*views {
                engine.run(image)?;
            }
        }
        Ok(())
    };
    let threads = rayon::current_num_threads();
    let slices = 16 * threads;
    let mut seconds = Vec::with_capacity(repeats);
    // The first two passes allocate.
    for repeat in 0..repeats + 2 {
        let started = Instant::now();
        (0..slices)
            .into_par_iter()
            .try_for_each(|_| slice())
            .map_err(|error: EngineError| error.to_string())?;
        if repeat > 1 {
            seconds.push(started.elapsed().as_secs_f64());
        }
    }
    seconds.sort_by(f64::total_cmp);
    let rate = slices as f64 / seconds.get(seconds.len() / 2).ok_or("no repeats")?;
    println!("{{\"images_per_s\": {rate}, \"threads\": {threads}}}");
    Ok(())
}
