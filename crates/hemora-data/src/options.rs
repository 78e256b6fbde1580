//! How batches are made, and why they cannot be.

use std::ops::Range;

use crate::augment::AugmentError;
use crate::images::DataError;

/// Largest batch, values: 4 GiB.
pub(crate) const MAX_VALUES: usize = 1 << 30;

/// How batches are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoaderOptions {
    /// Images a batch.
    pub batch: usize,
    /// Seed of the order and of the augmentation.
    pub seed: u64,
    /// Threads that build batches, at least 1.
    pub threads: usize,
    /// Finished batches that wait per thread, at least 1.
    pub prefetch: usize,
    /// Whether the order is new in every epoch; with weights it always is.
    pub shuffle: bool,
    /// Whether a last batch with fewer images is left out.
    pub drop_last: bool,
    /// Images an epoch with weights; `None`: as many as there are indices.
    pub samples: Option<usize>,
    /// Which part of every batch is made.
    pub share: Share,
    /// Pixels of the network's input along the side of a cell of the maps of the labels, which divides
    /// the input's size; `None`: no maps.
    pub map_stride: Option<usize>,
}

/// The part of every batch that one of several processes makes; all of them together make the
/// batches that one process alone would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// This process, from 0.
    pub rank: usize,
    /// Number of processes, at least 1.
    pub of: usize,
}

impl Default for Share {
    /// Whole batches.
    fn default() -> Self {
        Self { rank: 0, of: 1 }
    }
}

impl Share {
    /// The places of this process in a batch of `images` images; none if there are more processes
    /// than images.
    pub fn places(self, images: usize) -> Range<usize> {
        images * self.rank / self.of..images * (self.rank + 1) / self.of
    }
}

impl Default for LoaderOptions {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let (batch, seed, prefetch, share) = (32, 0, 2, Share::default());
        Self {
            batch,
            seed,
            threads,
            prefetch,
            shuffle: true,
            drop_last: false,
            samples: None,
            share,
            map_stride: None,
        }
    }
}

/// Why batches cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoaderError {
    /// The recipe does not fit the set.
    #[error(transparent)]
    Set(#[from] DataError),
    /// The augmentation is out of bounds.
    #[error(transparent)]
    Augment(#[from] AugmentError),
    /// Windows can only vary where HU are known.
    #[error(
        "windows cannot vary: the set was windowed when it was loaded; load it in HU, or set \
         `window_level` and `window_width` to 0"
    )]
    NoHu,
    /// No images, or too few for one batch.
    #[error("{images} images do not make one batch of {batch}; use a smaller batch or more images")]
    TooFew {
        /// Images an epoch.
        images: usize,
        /// Images a batch.
        batch: usize,
    },
    /// Batch size 0 or too large.
    #[error("batch size {batch} at {image} values an image; expected 1 to {MAX_VALUES} values")]
    BatchSize {
        /// Images a batch.
        batch: usize,
        /// Values an image.
        image: usize,
    },
    /// Bleeds are looked for in the brain window alone.
    #[error(
        "bleeds cannot be blended: the set has neither HU nor one plane in the brain window; prepare \
         it with the recipe `hu`, or set `probability` of `[blend]` to 0"
    )]
    NoBrainWindow,
    /// Bleeds are drawn into pictures, not into HU.
    #[error(
        "bleeds cannot be drawn into HU: prepare the set as grey JPEG in the brain window, or set \
         `probability` of `[draw]` to 0"
    )]
    DrawnHu,
    /// Bleeds are drawn into one plane alone.
    #[error(
        "bleeds cannot be drawn: the images are not one plane in the brain window; prepare the set so, \
         or set `probability` of `[draw]` to 0"
    )]
    NoBrainPicture,
    /// A bleed that is drawn into one slice of a window would end at the next.
    #[error("bleeds cannot be drawn into windows of series: set `probability` of `[draw]` to 0")]
    DrawnWindows,
    /// Cells of the maps that do not fill the input.
    #[error(
        "maps of cells of {stride} pixels for inputs of {size}; expected a divisor of the size"
    )]
    MapStride {
        /// Pixels along the side of a cell.
        stride: usize,
        /// Height and width of the input, pixels.
        size: usize,
    },
    /// A bleed in one slice of a window would end at the next.
    #[error("bleeds cannot be blended into windows of series: set `probability` of `[blend]` to 0")]
    BlendedWindows,
    /// Windows that are none, or do not fit into a batch.
    #[error(
        "windows of {slices} slices in batches of {batch} images; expected 2 to {batch} slices"
    )]
    Window {
        /// Slices of a window.
        slices: usize,
        /// Images of a batch.
        batch: usize,
    },
    /// A share that is none of the batch.
    #[error("rank {rank} of {of}; expected a rank below the number of ranks")]
    Share {
        /// The rank.
        rank: usize,
        /// Number of ranks.
        of: usize,
    },
    /// An index beyond the set.
    #[error("image {index} of a set of {images}")]
    Index {
        /// The index.
        index: usize,
        /// Images in the set.
        images: usize,
    },
    /// Weights that cannot be drawn from.
    #[error(
        "{weights} weights for {indices} images; expected one each, none negative, with a finite \
         sum above 0"
    )]
    Weights {
        /// Number of weights.
        weights: usize,
        /// Number of indices.
        indices: usize,
    },
    /// The number of samples needs weights.
    #[error("the number of samples an epoch can only be set together with weights")]
    SamplesWithoutWeights,
}
