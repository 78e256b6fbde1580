//! Shares that do not belong together are not merged.

use std::fs;

use hemora_archive::{ArchiveError, merge};
use hemora_infer::{EngineKind, LoadedModel};
use hemora_objects::Place;
use hemora_testing::dense::plain_bundle;

use crate::support::{Archive, run};

#[test]
fn what_is_missing_tampered_with_or_of_another_job_is_named() {
    let archive = Archive::new(3);
    let refused = |shares: &str| archive.merge(shares, "merged").unwrap_err().to_string();
    assert!(refused("nothing").contains("no share of a triage"));

    run(&archive.share("1/3", "out")).unwrap();
    run(&archive.share("3/3", "out")).unwrap();
    assert_eq!(refused("out"), "1 of 3 shares are not there: 2/3");
    let stop = |_: usize, _: usize| panic!("stopped on purpose");
    let share = archive.share("2/3", "out");
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| share.run(&stop)));
    assert!(stopped.is_err());
    let error = refused("out");
    assert!(error.contains("2/3 (begun and not whole: ") && error.contains(".part"), "{error}");

    // Shares may lie in several folders.
    run(&archive.share("2/3", "elsewhere")).unwrap();
    let folders = ["out", "elsewhere"].map(|name| Place::folder(archive.path(name)));
    let merged = merge(&folders, &Place::folder(archive.path("merged")), &|_, _| {}).unwrap();
    assert_eq!(merged.shards, 3);
    let again = merge(&folders, &Place::folder(archive.path("merged")), &|_, _| {}).unwrap();
    assert_eq!(merged, again);

    run(&archive.share("2/3", "out")).unwrap();
    archive.merge("out", "merged").unwrap();
    let bundle = plain_bundle(&archive.path("plain.hemora"), 0.3);
    let model = LoadedModel::load(EngineKind::Tract, bundle, None).unwrap();
    let mut other = archive.share("2/3", "other");
    other.model = &model;
    run(&other).unwrap();
    let folders = ["out", "other"].map(|name| Place::folder(archive.path(name)));
    let error = merge(&folders, &Place::folder(archive.path("merged")), &|_, _| {}).unwrap_err();
    assert!(matches!(error, ArchiveError::DifferentJobs { .. }), "{error}");
    assert!(error.to_string().contains("model.sha256: "), "{error}");
    run(&archive.share("1/2", "other")).unwrap();
    assert!(refused("other").contains("shares of 2, and of 3"), "{}", refused("other"));

    let table = archive.path("out/shard-00001-of-00003.slices.parquet");
    let mut bytes = fs::read(&table).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&table, bytes).unwrap();
    let error = refused("out");
    assert!(error.contains("slices.parquet is not what its share wrote"), "{error}");
    assert!(!archive.path("merged/merged.json").exists(), "what is there is not whole");
    fs::remove_file(&table).unwrap();
    assert!(refused("out").contains("it is not there"));
    fs::write(archive.path("out/shard-00001-of-00003.json"), "{\"format_version\": 2}").unwrap();
    assert!(refused("out").contains("format version 2"));
    fs::write(archive.path("out/shard-00001-of-00003.json"), "{\"kind\": \"index\"}").unwrap();
    assert!(refused("out").contains("kind `index`"));
}
