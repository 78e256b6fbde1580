//! Two passes over one head under one SeriesInstanceUID: no slice has a neighbour of the other.

use std::collections::BTreeMap;
use std::path::Path;

use hemora_ct::{ImagePlane, InputRecipe, Label, Slice, Window};
use hemora_data::{
    ImageSet, InMemorySet, PrepareRecipe, PreparedSet, Selection, SplitInto, build_index,
};
use hemora_io::{NewSlice, PixelStorage, collect, write_slice};

use crate::phantoms::{Set, small};
use crate::support::write_labels;

const SIDE: usize = 64;
const PLACES: usize = 8;

/// What a slice is called, by series, pass and place.
fn name(series: &str, pass: usize, place: usize) -> String {
    format!("ID_{series}{pass}{place}")
}

/// HU of a flat slice: passes are far apart, places near each other.
fn hu(pass: usize, place: usize) -> f32 {
    10.0 + 40.0 * pass as f32 + 3.0 * place as f32
}

/// Writes a pass that goes up, the second one after the first and back down.
fn write(folder: &Path, series: &str, pass: usize, places: usize) {
    for place in 0..places {
        let position = [0.0, 0.0, place as f64 * 5.0];
        let axial = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        let plane = ImagePlane::new(position, axial, Some([0.5, 0.5])).unwrap();
        let hu = vec![hu(pass, place); SIDE * SIDE];
        let slice = Slice::new(SIDE, SIDE, hu, Some(plane)).unwrap();
        let id = name(series, pass, place);
        let instance = [place, 2 * PLACES - place][pass];
        let new = NewSlice {
            sop_instance_uid: &id,
            series_instance_uid: &format!("ID_series{series}"),
            study_instance_uid: &format!("ID_study{series}"),
            patient_id: &format!("ID_patient{series}"),
            series_description: "",
            instance_number: instance as i32,
            storage: PixelStorage::Signed16 { intercept: 0 },
            slice: &slice,
        };
        // The names of the files put both passes of each place side by side.
        write_slice(&folder.join(format!("{series}{place}{pass}.dcm")), &new).unwrap();
    }
}

/// A series of two passes and one of which two slices were repeated, indexed with labels.
fn set() -> Set {
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    std::fs::create_dir(&images).unwrap();
    let counts = [("a", [PLACES, PLACES - 1]), ("b", [PLACES, 2])];
    let mut ids = Vec::new();
    for (series, counts) in counts {
        for (pass, count) in counts.into_iter().enumerate() {
            write(&images, series, pass, count);
            ids.extend((0..count).map(|place| name(series, pass, place)));
        }
    }
    let labelled: Vec<(&str, &[Label])> = ids.iter().map(|id| (id.as_str(), &[][..])).collect();
    let labels = folder.path().join("labels.csv");
    write_labels(&labels, &labelled);
    build_index(&[images], &[labels], &folder.path().join("set.parquet"), &|_, _| {}).unwrap();
    Set { folder }
}

fn all() -> Selection {
    let split = SplitInto::Parts { validation: 0.0, test: 0.0 };
    Selection { split, ..Selection::default() }
}

#[test]
fn no_channel_is_of_the_other_pass() {
    let set = set();
    let recipe = PrepareRecipe { min_in_window: 0.0, ..small("winner-neighbours") };
    let report = set.prepare("jpeg", &recipe, &all());
    assert_eq!(report.slices, 2 * PLACES - 1 + PLACES + 2);
    let folder = set.path("jpeg");
    let images = ImageSet::open(&folder.join("images"), &folder.join("labels.csv")).unwrap();
    let loaded = images.load(&InputRecipe::grey(48, Window::BRAIN), 48, &|_, _| {}).unwrap();
    let grey = |pixels: &[u8]| {
        pixels.iter().map(|&pixel| f64::from(pixel)).sum::<f64>() / pixels.len() as f64
    };
    let channels: BTreeMap<&str, [f64; 3]> = (0..loaded.len())
        .map(|index| {
            (loaded.id(index), [0, 1, 2].map(|channel| grey(loaded.plane(index, channel))))
        })
        .collect();
    for (pass, count) in [(0, PLACES), (1, PLACES - 1)] {
        let of = |place: usize| channels[name("a", pass, place).as_str()];
        for place in 0..count {
            let beside = [place.saturating_sub(1), place, (place + 1).min(count - 1)];
            let expected = beside.map(|place| of(place)[1]);
            let far = of(place).into_iter().zip(expected).map(|(a, b)| (a - b).abs());
            assert!(far.fold(0.0, f64::max) < 2.0, "{:?}, expected {expected:?}", of(place));
        }
    }
    // Places and passes can be told by their greys.
    assert!(channels["ID_a01"][1] - channels["ID_a00"][1] > 5.0, "{channels:?}");
    assert!(channels["ID_a10"][1] - channels["ID_a07"][1] > 20.0, "{channels:?}");
}

#[test]
fn a_set_names_the_second_pass_and_stacks_as_triage_does() {
    let set = set();
    let recipe = PrepareRecipe { canvas: None, ..PrepareRecipe::built_in("hu").unwrap() };
    set.prepare("hu", &recipe, &all());
    let slices = PreparedSet::open(&set.path("hu")).unwrap().slices().unwrap();
    let mut stacks: BTreeMap<&str, Vec<(u32, &str)>> = BTreeMap::new();
    for slice in &slices {
        stacks.entry(&slice.series).or_default().push((slice.place.unwrap(), &slice.id));
        if slice.series.starts_with("ID_seriesa") {
            assert_eq!(slice.spacing_mm, Some(5.0), "{}", slice.id);
        }
    }
    let ordered = |mut stack: Vec<(u32, &str)>| -> Vec<String> {
        stack.sort_unstable();
        assert!(stack.iter().zip(0..).all(|(&(place, _), expected)| place == expected));
        stack.into_iter().map(|(_, id)| id.to_owned()).collect()
    };
    let stacks: BTreeMap<&str, Vec<String>> =
        stacks.into_iter().map(|(series, stack)| (series, ordered(stack))).collect();
    let names: Vec<&str> = stacks.keys().copied().collect();
    assert_eq!(names, ["ID_seriesa", "ID_seriesa-stack2", "ID_seriesb"]);
    let pass = |pass, count| (0..count).map(|place| name("a", pass, place)).collect::<Vec<_>>();
    assert_eq!(stacks["ID_seriesa"], pass(0, PLACES));
    assert_eq!(stacks["ID_seriesa-stack2"], pass(1, PLACES - 1));
    assert_eq!(stacks["ID_seriesb"].len(), PLACES + 2);

    let found = collect(&[set.path("images")], &|_, _| ());
    let of_triage: Vec<Vec<String>> = found
        .studies
        .iter()
        .flat_map(|study| &study.series)
        .map(|series| series.slices.iter().map(|slice| slice.image_id().into_owned()).collect())
        .collect();
    assert_eq!(of_triage, stacks.into_values().collect::<Vec<_>>());

    // None of the passes lacks a slice that the other has.
    let loaded = InMemorySet::open_hu(&set.path("hu"), 32, &|_, _| {}).unwrap();
    assert_eq!(loaded.lacking_neighbours(1), 0);
}
