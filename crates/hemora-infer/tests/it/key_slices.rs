//! Key slices and their maps.

use std::fs;

use hemora_ct::Label;
use hemora_infer::{SeriesPolicy, key_slices, triage};
use hemora_io::collect;

use crate::archive::{BLEEDING, archive};
use crate::support::{NewFile, brightness_bundle, loaded};

#[test]
fn key_slices_are_the_worst_with_maps_of_where() {
    let archive = archive();
    let collection = archive.collect();
    let result = archive.triage(&collection);
    let study = &result.studies[0];
    let keys = key_slices(&loaded(&archive.bundle), &collection, study, 2);
    let indices: Vec<usize> = keys.iter().map(|key| key.index).collect();
    assert_eq!(indices, [2, 3]);
    let first = &keys[0];
    assert_eq!(first.sop_instance_uid, "1.2.1.2");
    assert_eq!((first.z_mm, first.leading_subtype), (Some(10.0), Label::Subdural));
    assert_eq!(first.slice.hu().iter().filter(|&&hu| hu == 90.0).count(), 3000);
    let map = first.any_map.as_ref().unwrap().upsampled(64, 64);
    assert!(map.values[0] > 0.99 && map.values[64 * 64 - 1] < 0.01, "bright above, dark below");
    assert_eq!(first.subtype_map.as_ref().unwrap().label, Label::Subdural);
    let at_least_one = key_slices(&loaded(&archive.bundle), &collection, study, 0);
    assert_eq!(at_least_one.len(), 1);
    let all = key_slices(&loaded(&archive.bundle), &collection, study, 100);
    assert_eq!(all.len(), BLEEDING.len());
    assert!(all[4].any_map.is_none(), "nothing speaks for hemorrhage in a black slice");
    fs::remove_file(archive.input().join("1.2.1.2.dcm")).unwrap();
    let left = key_slices(&loaded(&archive.bundle), &collection, study, 2);
    assert_eq!(left.len(), 1, "a slice that is gone is left out");
}

#[test]
fn slices_stored_upside_down_are_scored_and_shown_upright() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in");
    fs::create_dir(&path).unwrap();
    let orientation = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];
    for (index, bright) in [100, 3000, 100].into_iter().enumerate() {
        let (sop, position) = (format!("1.7.1.{index}"), [0.0, 0.0, 5.0 * index as f64]);
        let file =
            NewFile { sop: &sop, series: "1.7.1", study: "1.7", orientation, position, bright };
        file.write(&path);
    }
    let model = loaded(&brightness_bundle(folder.path()));
    let collection = collect(&[path], &|_, _| ());
    let result = triage(&model, &collection, SeriesPolicy::Chosen, &|_, _| ());
    let keys = key_slices(&model, &collection, &result.studies[0], 1);
    assert_eq!(keys[0].sop_instance_uid, "1.7.1.1");
    // Stored with the bright rows on top, which are the back of the head.
    let hu = keys[0].slice.hu();
    assert_eq!((hu[0], hu[64 * 64 - 1]), (-50.0, 90.0));
    assert_eq!(keys[0].slice.plane.unwrap().row_direction, [1.0, 0.0, 0.0]);
    let map = keys[0].any_map.as_ref().unwrap().upsampled(64, 64);
    assert!(map.values[0] < 0.01 && map.values[64 * 64 - 1] > 0.99, "dark above, bright below");
}
