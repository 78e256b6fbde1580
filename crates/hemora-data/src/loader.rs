//! Batches for training: a seeded order, built ahead on several threads, the same for any number.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use hemora_ct::{InputRecipe, LABEL_COUNT};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::augment::{Augment, Drawn};
use crate::jpeg_set::LoaderSet;
use crate::options::{LoaderError, LoaderOptions, MAX_VALUES, Share};
use crate::sampling::{Image, Inputs, Scratch};

/// Makes the batches of any epoch.
#[derive(Debug, Clone)]
pub struct Loader {
    plan: Arc<Plan>,
    threads: usize,
    prefetch: usize,
}

/// All that decides what a batch holds.
#[derive(Debug)]
struct Plan {
    set: LoaderSet,
    indices: Vec<usize>,
    /// Running sums of the weights.
    sums: Option<Vec<f64>>,
    recipe: InputRecipe,
    planes: Vec<usize>,
    augment: Option<Augment>,
    batch: usize,
    seed: u64,
    shuffle: bool,
    drop_last: bool,
    samples: usize,
    share: Share,
    /// Buffers of batches that were dropped.
    spare: Mutex<Vec<Vec<f32>>>,
    most_spare: usize,
}

/// Images as a network takes them. Dropping a batch gives its memory back to the loader.
#[derive(Debug)]
pub struct Batch {
    inputs: Vec<f32>,
    labels: Vec<f32>,
    indices: Vec<usize>,
    place: usize,
    whole: usize,
    skipped: Vec<(usize, String)>,
    plan: Arc<Plan>,
}

impl Loader {
    /// Batches of the images `indices` of `set` (decoded in memory, or files that are decoded batch
    /// by batch), in their order or shuffled; with `weights` (one an
    /// index) drawn with replacement instead. Without `augment` the inputs are the recipe's own.
    ///
    /// # Errors
    /// [`LoaderError`] if the recipe does not fit the set, or an option or index is out of bounds.
    pub fn new(
        set: impl Into<LoaderSet>,
        indices: Vec<usize>,
        weights: Option<&[f64]>,
        recipe: InputRecipe,
        augment: Option<Augment>,
        options: &LoaderOptions,
    ) -> Result<Self, LoaderError> {
        let set = set.into();
        let planes = set.planes_for(&recipe)?;
        if let Some(augment) = &augment {
            augment.check()?;
            if augment.jitters_windows() && !set.is_hu() {
                return Err(LoaderError::NoHu);
            }
        }
        let image = planes.len() * recipe.size * recipe.size;
        let batch = options.batch;
        if batch == 0 || batch.checked_mul(image).is_none_or(|values| values > MAX_VALUES) {
            return Err(LoaderError::BatchSize { batch, image });
        }
        if let Some(&index) = indices.iter().find(|index| **index >= set.len()) {
            return Err(LoaderError::Index { index, images: set.len() });
        }
        let Share { rank, of } = options.share;
        if rank >= of {
            return Err(LoaderError::Share { rank, of });
        }
        let sums = weights.map(|weights| running_sums(weights, indices.len())).transpose()?;
        if sums.is_none() && options.samples.is_some() {
            return Err(LoaderError::SamplesWithoutWeights);
        }
        let images = options.samples.unwrap_or(indices.len());
        if images == 0 || indices.is_empty() || (options.drop_last && images < batch) {
            return Err(LoaderError::TooFew { images: images.min(indices.len()), batch });
        }
        let (threads, prefetch) = (options.threads.clamp(1, 1024), options.prefetch.clamp(1, 1024));
        let plan = Plan {
            set,
            indices,
            sums,
            recipe,
            planes,
            augment,
            batch,
            seed: options.seed,
            shuffle: options.shuffle,
            drop_last: options.drop_last,
            samples: images,
            share: options.share,
            spare: Mutex::default(),
            most_spare: threads * (prefetch + 1) + 1,
        };
        Ok(Self { plan: Arc::new(plan), threads, prefetch })
    }

    /// Batches an epoch.
    pub fn batches(&self) -> usize {
        self.plan.batches()
    }

    /// Images an epoch.
    pub fn images(&self) -> usize {
        let Plan { samples, batch, .. } = *self.plan;
        if self.plan.drop_last { samples / batch * batch } else { samples }
    }

    /// The batches of an epoch in order, built ahead while they are used. The same seed and epoch
    /// give the same batches for any number of threads.
    pub fn epoch(&self, epoch: u64) -> Epoch {
        let order: Arc<[usize]> = self.plan.order(epoch).into();
        let batches = self.batches();
        let threads = self.threads.min(batches);
        let mut receivers = Vec::with_capacity(threads);
        let mut workers = Vec::with_capacity(threads);
        for first in 0..threads {
            // Each thread has its own channel and every n-th batch: in order without sorting.
            let (sender, receiver) = sync_channel(self.prefetch);
            let (plan, order) = (self.plan.clone(), order.clone());
            workers.push(std::thread::spawn(move || {
                work(&plan, &order, epoch, (first..batches).step_by(threads), &sender);
            }));
            receivers.push(receiver);
        }
        Epoch { receivers, workers, next: 0, batches }
    }
}

fn work(
    plan: &Arc<Plan>,
    order: &[usize],
    epoch: u64,
    numbers: impl Iterator<Item = usize>,
    sender: &SyncSender<Batch>,
) {
    let mut scratch = Scratch::default();
    for number in numbers {
        // Nobody listens any more when the epoch was left early.
        if sender.send(build(plan, order, epoch, number, &mut scratch)).is_err() {
            return;
        }
    }
}

fn build(
    plan: &Arc<Plan>,
    order: &[usize],
    epoch: u64,
    number: usize,
    scratch: &mut Scratch,
) -> Batch {
    let first = number * plan.batch;
    let whole = &order[first..order.len().min(first + plan.batch)];
    let share = plan.share.places(whole.len());
    let (wanted, whole, first) = (&whole[share.clone()], whole.len(), first + share.start);
    let image = plan.planes.len() * plan.recipe.size * plan.recipe.size;
    let mut inputs = plan.spare().pop().unwrap_or_default();
    inputs.resize(wanted.len() * image, 0.0);
    let what = Inputs { recipe: &plan.recipe, planes: &plan.planes, side: plan.set.side() };
    let mut indices = Vec::with_capacity(wanted.len());
    let mut labels = Vec::with_capacity(wanted.len() * LABEL_COUNT);
    let mut skipped = Vec::new();
    for (place, &index) in wanted.iter().enumerate() {
        let mut rng = generator(plan.seed, epoch, (first + place) as u64, Purpose::Augmentation);
        let drawn = plan.augment.as_ref().map_or_else(Drawn::nothing, |what| what.draw(&mut rng));
        let target = &mut inputs[indices.len() * image..][..image];
        let render = |image: Image<'_>| what.render(image, &drawn, &mut rng, scratch, target);
        match plan.set.with_image(index, render) {
            Ok(()) => {
                indices.push(index);
                labels.extend(plan.set.labels(index).map(|label| f32::from(u8::from(label))));
            }
            Err(reason) => skipped.push((index, reason)),
        }
    }
    inputs.truncate(indices.len() * image);
    Batch { inputs, labels, indices, place: first, whole, skipped, plan: plan.clone() }
}

impl Plan {
    fn batches(&self) -> usize {
        if self.drop_last { self.samples / self.batch } else { self.samples.div_ceil(self.batch) }
    }

    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut rng = generator(self.seed, epoch, 0, Purpose::Order);
        let mut order = self.indices.clone();
        if let Some(sums) = &self.sums {
            let total = sums[sums.len() - 1];
            let draw = |_| {
                let at = rng.random::<f64>() * total;
                // The first sum above the draw: a weight of 0 adds nothing and is never it.
                self.indices[sums.partition_point(|sum| *sum <= at).min(sums.len() - 1)]
            };
            order = (0..self.samples).map(draw).collect();
        } else if self.shuffle {
            order.shuffle(&mut rng);
        }
        order
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Vec<f32>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What random numbers are for: each has a stream of its own.
#[derive(Clone, Copy)]
enum Purpose {
    Order = 1,
    Augmentation = 2,
}

/// The random numbers of one place: a key without hashing, so streams never meet.
fn generator(seed: u64, epoch: u64, place: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    for (part, value) in key.chunks_exact_mut(8).zip([seed, epoch, place, purpose as u64]) {
        part.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

fn running_sums(weights: &[f64], indices: usize) -> Result<Vec<f64>, LoaderError> {
    let mut total = 0.0;
    let sums: Vec<f64> = weights
        .iter()
        .map(|weight| {
            total += weight;
            total
        })
        .collect();
    let usable = weights.iter().all(|weight| *weight >= 0.0) && total.is_finite() && total > 0.0;
    if weights.len() != indices || !usable {
        return Err(LoaderError::Weights { weights: weights.len(), indices });
    }
    Ok(sums)
}

impl Batch {
    /// Inputs `[batch, channels, size, size]`, contiguous.
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// Labels `[batch, 6]` in label order, 0 or 1.
    pub fn labels(&self) -> &[f32] {
        &self.labels
    }

    /// The images' indices in the set.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }

    /// Indices of images that could not be read and so are not in the batch, and why. Only a set
    /// that is read batch by batch has any.
    pub fn skipped(&self) -> &[(usize, String)] {
        &self.skipped
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.indices.len()
    }

    /// Number of images of the batch that this one is the share of.
    pub fn whole(&self) -> usize {
        self.whole
    }

    /// Place of the first image in the epoch's order, shares of others counted.
    pub fn place(&self) -> usize {
        self.place
    }

    /// Whether it has no images: none could be read, or it is the share of a batch with fewer
    /// images than there are processes.
    pub fn is_empty(&self) -> bool {
        self.indices.is_empty()
    }

    /// Shape of the inputs: batch, channels, size, size.
    pub fn shape(&self) -> [usize; 4] {
        let size = self.plan.recipe.size;
        [self.len(), self.plan.planes.len(), size, size]
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let mut spare = self.plan.spare();
        if spare.len() < self.plan.most_spare {
            spare.push(std::mem::take(&mut self.inputs));
        }
    }
}

/// The batches of one epoch. Dropping it early stops its threads.
#[derive(Debug)]
pub struct Epoch {
    receivers: Vec<Receiver<Batch>>,
    workers: Vec<JoinHandle<()>>,
    next: usize,
    batches: usize,
}

impl Iterator for Epoch {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        if self.next == self.batches {
            return None;
        }
        let worker = self.next % self.receivers.len();
        self.next += 1;
        match self.receivers[worker].recv() {
            Ok(batch) => Some(batch),
            // A thread ends early only by a panic: pass it on instead of a shorter epoch.
            Err(_) => match self.workers.swap_remove(worker).join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => None,
            },
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batches - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Epoch {}

impl Drop for Epoch {
    fn drop(&mut self) {
        // Without receivers the threads' next send fails, and they end.
        self.receivers.clear();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}
