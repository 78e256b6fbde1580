//! The page as a reader gets it: complete, well formed, inert.

use crate::support::{page, result, series, slice, study, text_by_python};
use hemora_ct::{Label, Plane};
use hemora_model::{
    LabelMap, MapKind, Region, SeriesResult, SkippedCount, SkippedFile, TriageResult,
};
use hemora_report::{Report, ReportError, SlicePicture, write_html};
use hemora_testing::sound::{assert_sound, unbalanced};

#[test]
fn every_study_series_and_skipped_file_is_named() {
    let mut result = result(vec![study("1.2.3", 0.2, 5), study("1.2.4", 0.9, 3)]);
    result.skipped.push(SkippedFile {
        source: "scan/notes.txt".into(),
        reason: "is not a DICOM file".into(),
        failed: false,
    });
    result.skipped.push(SkippedFile {
        source: "scan/cut.dcm".into(),
        reason: "ends within the pixels".into(),
        failed: true,
    });
    let html = page(&result, &[]);
    assert_sound(&html);
    for text in [
        "1.2.3",
        "1.2.4",
        "scan/notes.txt",
        "is not a DICOM file",
        "scan/cut.dcm",
        "ends within the pixels",
        "Lite <b".replace('<', "&lt;").as_str(),
        "0123456789ab)</span>, 2 networks of series, 3 members",
        "tract",
        "hemora 9.8.7",
        "For research use only",
        "2 studies, 8 slices scored",
        "How to read this page",
    ] {
        assert!(html.contains(text), "the page lacks {text}");
    }
    // Thresholds for any hemorrhage are in the page, those of subtypes in the result alone.
    let flagged = "threshold 0.250 on a slice (sensitivity=0.95): <strong>2 of";
    assert_eq!(html.matches(flagged).count(), 2, "one line a study");
    // The more suspicious study comes first, whatever the order in the result.
    let row = |uid: &str| html.find(&format!("\">{uid}</a>")).unwrap();
    assert!(row("1.2.4") < row("1.2.3"));
}

#[test]
fn the_policy_forbids_everything_but_inline_style_and_pictures() {
    let html = page(&result(vec![]), &[]);
    assert!(html.contains(
        "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline';"
    ));
}

#[test]
fn hostile_text_comes_out_inert() {
    let evil =
        "<script>alert(1)</script>\"onload='x' <img src=x onerror=alert(1)>\u{202E}\u{0}\u{1B}";
    let mut bad = study(evil, 0.5, 3);
    bad.patient_id = evil.into();
    bad.warnings.push(evil.into());
    let one: &mut SeriesResult = &mut bad.series[0];
    one.description = Some(evil.into());
    one.series_instance_uid = evil.into();
    one.warnings.push(evil.into());
    for slice in &mut one.slices {
        slice.source = evil.into();
    }
    one.slices[1].sop_instance_uid = evil.into();
    let mut result = result(vec![bad]);
    result.notice = evil.into();
    result.engine = evil.into();
    result.model.name = evil.into();
    result.model.version = evil.into();
    result.model.sha256 = evil.into();
    result.tool.name = evil.into();
    result.tool.version = evil.into();
    result.skipped.push(SkippedFile { source: evil.into(), reason: evil.into(), failed: true });
    let key = SlicePicture::draw(evil, evil, evil, &slice(8, 8), &[]).unwrap();
    let html = page(&result, &[key]);
    assert_sound(&html);
    assert!(!html.contains("<img") && !html.contains("\"onload"));
    assert!(!html.contains(['\u{202E}', '\u{0}', '\u{1B}']), "an invisible character is left");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;onload='x'"));
    assert!(html.contains("onerror=alert(1)&gt;\u{FFFD}\u{FFFD}\u{FFFD}"));
}

fn map(kind: MapKind) -> LabelMap {
    let plane = Plane { rows: 2, columns: 2, values: vec![0.0, 1.0, 0.2, 0.1] };
    LabelMap { label: Label::Any, kind, plane }
}

#[test]
fn key_slices_stand_in_their_series_most_suspicious_first() {
    let result = result(vec![study("1.2.3", 0.8, 9)]);
    let draw = |sop: &str, maps: &[LabelMap]| {
        SlicePicture::draw("1.2.3", "1.2.3.1", sop, &slice(40, 40), maps).unwrap()
    };
    // In the fixture the probability grows with the slice number.
    let keys = [draw("1.2.3.1.4", &[]), draw("1.2.3.1.7", &[map(MapKind::Activation)])];
    let html = page(&result, &keys);
    assert_sound(&html);
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("the page lacks {text}"));
    assert!(place("\"letter\">A</span> Slice 8 of 9") < place("\"letter\">B</span> Slice 5 of 9"));
    assert_eq!(html.matches("data:image/png;base64,").count(), 2 * 3 + 1);
    assert!(html.contains("need not be where it is"));
    let said = page(&result, &[draw("1.2.3.1.7", &[map(MapKind::Probability)])]);
    assert!(said.contains("where the network sees it"));
    assert!(html.contains("Pictures A: slice 8"));
}

#[test]
fn regions_stand_in_words_under_their_slice() {
    let mut study = study("1.2.3", 0.8, 9);
    let region = Region {
        label: Label::Subdural,
        peak: 0.874,
        peak_row: 211.5,
        peak_column: 87.6,
        peak_mm: None,
        area_mm2: Some(318.0),
        bounds: [200, 80, 220, 95],
    };
    let weak = Region { label: Label::Any, peak: 0.31, area_mm2: None, ..region.clone() };
    study.series[0].slices[7].regions = vec![region, weak];
    let result = result(vec![study]);
    let key = |sop: &str| SlicePicture::draw("1.2.3", "1.2.3.1", sop, &slice(40, 40), &[]).unwrap();
    let html = page(&result, &[key("1.2.3.1.7")]);
    assert_sound(&html);
    assert!(html.contains("maximum 0.87 at row 212, column 88; area 3.2 cm²</li>"), "{html}");
    assert!(html.contains("maximum 0.31 at row 212, column 88</li>"));
    let other = page(&result, &[key("1.2.3.1.6")]);
    assert!(!other.contains("maximum 0."), "only under the slice that has them");
}

#[test]
fn a_study_can_be_shown_alone() {
    let result = result(vec![study("1.2.3", 0.2, 5), study("1.2.4", 0.9, 3)]);
    let report = Report::new(&result, &[]).unwrap();
    assert_eq!(report.studies()[0].study_instance_uid, "1.2.4", "by rank");
    let part = report.study(1, true).unwrap().into_string();
    assert_eq!(unbalanced(&part), Vec::<String>::new());
    assert!(part.starts_with("<details class=\"study\" open>") && part.contains("Study 2 of 2"));
    assert!(part.contains("1.2.3") && !part.contains("1.2.4"));
    assert!(report.study(2, true).is_none());
    assert!(page(&result, &[]).contains(&part), "the page shows the same");
}

#[test]
fn a_key_slice_that_was_not_scored_is_refused() {
    let result = result(vec![study("1.2.3", 0.8, 2)]);
    let key = SlicePicture::draw("1.2.3", "1.2.3.1", "9.9", &slice(4, 4), &[]).unwrap();
    let refused = write_html(&mut Vec::new(), &result, &[key]);
    assert!(matches!(refused, Err(ReportError::UnknownSlice { sop, .. }) if sop == "9.9"));
}

#[test]
fn unusual_studies_give_a_sound_page() {
    let mut nowhere = study("1.2.1", 0.4, 4);
    for slice in &mut nowhere.series[0].slices {
        slice.z_mm = None;
    }
    let mut broken = study("1.2.2", f32::NAN, 4);
    broken.series[0].probabilities.subdural = f32::INFINITY;
    broken.series[0].slices[1].probabilities.any = f32::NAN;
    broken.series[0].slices[2].z_mm = Some(f64::NAN);
    broken.series[0].acquisition.tilt_degrees = Some(f64::NAN);
    broken.series[0].acquisition.rescale_intercept = f64::INFINITY;
    let mut empty = study("1.2.5", 0.1, 0);
    empty.series.push(series("1.2.5.2", 0.1, 1));
    let mut bare = study("1.2.6", 0.0, 0);
    bare.series.clear();
    let html = page(&result(vec![broken, nowhere, study("1.2.4", 0.3, 1), empty, bare]), &[]);
    assert_sound(&html);
    assert!(html.contains(">slice number<"));
    assert!(html.contains("With a single slice there is no chart"));
    assert!(html.contains("No slice of this series was scored"));
    // A study without a number is listed last.
    assert!(html.find("\">1.2.6</a>").unwrap() < html.find("\">1.2.2</a>").unwrap());
}

#[test]
fn a_result_without_studies_says_so() {
    let html = page(&result(vec![]), &[]);
    assert_sound(&html);
    assert!(html.contains("No study was scored.") && html.contains("Every file was used."));
}

#[test]
fn of_many_studies_only_the_first_is_unfolded_and_long_lists_are_folded() {
    let studies = (0..500).map(|index| study(&format!("1.9.{index}"), 0.5, 2)).collect();
    let mut many: TriageResult = result(studies);
    for index in 0..40 {
        let file =
            SkippedFile { source: format!("{index}.jpg"), reason: "no CT".into(), failed: false };
        many.skipped.push(file);
    }
    many.skipped_more.push(SkippedCount { reason: "no image <at all>".into(), files: 50_000 });
    let html = page(&many, &[]);
    assert_eq!(unbalanced(&html), Vec::<String>::new());
    assert_eq!(html.matches("<details class=\"study\" open>").count(), 1);
    assert_eq!(html.matches("<details class=\"study\">").count(), 499);
    assert!(html.contains("<details><summary>40 files"));
    assert!(html.contains("50040 files not used") || html.contains("50,040 files"), "the count");
    assert!(html.contains("more files: no image &lt;at all&gt;"));
}

#[test]
fn a_writer_that_fails_is_reported() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let failed = write_html(&mut Full, &result(vec![]), &[]).unwrap_err();
    assert!(failed.to_string().contains("disk full"));
}

#[test]
fn another_parser_finds_no_fault() {
    let Some(python) = hemora_testing::python() else { return };
    let maps = [map(MapKind::Probability)];
    let key = SlicePicture::draw("1.2.3", "1.2.3.1", "1.2.3.1.1", &slice(40, 40), &maps);
    let html = page(&result(vec![study("1.2.3", 0.8, 6)]), &[key.unwrap()]);
    let text = text_by_python(&python, &html);
    assert!(text.contains("1.2.3") && text.contains("For research use only"), "{text}");
    assert!(text.contains("Lite <b"), "an escaped name reads as it was written: {text}");
}
