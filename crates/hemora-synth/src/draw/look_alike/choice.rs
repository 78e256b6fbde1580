//! Which of what only looks like blood is drawn.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::draw::canvas::Canvas;

/// One kind; false where the slice has no room for it.
type Kind = fn(&mut Canvas<'_>, &mut ChaCha8Rng) -> bool;

impl Canvas<'_> {
    /// Draws calcium or a dense vessel; false where there is no room for those tried.
    pub(in crate::draw) fn calcium_or_vessel(&mut self, random: &mut ChaCha8Rng) -> bool {
        const KINDS: [Kind; 7] = [
            |canvas, random| canvas.calcified_falx(random),
            |canvas, random| canvas.choroid_plexus(random),
            |canvas, random| canvas.pineal(random),
            |canvas, random| canvas.basal_ganglia(random),
            |canvas, random| canvas.posterior_sinus(random),
            |canvas, random| canvas.transverse_sinus(random),
            |canvas, random| canvas.dense_artery(random),
        ];
        self.one_of(random, &KINDS)
    }

    /// Spoils the picture as a scanner does; false where there is no room for what was tried.
    pub(in crate::draw) fn artefact(&mut self, random: &mut ChaCha8Rng) -> bool {
        const KINDS: [Kind; 3] = [
            |canvas, random| canvas.beam_hardening(random),
            |canvas, random| canvas.motion(random),
            |canvas, random| canvas.metal(random),
        ];
        self.one_of(random, &KINDS)
    }

    fn one_of(&mut self, random: &mut ChaCha8Rng, kinds: &[Kind]) -> bool {
        (0..kinds.len()).any(|_| kinds[random.random_range(0..kinds.len())](self, random))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::draw::testing::head;

    /// The largest change and how many pixels changed by more than 8 grey values, in the first of
    /// some slices that has room for it.
    fn change(kind: Kind) -> Option<(f32, usize)> {
        let heads =
            [(1, 20), (2, 21), (3, 22), (4, 23)].map(|(seed, index)| head(seed, 192, index));
        (0..40).find_map(|seed| {
            let head = &heads[seed as usize % heads.len()];
            let mut canvas = Canvas::new(head);
            if !kind(&mut canvas, &mut ChaCha8Rng::seed_from_u64(seed)) {
                assert_eq!(canvas.grey, head.grey, "refused, yet drawn");
                return None;
            }
            assert!(canvas.bleeds.iter().all(|&bits| bits == 0));
            let changes = canvas.grey.values.iter().zip(&head.grey.values);
            let changes: Vec<f32> = changes.map(|(after, before)| after - before).collect();
            let most = changes.iter().fold(0f32, |most, change| most.max(*change));
            Some((most, changes.iter().filter(|change| change.abs() > 8.0).count()))
        })
    }

    #[test]
    fn calcium_is_bright_and_small() {
        let kinds: [Kind; 4] = [
            |canvas, random| canvas.calcified_falx(random),
            |canvas, random| canvas.choroid_plexus(random),
            |canvas, random| canvas.pineal(random),
            |canvas, random| canvas.basal_ganglia(random),
        ];
        for (number, kind) in kinds.into_iter().enumerate() {
            let (most, changed) = change(kind).unwrap();
            assert!(most > 40.0, "kind {number}: {most}");
            assert!((2..900).contains(&changed), "kind {number}: {changed}");
        }
    }

    #[test]
    fn vessels_and_artefacts_change_the_picture() {
        let kinds: [Kind; 5] = [
            |canvas, random| canvas.posterior_sinus(random),
            |canvas, random| canvas.transverse_sinus(random),
            |canvas, random| canvas.dense_artery(random),
            |canvas, random| canvas.motion(random),
            |canvas, random| canvas.metal(random),
        ];
        for (number, kind) in kinds.into_iter().enumerate() {
            let (_, changed) = change(kind).unwrap();
            assert!(changed > 3, "kind {number}: {changed}");
        }
    }
}
