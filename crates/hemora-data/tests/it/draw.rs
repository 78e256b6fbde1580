//! Bleeds drawn into slices of phantoms while batches are made.

use std::sync::Arc;

use hemora_ct::{InputRecipe, LABEL_COUNT, Label, Window};
use hemora_data::{
    Augment, Draw, ImageSet, InMemorySet, JpegSet, Loader, LoaderError, LoaderOptions, SetSlice,
    Stacks,
};
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions, write_dataset};

const SIDE: usize = 128;
const STRIDE: usize = 8;
const CELLS: usize = (SIDE / STRIDE) * (SIDE / STRIDE);

/// Slices of the middle of heads without hemorrhage, the last of which is called one with.
fn set() -> (Arc<InMemorySet>, usize) {
    let mut planes = Vec::new();
    for seed in 0..3 {
        let bleeds = Bleeds::These(Vec::new());
        let options = PhantomOptions { bleeds, slice_spacing: 12.0, ..PhantomOptions::default() };
        let study = HeadPhantom::new(seed, options.with_size(SIDE)).unwrap().render();
        for slice in &study.slices[4..8] {
            planes.extend(slice.slice.hu().iter().map(|hu| Window::BRAIN.to_grey(*hu)));
        }
    }
    let count = planes.len() / (SIDE * SIDE);
    let ids = (0..count).map(|index| index.to_string()).collect();
    let mut labels = vec![[false; LABEL_COUNT]; count];
    labels[count - 1] = [true; LABEL_COUNT];
    (Arc::new(InMemorySet::from_windowed(SIDE, ids, labels, planes).unwrap()), count)
}

fn recipe() -> InputRecipe {
    let mut recipe = InputRecipe::grey(SIDE, Window::BRAIN);
    (recipe.mean, recipe.std) = (vec![0.0; 3], vec![1.0; 3]);
    recipe
}

fn options(threads: usize) -> LoaderOptions {
    LoaderOptions { batch: 5, seed: 3, threads, map_stride: Some(STRIDE), ..Default::default() }
}

fn augment(draw: Draw) -> Option<Augment> {
    Some(Augment { draw, ..Augment::off() })
}

/// An image of a batch.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    index: usize,
    input: Vec<f32>,
    labels: Vec<f32>,
    known: Vec<f32>,
    weight: f32,
    present: Vec<f32>,
    known_cells: Vec<f32>,
}

fn rows(augment: Option<Augment>, threads: usize) -> Vec<Row> {
    let (set, count) = set();
    let all = (0..count).collect();
    let loader = Loader::new(set, all, None, recipe(), augment, &options(threads)).unwrap();
    let mut rows = Vec::new();
    for batch in loader.epoch(1) {
        let maps = batch.maps().unwrap();
        for (at, &index) in batch.indices().iter().enumerate() {
            let part = |values: &[f32], size: usize| values[at * size..][..size].to_vec();
            rows.push(Row {
                index,
                input: part(batch.inputs(), 3 * SIDE * SIDE)[..SIDE * SIDE].to_vec(),
                labels: part(batch.labels(), LABEL_COUNT),
                known: part(batch.known(), LABEL_COUNT),
                weight: batch.label_weights()[at],
                present: part(maps.present, LABEL_COUNT * CELLS),
                known_cells: part(maps.known, LABEL_COUNT * CELLS),
            });
        }
    }
    rows
}

const ALWAYS: Draw = Draw { probability: 1.0, look_alike: 0.0, bleed: 1.0, label_weight: 0.25 };

#[test]
fn drawn_slices_have_the_labels_maps_and_weight_of_what_was_drawn() {
    let (plain, drawn) = (rows(None, 2), rows(augment(ALWAYS), 2));
    let mut changed = 0;
    for (own, drawn) in plain.iter().zip(&drawn) {
        assert_eq!(own.index, drawn.index);
        if own.labels[Label::Any.index()] == 1.0 || own.input == drawn.input {
            assert_eq!(own, drawn);
            continue;
        }
        changed += 1;
        assert_eq!((drawn.weight, drawn.labels[Label::Any.index()]), (0.25, 1.0));
        assert!(drawn.labels[..5].contains(&1.0));
        assert_eq!(drawn.known, [1.0; LABEL_COUNT]);
        assert!(drawn.known_cells.iter().all(|known| *known == 1.0));
        // A map has something where its label says so, and nothing else.
        let maps = drawn.present.chunks(CELLS);
        for (map, label) in maps.zip(&drawn.labels) {
            assert_eq!(map.iter().any(|part| *part > 0.0), *label == 1.0);
        }
        // What is covered fully does not look as it did.
        let any = &drawn.present[Label::Any.index() * CELLS..];
        for cell in (0..CELLS).filter(|cell| any[*cell] == 1.0) {
            let (row, column) = (cell / (SIDE / STRIDE) * STRIDE, cell % (SIDE / STRIDE) * STRIDE);
            let at = row * SIDE + column;
            assert_ne!(own.input[at..at + STRIDE], drawn.input[at..at + STRIDE], "{cell}");
        }
    }
    assert!(changed >= 4, "{changed} of {}", plain.len());
}

#[test]
fn the_threads_do_not_matter_and_nothing_is_drawn_unless_asked_for() {
    let everything = Augment { draw: ALWAYS, ..Augment::default() };
    let one = rows(Some(everything.clone()), 1);
    assert!(one == rows(Some(everything), 4), "the threads matter");
    let off = Draw { probability: 0.0, ..ALWAYS };
    assert!(rows(augment(off), 1) == rows(None, 1));
    assert_eq!(Draw::default().probability, 0.0);
}

#[test]
fn look_alikes_keep_the_slice_negative_and_its_weight() {
    let alike = Draw { look_alike: 1.0, bleed: 0.0, ..ALWAYS };
    let (plain, drawn) = (rows(None, 2), rows(augment(alike), 2));
    let mut changed = 0;
    for (own, drawn) in plain.iter().zip(&drawn) {
        changed += usize::from(own.input != drawn.input);
        let input = own.input.clone();
        assert_eq!(Row { input, ..drawn.clone() }, *own);
    }
    assert!(changed >= 4, "{changed} of {}", plain.len());
}

#[test]
fn sets_that_cannot_be_drawn_into_are_refused() {
    let (set, count) = set();
    let slices: Vec<SetSlice> = (0..count)
        .map(|index| SetSlice {
            id: index.to_string(),
            series: "a".into(),
            place: Some(index as u32),
            ..SetSlice::default()
        })
        .collect();
    let stacks = Arc::new(Stacks::new(slices.iter().map(|slice| &*slice.id), &slices).unwrap());
    let (all, with) = ((0..count).collect(), augment(ALWAYS));
    let windows = Loader::of_windows(set, stacks, all, 4, recipe(), with, &options(1));
    assert!(matches!(windows, Err(LoaderError::DrawnWindows)));

    let folder = tempfile::tempdir().unwrap();
    let phantom = PhantomOptions { slice_spacing: 20.0, ..PhantomOptions::default() };
    write_dataset(folder.path(), 1, 1, &phantom.with_size(32), &|_, _| ()).unwrap();
    let [dicom, labels] =
        ["stage_2_train", "stage_2_train.csv"].map(|name| folder.path().join(name));
    let hu = ImageSet::open(&dicom, &labels).unwrap().load_hu(32, &|_, _| {}).unwrap();
    let refused = Loader::new(Arc::new(hu), vec![0], None, recipe(), augment(ALWAYS), &options(1));
    assert!(matches!(refused, Err(LoaderError::DrawnHu)));

    let images = folder.path().join("images");
    std::fs::create_dir_all(&images).unwrap();
    let encoder = jpeg_encoder::Encoder::new_file(images.join("a.jpg"), 90).unwrap();
    encoder.encode(&[90; 32 * 32 * 3], 32, 32, jpeg_encoder::ColorType::Rgb).unwrap();
    crate::support::write_labels(&folder.path().join("labels.csv"), &[("a", &[])]);
    let files = ImageSet::open(&images, &folder.path().join("labels.csv")).unwrap();
    let jpeg = Arc::new(JpegSet::new(&files).unwrap());
    let memory = Arc::new(files.load(&recipe(), 32, &|_, _| {}).unwrap());
    for set in [jpeg.into(), memory.into()] {
        let set: hemora_data::LoaderSet = set;
        let refused = Loader::new(set, vec![0], None, recipe(), augment(ALWAYS), &options(1));
        assert!(matches!(refused, Err(LoaderError::NoBrainPicture)));
    }
}
