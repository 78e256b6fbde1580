//! Whose heads, and whether they are heads: patients under one study UID, other parts of the body.

use hemora_io::SeriesWarning;

use crate::collecting::{collect_one, only_series};
use crate::raw::{Raw, write_file};

#[test]
fn patients_who_share_a_study_uid_are_studies_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let image = |patient: &str, series: &str, sop: &str| {
        Raw::image().text(0x0008_0018, b"UI", sop).text(0x0010_0020, b"LO", patient).text(
            0x0020_000E,
            b"UI",
            series,
        )
    };
    // Under series of their own, and under one that they share.
    write_file(folder.path(), "a", &image("Q", "1.1", "1.1.1").file());
    write_file(folder.path(), "b", &image("P", "1.2", "1.2.1").file());
    write_file(folder.path(), "c", &image("P", "1.1", "1.1.2").file());
    let found = collect_one(folder.path());
    let rows: Vec<(&str, usize)> =
        found.studies.iter().map(|it| (it.patient_id.as_str(), it.series.len())).collect();
    assert_eq!(rows, [("P", 2), ("Q", 1)]);
    assert_eq!(found.studies[0].uid, found.studies[1].uid);
    for series in found.studies.iter().flat_map(|study| &study.series) {
        assert!(series.warnings.contains(&SeriesWarning::SeveralPatients(2)));
    }

    // Who has no PatientID goes with the only patient of the study.
    let folder = tempfile::tempdir().unwrap();
    write_file(folder.path(), "a", &image("P", "1.1", "1.1.1").file());
    write_file(folder.path(), "b", &image("P", "1.1", "1.1.2").without(0x0010_0020).file());
    let found = collect_one(folder.path());
    assert_eq!(only_series(&found).slices.len(), 2);
    assert_eq!(found.studies[0].patient_id, "P");
}

#[test]
fn another_part_of_the_body_is_warned_of_by_the_attribute_at_fault() {
    let folder = tempfile::tempdir().unwrap();
    let image = Raw::image().text(0x0018_0015, b"CS", "PELVIS");
    write_file(folder.path(), "a", &image.file());
    let found = collect_one(folder.path());
    let warnings: Vec<String> =
        only_series(&found).warnings.iter().map(ToString::to_string).collect();
    assert!(warnings[0].starts_with("BodyPartExamined is \"PELVIS\", expected a head"));

    let folder = tempfile::tempdir().unwrap();
    let image = Raw::image().text(0x0008_103E, b"LO", "5.0").text(0x0008_1030, b"LO", "Thorax");
    write_file(folder.path(), "a", &image.file());
    let found = collect_one(folder.path());
    let value = "Thorax".to_owned();
    let expected = SeriesWarning::OtherBodyPart { attribute: "StudyDescription", value };
    assert!(only_series(&found).warnings.contains(&expected));
}
