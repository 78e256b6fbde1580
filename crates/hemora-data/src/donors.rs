//! The images of a loader whose bleeds may be blended into others.

use hemora_ct::{LABEL_COUNT, Label};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::augment::{Augment, Drawn};
use crate::blend::{Blend, Head};
use crate::jpeg_set::LoaderSet;
use crate::sampling::{Image, Inputs};

/// Slices of which a bleed is looked for, one after the other, until one is found and fits.
const TRIES: usize = 4;

/// Images with one kind of bleed, among those that a loader shows.
#[derive(Debug)]
pub(crate) struct Donors {
    options: Blend,
    images: Vec<(usize, Label)>,
}

impl Donors {
    /// Those among `indices`; `None` if nothing is blended or there are none.
    pub(crate) fn among(
        set: &LoaderSet,
        indices: &[usize],
        augment: Option<&Augment>,
    ) -> Option<Self> {
        let options = augment.map(|augment| augment.blend).filter(Blend::is_on)?;
        // A kind of bleed that is not known may be there as well.
        let is_known = |index: usize| set.known(index) == [true; LABEL_COUNT];
        let kind = |&index: &usize| {
            Some((index, Blend::kind(set.labels(index)).filter(|_| is_known(index))?))
        };
        let mut images: Vec<_> = indices.iter().filter_map(kind).collect();
        images.sort_unstable();
        images.dedup();
        (!images.is_empty()).then_some(Self { options, images })
    }

    /// The planes of an image with another's bleed, and the labels of that: where the image has
    /// none, chance wants it, and a bleed is found that fits.
    pub(crate) fn blend(
        &self,
        set: &LoaderSet,
        index: usize,
        what: Inputs<'_>,
        drawn: &Drawn,
        mut random: ChaCha8Rng,
    ) -> Option<(Vec<u8>, [bool; LABEL_COUNT])> {
        let chance = random.random::<f64>() < self.options.probability;
        let is_known = set.known(index) == [true; LABEL_COUNT];
        if !chance || !is_known || set.labels(index)[Label::Any.index()] {
            return None;
        }
        let head = Head::new(set.brain(index)?, what.side)?;
        for _ in 0..TRIES {
            let (donor, kind) = self.images[random.random_range(0..self.images.len())];
            let other = set.brain(donor).and_then(|grey| Head::new(grey, what.side));
            let blended = other.and_then(|other| {
                let bleed = other.bleed(kind, &self.options)?;
                head.blended(&other, &bleed)
            });
            let Some(blended) = blended else { continue };
            let planes = |index| {
                let mut planes = Vec::new();
                let take = |image: Image<'_>| planes = what.planes(image, drawn);
                set.with_image(index, take).ok().map(|()| planes)
            };
            let (mut own, theirs) = (planes(index)?, planes(donor)?);
            let area = what.side * what.side;
            for (own, theirs) in own.chunks_exact_mut(area).zip(theirs.chunks_exact(area)) {
                blended.apply(theirs, own);
            }
            return Some((own, set.labels(donor)));
        }
        None
    }
}
