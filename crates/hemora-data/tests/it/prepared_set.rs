//! Prepared sets as they are loaded: planes and HU, neighbours, places, the input of inference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hemora_ct::{Channel, InputRecipe, Window};
use hemora_data::{
    Augment, DataError, Groups, ImageKind, ImageSet, InMemorySet, IndexReader, JpegSet, Loader,
    LoaderOptions, LoaderSet, Negatives, PrepareRecipe, PreparedSet, Selection, SplitInto,
};

use crate::phantoms::{Set, small};

#[test]
fn a_prepared_set_is_loaded_with_a_plane_a_channel() {
    let set = Set::new();
    let report = set.prepare("set", &small("howard"), &Selection::default());
    let folder = set.path("set");
    let images = ImageSet::open(&folder.join("images"), &folder.join("labels.csv")).unwrap();
    assert_eq!((images.kind(), images.images().len()), (ImageKind::PreparedJpeg, report.slices));
    let recipe = InputRecipe { size: 32, ..InputRecipe::grey(32, Window::BRAIN) };
    let loaded = images.load(&recipe, 48, &|_, _| {}).unwrap();
    assert_eq!((loaded.len(), loaded.positives()), (report.slices, report.positives));
    assert_eq!(loaded.planes_for(&recipe).unwrap(), [0, 1, 2]);
    assert_ne!(loaded.plane(5, 0), loaded.plane(5, 2));
    assert!(loaded.has_made_channels());
    let mut two = recipe.clone();
    (two.mean, two.std) = (vec![0.5; 2], vec![0.5; 2]);
    two.channels.pop();
    assert!(loaded.planes_for(&two).unwrap_err().to_string().contains("3 channels"));
    let table = folder.join("splits.csv");
    let groups = Groups::from_csv(&table, "ID", "PatientID").unwrap();
    assert_eq!(loaded.groups(&groups).into_iter().collect::<BTreeSet<_>>().len(), 5);
    let prepared = PreparedSet::open(&folder).unwrap();
    assert!(PreparedSet::is_one(&folder) && !PreparedSet::is_one(&prepared.images()));
    assert!(!prepared.is_hu() && prepared.recipe().name == small("howard").name);
    assert_eq!(loaded.groups(&prepared.groups().unwrap()), loaded.groups(&groups));
    let mut few = images.clone();
    let first = images.images()[0].id.clone();
    few.keep(|id| id == first);
    assert_eq!(few.load(&recipe, 48, &|_, _| {}).unwrap().id(0), first);
    let indices = (0..loaded.len()).collect();
    let loader = Loader::new(
        Arc::new(loaded),
        indices,
        None,
        recipe,
        Some(Augment::default()),
        &LoaderOptions { batch: 4, ..LoaderOptions::default() },
    )
    .unwrap();
    let batch = loader.epoch(0).next().unwrap();
    assert_eq!(batch.shape(), [4, 3, 32, 32]);
    let (red, blue) = (&batch.inputs()[..1024], &batch.inputs()[2048..3072]);
    assert_ne!(red, blue);
}

#[test]
fn batches_from_files_are_those_from_memory() {
    let set = Set::new();
    let report = set.prepare("set", &small("howard"), &Selection::default());
    let folder = set.path("set");
    let images = ImageSet::open(&folder.join("images"), &folder.join("labels.csv")).unwrap();
    let recipe = InputRecipe::grey(32, Window::BRAIN);
    let memory = Arc::new(images.load(&recipe, 48, &|_, _| {}).unwrap());
    let files = Arc::new(JpegSet::new(&images).unwrap());
    assert_eq!((files.len(), files.side(), files.id(3)), (report.slices, 48, memory.id(3)));
    let loader = |set: LoaderSet, augment: &Option<Augment>, threads| {
        let options = LoaderOptions { batch: 6, threads, ..LoaderOptions::default() };
        let indices = (0..report.slices).collect();
        Loader::new(set, indices, None, recipe.clone(), augment.clone(), &options).unwrap()
    };
    let content = |loader: &Loader| -> Vec<(Vec<usize>, Vec<f32>, Vec<f32>)> {
        let parts = |batch: hemora_data::Batch| {
            (batch.indices().to_vec(), batch.labels().to_vec(), batch.inputs().to_vec())
        };
        loader.epoch(1).map(parts).collect()
    };
    for augment in [None, Some(Augment::default())] {
        let expected = content(&loader(memory.clone().into(), &augment, 1));
        for threads in [1, 3] {
            let found = content(&loader(files.clone().into(), &augment, threads));
            assert!(found == expected, "{threads} threads");
        }
    }

    // A file that is damaged later is left out of its batch and named; the others stay as they are.
    let path = images.images()[4].path.clone();
    std::fs::write(&path, b"no image").unwrap();
    let loader = loader(files.into(), &None, 2);
    let (mut left, mut skipped) = (0, Vec::new());
    for batch in loader.epoch(1) {
        left += batch.len();
        assert_eq!(batch.inputs().len(), batch.len() * 3 * 32 * 32);
        assert_eq!(batch.labels().len(), batch.len() * 6);
        skipped.extend(batch.skipped().to_vec());
    }
    assert_eq!((left, skipped.len(), skipped[0].0), (report.slices - 1, 1, 4));
    assert!(skipped[0].1.contains("JPEG"), "{}", skipped[0].1);
    let data = set.path("data");
    let dicom =
        ImageSet::open(&data.join("stage_2_train"), &data.join("stage_2_train.csv")).unwrap();
    assert!(matches!(JpegSet::new(&dicom), Err(DataError::NotPrepared)));
}

#[test]
fn neighbours_are_the_channels_of_the_slices_beside() {
    let set = Set::new();
    let recipe = PrepareRecipe { min_in_window: 0.0, ..small("winner-neighbours") };
    set.prepare("set", &recipe, &Selection::default());
    let folder = set.path("set");
    let images = ImageSet::open(&folder.join("images"), &folder.join("labels.csv")).unwrap();
    let loaded = images.load(&InputRecipe::grey(48, Window::BRAIN), 48, &|_, _| {}).unwrap();
    let place: BTreeMap<&str, usize> =
        (0..loaded.len()).map(|index| (loaded.id(index), index)).collect();
    let mut rows: Vec<_> =
        IndexReader::open(&set.path("set.parquet")).unwrap().map(Result::unwrap).collect();
    rows.sort_by(|a, b| {
        let series = a.series_instance_uid.cmp(&b.series_instance_uid);
        series.then(a.z.unwrap().total_cmp(&b.z.unwrap()))
    });
    let difference = |a: &[u8], b: &[u8]| -> f64 {
        let sum: u32 = a.iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        f64::from(sum) / a.len() as f64
    };
    let mut compared = 0;
    for pair in rows.windows(2) {
        if pair[0].series_instance_uid != pair[1].series_instance_uid {
            continue;
        }
        let (low, high) = (place[pair[0].id.as_str()], place[pair[1].id.as_str()]);
        // Red of the upper slice is the lower one, which is green of the lower slice.
        assert!(difference(loaded.plane(high, 0), loaded.plane(low, 1)) < 3.0);
        assert!(difference(loaded.plane(low, 2), loaded.plane(high, 1)) < 3.0);
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

/// The slices of the index by series, from the lowest to the highest, whatever their files' order.
fn stacks(set: &Set) -> Vec<Vec<(String, hemora_ct::Slice)>> {
    let mut rows: Vec<_> =
        IndexReader::open(&set.path("set.parquet")).unwrap().map(Result::unwrap).collect();
    rows.sort_by(|a, b| {
        let series = a.series_instance_uid.cmp(&b.series_instance_uid);
        series.then(a.z.unwrap().total_cmp(&b.z.unwrap()))
    });
    let is_one = |a: &hemora_data::SliceRow, b: &hemora_data::SliceRow| {
        a.series_instance_uid == b.series_instance_uid
    };
    let read = |row: &hemora_data::SliceRow| {
        let (_, slice) = hemora_io::read_slice(&row.source()).unwrap();
        (row.id.clone(), slice)
    };
    rows.chunk_by(is_one).map(|rows| rows.iter().map(read).collect()).collect()
}

/// Largest and mean difference between what a loader makes of the images of a set and what inference
/// makes of their slices, of which the ends of each stack are repeated.
fn differences(set: &Set, loaded: impl Into<LoaderSet>, recipe: &InputRecipe) -> (f32, f32) {
    let loaded = loaded.into();
    let options = LoaderOptions { batch: 1, shuffle: false, threads: 2, ..Default::default() };
    let indices = (0..loaded.len()).collect();
    let loader =
        Loader::new(loaded.clone(), indices, None, recipe.clone(), None, &options).unwrap();
    let inputs: BTreeMap<String, Vec<f32>> = loader
        .epoch(0)
        .map(|batch| (loaded.id(batch.indices()[0]).to_owned(), batch.inputs().to_vec()))
        .collect();
    let (mut most, mut sum, mut count) = (0f32, 0f64, 0);
    for stack in stacks(set) {
        for place in 0..stack.len() {
            let expected = recipe.input(|offset| {
                let other = place.saturating_add_signed(offset as isize).min(stack.len() - 1);
                &stack[other].1
            });
            let found = &inputs[&stack[place].0];
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                most = most.max((found - expected).abs());
                sum += f64::from((found - expected).abs());
                count += 1;
            }
        }
    }
    (most, (sum / f64::from(count)) as f32)
}

#[test]
fn what_is_trained_on_is_what_inference_makes_of_the_slices() {
    let set = Set::new();
    for (name, canvas) in [("hu", None), ("hu-zoomed", Some(96))] {
        let recipe = PrepareRecipe { canvas, ..PrepareRecipe::built_in("hu").unwrap() };
        set.prepare(name, &recipe, &Selection::default());
        let loaded = Arc::new(InMemorySet::open_hu(&set.path(name), 56, &|_, _| {}).unwrap());
        assert_eq!(loaded.lacking_neighbours(2), 0);
        for input in InputRecipe::NAMES {
            let mut input = InputRecipe::named(input, 48).unwrap();
            input.prepare = recipe.preparation(56);
            let (most, _) = differences(&set, loaded.clone(), &input);
            assert!(most < 1e-5, "{name} {most}");
        }
        let mut far = InputRecipe::named("grey", 48).unwrap();
        (far.channels[0].offset, far.channels[2].offset) = (-2, 2);
        far.prepare = recipe.preparation(56);
        assert!(differences(&set, loaded, &far).0 < 1e-5);
    }
    for name in ["winner", "winner-neighbours"] {
        let recipe = PrepareRecipe { min_in_window: 0.0, ..small(name) };
        set.prepare(name, &recipe, &Selection::default());
        let folder = set.path(name);
        let images = ImageSet::open(&folder.join("images"), &folder.join("labels.csv")).unwrap();
        for size in [48, 32] {
            let input = recipe.input(size).unwrap();
            // Of values between −1 and 1: what JPEG leaves out.
            let loaded = Arc::new(images.load(&input, 48, &|_, _| {}).unwrap());
            let (_, mean) = differences(&set, loaded, &input);
            assert!(mean < 0.03, "{name} {mean}");
            let files = Arc::new(JpegSet::new(&images).unwrap());
            assert!(differences(&set, files, &input).1 < 0.03, "{name}");
            // Another slice than the right one is far from it.
            let mut wrong = input.clone();
            wrong.channels.iter_mut().for_each(|channel| channel.offset += 2);
            let loaded = Arc::new(images.load(&input, 48, &|_, _| {}).unwrap());
            assert!(differences(&set, loaded, &wrong).1 > 0.06, "{name}");
        }
    }
    // What inference does not do, no recipe says.
    assert_eq!(small("howard").input(48), None);
    let brain = PrepareRecipe { crop: hemora_data::Crop::Brain, ..small("winner") };
    assert_eq!((brain.input(48), brain.preparation(48)), (None, None));
}

#[test]
fn a_set_knows_the_places_of_its_slices() {
    let set = Set::new();
    let selection = Selection { split: SplitInto::Folds(3), ..Selection::default() };
    set.prepare(
        "hu",
        &PrepareRecipe { canvas: None, ..PrepareRecipe::built_in("hu").unwrap() },
        &selection,
    );
    let slices = PreparedSet::open(&set.path("hu")).unwrap().slices().unwrap();
    let of = |id: &str| slices.iter().find(|slice| slice.id == id).unwrap();
    let mut folds = BTreeSet::new();
    for stack in stacks(&set) {
        for (place, pair) in stack.windows(2).enumerate() {
            let (low, high) = (of(&pair[0].0), of(&pair[1].0));
            assert_eq!((low.place, high.place), (Some(place as u32), Some(place as u32 + 1)));
            let step = high.z_mm.unwrap() - low.z_mm.unwrap();
            assert!((step - 12.0).abs() < 0.01 && low.spacing_mm.unwrap() - step < 1e-9, "{step}");
            assert!((high.spacing_mm.unwrap() - 12.0).abs() < 0.01);
            assert_eq!((&low.series, &low.part), (&high.series, &high.part));
        }
        folds.insert(of(&stack[0].0).part.clone());
    }
    assert_eq!(folds.into_iter().collect::<Vec<_>>(), ["fold0", "fold1", "fold2"]);

    // With some slices left out it is known that neighbours are.
    let few = Selection { negatives: Negatives::Count(5), ..Selection::default() };
    set.prepare(
        "few",
        &PrepareRecipe { canvas: None, ..PrepareRecipe::built_in("hu").unwrap() },
        &few,
    );
    let loaded = InMemorySet::open_hu(&set.path("few"), 32, &|_, _| {}).unwrap();
    assert!(loaded.lacking_neighbours(1) > 0);

    // A set of before, whose table has no places, still loads, but not for neighbours.
    let table = set.path("few/splits.csv");
    let text = std::fs::read_to_string(&table).unwrap();
    let first = |line: &str| line.split(',').take(5).collect::<Vec<_>>().join(",");
    std::fs::write(&table, text.lines().map(first).collect::<Vec<_>>().join("\n")).unwrap();
    let loaded = InMemorySet::open_hu(&set.path("few"), 32, &|_, _| {}).unwrap();
    assert!(loaded.planes_for(&InputRecipe::named("windows", 32).unwrap()).is_ok());
    let refused = loaded.planes_for(&InputRecipe::named("neighbours", 32).unwrap()).unwrap_err();
    assert!(matches!(refused, DataError::Neighbours { .. }), "{refused}");
}

#[test]
fn hu_come_back_from_shards_and_vary_in_their_windows() {
    let set = Set::new();
    let recipe = PrepareRecipe { canvas: None, ..PrepareRecipe::built_in("hu").unwrap() };
    let report = set.prepare("hu", &recipe, &Selection::default());
    let folder = set.path("hu");
    let loaded = InMemorySet::open_hu(&folder, 64, &|_, _| {}).unwrap();
    assert_eq!((loaded.len(), loaded.positives()), (report.slices, report.positives));
    assert!(loaded.is_hu() && loaded.skipped().is_empty());
    let data = set.path("data");
    let images =
        ImageSet::open(&data.join("stage_2_train"), &data.join("stage_2_train.csv")).unwrap();
    let direct = images.load_hu(64, &|_, _| {}).unwrap();
    assert_eq!(direct.len(), loaded.len());
    for index in 0..loaded.len() {
        assert_eq!((loaded.id(index), loaded.hu(index)), (direct.id(index), direct.hu(index)));
    }
    let groups = |set: &InMemorySet| set.groups(&Groups::default());
    assert_eq!(groups(&loaded), groups(&direct));

    // Without augmentation a set in HU gives what the same set gives windowed, but for rounding.
    let mut recipe = InputRecipe::grey(64, Window::BRAIN);
    recipe.channels[1] = Channel { window: Window::SUBDURAL, offset: 0 };
    let windowed = Arc::new(images.load(&recipe, 64, &|_, _| {}).unwrap());
    let loaded = Arc::new(loaded);
    let options =
        LoaderOptions { batch: 4, shuffle: false, threads: 2, ..LoaderOptions::default() };
    let first = |set: &Arc<InMemorySet>, augment: Option<Augment>| {
        let indices = (0..set.len()).collect();
        let loader = Loader::new(set.clone(), indices, None, recipe.clone(), augment, &options)?;
        Ok::<_, hemora_data::LoaderError>(loader.epoch(0).next().unwrap().inputs().to_vec())
    };
    let (hu, grey) = (first(&loaded, None).unwrap(), first(&windowed, None).unwrap());
    assert!(hu.iter().zip(&grey).all(|(a, b)| (a - b).abs() < 0.03));
    let jitter = Augment { window_level: 30.0, window_width: 0.3, ..Augment::off() };
    let varied = first(&loaded, Some(jitter.clone())).unwrap();
    assert_ne!(varied, hu);
    assert_eq!(varied, first(&loaded, Some(jitter.clone())).unwrap());
    let refused = first(&windowed, Some(jitter)).unwrap_err().to_string();
    assert!(refused.contains("HU"), "{refused}");
}

#[test]
fn broken_shards_are_named() {
    let set = Set::new();
    let recipe = PrepareRecipe { canvas: None, ..PrepareRecipe::built_in("hu").unwrap() };
    let report = set.prepare("hu", &recipe, &Selection::default());
    let shard = set.path("hu/shards/00000.hu");
    let good = std::fs::read(&shard).unwrap();
    std::fs::write(&shard, &good[..good.len() / 2]).unwrap();
    let half = InMemorySet::open_hu(&set.path("hu"), 64, &|_, _| {}).unwrap();
    assert!(half.len() < report.slices && half.len() + half.skipped().len() == report.slices);
    std::fs::remove_file(&shard).unwrap();
    let error = InMemorySet::open_hu(&set.path("hu"), 64, &|_, _| {}).unwrap_err().to_string();
    assert!(error.contains("00000.hu"), "{error}");
}
