//! Images per second of every network of images that Hemora can train, on one core, with tract and with ONNX Runtime
//! where there is one, as JSON.
//!
//! `network_rates SIZE REPEATS`: medians over the repeats; the engines take turns. Weights are of a formula, which changes
//! no time. `cargo xtask bench networks` prints them as a table.

use std::error::Error;
use std::time::Instant;

use hemora_ct::LABEL_COUNT;
use hemora_infer::{Engine, EngineKind, load_engine};
use hemora_nn::networks::{Head, Options, build, names};
use hemora_testing::formula::formula_weights;
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [size, repeats] = arguments.as_slice() else {
        return Err("expected SIZE REPEATS".into());
    };
    let (size, repeats): (usize, usize) = (size.parse()?, repeats.parse()?);
    let options = Options { size, head: Some(Head::Sigmoid(LABEL_COUNT)), ..Options::default() };
    let mut rates = Vec::new();
    for name in names() {
        let Some(graph) = build(name, &options) else { continue };
        let graph = graph?;
        let onnx = hemora_nn::onnx::write(&graph, &formula_weights(&graph))?;
        let load = |kind| load_engine(kind, &onnx, options.channels, size, None);
        let tract = load(EngineKind::Tract)?.engine;
        let runtime = load(EngineKind::OnnxRuntime).ok().map(|loaded| loaded.engine);
        let values: Vec<f32> =
            (0..options.channels * size * size).map(|at| (at % 251) as f32 / 250.0).collect();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..repeats {
            ours.push(rate(&*tract, &values)?);
            if let Some(runtime) = &runtime {
                theirs.push(rate(&**runtime, &values)?);
            }
        }
        rates.push(json!({
            "network": name,
            "parameters": graph.trainable_parameters(),
            "tract": median(ours),
            "onnxruntime": median(theirs),
        }));
    }
    println!("{}", Value::Array(rates));
    Ok(())
}

/// Images per second of one turn, after a first image that allocates.
fn rate(engine: &dyn Engine, image: &[f32]) -> Result<f64, Box<dyn Error>> {
    engine.run(image)?;
    let (started, mut images) = (Instant::now(), 0.0);
    while started.elapsed().as_secs_f64() < 0.5 {
        engine.run(image)?;
        images += 1.0;
    }
    Ok(images / started.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
