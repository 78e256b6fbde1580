//! What `cargo xtask bench train` measures; each mode prints its figures as JSON.
//!
//! - `images COUNT SIZE FOLDER`: PNG images of phantoms and their label table
//! - `step NETWORK SIZE BATCH STEPS THREADS`: seconds of each training step on one batch
//! - `epoch FOLDER NETWORK SIZE BATCH THREADS`: one epoch from files, with augmentation

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use hemora_ct::{InputRecipe, Label, Window};
use hemora_data::{Augment, ImageSet, Loader, LoaderOptions};
use hemora_synth::{HeadPhantom, PhantomOptions};
use hemora_train::optim::{Optimizer, Preset};
use hemora_train::output::Reporter;
use hemora_train::training::{Trainer, TrainerOptions, allocator, set_threads};
use hemora_train::{Layout, Loss, LossOptions, Mode, Model, Precision, Schedule, Task};
use tch::{Device, Kind, Tensor};

fn main() -> Result<(), Box<dyn Error>> {
    allocator::keep_large_blocks();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["images", count, size, folder] => images(count.parse()?, size.parse()?, Path::new(folder)),
        ["step", network, size, batch, steps, threads] => {
            set_threads(Some(threads.parse()?), None, Reporter::default());
            step(network, size.parse()?, batch.parse()?, steps.parse()?)
        }
        ["epoch", folder, network, size, batch, threads] => {
            let threads = set_threads(Some(threads.parse()?), None, Reporter::default());
            epoch(Path::new(folder), network, size.parse()?, batch.parse()?, threads)
        }
        _ => Err("expected images, step or epoch with their arguments".into()),
    }
}

/// `FOLDER/images/*.png` in the brain window, and `FOLDER/labels.csv` last.
fn images(count: usize, size: usize, folder: &Path) -> Result<(), Box<dyn Error>> {
    std::fs::create_dir_all(folder.join("images"))?;
    let mut table = String::from("ID,Label\n");
    let mut made = 0;
    for seed in 0.. {
        let options = PhantomOptions::default().with_size(size);
        for slice in HeadPhantom::new(seed, options)?.render().slices.into_iter() {
            if made == count {
                std::fs::write(folder.join("labels.csv"), table)?;
                println!("{{\"images\": {made}}}");
                return Ok(());
            }
            let (low, width) = (0.0, 80.0);
            let grey = |hu: &f32| ((hu - low) / width * 255.0).clamp(0.0, 255.0).round() as u8;
            let pixels: Vec<u8> = slice.slice.hu().iter().map(grey).collect();
            let id = format!("ID_{made:06}");
            let file = std::fs::File::create(folder.join("images").join(format!("{id}.png")))?;
            let mut encoder = png::Encoder::new(file, size as u32, size as u32);
            encoder.set_color(png::ColorType::Grayscale);
            encoder.write_header()?.write_image_data(&pixels)?;
            for label in Label::ALL {
                let value = u8::from(slice.labels[label.index()]);
                table.push_str(&format!("{id}_{label},{value}\n"));
            }
            made += 1;
        }
    }
    unreachable!("there is no last seed")
}

fn model(network: &str, size: usize) -> Result<Model, Box<dyn Error>> {
    let graph = Task::Any.graph(network, [3, size], 0.2).ok_or("no such network")??;
    Ok(Model::fresh(graph, Device::Cpu, 1))
}

fn step(network: &str, size: usize, batch: i64, steps: usize) -> Result<(), Box<dyn Error>> {
    let model = model(network, size)?.laid_out(Layout::ChannelsLast);
    let preset = Preset::AdadeltaKeras.options();
    let mut optimizer = Optimizer::new(preset);
    let loss_of = Loss::new(Task::Any, &LossOptions::default(), Device::Cpu);
    let images = Tensor::randn([batch, 3, size as i64, size as i64], (Kind::Float, Device::Cpu));
    let targets = Tensor::zeros([batch, 1], (Kind::Float, Device::Cpu));
    let mut seconds = Vec::new();
    // The first two steps allocate and choose kernels.
    for number in 0..steps + 2 {
        let began = Instant::now();
        let scores = Task::Any.scores(model.logits(&images, Mode::Train));
        let loss = loss_of.mean(&scores, &targets);
        optimizer.step(&model, &model.gradients(&loss), preset.learning_rate);
        loss.double_value(&[]);
        if number >= 2 {
            seconds.push(began.elapsed().as_secs_f64());
        }
    }
    println!("{{\"seconds\": {seconds:?}}}");
    Ok(())
}

fn epoch(
    folder: &Path,
    network: &str,
    size: usize,
    batch: usize,
    threads: usize,
) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let recipe = InputRecipe::grey(size, Window::BRAIN);
    let files = ImageSet::open(&folder.join("images"), &folder.join("labels.csv"))?;
    let set = Arc::new(files.load(&recipe, size, &|_, _| ())?);
    let loaded_s = began.elapsed().as_secs_f64();
    let options = LoaderOptions { batch, threads, drop_last: true, ..LoaderOptions::default() };
    let indices = (0..set.len()).collect();
    let augment = Augment { noise: 0.0, blur: 0.0, erase: 0.0, gamma: 0.0, ..Augment::default() };
    let loader = Loader::new(set, indices, None, recipe, Some(augment), &options)?;
    let optimizer = Preset::AdadeltaKeras.options();
    let options = TrainerOptions {
        task: Task::Any,
        loss: LossOptions::default(),
        optimizer,
        schedule: Schedule::Constant(optimizer.learning_rate),
        ema: None,
        clip: None,
        accumulate: 1,
        precision: Precision::F32,
        layout: Layout::ChannelsLast,
        seed: 1,
    };
    let mut trainer = Trainer::new(model(network, size)?, options);
    trainer.epoch(&loader, 0, u64::MAX, &mut |_| Ok(()))?;
    let (images, total_s) = (loader.images(), began.elapsed().as_secs_f64());
    println!("{{\"images\": {images}, \"loaded_s\": {loaded_s}, \"total_s\": {total_s}}}");
    Ok(())
}
