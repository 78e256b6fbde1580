//! Real tables and slices of the shared sample, where it is present.

use std::collections::HashSet;

use crate::support::shared_sample;
use hemora_ct::{InputRecipe, Label, Window};
use hemora_data::{Groups, ImageKind, ImageSet, LabelTable, leaks, split};

#[test]
fn the_sample_has_the_counts_that_its_readme_says() {
    let Some(sample) = shared_sample() else { return };
    let table = LabelTable::read(&sample.join("png_labels.csv")).unwrap();
    assert_eq!(table.len(), 2886);
    assert_eq!(table.positives(), [15, 182, 120, 172, 227, 526]);
    assert!(table.report().inconsistent.is_empty() && table.report().conflicting.is_empty());
    let dicom = LabelTable::read(&sample.join("stage_2_train.csv")).unwrap();
    assert_eq!((dicom.len(), dicom.positives()[0], dicom.positives()[5]), (205, 0, 42));
    // A table of another form is named, not misread.
    let error = LabelTable::read(&sample.join("tables/slices_30112.csv")).unwrap_err();
    assert!(error.to_string().contains("`ID,Label`"), "{error}");
}

#[test]
fn the_tables_join_patients_and_series() {
    let Some(sample) = shared_sample() else { return };
    let tables = sample.join("tables");
    let slices = tables.join("slices_30112.csv");
    let mut groups = Groups::from_csv(&slices, "Image", "PatientID").unwrap();
    groups.merge(&Groups::from_csv(&slices, "Image", "SeriesInstanceUID").unwrap());
    groups.merge(&Groups::from_series_csv(&tables.join("series_6750.csv")).unwrap());
    // The first slice of both tables, and another slice of its series that only the wide one has.
    let names = groups.assign(["ID_000012eaf", "ID_03f56a7f6"]);
    assert_eq!(names, ["PatientID=ID_f15c0eee"; 2]);

    let labels = LabelTable::read(&sample.join("png_labels.csv")).unwrap();
    let ids: Vec<&str> = labels.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.iter().filter(|id| groups.knows(id)).count(), 972);
    let rows: Vec<_> = labels.iter().map(|(_, row)| row).collect();
    let names = groups.assign(&ids);
    assert!(names.iter().collect::<HashSet<_>>().len() < ids.len());
    let split = split(&rows, &names, 0.2, 1).unwrap();
    assert!(leaks(&split.train, &split.validation, &names).is_empty());
    for side in [&split.train, &split.validation] {
        for label in Label::ALL {
            assert!(side.iter().any(|&index| rows[index][label.index()]), "{label}");
        }
    }
}

#[test]
fn real_slices_are_decoded() {
    let Some(sample) = shared_sample() else { return };
    let recipe = InputRecipe::grey(96, Window::BRAIN);
    let png = ImageSet::open(&sample.join("png"), &sample.join("png_labels.csv")).unwrap();
    assert_eq!((png.kind(), png.images().len()), (ImageKind::WindowedPng, 2886));
    assert!(png.report().unlabelled.is_empty() && png.report().without_image.is_empty());
    let dicom = ImageSet::open(&sample.join("dicom"), &sample.join("stage_2_train.csv")).unwrap();
    assert_eq!((dicom.kind(), dicom.images().len()), (ImageKind::Dicom, 205));
    let decoded = dicom.load(&recipe, 96, &|_, _| ()).unwrap();
    assert!(decoded.skipped().is_empty(), "{:?}", decoded.skipped());
    let patients: HashSet<String> = decoded.groups(&Groups::default()).into_iter().collect();
    assert_eq!(patients.len(), 6);
    // Air is black everywhere; skull is white in all slices but the few above and below the head.
    let planes: Vec<&[u8]> = (0..decoded.len()).map(|index| decoded.plane(index, 0)).collect();
    assert!(planes.iter().all(|plane| plane.contains(&0)));
    let with_skull = planes.iter().filter(|plane| plane.contains(&255)).count();
    assert!(with_skull * 10 > planes.len() * 9, "{with_skull}");
}
