//! Shares of an index in a bucket: killed, taken up, merged there.

use std::path::Path;

use hemora_base::WorkShard;
use hemora_objects::beside;
use hemora_testing::{ObjectStorage, Phantoms, dicom_files};

use super::{bytes, command, count, killed, place, runs, says};

/// Files whose rows a killed run keeps.
const FIRST_CHUNK: usize = 1024;
/// Files of the next chunk, which the server is slow with.
const SLOW: usize = 200;

/// Names that one of two shares holds, with a beginning.
fn names(url: &str, share: u32, beginning: &str, many: usize) -> Vec<String> {
    let share = WorkShard::new(share, 2).unwrap();
    let names = (0..).map(|number| format!("{beginning}{number:05}.dcm"));
    names.filter(|name| share.holds(&format!("{url}/{name}"))).take(many).collect()
}

/// Copies of a few images in a bucket: of the first share more than a chunk, of the second a few.
fn archive(server: &ObjectStorage, folder: &Path) -> String {
    let phantoms = Phantoms::write(folder, 5, 1, 64);
    let files = dicom_files(&phantoms.images);
    let (url, scans) = (server.url("scans"), place(server, "scans"));
    let mut all = names(&url, 1, "a", FIRST_CHUNK);
    all.extend(names(&url, 1, "slow", SLOW));
    all.extend(names(&url, 2, "b", 20));
    let images: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let scans = &scans;
    let sent = beside(16, |jobs| {
        for (name, bytes) in all.iter().zip(images.iter().cycle()) {
            jobs.push(move || scans.write(name, bytes));
        }
    });
    sent.unwrap();
    url
}

#[test]
fn a_share_that_is_killed_goes_on_and_shares_are_merged_in_the_bucket() {
    let Some(mut server) = ObjectStorage::start("bucket") else { return };
    let folder = tempfile::tempdir().unwrap();
    let images = archive(&server, folder.path());
    let (shares, merged) = (server.url("job/shares"), server.url("job/set.parquet"));
    let share = |number| ["index", &images, "--shard", number, "--out", &shares];
    let merge = ["merge", &shares, "--out", &merged];
    let of_job = |server: &mut ObjectStorage| -> Vec<String> {
        server.keys().into_iter().filter(|key| key.starts_with("job/")).collect()
    };

    server.fail(10 * SLOW, "slow", "GET", "/slow");
    let mut first = command(&server, &share("1/2"));
    // A program that is killed leaves its temporary files.
    first.env("TMPDIR", folder.path());
    killed(first, &mut server, |keys| keys.iter().any(|key| key.ends_with("parts/000000.parquet")));
    server.heal();
    let part = "job/shares/shard-00001-of-00002.index.parquet.parts/000000.parquet";
    assert_eq!(of_job(&mut server), [part]);
    says(&runs(&server, &merge, 1), &format!("no share of an index in {shares}"));

    // On another machine, which has nothing of it: no image of the first chunk is fetched again.
    server.requests();
    let said = runs(&server, &share("1/2"), 0);
    says(&said, &format!("({SLOW} read, {FIRST_CHUNK} unchanged"));
    let (seen, _) = server.requests();
    assert_eq!(count(&seen, "GET", "/scans/a"), 0);
    assert_eq!(count(&seen, "GET", "/scans/slow"), SLOW);
    says(&runs(&server, &merge, 1), "1 of 2 shares are not there or not whole: 2/2");
    runs(&server, &share("2/2"), 0);
    let of_share = |share| ["index.parquet", "json"].map(|end| format!("job/shares/{share}.{end}"));
    let expected = ["shard-00001-of-00002", "shard-00002-of-00002"].map(of_share);
    assert_eq!(of_job(&mut server), expected.as_flattened());
    // Done again: nothing is fetched but what is there of the share.
    server.requests();
    says(&runs(&server, &share("2/2"), 0), "(0 read, 20 unchanged");
    let (seen, _) = server.requests();
    assert_eq!(count(&seen, "GET", ".dcm"), 0);

    server.fail(100, "503", "GET", "shard-00002-of-00002.json");
    let fails = format!("{shares}/shard-00002-of-00002.json: {} fails", server.endpoint());
    says(&runs(&server, &merge, 1), &fails);
    server.heal();
    runs(&server, &merge, 0);
    let whole = folder.path().join("whole.parquet");
    runs(&server, &["index", &images, "--out", whole.to_str().unwrap()], 0);
    let whole = std::fs::read(&whole).unwrap();
    assert!(bytes(&place(&server, "job"), "set.parquet") == whole);
    let local = folder.path().join("merged.parquet");
    runs(&server, &["merge", &shares, "--out", local.to_str().unwrap()], 0);
    assert!(std::fs::read(&local).unwrap() == whole);

    // A table that is not the one that its manifest was written for.
    let jobs = place(&server, "job/shares");
    let table = bytes(&jobs, "shard-00001-of-00002.index.parquet");
    jobs.write("shard-00002-of-00002.index.parquet", &table).unwrap();
    let broken = format!("{shares}/shard-00002-of-00002.index.parquet: not what a share");
    says(&runs(&server, &merge, 1), &broken);
}
