//! The maps of one network, on annotated images and on drawn bleeds.

use hemora_ct::{LABEL_COUNT, Label, Plane};
use hemora_data::{Augment, Batch, Draw, InMemorySet, Loader, LoaderOptions, LoaderSet};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::judge::Target;
use super::summary::Row;
use crate::data::Images;
use crate::model::{Mode, Model, Task, to_host};
use crate::output::Reporter;
use crate::training::tensors::to_tensors;
use crate::training::{Compute, TrainError};

/// Most images of a batch of drawn bleeds, of which the loader makes maps as large as the images.
const DRAWN_BATCH: usize = 8;

/// A trained network and what its maps are judged on.
pub(super) struct Judged<'a> {
    pub(super) images: &'a Images,
    pub(super) model: Model,
    pub(super) task: Task,
    pub(super) batch: usize,
    pub(super) compute: Compute,
    pub(super) reporter: Reporter,
}

impl Judged<'_> {
    /// The held-out images whose annotations say where a label lies.
    pub(super) fn annotated(&self, held_out: &[usize]) -> Result<Vec<Row>, TrainError> {
        let LoaderSet::Memory(set) = &self.images.set else { return Ok(Vec::new()) };
        let has_target = |index: &&usize| {
            let mut labels = self.task.labels().iter();
            labels.any(|label| target(set, **index, *label).is_some())
        };
        let indices: Vec<usize> = held_out.iter().filter(has_target).copied().collect();
        let mut rows = Vec::new();
        if indices.is_empty() {
            return Ok(rows);
        }
        let bar = self.reporter.counter(indices.len() as u64, "annotated images judged");
        for batch in self.loader(indices, self.batch, None, 0)?.epoch(0) {
            let target = |at: usize, label| target(set, batch.indices()[at], label);
            rows.extend(self.judge(&batch, batch.len(), target));
            bar.inc(batch.len() as u64);
        }
        bar.finish();
        Ok(rows)
    }

    /// `wanted` held-out images without hemorrhage, or as many as can be drawn into, each with a drawn
    /// bleed; and how many these are.
    pub(super) fn drawn(
        &self,
        held_out: &[usize],
        wanted: usize,
        seed: u64,
    ) -> Result<(Vec<Row>, usize), TrainError> {
        let set = &self.images.set;
        let is_negative = |index: &&usize| {
            set.known(**index) == [true; LABEL_COUNT] && set.labels(**index) == [false; LABEL_COUNT]
        };
        let mut indices: Vec<usize> = held_out.iter().filter(is_negative).copied().collect();
        if wanted == 0 || indices.is_empty() {
            return Ok((Vec::new(), 0));
        }
        indices.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let draw = Draw { probability: 1.0, bleed: 1.0, ..Draw::default() };
        let augment = Augment { draw, ..Augment::off() };
        let loader = self.loader(indices, self.batch.min(DRAWN_BATCH), Some(augment), seed)?;
        let bar = self.reporter.counter(wanted as u64, "drawn bleeds judged");
        let (mut rows, mut slices) = (Vec::new(), 0);
        for batch in loader.epoch(0) {
            let maps = batch.maps().expect("asked for");
            let area = maps.side * maps.side;
            // Some slices show no head that can be drawn into, and some bleeds would be one too many.
            let mut last = 0;
            let before = slices;
            for labels in batch.labels().chunks_exact(LABEL_COUNT) {
                if slices < wanted {
                    last += 1;
                    slices += usize::from(labels.contains(&1.0));
                }
            }
            rows.extend(self.judge(&batch, last, |at, label| {
                let covered = &maps.present[(at * LABEL_COUNT + label.index()) * area..][..area];
                Target::drawn(maps.side, covered)
            }));
            bar.inc((slices - before) as u64);
            if slices == wanted {
                break;
            }
        }
        bar.finish();
        Ok((rows, slices))
    }

    /// Batches of images in their order; with an augmentation also with maps as large as the images.
    fn loader(
        &self,
        indices: Vec<usize>,
        batch: usize,
        augment: Option<Augment>,
        seed: u64,
    ) -> Result<Loader, TrainError> {
        let options = LoaderOptions {
            batch,
            seed,
            threads: self.compute.threads,
            shuffle: false,
            map_stride: augment.is_some().then_some(1),
            ..LoaderOptions::default()
        };
        let (set, recipe) = (self.images.set.clone(), self.images.recipe.clone());
        Ok(Loader::new(set, indices, None, recipe, augment, &options)?)
    }

    /// The labels that `target` finds in the first `count` images of a batch.
    fn judge(
        &self,
        batch: &Batch,
        count: usize,
        target: impl Fn(usize, Label) -> Option<Target>,
    ) -> Vec<Row> {
        for (_, reason) in batch.skipped() {
            self.reporter.warn(&format!("left out: {reason}"));
        }
        if batch.is_empty() {
            return Vec::new();
        }
        let (images, _) = to_tensors(batch, &self.model);
        let logits = tch::no_grad(|| self.model.dense(&images, Mode::Evaluate));
        let logits = logits.expect("only networks with maps are judged");
        let maps = to_host(&logits.maps);
        let probabilities = to_host(&((logits.of_maps + logits.of_features) / 2.0).sigmoid());
        let &[_, labels, rows, columns] = &maps.shape[..] else { unreachable!("of four sizes") };
        let mut judged = Vec::new();
        for (at, &index) in batch.indices().iter().enumerate().take(count) {
            for (column, &label) in self.task.labels().iter().enumerate() {
                let Some(target) = target(at, label) else { continue };
                let place = at * labels + column;
                let values = maps.values[place * rows * columns..][..rows * columns].to_vec();
                judged.push(Row {
                    id: self.images.set.id(index).to_owned(),
                    group: self.images.groups[index].clone(),
                    label,
                    origin: target.origin,
                    probability: probabilities.values[place],
                    verdict: target.judge(&Plane { rows, columns, values }),
                });
            }
        }
        judged
    }
}

/// Where the annotation of an image says that a label lies.
fn target(set: &InMemorySet, index: usize, label: Label) -> Option<Target> {
    let annotation = set.annotation(index)?;
    let has_it = set.known(index)[label.index()] && set.labels(index)[label.index()];
    let pixels = (annotation.present(), annotation.unknown());
    Target::annotated(set.working_size(), pixels, label, has_it)
}
