//! One batch from the images of its order: their inputs, labels, and maps of the labels.

use std::sync::Arc;

use hemora_ct::LABEL_COUNT;
use rand_chacha::ChaCha8Rng;

use crate::augment::Drawn;
use crate::batch::Batch;
use crate::label_maps::{MapShape, MapsBuilder, PixelLabels};
use crate::loader::Plan;
use crate::order::{Order, OrderedBatch, Purpose, generator};
use crate::sampling::{Image, Inputs, Scratch};
use crate::warp::SourceFromTarget;

/// A picture that was made of an image of the set for one batch. All its labels are known.
struct Made {
    /// As [`Inputs::render`] takes them.
    planes: Vec<u8>,
    labels: [bool; LABEL_COUNT],
    /// The labels of each pixel, one bit each; `None` where it is not known where they lie.
    bits: Option<Vec<u8>>,
    /// Weight of the labels in the loss; `None`: that of the image.
    weight: Option<f32>,
}

/// What a batch has beside its inputs, an image after the other.
#[derive(Debug)]
pub(crate) struct Targets {
    pub(crate) labels: Vec<f32>,
    pub(crate) known: Vec<f32>,
    pub(crate) weights: Vec<f32>,
    pub(crate) maps: Option<(MapShape, MapsBuilder)>,
}

/// Makes batch `number` of an epoch.
pub(crate) fn build(
    plan: &Arc<Plan>,
    order: &Order,
    epoch: u64,
    number: usize,
    scratch: &mut Scratch,
) -> Batch {
    let OrderedBatch { first, images, slices } = order.batches[number];
    let share = plan.share.places(images);
    let (wanted, first) = (&order.images[first..][share.clone()], first + share.start);
    let image = plan.planes.len() * plan.recipe.size * plan.recipe.size;
    let mut inputs = plan.spare().pop().unwrap_or_default();
    inputs.resize(wanted.len() * image, 0.0);
    let what = Inputs { recipe: &plan.recipe, planes: &plan.planes, side: plan.set.side() };
    let mut indices = Vec::with_capacity(wanted.len());
    let mut targets = Targets::new(plan.map_shape);
    let mut places = Vec::new();
    let mut skipped = Vec::new();
    for (window, wanted) in wanted.chunks(slices).enumerate() {
        let first = first + window * slices;
        let random = |place: usize, purpose| generator(plan.seed, epoch, place as u64, purpose);
        let mut rng = random(first, Purpose::Augmentation);
        let drawn = plan.augment.as_ref().map_or_else(Drawn::nothing, |what| what.draw(&mut rng));
        let whole = indices.len();
        for (slice, &index) in wanted.iter().enumerate() {
            if slice > 0 {
                // What happens to a window happens to all its slices, but for their noise.
                rng = random(first + slice, Purpose::Augmentation);
            }
            let target = &mut inputs[indices.len() * image..][..image];
            let mut render =
                |image: Image<'_>| what.render(image, &drawn, &mut rng, scratch, target);
            let made = plan.made(index, what, &drawn, |purpose| random(first + slice, purpose));
            let done = match &made {
                Some(made) => {
                    render(Image::Planes(&made.planes));
                    Ok(())
                }
                None => plan.set.with_image(index, render),
            };
            match done {
                Ok(()) => {
                    indices.push(index);
                    targets.push(plan, index, made.as_ref(), drawn.warp.as_ref());
                }
                Err(reason) => skipped.push((index, reason)),
            }
        }
        match &plan.windows {
            // A window with a gap is none.
            Some(_) if indices.len() - whole < slices => {
                indices.truncate(whole);
                targets.truncate(whole);
            }
            Some(windows) => places.extend(windows.stacks.places(&indices[whole..])),
            None => {}
        }
    }
    inputs.truncate(indices.len() * image);
    if let Some((_, maps)) = &mut targets.maps {
        maps.finish();
    }
    Batch {
        inputs,
        targets,
        indices,
        place: first,
        whole: images,
        slices,
        places,
        skipped,
        plan: plan.clone(),
    }
}

impl Plan {
    /// What is made of an image: it with another's bleed, or else with a drawn one.
    fn made(
        &self,
        index: usize,
        what: Inputs<'_>,
        drawn: &Drawn,
        random: impl Fn(Purpose) -> ChaCha8Rng,
    ) -> Option<Made> {
        let blended = self
            .donors
            .as_ref()
            .and_then(|donors| donors.blend(&self.set, index, what, drawn, random(Purpose::Blend)));
        if let Some((planes, with)) = blended {
            let own = self.set.labels(index);
            let labels = std::array::from_fn(|label| own[label] | with[label]);
            // Where a blended bleed lies is a guess.
            return Some(Made { planes, labels, bits: None, weight: None });
        }
        let draw = self.augment.as_ref().map(|augment| augment.draw).filter(|draw| draw.is_on())?;
        let slice = draw.slice(&self.set, index, random(Purpose::Draw))?;
        let labels = slice.labels();
        let weight = labels.contains(&true).then_some(draw.label_weight);
        Some(Made { planes: slice.grey, labels, bits: Some(slice.bleeds), weight })
    }
}

impl Targets {
    fn new(shape: Option<MapShape>) -> Self {
        let maps = shape.map(|shape| (shape, MapsBuilder::default()));
        Self { labels: Vec::new(), known: Vec::new(), weights: Vec::new(), maps }
    }

    /// Adds those of an image, or of what was made of it.
    fn push(
        &mut self,
        plan: &Plan,
        index: usize,
        made: Option<&Made>,
        warp: Option<&SourceFromTarget>,
    ) {
        let (set, annotation) = (&plan.set, plan.set.annotation(index));
        let (labels, known, pixels) = match made {
            Some(made) => {
                let pixels = made.bits.as_deref();
                let pixels = pixels.map(|present| PixelLabels { present, unknown: None });
                (made.labels, [true; LABEL_COUNT], pixels)
            }
            None => {
                let pixels = annotation.map(|annotation| PixelLabels {
                    present: annotation.present(),
                    unknown: Some(annotation.unknown()),
                });
                (set.labels(index), set.known(index), pixels)
            }
        };
        self.labels.extend(labels.map(f32::from));
        self.known.extend(known.map(f32::from));
        let weight = made.and_then(|made| made.weight);
        self.weights.push(weight.unwrap_or_else(|| set.label_weight(index)));
        if let Some((shape, maps)) = &mut self.maps {
            maps.push(*shape, labels, known, pixels, warp);
        }
    }

    /// Keeps those of the first `images` images.
    fn truncate(&mut self, images: usize) {
        self.labels.truncate(images * LABEL_COUNT);
        self.known.truncate(images * LABEL_COUNT);
        self.weights.truncate(images);
        if let Some((shape, maps)) = &mut self.maps {
            maps.truncate(*shape, images);
        }
    }
}
