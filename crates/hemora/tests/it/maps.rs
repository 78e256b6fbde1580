//! Triage with a network that says where it sees bleeds: regions and volumes.

use std::collections::BTreeSet;
use std::path::Path;

use hemora_io::{Source, read_headers, read_slice};
use hemora_synth::{HeadPhantom, PhantomOptions, StudyIds, write_study};
use hemora_testing::dense::{dense_bundle, plain_bundle};
use serde_json::Value;

use crate::support::hemora;

/// A phantom of a few thick slices, and what triage says of it and prints.
fn triage(folder: &Path, threshold: f64, arguments: &[&str]) -> (Value, String) {
    let options =
        PhantomOptions { slice_spacing: 20.0, ..PhantomOptions::default().with_size(256) };
    let study = HeadPhantom::new(5, options).unwrap().render();
    let ids = StudyIds::from_seed(5, study.slices.len());
    let images = folder.join("images");
    std::fs::create_dir_all(&images).unwrap();
    let storage = hemora_io::PixelStorage::Unsigned12 { intercept: -1024 };
    write_study(&images, &study, &ids, storage).unwrap();
    let bundle = folder.join("dense.hemora");
    dense_bundle(&bundle, threshold);
    let out = folder.join("out");
    let paths = [&images, &bundle, &out].map(|path| path.to_str().unwrap());
    let mut all = vec!["triage", paths[0], "--model", paths[1], "--out", paths[2]];
    all.extend(arguments);
    let output = hemora(&all);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{errors}");
    (serde_json::from_slice(&std::fs::read(out.join("result.json")).unwrap()).unwrap(), errors)
}

#[test]
fn flagged_labels_have_regions_and_volumes_over_the_series() {
    let folder = tempfile::tempdir().unwrap();
    let maps = folder.path().join("maps");
    // Every slice is flagged for any hemorrhage.
    let (result, _) = triage(folder.path(), 0.0, &["--maps", maps.to_str().unwrap()]);
    let study = &result["studies"][0];
    let series = &study["series"][0];
    let slices = series["slices"].as_array().unwrap();
    let mut labels = BTreeSet::new();
    for slice in slices {
        let regions = slice["regions"].as_array().unwrap();
        let of_any = regions.iter().find(|region| region["label"] == "any").unwrap();
        labels.extend(regions.iter().map(|region| region["label"].as_str().unwrap().to_owned()));
        for region in regions {
            let label = region["label"].as_str().unwrap();
            assert!(label == "any" || slice["probabilities"][label].as_f64().unwrap() >= 0.5);
        }
        let peak = of_any["peak"].as_f64().unwrap();
        assert!(peak > 0.0 && peak <= 1.0);
        assert_eq!(of_any["area_mm2"].is_null(), peak < 0.5);
        let mm = of_any["peak_mm"].as_array().unwrap();
        assert_eq!(mm[2], slice["z_mm"]);
        for side in ["peak_row", "peak_column"] {
            assert!((0.0..=255.0).contains(&of_any[side].as_f64().unwrap()));
        }
    }

    let name = |value: &Value| value.as_str().unwrap().to_owned();
    let folder = maps.join(name(&study["study_instance_uid"]));
    let uid = name(&series["series_instance_uid"]);
    let found: BTreeSet<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = labels.iter().map(|label| format!("{uid}-{label}.nii.gz")).collect();
    assert_eq!(found, expected);

    let headers = read_headers(&Source::File(folder.join(format!("{uid}-any.nii.gz")))).unwrap();
    assert_eq!(headers.len(), slices.len());
    for (header, slice) in headers.iter().zip(slices) {
        let (_, map) = read_slice(&header.source).unwrap();
        assert_eq!((map.rows(), map.columns()), (128, 128));
        let plane = map.plane.unwrap();
        assert!((plane.position[2] - slice["z_mm"].as_f64().unwrap()).abs() < 1e-3);
        let region = slice["regions"].as_array().unwrap().last().unwrap();
        // The maximum of the volume lies where the result says, to half a part of the map.
        let highest = |a: &usize, b: &usize| map.hu()[*a].total_cmp(&map.hu()[*b]);
        let best = (0..map.hu().len()).max_by(highest).unwrap();
        let peak = region["peak"].as_f64().unwrap();
        assert!((f64::from(map.hu()[best]) - peak).abs() < 0.03, "{} {peak}", map.hu()[best]);
        let stated: Vec<f64> =
            region["peak_mm"].as_array().unwrap().iter().map(|it| it.as_f64().unwrap()).collect();
        let [down, across] = plane.spacing.unwrap();
        let row = (stated[1] - plane.position[1]) / down;
        let column = (stated[0] - plane.position[0]) / across;
        // Parts of 8 × 8 pixels of the network's 64 are 16 × 16 voxels.
        let near = |at: f64| (at - 9.0).max(0.0) as usize..=((at + 9.0) as usize).min(127);
        let around = near(row).flat_map(|row| near(column).map(move |column| row * 128 + column));
        let value = around.map(|voxel| map.hu()[voxel]).fold(0f32, f32::max);
        assert!((f64::from(value) - peak).abs() < 0.03, "{value} {peak}");
    }
    let page = std::fs::read_to_string(folder.join("../../out/report.html")).unwrap();
    assert!(page.contains("</strong>: maximum 0."), "the report names the regions");
}

#[test]
fn a_network_without_maps_gives_no_regions_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let maps = folder.path().join("maps");
    let images = folder.path().join("images");
    let (result, errors) = triage(folder.path(), 1.0, &["--maps", maps.to_str().unwrap()]);
    assert!(!errors.contains("no maps"), "{errors}");
    let series = &result["studies"][0]["series"][0];
    let any = |region: &Value| region["label"] == "any";
    for slice in series["slices"].as_array().unwrap() {
        let regions = slice["regions"].as_array().cloned().unwrap_or_default();
        assert!(!regions.iter().any(any), "not flagged");
    }
    // Volumes of another run would look like those of this one.
    let filled = folder.path().join("images");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let out = folder.path().join("again");
    let arguments = [&text(&images), "--out", &text(&out), "--maps", &text(&filled)];
    let again = hemora(&[&["triage"], &arguments[..]].concat());
    let errors = String::from_utf8(again.stderr).unwrap();
    assert!(!again.status.success() && errors.contains("is not empty"), "{errors}");
    let out = folder.path().join("plain");
    let other = folder.path().join("other");
    let model = folder.path().join("plain.hemora");
    plain_bundle(&model, 0.5);
    let output = hemora(&[
        "triage",
        images.to_str().unwrap(),
        "--model",
        model.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--maps",
        other.to_str().unwrap(),
    ]);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("no maps of series"), "{errors}");
    let result = std::fs::read_to_string(out.join("result.json")).unwrap();
    assert!(!result.contains("\"regions\""), "absent where there are none");
}
