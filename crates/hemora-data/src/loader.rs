//! Batches for training: a seeded order, built ahead on several threads, the same for any number.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use hemora_ct::{InputRecipe, LABEL_COUNT};
use rand::RngExt;
use rand::seq::SliceRandom;

use crate::assembly::build;
use crate::augment::Augment;
use crate::batch::Batch;
use crate::donors::Donors;
use crate::jpeg_set::LoaderSet;
use crate::label_maps::MapShape;
use crate::options::{LoaderError, LoaderOptions, MAX_VALUES, Share};
use crate::order::{Order, Purpose, Windows, generator, running_sums};
use crate::sampling::Scratch;
use crate::stacks::Stacks;
use crate::windows::Window;

/// Makes the batches of any epoch.
#[derive(Debug, Clone)]
pub struct Loader {
    plan: Arc<Plan>,
    batches: usize,
    images: usize,
    threads: usize,
    prefetch: usize,
}

/// All that decides what a batch holds.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) set: LoaderSet,
    /// Images whose bleeds are blended into others.
    pub(crate) donors: Option<Donors>,
    indices: Vec<usize>,
    /// Running sums of the weights.
    sums: Option<Vec<f64>>,
    pub(crate) recipe: InputRecipe,
    pub(crate) planes: Vec<usize>,
    pub(crate) augment: Option<Augment>,
    /// Sizes of the maps of the labels, where there are any.
    pub(crate) map_shape: Option<MapShape>,
    batch: usize,
    pub(crate) seed: u64,
    shuffle: bool,
    drop_last: bool,
    samples: usize,
    pub(crate) share: Share,
    pub(crate) windows: Option<Windows>,
    /// Buffers of batches that were dropped.
    spare: Mutex<Vec<Vec<f32>>>,
    pub(crate) most_spare: usize,
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
            if augment.blend.is_on() && !set.has_brain() {
                return Err(LoaderError::NoBrainWindow);
            }
            if augment.draw.is_on() {
                set.check_drawing()?;
            }
        }
        let map_shape = map_shape(&set, recipe.size, options.map_stride)?;
        let of_maps = map_shape.map_or(0, |shape| 2 * LABEL_COUNT * shape.cells().pow(2));
        let image = of_maps.max(planes.len() * recipe.size * recipe.size);
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
        let donors = Donors::among(&set, &indices, augment.as_ref());
        let plan = Plan {
            set,
            donors,
            indices,
            sums,
            recipe,
            planes,
            augment,
            map_shape,
            batch,
            seed: options.seed,
            shuffle: options.shuffle,
            drop_last: options.drop_last,
            samples: images,
            share: options.share,
            windows: None,
            spare: Mutex::default(),
            most_spare: threads * (prefetch + 1) + 1,
        };
        let batches = if plan.drop_last { images / batch } else { images.div_ceil(batch) };
        let images = if plan.drop_last { batches * batch } else { images };
        Ok(Self { plan: Arc::new(plan), batches, images, threads, prefetch })
    }

    /// Batches of windows, each of at most `slices` consecutive images of a series: those of a batch
    /// are of one length, and the images of a window are augmented alike. An epoch has one window of
    /// each series, read upward or downward. `options.batch` is the most images of a batch; its
    /// weights, share and last batch do not matter.
    ///
    /// # Errors
    /// [`LoaderError`] as of [`Loader::new`], or if the longest window is no batch.
    pub fn of_windows(
        set: impl Into<LoaderSet>,
        stacks: Arc<Stacks>,
        indices: Vec<usize>,
        slices: usize,
        recipe: InputRecipe,
        augment: Option<Augment>,
        options: &LoaderOptions,
    ) -> Result<Self, LoaderError> {
        let (batch, images) = (options.batch, indices.len());
        if slices < 2 || slices > batch {
            return Err(LoaderError::Window { slices, batch });
        }
        if augment.as_ref().is_some_and(|augment| augment.blend.is_on()) {
            return Err(LoaderError::BlendedWindows);
        }
        if augment.as_ref().is_some_and(|augment| augment.draw.is_on()) {
            return Err(LoaderError::DrawnWindows);
        }
        let options = LoaderOptions { share: Share::default(), drop_last: false, ..*options };
        let series = stacks.among(&indices);
        let mut loader = Self::new(set, indices, None, recipe, augment, &options)?;
        let plan = Arc::get_mut(&mut loader.plan).expect("nobody has it yet");
        plan.windows = Some(Windows { stacks, series, window: Window { slices, stride: 1 } });
        // Every epoch has as many.
        let Order { images: shown, batches } = plan.order(0);
        (loader.batches, loader.images) = (batches.len(), shown.len());
        if loader.batches == 0 {
            return Err(LoaderError::TooFew { images, batch: Window::FEWEST_OF_BATCH });
        }
        Ok(loader)
    }

    /// Batches an epoch.
    pub fn batches(&self) -> usize {
        self.batches
    }

    /// Images an epoch.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The batches of an epoch in order, built ahead while they are used. The same seed and epoch
    /// give the same batches for any number of threads.
    pub fn epoch(&self, epoch: u64) -> Epoch {
        let order = Arc::new(self.plan.order(epoch));
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

/// The sizes of the maps of cells of `stride` pixels.
fn map_shape(
    set: &LoaderSet,
    size: usize,
    stride: Option<usize>,
) -> Result<Option<MapShape>, LoaderError> {
    let Some(stride) = stride else { return Ok(None) };
    if stride == 0 || !size.is_multiple_of(stride) {
        return Err(LoaderError::MapStride { stride, size });
    }
    Ok(Some(MapShape { plane: set.side(), input: size, stride }))
}

fn work(
    plan: &Arc<Plan>,
    order: &Order,
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

impl Plan {
    fn order(&self, epoch: u64) -> Order {
        match &self.windows {
            Some(windows) => windows.order(self.batch, self.seed, epoch),
            None => Order::of_images(self.images(epoch), self.batch, self.drop_last),
        }
    }

    /// The images of an epoch of single images.
    fn images(&self, epoch: u64) -> Vec<usize> {
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

    pub(crate) fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Vec<f32>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
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
