//! Order and geometry of series, whatever the order, direction and tilt of their slices.

use hemora_ct::ImagePlane;
use hemora_io::{
    Collection, FileFormat, Series, SeriesWarning, SliceHeader, Source, StoredFormat, group,
};
use proptest::prelude::*;
use proptest::sample::subsequence;

/// A header of 512 × 512 pixels; its number stands in its UID.
pub fn header(number: usize, plane: Option<ImagePlane>) -> SliceHeader {
    let source = Source::File(format!("{number:04}.dcm").into());
    SliceHeader {
        sop_instance_uid: Some(format!("ID_{number}")),
        series_instance_uid: Some("ID_series".to_owned()),
        study_instance_uid: Some("ID_study".to_owned()),
        patient_id: "ID_patient".to_owned(),
        plane,
        stored: StoredFormat { bits_allocated: 16, bits_stored: 16, signed: true },
        rescale_intercept: -1024.0,
        ..SliceHeader::new(source, FileFormat::Dicom, [512, 512])
    }
}

/// How the slices of a made series lie.
#[derive(Debug, Clone)]
pub struct Stack {
    pub count: usize,
    /// mm along the table.
    pub spacing: f64,
    /// Gantry tilt, degrees.
    pub tilt: f64,
    /// Seen from the head instead of from the feet: the row direction points to the right.
    pub flipped: bool,
}

impl Stack {
    pub fn plane(&self, number: usize) -> ImagePlane {
        let (sin, cos) = self.tilt.to_radians().sin_cos();
        let row = if self.flipped { -1.0 } else { 1.0 };
        let position = [-120.0 * row, 14.0, number as f64 * self.spacing - 60.0];
        ImagePlane::new(position, [row, 0.0, 0.0, 0.0, cos, -sin], Some([0.5, 0.5])).unwrap()
    }

    pub fn headers(&self) -> Vec<SliceHeader> {
        (0..self.count).map(|number| header(number, Some(self.plane(number)))).collect()
    }

    /// Distance between neighbouring slices along their normal, mm.
    fn step(&self) -> f64 {
        self.spacing * self.tilt.to_radians().cos()
    }
}

fn stack() -> impl Strategy<Value = Stack> {
    (3usize..40, 0.3..10.0, -40.0..40.0, any::<bool>())
        .prop_map(|(count, spacing, tilt, flipped)| Stack { count, spacing, tilt, flipped })
}

/// A stack and its headers in any order.
fn shuffled() -> impl Strategy<Value = (Stack, Vec<SliceHeader>)> {
    stack().prop_flat_map(|stack| (Just(stack.clone()), Just(stack.headers()).prop_shuffle()))
}

fn only(found: &Collection) -> &Series {
    assert_eq!(found.studies.len(), 1);
    assert_eq!(found.studies[0].series.len(), 1);
    &found.studies[0].series[0]
}

fn numbers(series: &Series) -> Vec<usize> {
    series.slices.iter().map(|slice| slice.image_id()[3..].parse().unwrap()).collect()
}

/// The warnings other than that of the tilt, which is checked against the stack.
fn warnings(series: &Series, stack: &Stack) -> Vec<SeriesWarning> {
    let (tilts, others): (Vec<_>, Vec<_>) = series
        .warnings
        .iter()
        .cloned()
        .partition(|warning| matches!(warning, SeriesWarning::GantryTilt(_)));
    match tilts.as_slice() {
        [SeriesWarning::GantryTilt(degrees)] => {
            assert!((degrees - stack.tilt.abs()).abs() < 1e-6 && *degrees > 1.0);
        }
        _ => assert!(tilts.is_empty() && stack.tilt.abs() < 1.0 + 1e-6),
    }
    others
}

proptest! {
    #[test]
    fn slices_stand_from_feet_to_head((stack, headers) in shuffled()) {
        let found = group(headers);
        let series = only(&found);
        prop_assert_eq!(numbers(series), (0..stack.count).collect::<Vec<_>>());
        prop_assert_eq!(warnings(series, &stack), []);
        prop_assert!(found.skipped.is_empty());
    }

    #[test]
    fn patient_and_voxel_agree_whatever_the_tilt(stack in stack(), voxel in [0f64..511.0, 0.0..511.0]) {
        let (first, next) = (stack.plane(0), stack.plane(1));
        let normal = first.normal();
        // All points of a slice have the slice's distance, which grows by one step.
        let point = first.patient_from_voxel(voxel).unwrap();
        let along: f64 = point.iter().zip(normal).map(|(a, b)| a * b).sum();
        prop_assert!((along - first.distance_along(normal)).abs() < 1e-9);
        let step = next.distance_along(normal) - first.distance_along(normal);
        prop_assert!((step.abs() - stack.step()).abs() < 1e-9);
        // The table moves along the patient: neighbours lie straight above each other.
        let above = next.patient_from_voxel(voxel).unwrap();
        for axis in 0..2 {
            prop_assert!((above[axis] - point[axis]).abs() < 1e-9);
        }
        prop_assert!((above[2] - point[2] - stack.spacing).abs() < 1e-9);
    }

    #[test]
    fn missing_slices_are_counted(
        (stack, headers) in shuffled().prop_filter("long", |(stack, _)| stack.count >= 12),
        missing in subsequence((1..5).collect::<Vec<usize>>(), 1..4),
    ) {
        // At most every second slice of the first half is gone, so the usual distance stays.
        let missing: Vec<usize> = missing.into_iter().map(|number| number * 2 - 1).collect();
        let gone = |slice: &SliceHeader| {
            missing.iter().any(|number| slice.image_id() == format!("ID_{number}"))
        };
        let found = group(headers.into_iter().filter(|slice| !gone(slice)).collect());
        let series = only(&found);
        let all = warnings(series, &stack);
        let [SeriesWarning::Gaps { count, largest, median, missing: counted }] = all[..] else {
            return Err(TestCaseError::fail(format!("{all:?}")));
        };
        prop_assert_eq!((count, counted), (missing.len(), missing.len()));
        prop_assert!((median - stack.step()).abs() < 1e-6);
        prop_assert!((largest - 2.0 * stack.step()).abs() < 1e-6);
    }

    #[test]
    fn copies_are_left_out_and_other_images_at_the_same_place_are_reported(
        (stack, mut headers) in shuffled(), at in 0usize..1000,
    ) {
        let mut copy = headers[at % stack.count].clone();
        copy.source = Source::File("copy.dcm".into());
        headers.push(copy.clone());
        let found = group(headers.clone());
        prop_assert_eq!(only(&found).slices.len(), stack.count);
        prop_assert_eq!(found.skipped.len(), 1);
        prop_assert_eq!(&found.skipped[0].source, &copy.source);

        headers.last_mut().unwrap().sop_instance_uid = Some(format!("ID_{}", stack.count));
        let found = group(headers);
        prop_assert!(found.skipped.is_empty());
        let series = only(&found);
        prop_assert_eq!(series.slices.len(), stack.count + 1);
        prop_assert_eq!(warnings(series, &stack), [SeriesWarning::SamePosition(1)]);
    }

    #[test]
    fn thinner_slices_below_are_uneven(
        // Of two distances neither is the usual one.
        (stack, headers) in shuffled().prop_filter("usual", |(stack, _)| stack.count >= 4),
        thin in 0.3f64..0.85,
    ) {
        // The lower third is cut thinner.
        let third = stack.count / 3;
        let squeezed = headers.into_iter().map(|mut slice| {
            let number: usize = slice.image_id()[3..].parse().unwrap();
            if number < third {
                let mut plane = stack.plane(third);
                plane.position[2] -= (third - number) as f64 * stack.spacing * thin;
                slice.plane = Some(plane);
            }
            slice
        });
        let found = group(squeezed.collect());
        let series = only(&found);
        prop_assert_eq!(numbers(series), (0..stack.count).collect::<Vec<_>>());
        let all = warnings(series, &stack);
        let [SeriesWarning::UnevenSpacing { smallest, largest }] = all[..] else {
            return Err(TestCaseError::fail(format!("{all:?}")));
        };
        prop_assert!((smallest - thin * stack.step()).abs() < 1e-6);
        prop_assert!((largest - stack.step()).abs() < 1e-6);
    }

    #[test]
    fn other_orientations_become_series_of_their_own((stack, headers) in shuffled(), others in 1usize..3) {
        let sagittal = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0];
        let other = (0..others).map(|number| {
            let position = [number as f64 * 5.0, 0.0, 0.0];
            header(1000 + number, ImagePlane::new(position, sagittal, Some([0.5, 0.5])).ok())
        });
        let found = group(headers.into_iter().chain(other).collect());
        prop_assert_eq!(found.studies.len(), 1);
        let [axial, sagittal] = found.studies[0].series.as_slice() else {
            return Err(TestCaseError::fail("expected two series"));
        };
        prop_assert_eq!(numbers(axial), (0..stack.count).collect::<Vec<_>>());
        prop_assert_eq!(sagittal.slices.len(), others);
        let upright = sagittal.warnings.iter().any(|warning| {
            matches!(warning, SeriesWarning::NotAxial(degrees) if (degrees - 90.0).abs() < 1e-6)
        });
        prop_assert!(upright);
        for (part, series) in [(1, axial), (2, sagittal)] {
            prop_assert_eq!(&series.warnings[0], &SeriesWarning::Split { part, parts: 2 });
        }
    }
}
