//! A batch as the loader gives it.

use std::sync::Arc;

use crate::assembly::Targets;
use crate::label_maps::Maps;
use crate::loader::Plan;

/// Images as a network takes them. Dropping a batch gives its memory back to the loader.
#[derive(Debug)]
pub struct Batch {
    pub(crate) inputs: Vec<f32>,
    pub(crate) targets: Targets,
    pub(crate) indices: Vec<usize>,
    pub(crate) place: usize,
    pub(crate) whole: usize,
    pub(crate) slices: usize,
    pub(crate) places: Vec<f32>,
    pub(crate) skipped: Vec<(usize, String)>,
    pub(crate) plan: Arc<Plan>,
}

impl Batch {
    /// Inputs `[batch, channels, size, size]`, contiguous.
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// Labels `[batch, 6]` in label order, 0 or 1; 0 where [`Batch::known`] is.
    pub fn labels(&self) -> &[f32] {
        &self.targets.labels
    }

    /// Which labels are known `[batch, 6]`, 0 or 1.
    pub fn known(&self) -> &[f32] {
        &self.targets.known
    }

    /// Weights of the images' labels in the loss `[batch]`.
    pub fn label_weights(&self) -> &[f32] {
        &self.targets.weights
    }

    /// Where the labels lie in the inputs, changed as these were; `None` unless
    /// [`LoaderOptions::map_stride`](crate::LoaderOptions::map_stride) asks for it. What was erased or
    /// blackened keeps its labels.
    pub fn maps(&self) -> Option<Maps<'_>> {
        let (shape, maps) = self.targets.maps.as_ref()?;
        Some(Maps { present: &maps.present, known: &maps.known, side: shape.cells() })
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

    /// Slices of each of its windows, in their order; `None` of a batch of single images.
    pub fn slices(&self) -> Option<usize> {
        self.plan.windows.as_ref().map(|_| self.slices)
    }

    /// Of each slice of a window its place along the normal, in units of 10 mm from the window's
    /// first; empty of a batch of single images.
    pub fn places(&self) -> &[f32] {
        &self.places
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
