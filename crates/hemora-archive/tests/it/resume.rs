//! A share that is stopped goes on; one that is done is left alone; others are kept out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hemora_archive::ArchiveError;
use hemora_data::FolderLock;
use hemora_infer::{EngineKind, LoadedModel, Pictures, SeriesPolicy};
use hemora_testing::content;
use hemora_testing::dense::plain_bundle;

use crate::support::{Archive, run};

#[test]
fn a_stopped_share_goes_on_and_gives_the_same_bytes() {
    let archive = Archive::new(36);
    let share = |out: &str| archive.share("1/1", out);
    run(&share("whole")).unwrap();
    let parts = || {
        let parts = content(&archive.path("stopped")).into_keys();
        parts.filter(|path| path.to_string_lossy().contains(".part/")).count()
    };
    // Within the second chunk, and then within the third.
    for chunk in ["00000", "00001"] {
        let whole = archive.path(&format!("stopped/shard-00001-of-00001.part/{chunk}.json"));
        let stop = |_: usize, _: usize| assert!(!whole.exists(), "stopped on purpose");
        let stopped = catch_unwind(AssertUnwindSafe(|| share("stopped").run(&stop)));
        assert!(stopped.is_err() && whole.exists());
    }
    assert_eq!(parts(), 11, "two chunks of five files, and the job");
    let first = std::sync::Mutex::new(None);
    let outcome = share("stopped").run(&|done, _| {
        first.lock().unwrap().get_or_insert(done);
    });
    assert!(!outcome.unwrap().was_done);
    assert!(first.lock().unwrap().is_some_and(|done| done > 0), "whole chunks are kept");
    assert_eq!(parts(), 0);
    assert!(content(&archive.path("stopped")) == content(&archive.path("whole")));
    assert_eq!(content(&archive.path("whole")).len(), 5);
}

#[test]
fn a_share_that_is_done_is_left_alone_and_another_job_is_refused() {
    let archive = Archive::new(2);
    let first = run(&archive.share("2/2", "out")).unwrap();
    let before = content(&archive.path("out"));
    let again = run(&archive.share("2/2", "out")).unwrap();
    assert!(!first.was_done && again.was_done);
    assert_eq!(first.manifest, again.manifest);
    assert!(content(&archive.path("out")) == before);

    let refused = |share| match run(&share) {
        Err(error @ ArchiveError::OtherJob { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let mut other = archive.share("2/2", "out");
    other.policy = SeriesPolicy::AllAxial;
    other.pictures = Pictures { studies: 7, ..other.pictures };
    let error = refused(other);
    assert!(error.contains("options.all_series: false there, true here"), "{error}");
    assert!(
        error.contains("pictured_studies: 5 there, 7 here") && error.contains("--out"),
        "{error}"
    );
    let bundle = plain_bundle(&archive.path("plain.hemora"), 0.3);
    let model = LoadedModel::load(EngineKind::Tract, bundle, None).unwrap();
    let mut other = archive.share("2/2", "out");
    other.model = &model;
    assert!(refused(other).contains("model.sha256: "));
    // The same network with another threshold is another model too.
    let bundle = hemora_testing::dense::dense_bundle(&archive.path("other.hemora"), 0.4);
    let model = LoadedModel::load(EngineKind::Tract, bundle, None).unwrap();
    let mut other = archive.share("2/2", "out");
    other.model = &model;
    let error = refused(other);
    assert!(error.contains("model_info_sha256") && !error.contains("model.sha256"), "{error}");
    std::fs::remove_file(archive.images().join("torn.dcm")).unwrap();
    archive.index();
    let error = refused(archive.share("2/2", "out"));
    assert!(error.contains("index_sha256: ") && error.contains("index_rows: "), "{error}");
    assert!(content(&archive.path("out")) == before);
}

#[test]
fn a_second_process_is_told() {
    let archive = Archive::new(1);
    let part = archive.path("out/shard-00001-of-00001.part");
    let held = FolderLock::take(&part).unwrap().unwrap();
    let error = run(&archive.share("1/1", "out")).unwrap_err().to_string();
    assert!(error.contains("another process is at work on share 1/1"), "{error}");
    drop(held);
    // What a process that died left behind is no lock.
    std::fs::create_dir_all(&part).unwrap();
    run(&archive.share("1/1", "out")).unwrap();
    assert!(!part.exists());
}
