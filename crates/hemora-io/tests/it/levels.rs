//! Series that show one head at different levels.

use hemora_ct::ImagePlane;
use hemora_io::{Collection, SeriesChoice, SliceHeader, choose_series, group};

use crate::series_properties::header;

/// Slices of `series` with centres from `from` on, tilted by `degrees`.
fn slices(series: &str, [from, spacing]: [f64; 2], count: usize, degrees: f64) -> Vec<SliceHeader> {
    let (sin, cos) = f64::to_radians(degrees).sin_cos();
    let slice = |number: usize| {
        let centre = from + number as f64 * spacing;
        // The first voxel of 512 × 512 of 0.5 mm.
        let half = 255.5 * 0.5;
        let position = [-half, -half * cos, centre + half * sin];
        let orientation = [1.0, 0.0, 0.0, 0.0, cos, -sin];
        let plane = ImagePlane::new(position, orientation, Some([0.5, 0.5])).unwrap();
        SliceHeader {
            series_instance_uid: Some(series.to_owned()),
            sop_instance_uid: Some(format!("{series}.{number}.{degrees}")),
            ..header(number, Some(plane))
        }
    };
    (0..count).map(slice).collect()
}

fn choices(headers: Vec<SliceHeader>) -> Vec<(usize, SeriesChoice)> {
    let found: Collection = group(headers);
    let [study] = found.studies.as_slice() else { panic!("{} studies", found.studies.len()) };
    let sizes = study.series.iter().map(|series| series.slices.len());
    sizes.zip(choose_series(&study.series)).collect()
}

fn is_near(levels: &[[f64; 2]], expected: [f64; 2]) -> bool {
    matches!(levels, [found] if found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01))
}

#[test]
fn parts_of_one_series_with_two_tilts_are_read_together() {
    let mut headers = slices("1", [0.0, 4.0], 9, 18.0);
    headers.extend(slices("1", [40.0, 5.0], 16, 0.0));
    let choices = choices(headers);
    assert_eq!(choices[0], (16, SeriesChoice::Chosen));
    let (9, SeriesChoice::Complement { levels }) = &choices[1] else { panic!("{choices:?}") };
    assert!(is_near(levels, [0.0, 32.0]), "{levels:?}");
}

#[test]
fn series_at_other_levels_of_one_head_do_not_compete() {
    let mut headers = slices("1", [0.0, 2.5], 20, 0.0);
    headers.extend(slices("2", [52.5, 5.0], 20, 0.0));
    // The series of 95 mm covers a head, the one of 47.5 mm does not.
    let found = choices(headers.clone());
    assert_eq!(found[1], (20, SeriesChoice::Chosen));
    let (20, SeriesChoice::Complement { levels }) = &found[0] else { panic!("{found:?}") };
    assert!(is_near(levels, [0.0, 45.0]), "{levels:?}");

    // Those of another frame of reference do. Their levels say nothing of each other.
    for slice in &mut headers {
        slice.frame_of_reference_uid.clone_from(&slice.series_instance_uid);
    }
    let found = choices(headers.clone());
    assert_eq!(found[1], (20, SeriesChoice::Chosen));
    let text = found[0].1.to_string();
    assert!(text.ends_with("; it lies in another frame of reference"), "{text}");
    let SeriesChoice::PassedOver { unread, other_frame: true, .. } = &found[0].1 else {
        panic!("{found:?}")
    };
    assert_eq!(unread, &[] as &[[f64; 2]]);

    // A neck that reaches too far down to be of the head.
    let mut headers = slices("1", [-200.0, 2.5], 60, 0.0);
    headers.extend(slices("2", [0.0, 5.0], 30, 0.0));
    let found = choices(headers);
    assert!(
        matches!(found[0].1, SeriesChoice::PassedOver { ref unread, .. } if !unread.is_empty())
    );
    assert_eq!(found[1].1, SeriesChoice::Chosen);
}

#[test]
fn a_bone_reconstruction_of_other_levels_is_no_rest_of_the_head() {
    let kernels = |lower: &str, upper: &str| {
        let mut headers = slices("1", [0.0, 2.5], 20, 0.0);
        headers.extend(slices("2", [52.5, 5.0], 20, 0.0));
        for slice in &mut headers {
            let is_lower = slice.series_instance_uid.as_deref() == Some("1");
            slice.convolution_kernel = Some(if is_lower { lower } else { upper }.to_owned());
        }
        choices(headers)
    };
    let found = kernels("H60s", "H31s");
    assert_eq!(found[1].1, SeriesChoice::Chosen);
    let SeriesChoice::PassedOver { unread, other_frame: false, .. } = &found[0].1 else {
        panic!("{found:?}")
    };
    assert!(is_near(unread, [0.0, 45.0]), "{unread:?}");
    for like in [["H31s", "H31s"], ["H60s", "H60s"], ["H31s", "xyz"]] {
        let found = kernels(like[0], like[1]);
        assert!(matches!(found[0].1, SeriesChoice::Complement { .. }), "{like:?}: {found:?}");
    }
}

#[test]
fn the_same_levels_in_another_reconstruction_are_passed_over() {
    let mut headers = slices("1", [0.0, 5.0], 30, 0.0);
    headers.extend(slices("2", [-2.0, 1.0], 152, 0.0));
    headers.extend(slices("3", [0.0, 5.0], 30, 15.0));
    for slice in &mut headers {
        let is_thin = slice.series_instance_uid.as_deref() == Some("2");
        slice.slice_thickness = Some(if is_thin { 1.0 } else { 5.0 });
    }
    for (_, choice) in choices(headers) {
        let passed =
            matches!(&choice, SeriesChoice::PassedOver { unread, .. } if unread.is_empty());
        assert!(passed || choice == SeriesChoice::Chosen, "{choice:?}");
    }
}
