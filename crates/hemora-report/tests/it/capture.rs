//! The picture of a study: what is in it, and that it is always the same.

use hemora_ct::{Label, Plane, Probabilities};
use hemora_model::{Certainty, KeySlice, LabelMap, MapKind, StudyResult, Verdict};
use hemora_report::{CapturePicture, CaptureText, CaptureVerdict, ReportError, capture};
use hemora_synth::{Bleeds, HeadPhantom, PhantomOptions};

use crate::support::{slice, study};

/// Cells of a map along each side.
const CELLS: usize = 24;

/// A key slice of a phantom with a subdural bleed, and a map that shows where it is.
fn phantom_key(kind: MapKind) -> (StudyResult, KeySlice) {
    let bleeds = Bleeds::These(vec![Label::Subdural]);
    let options = PhantomOptions { bleeds, slice_spacing: 10.0, ..PhantomOptions::default() };
    let head = HeadPhantom::new(7, options.with_size(256)).unwrap().render();
    let area = |index: &usize| head.slices[*index].areas[Label::Subdural.index()];
    let most = (0..head.slices.len()).max_by(|a, b| area(a).total_cmp(&area(b))).unwrap();
    let found = &head.slices[most];
    let mut study = study("1.2.3", 0.97, head.slices.len());
    study.certainty = Label::ALL.map(|label| certainty(label, study.probabilities)).to_vec();
    let series = study.series[0].series_instance_uid.clone();
    let key = KeySlice {
        study_instance_uid: "1.2.3".into(),
        patient_id: study.patient_id.clone(),
        sop_instance_uid: study.series[0].slices[most].sop_instance_uid.clone(),
        series_instance_uid: series,
        index: most,
        z_mm: Some(-12.5),
        probabilities: study.probabilities,
        leading_subtype: Label::Subdural,
        slice: found.slice.clone(),
        any_map: Some(LabelMap { label: Label::Any, kind, plane: map_of(&found.blood, 256) }),
        subtype_map: None,
    };
    (study, key)
}

/// How much of each cell is blood.
fn map_of(blood: &[u8], side: usize) -> Plane {
    let mut values = vec![0f32; CELLS * CELLS];
    for (index, _) in blood.iter().enumerate().filter(|(_, bits)| **bits != 0) {
        let (row, column) = (index / side * CELLS / side, index % side * CELLS / side);
        let pixels = (side / CELLS).pow(2) as f32;
        values[row * CELLS + column] += 1.0 / pixels;
    }
    Plane { rows: CELLS, columns: CELLS, values }
}

fn certainty(label: Label, probabilities: Probabilities) -> Certainty {
    let verdict = match probabilities.get(label) {
        value if value >= 0.6 => Verdict::Present,
        value if value >= 0.25 => Verdict::NotSure,
        _ => Verdict::Absent,
    };
    let [absent_below, present_from] = [0.25, 0.6];
    let [miss, false_alarm] = [0.05, 0.05];
    Certainty { label, verdict, absent_below, miss, present_from, false_alarm, reasons: vec![] }
}

fn lines() -> CaptureText {
    CaptureText {
        model: "lite 3".into(),
        revision: 2,
        made_at: "2026-11-28 00:30".into(),
        ..CaptureText::default()
    }
}

/// The colour of a pixel.
fn pixel(picture: &CapturePicture, [x, y]: [usize; 2]) -> [u8; 3] {
    let at = (y * picture.columns + x) * 3;
    picture.rgb[at..at + 3].try_into().unwrap()
}

/// The part of a picture from `from` to before `to`, each `[x, y]`.
fn part(picture: &CapturePicture, from: [usize; 2], to: [usize; 2]) -> Vec<[u8; 3]> {
    let row = |y| (from[0]..to[0]).map(move |x| pixel(picture, [x, y]));
    (from[1]..to[1]).flat_map(row).collect()
}

/// The two panes.
fn panes(picture: &CapturePicture) -> [Vec<[u8; 3]>; 2] {
    [part(picture, [0, 82], [506, 506]), part(picture, [518, 82], [1024, 506])]
}

#[test]
fn a_picture_shows_the_slice_its_map_and_the_bars_and_is_always_the_same() {
    let (study, key) = phantom_key(MapKind::Probability);
    let picture = capture(&study, Some(&key), &lines()).unwrap();
    assert_eq!(picture, capture(&study, Some(&key), &lines()).unwrap());
    assert_eq!(picture.columns, 1024);
    assert_eq!(picture.rgb.len(), picture.rows * picture.columns * 3);
    let [slice, map] = panes(&picture);
    let is_grey = |pixel: &&[u8; 3]| pixel[0] == pixel[1] && pixel[1] == pixel[2];
    assert_eq!(slice.iter().filter(is_grey).count(), slice.len());
    let coloured = map.iter().filter(|pixel| !is_grey(pixel)).count();
    assert!((1000..map.len() / 5).contains(&coloured), "{coloured} pixels of the map");
    // The slice is not stretched: as many bright pixels as its own, at the scale of the pane.
    let bright = |count: usize, all: usize| count as f64 / all as f64;
    let own = key.slice.grey(hemora_ct::Window::BRAIN);
    let own = bright(own.iter().filter(|grey| **grey > 250).count(), own.len());
    let shown = slice.iter().filter(|pixel| pixel[0] > 250).count();
    assert!((bright(shown, 424 * 424) - own).abs() < 0.02, "{shown} pixels, {own}");
}

#[test]
fn without_a_map_the_other_window_is_shown() {
    let (study, mut key) = phantom_key(MapKind::Probability);
    let with_map = panes(&capture(&study, Some(&key), &lines()).unwrap());
    key.any_map = None;
    let without = panes(&capture(&study, Some(&key), &lines()).unwrap());
    assert_eq!(with_map[0], without[0]);
    assert!(without[1].iter().all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
    let mean = |pane: &[[u8; 3]]| pane.iter().map(|pixel| u64::from(pixel[0])).sum::<u64>();
    assert!(mean(&without[1]) < mean(&without[0]), "the subdural window is darker");
}

#[test]
fn bars_are_as_long_as_the_probabilities_and_verdicts_are_said() {
    let (study, _) = phantom_key(MapKind::Probability);
    let picture = capture(&study, None, &lines()).unwrap();
    assert!(picture.rows < 400, "words and bars alone");
    // Bars begin at 240 and are 512 long; the first line of the table is at 82 + 13.
    let length = |line: usize| {
        let y = 82 + 26 * line + 8;
        (240..752).rev().find(|x| pixel(&picture, [*x, y]) != [46, 50, 56]).map_or(0, |x| x - 239)
    };
    assert_eq!(length(0), 497);
    assert_eq!(length(5), 397);
    let words = |picture: &CapturePicture, line: usize| {
        part(picture, [860, 82 + 26 * line], [1024, 82 + 26 * (line + 1)])
    };
    assert_ne!(words(&picture, 0), words(&picture, 1), "present and absent");
    assert_eq!(words(&picture, 1), words(&picture, 2), "absent twice");
    // The site's thresholds come before the model's, and change the headline too.
    let verdict = |label| CaptureVerdict { label, verdict: Verdict::NotSure, thresholds: None };
    let site = CaptureText { verdicts: vec![verdict(Label::Any)], ..lines() };
    let by_site = capture(&study, None, &site).unwrap();
    assert_eq!(words(&by_site, 0), words(&picture, 4), "not sure");
    assert_ne!(part(&by_site, [0, 34], [1024, 82]), part(&picture, [0, 34], [1024, 82]));
    let mut silent = study.clone();
    silent.certainty.clear();
    let silent = capture(&silent, None, &lines()).unwrap();
    assert!((0..6).all(|line| words(&silent, line).iter().all(|pixel| *pixel == [0; 3])));
}

#[test]
fn model_revision_warning_and_notice_stand_in_the_pixels() {
    let (study, key) = phantom_key(MapKind::Probability);
    let first = capture(&study, Some(&key), &lines()).unwrap();
    let header = |picture: &CapturePicture| part(picture, [0, 0], [1024, 34]);
    for other in [
        CaptureText { revision: 3, ..lines() },
        CaptureText { model: "other 3".into(), ..lines() },
        // However long the model's name, the revision is not cut.
        CaptureText { model: "x".repeat(10_000), ..lines() },
    ] {
        let other = capture(&study, Some(&key), &other).unwrap();
        assert_ne!(header(&other), header(&first));
        assert_eq!(other.rows, first.rows);
    }
    let end = |picture: &CapturePicture| part(picture, [780, 0], [1024, 34]);
    let long = CaptureText { model: "\u{1b}[2J王".repeat(1000), ..lines() };
    assert_eq!(end(&capture(&study, Some(&key), &long).unwrap()), end(&first));
    let warned = CaptureText { warning: Some("Images may have been missing".into()), ..lines() };
    assert!(capture(&study, Some(&key), &warned).unwrap().rows > first.rows);
    let banner = part(&first, [0, first.rows - 48], [1024, first.rows]);
    let dark = banner.iter().filter(|pixel| **pixel == [0; 3]).count();
    assert!(dark > 1500, "{dark} pixels of letters");
}

#[test]
fn marks_are_those_of_the_patient_and_odd_slices_are_drawn() {
    let (study, mut key) = phantom_key(MapKind::Probability);
    let marked = panes(&capture(&study, Some(&key), &lines()).unwrap());
    key.slice.plane = None;
    let bare = panes(&capture(&study, Some(&key), &lines()).unwrap());
    assert_ne!(marked[0], bare[0], "letters and scale bar");
    for (rows, columns) in [(1, 5000), (5000, 1), (1, 1)] {
        key.slice = slice(rows, columns);
        capture(&study, Some(&key), &lines()).unwrap();
    }
}

#[test]
fn slices_of_other_studies_and_broken_maps_are_refused() {
    let (study, key) = phantom_key(MapKind::Probability);
    let mut other = key.clone();
    other.index = 99;
    let mut elsewhere = key.clone();
    elsewhere.study_instance_uid = "9".into();
    for key in [other, elsewhere] {
        let error = capture(&study, Some(&key), &lines()).unwrap_err();
        assert!(matches!(error, ReportError::UnknownSlice { .. }), "{error}");
    }
    let mut key = key;
    key.any_map.as_mut().unwrap().plane.values.pop();
    let error = capture(&study, Some(&key), &lines()).unwrap_err();
    assert!(matches!(error, ReportError::Map { .. }), "{error}");
}
