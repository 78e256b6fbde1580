//! Bleeds that are found in phantoms, whose bleeds are known, and blended into other slices.

use std::sync::Arc;

use hemora_ct::{InputRecipe, Label, Window};
use hemora_data::{
    Augment, Blend, Head, InMemorySet, Loader, LoaderError, LoaderOptions, Mask, SetSlice, Stacks,
};
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, PhantomSlice};

const SIDE: usize = 128;

const KINDS: [Label; 3] = [Label::Epidural, Label::Intraparenchymal, Label::Subdural];

fn slices(seed: u64, bleeds: &[Label]) -> Vec<PhantomSlice> {
    let bleeds = Bleeds::These(bleeds.to_vec());
    let options = PhantomOptions { bleeds, slice_spacing: 12.0, ..PhantomOptions::default() };
    HeadPhantom::new(seed, options.with_size(SIDE)).unwrap().render().slices
}

fn grey(slice: &PhantomSlice) -> Vec<u8> {
    slice.slice.hu().iter().map(|hu| Window::BRAIN.to_grey(*hu)).collect()
}

/// Pixels of a guess, of the blood, and of both.
fn overlap(found: &Mask, blood: &[u8]) -> [usize; 3] {
    let pairs = || found.pixels().iter().zip(blood.iter().map(|blood| *blood > 0));
    let count = |is: fn(bool, bool) -> bool| pairs().filter(|(a, b)| is(**a, *b)).count();
    [count(|found, _| found), count(|_, blood| blood), count(|found, blood| found && blood)]
}

#[test]
fn most_of_what_is_found_is_blood_and_most_of_the_blood_is_found() {
    let options = Blend { probability: 1.0, ..Blend::default() };
    let (mut used, mut all) = (0, 0);
    let mut worst = Vec::new();
    for kind in KINDS {
        let mut sums = [0; 3];
        for seed in 0..10 {
            for slice in slices(100 + seed, &[kind]).iter().filter(|slice| slice.labels[5]) {
                all += 1;
                let Some(head) = Head::new(grey(slice), SIDE) else { continue };
                let Some(found) = head.bleed(kind, &options) else { continue };
                used += 1;
                let counts = overlap(&found, &slice.blood);
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
        }
        let [found, blood, both] = sums;
        println!("{kind}: {found} pixels found, {blood} of blood, {both} both");
        worst.push((both as f64 / blood as f64, both as f64 / found as f64, kind));
    }
    println!("{used} of {all} slices");
    for (recall, precision, kind) in worst {
        assert!(recall >= 0.5 && precision >= 0.8, "{kind}: {recall} {precision}");
    }
    assert!(used >= 10, "{used} of {all}");
}

#[test]
fn slices_without_blood_have_none_to_be_found() {
    let options = Blend { probability: 1.0, ..Blend::default() };
    let (mut found, mut all) = (0, 0);
    for seed in 0..5 {
        for slice in slices(300 + seed, &[]) {
            let Some(head) = Head::new(grey(&slice), SIDE) else { continue };
            all += 1;
            found += KINDS.iter().filter(|kind| head.bleed(**kind, &options).is_some()).count();
        }
    }
    println!("{found} of {all}");
    assert!(all > 25 && found == 0, "{found} of {all}");
}

/// The slice with most blood of a kind that is found, and a slice of the same height of another head.
fn pair(kind: Label) -> (PhantomSlice, PhantomSlice) {
    for seed in 100..120 {
        let with = slices(seed, &[kind]);
        let without = slices(seed + 400, &[]);
        for (slice, other) in with.into_iter().zip(without) {
            let found = Head::new(grey(&slice), SIDE).and_then(|head| {
                let bleed = head.bleed(kind, &Blend::default())?;
                Head::new(grey(&other), SIDE)?.blended(&head, &bleed)
            });
            if found.is_some() {
                return (slice, other);
            }
        }
    }
    panic!("no {kind} could be blended");
}

#[test]
fn a_bleed_comes_to_lie_in_the_other_slice_and_leaves_the_rest() {
    for kind in KINDS {
        let (slice, other) = pair(kind);
        let (donor, head) =
            (Head::new(grey(&slice), SIDE).unwrap(), Head::new(grey(&other), SIDE).unwrap());
        let bleed = donor.bleed(kind, &Blend::default()).unwrap();
        let (before, mut after) = (grey(&other), grey(&other));
        head.blended(&donor, &bleed).unwrap().apply(&grey(&slice), &mut after);
        let changed: Vec<usize> =
            (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
        let pixels = bleed.pixels().iter().filter(|pixel| **pixel).count();
        // The heads differ in size, and the edge is soft.
        assert!(changed.len() > pixels / 2 && changed.len() < 3 * pixels + 60, "{kind}");
        assert!(changed.iter().all(|at| head.inside().pixels()[*at]), "{kind}");
        let brighter = changed.iter().filter(|at| after[**at] > before[**at]).count();
        assert!(brighter * 10 > changed.len() * 7, "{kind}: {brighter} of {}", changed.len());
    }
}

/// Three slices without blood and one with, of each kind.
fn set() -> (Arc<InMemorySet>, usize) {
    let (mut planes, mut labels) = (Vec::new(), Vec::new());
    for kind in KINDS {
        let (slice, other) = pair(kind);
        for (slice, times) in [(slice, 1), (other, 3)] {
            for _ in 0..times {
                planes.extend(grey(&slice));
                labels.push(slice.labels);
            }
        }
    }
    let count = labels.len();
    let ids = (0..count).map(|index| index.to_string()).collect();
    (Arc::new(InMemorySet::from_windowed(SIDE, ids, labels, planes).unwrap()), count)
}

fn options(threads: usize) -> LoaderOptions {
    LoaderOptions { batch: 4, seed: 7, threads, map_stride: Some(SIDE), ..LoaderOptions::default() }
}

#[test]
fn blended_slices_take_on_labels_whatever_the_threads() {
    let (set, count) = set();
    let recipe = InputRecipe::grey(SIDE, Window::BRAIN);
    let loader = |probability, threads| {
        let blend = Blend { probability, ..Blend::default() };
        let augment = Augment { blend, ..Augment::off() };
        let all = (0..count).collect();
        Loader::new(set.clone(), all, None, recipe.clone(), Some(augment), &options(threads))
    };
    let content = |probability, threads| {
        let mut rows = Vec::new();
        for batch in loader(probability, threads).unwrap().epoch(2) {
            let inputs = batch.inputs().chunks_exact(3 * SIDE * SIDE);
            // Nobody knows where a bleed lies, its own or a blended one.
            let absent: Vec<f32> = batch.labels().iter().map(|label| 1.0 - label).collect();
            assert_eq!(batch.maps().unwrap().known, absent);
            assert!(batch.known().iter().all(|known| *known == 1.0));
            let labels = batch.labels().chunks_exact(6);
            for ((index, input), labels) in batch.indices().iter().zip(inputs).zip(labels) {
                rows.push((*index, input.to_vec(), labels.to_vec()));
            }
        }
        rows
    };
    let (blended, plain) = (content(1.0, 1), content(0.0, 1));
    assert!(blended == content(1.0, 3), "the threads matter");
    let mut changed = 0;
    for ((index, input, labels), (same, own, before)) in blended.iter().zip(&plain) {
        assert_eq!(index, same);
        if set.labels(*index)[Label::Any.index()] || input == own {
            assert_eq!((input == own, labels), (true, before), "{index}");
            continue;
        }
        changed += 1;
        // One kind and any, where there was none.
        assert_eq!(labels.iter().sum::<f32>(), 2.0);
        assert_eq!((labels[Label::Any.index()], before.iter().sum::<f32>()), (1.0, 0.0));
    }
    // Donors are drawn at random, and not all fit.
    assert!(changed >= 3, "{changed} of {count}");
}

#[test]
fn what_cannot_be_blended_is_refused() {
    let (set, count) = set();
    let recipe = InputRecipe::grey(SIDE, Window::BRAIN);
    let augment = |blend| Some(Augment { blend, ..Augment::off() });
    let on = Blend { probability: 0.5, ..Blend::default() };
    let all: Vec<usize> = (0..count).collect();
    let known: Vec<SetSlice> = (0..count)
        .map(|index| SetSlice {
            id: index.to_string(),
            series: "a".into(),
            place: Some(index as u32),
            ..SetSlice::default()
        })
        .collect();
    let stacks = Stacks::new(known.iter().map(|slice| &*slice.id), &known).unwrap();
    let windows = Loader::of_windows(
        set.clone(),
        Arc::new(stacks),
        all.clone(),
        4,
        recipe.clone(),
        augment(on),
        &options(1),
    );
    assert!(matches!(windows, Err(LoaderError::BlendedWindows)));
    for wrong in [
        Blend { probability: 1.5, ..on },
        Blend { least_hu: 90.0, ..on },
        Blend { least_contrast: -1.0, ..on },
        Blend { area: [0.2, 0.1], ..on },
    ] {
        let refused = Loader::new(
            set.clone(),
            all.clone(),
            None,
            recipe.clone(),
            augment(wrong),
            &options(1),
        );
        assert!(refused.unwrap_err().to_string().contains("blend."));
    }
}
