//! An index made in shares: nothing lost, nothing twice, and the bytes of one run.

use std::path::{Path, PathBuf};

use crate::index::write;
use crate::support::write_labels;
use hemora_base::WorkShard;
use hemora_ct::Label;
use hemora_data::{
    IndexError, IndexReader, IndexReport, SliceRow, SplitBy, SplitInto, SplitRule, build_index,
    index_share, job_kind, merge_index, store_split,
};

fn silent(_: usize, _: usize) {}

/// Files of every kind in folders, a flat one among them, and their labels.
struct Archive(tempfile::TempDir);

const IMAGES: usize = 24;

impl Archive {
    fn new() -> Self {
        let archive = Self(tempfile::tempdir().unwrap());
        for number in 0..IMAGES {
            let folder = ["", "flat/", "deep/below/"][number % 3];
            let id = format!("ID_{number}");
            let path = archive.path(&format!("images/{folder}{id}.dcm"));
            write(&path, &id, &id, number as f64, 20.0 + number as f32);
        }
        // An id that comes again elsewhere, a torn image, another file, a broken archive, and whole ones.
        write(&archive.path("images/again/ID_4.dcm"), "ID_4", "ID_4", 9.0, 70.0);
        std::fs::write(archive.path("images/flat/torn.dcm"), "no image").unwrap();
        std::fs::write(archive.path("images/deep/notes.txt"), "no image").unwrap();
        std::fs::write(archive.path("images/broken.zip"), "no archive").unwrap();
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
        for (seed, name) in
            [("archive/stored.zip", "stored.zip"), ("dicom/frames.dcm", "frames.dcm")]
        {
            std::fs::copy(seeds.join(seed), archive.path(&format!("images/{name}"))).unwrap();
        }
        let mut labels: Vec<(String, &[Label])> =
            (0..IMAGES).map(|number| (format!("ID_{number}"), LABELS[number % 2])).collect();
        labels.push(("ID_absent".to_owned(), &[]));
        let labels: Vec<(&str, &[Label])> =
            labels.iter().map(|(id, of)| (id.as_str(), *of)).collect();
        write_labels(&archive.path("labels.csv"), &labels);
        archive
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn whole(&self) -> IndexReport {
        let (paths, labels) = ([self.path("images")], [self.path("labels.csv")]);
        build_index(&paths, &labels, &self.path("whole.parquet"), &silent).unwrap()
    }

    fn share(&self, number: u32, of: u32, out: &str) -> Result<IndexReport, IndexError> {
        let (paths, labels) = ([self.path("images")], [self.path("labels.csv")]);
        let share = WorkShard::new(number, of).unwrap();
        index_share(&paths, &labels, share, &self.path(out), &silent)
    }

    /// All shares, and what each did.
    fn shares(&self, of: u32, out: &str) -> Vec<IndexReport> {
        (1..=of).map(|number| self.share(number, of, out).unwrap()).collect()
    }

    fn merge(&self, folder: &str) -> Result<IndexReport, IndexError> {
        merge_index(&[self.path(folder)], &self.path("merged.parquet"), &silent)
    }

    /// Why the shares in a folder do not make an index.
    fn refused(&self, folder: &str) -> String {
        let error = self.merge(folder).unwrap_err().to_string();
        assert!(!self.path("merged.parquet").exists(), "{error}");
        error
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn rows(&self, name: &str) -> Vec<SliceRow> {
        IndexReader::open(&self.path(name)).unwrap().map(Result::unwrap).collect()
    }
}

const LABELS: [&[Label]; 2] = [&[], &[Label::Subdural, Label::Any]];

/// Reports list what fails in the order in which it was met.
fn sorted(mut report: IndexReport) -> IndexReport {
    report.failures.sort();
    report
}

#[test]
fn all_shares_make_the_index_that_one_run_makes() {
    let archive = Archive::new();
    let whole = archive.whole();
    assert_eq!((whole.repeated_ids, whole.other_files), (1, 1));
    assert_eq!(whole.labels[0].without_image, ["ID_absent"]);
    for of in [1, 3, 8, 64] {
        let folder = format!("shares{of}");
        let reports = archive.shares(of, &folder);
        // All together read what one run reads. Of 64 shares some have no file; of fewer one may have none, since paths
        // are new in every run.
        assert_eq!(reports.iter().map(|it| it.read).sum::<usize>(), whole.read, "{of}");
        assert!(of < 64 || reports.iter().any(|it| it.read == 0));
        assert!(reports.iter().all(|it| it.labels[0].without_image.is_empty()));
        let merged = archive.merge(&folder).unwrap();
        assert!(archive.bytes("merged.parquet") == archive.bytes("whole.parquet"), "{of}");
        let in_no_row = |report: &IndexReport| {
            report.failures.iter().filter(|it| it.contains("broken.zip")).count()
        };
        assert_eq!((in_no_row(&merged), merged.failed), (1, whole.failed));
        assert_eq!(merged.labels, whole.labels);
        let counts = |it: &IndexReport| (it.slices, it.read, it.other_files, it.unlabelled);
        assert_eq!(counts(&merged), counts(&whole));
        assert_eq!(sorted(merged).failures, sorted(whole.clone()).failures);
        std::fs::remove_file(archive.path("merged.parquet")).unwrap();
    }
}

#[test]
fn a_share_that_is_done_again_reads_nothing_and_has_the_same_bytes() {
    let archive = Archive::new();
    archive.shares(3, "shares");
    let table = "shares/shard-00002-of-00003.index.parquet";
    let before = archive.bytes(table);
    let again = archive.share(2, 3, "shares").unwrap();
    assert_eq!(again.read, 0);
    assert!(again.unchanged > 0 && archive.bytes(table) == before);
    // Killed after its rows were read: its parts are there, its table is not.
    let parts = archive.path(&format!("{table}.parts"));
    std::fs::create_dir(&parts).unwrap();
    std::fs::rename(archive.path(table), parts.join("000000.parquet")).unwrap();
    std::fs::remove_file(archive.path("shares/shard-00002-of-00003.json")).unwrap();
    let error = archive.refused("shares");
    assert!(error.contains("1 of 3 shares") && error.contains("2/3"), "{error}");
    assert_eq!(archive.share(2, 3, "shares").unwrap().read, 0);
    assert!(archive.bytes(table) == before);
    // What is new is read by the share that holds it, and by no other.
    write(&archive.path("images/new/ID_new.dcm"), "ID_new", "ID_new", 1.0, 30.0);
    let read: Vec<usize> = archive.shares(3, "shares").iter().map(|it| it.read).collect();
    assert_eq!(read.iter().sum::<usize>(), 1, "{read:?}");
    archive.whole();
    archive.merge("shares").unwrap();
    assert!(archive.bytes("merged.parquet") == archive.bytes("whole.parquet"));
}

#[test]
fn a_split_stays_when_an_index_is_merged_anew() {
    let archive = Archive::new();
    archive.shares(3, "shares");
    archive.merge("shares").unwrap();
    archive.whole();
    let rule = SplitRule { into: SplitInto::Folds(3), by: SplitBy::Image, seed: 1 };
    for name in ["merged.parquet", "whole.parquet"] {
        store_split(&archive.path(name), &rule).unwrap();
    }
    // One image goes, one is another, one is new.
    std::fs::remove_file(archive.path("images/ID_0.dcm")).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    write(&archive.path("images/ID_3.dcm"), "ID_3", "ID_3", 3.0, 99.0);
    write(&archive.path("images/ID_new.dcm"), "ID_new", "ID_new", 1.0, 30.0);
    let whole = archive.whole();
    archive.shares(3, "shares");
    let merged = archive.merge("shares").unwrap();
    assert_eq!((merged.gone, whole.gone), (1, 1));
    let split = archive.rows("merged.parquet").iter().filter(|row| row.split.is_some()).count();
    assert!(split >= IMAGES - 2, "{split}");
    assert!(archive.bytes("merged.parquet") == archive.bytes("whole.parquet"));
}

#[test]
fn shares_of_another_job_and_shares_that_were_changed_are_refused() {
    let archive = Archive::new();
    let error = archive.refused("images");
    assert!(error.contains("no share of an index"), "{error}");
    archive.shares(3, "shares");
    assert_eq!(job_kind(&[archive.path("shares")]).unwrap(), "index");
    let error = merge_index(
        &[archive.path("shares"), archive.path("shares")],
        &archive.path("merged.parquet"),
        &silent,
    );
    assert!(error.unwrap_err().to_string().contains("too"));

    // A table that is not the one that its manifest was written for.
    let table = archive.path("shares/shard-00003-of-00003.index.parquet");
    let good = std::fs::read(&table).unwrap();
    std::fs::copy(archive.path("shares/shard-00001-of-00003.index.parquet"), &table).unwrap();
    let error = archive.refused("shares");
    assert!(error.contains("shard-00003-of-00003.index.parquet"), "{error}");
    std::fs::write(&table, good).unwrap();

    // A share of other paths.
    let (paths, labels) = ([archive.path("images/flat")], [archive.path("labels.csv")]);
    let share = WorkShard::new(2, 3).unwrap();
    index_share(&paths, &labels, share, &archive.path("shares"), &silent).unwrap();
    let error = archive.refused("shares");
    assert!(error.contains("two jobs") && error.contains("images/flat"), "{error}");
    archive.share(2, 3, "shares").unwrap();

    // A label table that is not the one that the shares had.
    let table = archive.bytes("labels.csv");
    write_labels(&archive.path("labels.csv"), &[("ID_1", &[])]);
    let error = archive.refused("shares");
    assert!(error.contains("labels.csv") && error.contains("changed"), "{error}");
    std::fs::write(archive.path("labels.csv"), table).unwrap();

    // Another number of shares.
    archive.share(1, 4, "shares").unwrap();
    let error = archive.refused("shares");
    assert!(error.contains("shares of 3 and shares of 4"), "{error}");
    std::fs::remove_file(archive.path("shares/shard-00001-of-00004.json")).unwrap();

    // A folder that one machine could not list.
    let manifest = archive.path("shares/shard-00002-of-00003.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    let unlisted = text.replace(
        "\"unlisted_folders\": []",
        "\"unlisted_folders\": [\"/archive/b: not permitted\"]",
    );
    assert_ne!(unlisted, text);
    std::fs::write(&manifest, unlisted).unwrap();
    let error = archive.refused("shares");
    assert!(error.contains("share 2/3 could not list") && error.contains("/archive/b"), "{error}");
    std::fs::write(&manifest, text).unwrap();
    archive.merge("shares").unwrap();
}

#[test]
fn a_share_of_another_kind_is_not_overwritten() {
    let archive = Archive::new();
    std::fs::create_dir(archive.path("shares")).unwrap();
    let manifest = archive.path("shares/shard-00001-of-00002.json");
    std::fs::write(&manifest, r#"{"kind": "triage", "version": 7}"#).unwrap();
    let error = archive.share(1, 2, "shares").unwrap_err().to_string();
    assert!(error.contains("triage") && error.contains("--out"), "{error}");
    assert_eq!(job_kind(&[archive.path("shares")]).unwrap(), "triage");
    archive.share(2, 2, "shares").unwrap();
    let error = job_kind(&[archive.path("shares")]).unwrap_err().to_string();
    assert!(error.contains("`index`") && error.contains("`triage`"), "{error}");
}

#[test]
fn a_path_that_a_machine_does_not_have_ends_its_share() {
    let archive = Archive::new();
    std::fs::rename(archive.path("images"), archive.path("elsewhere")).unwrap();
    // What is not mounted is not there, or an empty folder.
    for made in [false, true] {
        if made {
            std::fs::create_dir(archive.path("images")).unwrap();
        }
        let error = archive.share(1, 3, "shares").unwrap_err();
        assert!(matches!(&error, IndexError::NoPath(it) if it.contains("images")), "{error}");
    }
    assert!(!archive.path("shares/shard-00001-of-00003.json").exists());
}
