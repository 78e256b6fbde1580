//! Two passes over one head that share a SeriesInstanceUID.

use std::path::Path;

use hemora_io::{Series, SeriesChoice, SeriesWarning, Study, choose_series, group};

use crate::collecting::{collect_one, only_series};
use crate::raw::{Raw, write_file};
use crate::series_properties::{Stack, header};

const ACQUISITION_NUMBER: u32 = 0x0020_0012;

/// Writes a slice of `pass` at `place`, named so that the files of the passes alternate.
fn write(folder: &Path, pass: usize, place: usize, change: impl Fn(Raw) -> Raw) {
    let image = Raw::image()
        .text(0x0008_0018, b"UI", &format!("ID_{pass}{place:02}"))
        .text(0x0020_0013, b"IS", &place.to_string())
        .text(ACQUISITION_NUMBER, b"IS", &pass.to_string())
        .text(0x0020_0032, b"DS", &format!("-100\\-100\\{}", place as f64 * 5.0))
        .text(0x0020_0037, b"DS", "1\\0\\0\\0\\1\\0");
    write_file(folder, &format!("{place:02}-{pass}"), &change(image).file());
}

fn only_study(folder: &Path) -> Study {
    let mut found = collect_one(folder);
    assert!(found.skipped.is_empty(), "{:?}", found.skipped);
    assert_eq!(found.studies.len(), 1);
    found.studies.remove(0)
}

fn names(series: &Series) -> Vec<String> {
    series.slices.iter().map(|slice| slice.image_id().into_owned()).collect()
}

#[test]
fn a_second_acquisition_is_a_part_of_its_own_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    // The table went up and came back: numbers that begin anew would mix the two.
    for place in 0..20 {
        write(folder.path(), 1, place, |image| image);
        if place != 7 {
            let number = (19 - place).to_string();
            write(folder.path(), 2, place, |image| image.text(0x0020_0013, b"IS", &number));
        }
    }
    let study = only_study(folder.path());
    let [first, second] = study.series.as_slice() else { panic!("{} parts", study.series.len()) };
    let expected = |pass: usize, places: &[usize]| -> Vec<String> {
        places.iter().map(|place| format!("ID_{pass}{place:02}")).collect()
    };
    let all: Vec<usize> = (0..20).collect();
    assert_eq!(names(first), expected(1, &all));
    let without: Vec<usize> = all.into_iter().filter(|&place| place != 7).collect();
    assert_eq!(names(second), expected(2, &without));
    assert_eq!(first.slices[0].acquisition_number, Some(1));
    assert_eq!((&first.uid, first.uid.is_some()), (&second.uid, true));
    assert_eq!(first.warnings, [SeriesWarning::Split { part: 1, parts: 2 }]);
    let gap = SeriesWarning::Gaps { count: 1, largest: 10.0, median: 5.0, missing: 1 };
    assert_eq!(second.warnings, [SeriesWarning::Split { part: 2, parts: 2 }, gap]);
    // One head, which is read once.
    let choices = choose_series(&study.series);
    assert_eq!(choices[0], SeriesChoice::Chosen);
    let SeriesChoice::PassedOver { unread, other_frame: false, .. } = &choices[1] else {
        panic!("{}", choices[1])
    };
    assert!(unread.is_empty(), "{}", choices[1]);
}

#[test]
fn instance_numbers_tell_passes_apart_where_acquisitions_have_none() {
    let folder = tempfile::tempdir().unwrap();
    for place in 0..6 {
        for pass in [2, 3, 1] {
            let number = (10 * pass + place).to_string();
            write(folder.path(), pass, place, |image| {
                image.without(ACQUISITION_NUMBER).text(0x0020_0013, b"IS", &number)
            });
        }
    }
    let study = only_study(folder.path());
    assert_eq!(study.series.len(), 3);
    for (index, part) in study.series.iter().enumerate() {
        let pass = index + 1;
        let expected: Vec<String> = (0..6).map(|place| format!("ID_{pass}{place:02}")).collect();
        assert_eq!(names(part), expected);
        assert_eq!(part.warnings, [SeriesWarning::Split { part: pass, parts: 3 }]);
    }
}

#[test]
fn copies_of_the_same_images_are_no_pass() {
    let folder = tempfile::tempdir().unwrap();
    for place in 0..6 {
        write(folder.path(), 1, place, |image| image);
        // The same pixels under the same UID, with another description.
        let uid = format!("ID_1{place:02}");
        write(folder.path(), 2, place, |image| {
            image.text(0x0008_0018, b"UI", &uid).text(0x0008_103E, b"LO", "copy")
        });
    }
    let found = collect_one(folder.path());
    let series = only_series(&found);
    assert_eq!(series.slices.len(), 12);
    assert_eq!(series.warnings, [SeriesWarning::SharedUid(6), SeriesWarning::SamePosition(6)]);

    // Beside a second pass they stay with what they are copies of.
    for place in 0..6 {
        write(folder.path(), 3, place, |image| image);
    }
    let study = only_study(folder.path());
    let sizes: Vec<usize> = study.series.iter().map(|part| part.slices.len()).collect();
    assert_eq!(sizes, [12, 6]);
    let split = |part| SeriesWarning::Split { part, parts: 2 };
    let copies = [SeriesWarning::SharedUid(6), SeriesWarning::SamePosition(6)];
    assert_eq!(study.series[0].warnings[0], split(1));
    assert_eq!(study.series[0].warnings[1..], copies);
    assert_eq!(study.series[1].warnings, [split(2)]);
}

#[test]
fn a_few_repeated_slices_stay_in_their_series() {
    let folder = tempfile::tempdir().unwrap();
    for place in 0..10 {
        write(folder.path(), 1, place, |image| image);
        if place < 4 {
            write(folder.path(), 2, place, |image| image);
        }
    }
    let found = collect_one(folder.path());
    assert_eq!(only_series(&found).warnings, [SeriesWarning::SamePosition(4)]);
}

#[test]
fn a_tilted_second_pass_is_split_in_any_order_of_files() {
    let stack = Stack { count: 12, spacing: 4.0, tilt: 17.0, flipped: true };
    let headers: Vec<_> = (0..24)
        .map(|number| {
            let mut slice = header(number, Some(stack.plane(number % 12)));
            slice.instance_number = Some(number as i32);
            slice
        })
        .collect();
    let parts = |headers| {
        let study = group(headers).studies.remove(0);
        study.series.iter().map(names).collect::<Vec<_>>()
    };
    let expected: Vec<Vec<String>> = [0..12, 12..24]
        .map(|pass: std::ops::Range<usize>| pass.map(|number| format!("ID_{number}")).collect())
        .into();
    assert_eq!(parts(headers.clone()), expected);
    for shift in [1, 5, 12, 17] {
        let mut headers = headers.clone();
        headers.rotate_left(shift);
        assert_eq!(parts(headers.clone()), expected);
        headers.reverse();
        assert_eq!(parts(headers), expected);
    }
}
