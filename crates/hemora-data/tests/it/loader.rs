//! The batch loader: order, determinism, weights, shapes, refusals.

use std::sync::Arc;

use hemora_ct::{Channel, InputRecipe, Plane, Window};
use hemora_data::{
    Augment, InMemorySet, Loader, LoaderError, LoaderOptions, SetSlice, Share, Stacks,
};

const SIDE: usize = 24;

fn set(images: usize) -> Arc<InMemorySet> {
    let ids = (0..images).map(|index| format!("ID_{index}")).collect();
    let labels = (0..images).map(|index| std::array::from_fn(|label| index % (label + 2) == 0));
    let planes = (0..images * SIDE * SIDE).map(|at| (at * 31 % 256) as u8).collect();
    Arc::new(InMemorySet::from_windowed(SIDE, ids, labels.collect(), planes).unwrap())
}

fn recipe() -> InputRecipe {
    InputRecipe::grey(16, Window::BRAIN)
}

fn loader(
    weights: Option<&[f64]>,
    augment: Option<Augment>,
    options: &LoaderOptions,
) -> Result<Loader, LoaderError> {
    Loader::new(set(23), (0..23).collect(), weights, recipe(), augment, options)
}

fn options() -> LoaderOptions {
    LoaderOptions { batch: 5, seed: 11, threads: 2, ..LoaderOptions::default() }
}

/// Everything that an epoch gives, as bits.
fn content(loader: &Loader, epoch: u64) -> Vec<(Vec<u32>, Vec<u32>, Vec<usize>)> {
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect();
    loader
        .epoch(epoch)
        .map(|batch| (bits(batch.inputs()), bits(batch.labels()), batch.indices().to_vec()))
        .collect()
}

fn everything() -> Augment {
    Augment { crop: 0.5, border: 0.5, erase: 0.5, blur: 0.5, ..Augment::default() }
}

#[test]
fn the_batches_do_not_depend_on_the_threads() {
    let with = |threads, prefetch| {
        let options = LoaderOptions { threads, prefetch, ..options() };
        content(&loader(None, Some(everything()), &options).unwrap(), 3)
    };
    let one = with(1, 1);
    assert_eq!(one.len(), 5);
    assert_eq!(one, with(3, 2));
    assert_eq!(one, with(64, 4));
}

#[test]
fn epochs_and_seeds_differ_and_repeat() {
    let first = loader(None, Some(everything()), &options()).unwrap();
    let other = LoaderOptions { seed: 12, ..options() };
    let other = loader(None, Some(everything()), &other).unwrap();
    // Twice the same epoch from one loader: reused buffers leave nothing behind.
    assert_eq!(content(&first, 0), content(&first, 0));
    assert_ne!(content(&first, 0), content(&first, 1));
    assert_ne!(content(&first, 0), content(&other, 0));
}

#[test]
fn every_image_comes_once_an_epoch_with_its_labels() {
    let set = set(23);
    let loader = loader(None, None, &options()).unwrap();
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    let epoch = loader.epoch(0);
    assert_eq!((epoch.len(), loader.batches(), loader.images()), (5, 5, 23));
    for batch in epoch {
        assert_eq!(batch.shape(), [batch.len(), 3, 16, 16]);
        assert_eq!(batch.inputs().len(), batch.shape().iter().product::<usize>());
        sizes.push(batch.len());
        for (row, &index) in batch.labels().chunks_exact(6).zip(batch.indices()) {
            assert_eq!(row, set.labels(index).map(|label| if label { 1.0 } else { 0.0 }));
        }
        seen.extend_from_slice(batch.indices());
    }
    assert_eq!(sizes, [5, 5, 5, 5, 3]);
    assert_ne!(seen, (0..23).collect::<Vec<_>>());
    seen.sort_unstable();
    assert_eq!(seen, (0..23).collect::<Vec<_>>());
}

#[test]
fn validation_is_in_order_and_equals_the_recipe() {
    let set = set(23);
    let options = LoaderOptions { shuffle: false, ..options() };
    let indices = vec![4, 2, 9, 9, 0, 1];
    let loader = Loader::new(set.clone(), indices.clone(), None, recipe(), None, &options).unwrap();
    let mut seen = Vec::new();
    for batch in loader.epoch(0) {
        for (input, &index) in batch.inputs().chunks_exact(3 * 256).zip(batch.indices()) {
            let values = set.plane(index, 0).iter().map(|byte| f32::from(*byte) / 255.0).collect();
            let plane = Plane { rows: SIDE, columns: SIDE, values };
            assert_eq!(input, recipe().input_from_windowed(&plane));
        }
        seen.extend_from_slice(batch.indices());
    }
    assert_eq!(seen, indices);
}

#[test]
fn the_last_batch_can_be_left_out() {
    let options = LoaderOptions { drop_last: true, ..options() };
    let loader = loader(None, None, &options).unwrap();
    assert_eq!((loader.batches(), loader.images()), (4, 20));
    assert!(loader.epoch(0).all(|batch| batch.len() == 5));
}

#[test]
fn images_are_drawn_as_their_weights_say() {
    let mut weights = vec![1.0; 23];
    weights[3] = 22.0;
    weights[7] = 0.0;
    let options = LoaderOptions { samples: Some(4000), batch: 100, ..options() };
    let loader = loader(Some(&weights), None, &options).unwrap();
    assert_eq!(loader.images(), 4000);
    let mut counts = [0usize; 23];
    for batch in loader.epoch(0) {
        batch.indices().iter().for_each(|&index| counts[index] += 1);
    }
    assert_eq!(counts.iter().sum::<usize>(), 4000);
    assert_eq!(counts[7], 0);
    // 22 of 43: 2047 ± 32 (one standard deviation).
    assert!((1880..2210).contains(&counts[3]), "{}", counts[3]);
    assert!((50..140).contains(&counts[0]), "{}", counts[0]);
}

#[test]
fn the_shares_of_all_ranks_make_up_the_whole_batches() {
    let whole = content(&loader(None, Some(everything()), &options()).unwrap(), 2);
    for of in [2, 3, 7] {
        let mut joined = vec![(Vec::new(), Vec::new(), Vec::new()); whole.len()];
        let mut next = 0;
        let shares: Vec<Loader> = (0..of)
            .map(|rank| {
                let options = LoaderOptions { share: Share { rank, of }, ..options() };
                loader(None, Some(everything()), &options).unwrap()
            })
            .collect();
        let mut epochs: Vec<_> = shares.iter().map(|loader| loader.epoch(2)).collect();
        for (inputs, labels, indices) in &mut joined {
            for epoch in &mut epochs {
                let batch = epoch.next().unwrap();
                assert_eq!(batch.place(), next);
                next += batch.len();
                inputs.extend(batch.inputs().iter().map(|value| value.to_bits()));
                labels.extend(batch.labels().iter().map(|value| value.to_bits()));
                indices.extend_from_slice(batch.indices());
            }
        }
        // The last batch has 3 images: with 7 ranks some get none.
        assert_eq!(joined, whole, "{of} ranks");
    }
}

#[test]
fn an_epoch_may_be_left_early() {
    let options = LoaderOptions { batch: 1, threads: 3, prefetch: 1, ..options() };
    let loader = loader(None, Some(everything()), &options).unwrap();
    let kept: Vec<_> = loader.epoch(0).take(2).collect();
    assert_eq!(content(&loader, 0)[1].2, kept[1].indices());
}

#[test]
fn what_cannot_be_loaded_is_refused() {
    let refuse = |weights: Option<&[f64]>, options| loader(weights, None, &options).unwrap_err();
    let zero = LoaderOptions { batch: 0, ..options() };
    assert!(matches!(refuse(None, zero), LoaderError::BatchSize { .. }));
    let huge = LoaderOptions { batch: usize::MAX, ..options() };
    assert!(matches!(refuse(None, huge), LoaderError::BatchSize { .. }));
    let large = LoaderOptions { batch: 24, drop_last: true, ..options() };
    assert!(matches!(refuse(None, large), LoaderError::TooFew { images: 23, batch: 24 }));
    let share = LoaderOptions { share: Share { rank: 2, of: 2 }, ..options() };
    assert!(matches!(refuse(None, share), LoaderError::Share { rank: 2, of: 2 }));
    let samples = LoaderOptions { samples: Some(3), ..options() };
    assert!(matches!(refuse(None, samples), LoaderError::SamplesWithoutWeights));
    for weights in [vec![1.0; 22], vec![0.0; 23], vec![f64::NAN; 23], vec![f64::INFINITY; 23]] {
        assert!(matches!(refuse(Some(&weights), options()), LoaderError::Weights { .. }));
    }
    let mut negative = vec![1.0; 23];
    negative[0] = -0.1;
    assert!(matches!(refuse(Some(&negative), options()), LoaderError::Weights { .. }));
    let new = |indices, recipe, augment| {
        Loader::new(set(3), indices, None, recipe, augment, &options()).unwrap_err()
    };
    assert!(matches!(new(vec![3], recipe(), None), LoaderError::Index { index: 3, images: 3 }));
    assert!(matches!(new(vec![], recipe(), None), LoaderError::TooFew { .. }));
    let wild = Augment { flip: 2.0, ..Augment::off() };
    assert!(matches!(new(vec![0], recipe(), Some(wild)), LoaderError::Augment(_)));
    let mut stack = recipe();
    stack.channels[0] = Channel { window: Window::BRAIN, offset: -1 };
    assert!(new(vec![0], stack, None).to_string().contains("neighbours"));
}

/// Three series of 12, 8 and 3 images, one after the other.
fn stacks() -> Arc<Stacks> {
    let slice = |index: usize| {
        let (series, first) = if index < 12 {
            ("a", 0)
        } else if index < 20 {
            ("b", 12)
        } else {
            ("c", 20)
        };
        let place = (index - first) as u32;
        let (id, z_mm) = (format!("ID_{index}"), Some(5.0 * f64::from(place)));
        SetSlice { id, series: series.into(), place: Some(place), z_mm, ..SetSlice::default() }
    };
    let known: Vec<SetSlice> = (0..23).map(slice).collect();
    Arc::new(Stacks::new(known.iter().map(|slice| &*slice.id), &known).unwrap())
}

fn windows(slices: usize, augment: Option<Augment>, threads: usize) -> Result<Loader, LoaderError> {
    let options = LoaderOptions { batch: 16, threads, ..options() };
    Loader::of_windows(set(23), stacks(), (0..23).collect(), slices, recipe(), augment, &options)
}

#[test]
fn windows_are_consecutive_slices_with_their_places() {
    let loader = windows(6, None, 2).unwrap();
    // Two windows of six; the third series is too short to be alike, and alone too small a batch.
    assert_eq!((loader.batches(), loader.images()), (1, 12));
    let mut downward = 0;
    for epoch in 0..20 {
        for batch in loader.epoch(epoch) {
            assert_eq!((batch.slices(), batch.len(), batch.places().len()), (Some(6), 12, 12));
            for (images, places) in batch.indices().chunks(6).zip(batch.places().chunks(6)) {
                let step = images[1] as i64 - images[0] as i64;
                downward += usize::from(step < 0);
                assert_eq!(step.abs(), 1);
                for (slice, (image, place)) in images.iter().zip(places).enumerate() {
                    assert_eq!(*image as i64, images[0] as i64 + step * slice as i64);
                    assert!((place - 0.5 * (step * slice as i64) as f32).abs() < 1e-6);
                }
            }
        }
    }
    assert!((5..35).contains(&downward), "{downward}");
    assert!(matches!(windows(17, None, 2), Err(LoaderError::Window { .. })));
    assert!(matches!(windows(1, None, 2), Err(LoaderError::Window { .. })));
}

#[test]
fn the_slices_of_a_window_are_changed_alike_whatever_the_threads() {
    let augment = Augment { noise: 0.0, ..everything() };
    assert_eq!(
        content(&windows(6, Some(everything()), 1).unwrap(), 3),
        content(&windows(6, Some(everything()), 5).unwrap(), 3)
    );
    // Of images that are all alike those of a window stay alike.
    let same = InMemorySet::from_windowed(
        SIDE,
        (0..23).map(|index| format!("ID_{index}")).collect(),
        vec![[false; 6]; 23],
        (0..23 * SIDE * SIDE).map(|at| (at % (SIDE * SIDE) * 31 % 256) as u8).collect(),
    );
    let (set, options) = (Arc::new(same.unwrap()), LoaderOptions { batch: 16, ..options() });
    let all = (0..23).collect();
    let loader = Loader::of_windows(set, stacks(), all, 6, recipe(), Some(augment), &options);
    for batch in loader.unwrap().epoch(0) {
        let images: Vec<&[f32]> = batch.inputs().chunks_exact(3 * 256).collect();
        assert!(images[..6].iter().all(|image| *image == images[0]));
        assert!(images[6..].iter().all(|image| *image == images[6]));
        assert_ne!(images[0], images[6]);
    }
}
