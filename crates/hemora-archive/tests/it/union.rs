//! Whatever the number of shares, they make the same tables: those of one triage of everything.

use std::collections::BTreeMap;
use std::fs;

use hemora_ct::Label;
use hemora_data::IndexReader;
use hemora_infer::{Triage, TriageInput};
use hemora_testing::sound::assert_sound;

use crate::support::{Archive, PICTURED, rows};

#[test]
fn the_union_of_shares_is_one_run() {
    let archive = Archive::new(20);
    let whole = archive.shares(1, "whole").remove(0).manifest;
    let shares = archive.shares(5, "shares");
    assert!(shares.iter().filter(|share| share.manifest.counts.studies > 0).count() > 2);
    let merged = [archive.merge("whole", "one"), archive.merge("shares", "five")];
    let [one, five] = merged.map(Result::unwrap);
    assert_eq!((one.shards, five.shards, one.counts), (1, 5, five.counts));
    assert_eq!((&one.tables, one.counts), (&five.tables, whole.counts));
    let read = |name: &str| fs::read(archive.path(name)).unwrap();
    for table in one.tables.values() {
        let [one, five] = ["one", "five"].map(|folder| read(&format!("{folder}/{}", table.file)));
        assert!(one == five, "{}", table.file);
    }

    // Nothing is lost in silence.
    let index = IndexReader::open(&archive.path("set.parquet")).unwrap();
    let sources: Vec<String> = index.map(|row| row.unwrap().source().to_string()).collect();
    let [studies, slices, skipped] = ["studies", "slices", "skipped"]
        .map(|name| rows(&archive.path(&format!("five/{name}.parquet"))));
    let mut named: Vec<&String> = slices.iter().chain(&skipped).map(|row| &row["source"]).collect();
    named.sort();
    let mut expected: Vec<&String> = sources.iter().collect();
    expected.sort();
    assert_eq!(named, expected);
    assert_eq!(one.counts.rows, one.counts.slices + one.counts.skipped);
    let reason = |name: &str| {
        let row = skipped.iter().find(|row| row["source"].contains(name)).unwrap();
        (row["reason"].clone(), row["failed"].clone())
    };
    assert!(reason("second/").0.contains("passed over"), "{:?}", reason("second/"));
    assert_eq!(reason("second/").1, "0");
    assert_eq!(reason("torn.dcm").1, "1");
    assert_eq!(one.counts.failed, 1);

    // One triage of the folder says the same.
    let paths = TriageInput::Paths(vec![archive.images()]);
    let go_on = &|_| std::ops::ControlFlow::Continue(());
    let triage = Triage::new(&archive.model).run(paths, go_on).unwrap().result;
    let ranked: Vec<_> = triage.studies.iter().map(|it| it.study_instance_uid.clone()).collect();
    assert!(studies.iter().map(|row| row["study_instance_uid"].clone()).eq(ranked));
    let text = |value: f32| f64::from(value).to_string();
    for (row, study) in studies.iter().zip(&triage.studies) {
        for label in Label::ALL {
            assert_eq!(row[label.name()], text(study.probabilities.get(label)));
        }
        let count: usize = study.series.iter().map(|series| series.slices.len()).sum();
        assert_eq!(row["slices"], count.to_string());
        let flags: serde_json::Value = serde_json::from_str(&row["flags"]).unwrap();
        assert_eq!(flags, serde_json::to_value(&study.flags).unwrap());
        let warnings = study.warnings.len()
            + study.series.iter().map(|series| series.warnings.len()).sum::<usize>();
        assert_eq!(row["warnings"].lines().count(), warnings);
    }
    let by_source: BTreeMap<&str, _> = triage
        .studies
        .iter()
        .flat_map(|study| &study.series)
        .flat_map(|series| &series.slices)
        .map(|slice| (slice.source.as_str(), slice))
        .collect();
    assert_eq!(by_source.len(), slices.len());
    let mut with_regions = 0;
    for row in &slices {
        let slice = by_source[row["source"].as_str()];
        assert_eq!(row["sop_instance_uid"], slice.sop_instance_uid);
        assert_eq!(row["any"], text(slice.probabilities.any));
        assert_eq!(row["z_mm"], slice.z_mm.map_or(String::new(), |z| z.to_string()));
        assert_eq!(row["regions"].is_empty(), slice.regions.is_empty());
        with_regions += usize::from(!slice.regions.is_empty());
    }
    assert!(with_regions > 0);
    assert!(slices.is_sorted_by_key(|row| row["study_key"].clone()));

    let page = String::from_utf8(read("five/report.html")).unwrap();
    assert_sound(&page);
    let total = one.counts.studies;
    assert!(page.contains(&format!("The {PICTURED} most suspicious of {total} studies")), "{page}");
    assert_eq!(page.matches("data:image/png;base64,").count() % PICTURED, 0);
    assert!(page.contains(&ranked_uid(&studies, 0)) && page.contains(&ranked_uid(&studies, 4)));
    assert!(!page.contains(&ranked_uid(&studies, 5)) && page.contains("torn.dcm"));
    let worklist = String::from_utf8(read("five/worklist.csv")).unwrap();
    assert_eq!(worklist.lines().count(), studies.len() + 1);
    assert!(
        worklist.lines().nth(1).unwrap().starts_with(&format!("1,{}", ranked_uid(&studies, 0)))
    );
}

fn ranked_uid(studies: &[BTreeMap<String, String>], at: usize) -> String {
    studies[at]["study_instance_uid"].clone()
}
