//! In which order the images of an epoch stand, and the random numbers of each place.

use std::sync::Arc;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::options::LoaderError;
use crate::stacks::Stacks;
use crate::windows::Window;

/// What a loader of windows shows.
#[derive(Debug)]
pub(crate) struct Windows {
    pub(crate) stacks: Arc<Stacks>,
    /// Images of each series, from the lowest.
    pub(crate) series: Vec<Vec<usize>>,
    pub(crate) window: Window,
}

/// The images of an epoch, a batch after the other.
pub(crate) struct Order {
    pub(crate) images: Vec<usize>,
    pub(crate) batches: Vec<OrderedBatch>,
}

/// Where a batch lies among the images of its epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OrderedBatch {
    pub(crate) first: usize,
    pub(crate) images: usize,
    /// Images of a window; 1 of a batch of single images.
    pub(crate) slices: usize,
}

impl Order {
    /// Single images, `batch` of them a batch.
    pub(crate) fn of_images(mut images: Vec<usize>, batch: usize, drop_last: bool) -> Self {
        if drop_last {
            images.truncate(images.len() / batch * batch);
        }
        let place = |first| {
            let images = batch.min(images.len() - first);
            OrderedBatch { first, images, slices: 1 }
        };
        let batches = (0..images.len()).step_by(batch).map(place).collect();
        Self { images, batches }
    }
}

impl Windows {
    /// The windows of an epoch in batches of at most `batch` images.
    pub(crate) fn order(&self, batch: usize, seed: u64, epoch: u64) -> Order {
        let mut order = Order { images: Vec::new(), batches: Vec::new() };
        for windows in self.window.epoch(&self.series, batch / self.window.slices, (seed, epoch)) {
            let (first, slices) = (order.images.len(), windows[0].len());
            let images = windows.len() * slices;
            if images >= Window::FEWEST_OF_BATCH {
                order.images.extend(windows.into_iter().flatten());
                order.batches.push(OrderedBatch { first, images, slices });
            }
        }
        order
    }
}

/// What random numbers are for: each has a stream of its own.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Order = 1,
    Augmentation = 2,
    Blend = 3,
    Draw = 4,
}

/// The random numbers of one place: a key without hashing, so streams never meet.
pub(crate) fn generator(seed: u64, epoch: u64, place: u64, purpose: Purpose) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    for (part, value) in key.chunks_exact_mut(8).zip([seed, epoch, place, purpose as u64]) {
        part.copy_from_slice(&value.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

pub(crate) fn running_sums(weights: &[f64], indices: usize) -> Result<Vec<f64>, LoaderError> {
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
