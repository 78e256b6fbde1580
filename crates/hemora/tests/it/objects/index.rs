//! An index in a bucket: made, brought up to date, split, counted and read there.

use std::path::Path;

use hemora_testing::content;
use hemora_testing::dense::dense_bundle;

use super::{Twice, bytes, count, place, runs, says};

#[test]
fn an_index_in_a_bucket_is_the_one_of_a_disk() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut twice) = Twice::new(folder.path()) else { return };
    let sets = place(&twice.server, "sets");
    place(&twice.server, "").write_file("labels.csv", &twice.labels).unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let url = |name: &str| twice.server.url(name);
    let (images, local, remote) =
        (twice.folder.to_str().unwrap(), path("set.parquet"), url("sets/set.parquet"));
    let (labels, labels_url) = (twice.labels.to_str().unwrap().to_owned(), url("labels.csv"));
    // What the program said in the one case and in the other, and whether the indexes are alike.
    let both = |arguments: &dyn Fn(&str, &str) -> Vec<String>, code: i32| {
        let said = [(&local, &labels), (&remote, &labels_url)].map(|(index, labels)| {
            let arguments = arguments(index, labels);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            runs(&twice.server, &arguments, code).replace(index, "INDEX").replace(labels, "LABELS")
        });
        assert_eq!(said[0], said[1]);
        assert!(std::fs::read(&local).unwrap() == bytes(&sets, "set.parquet"), "{}", said[0]);
        said[0].clone()
    };
    let index = |index: &str, labels: &str| {
        ["index", images, "--labels", labels, "--out", index].map(str::to_owned).to_vec()
    };
    assert!(both(&index, 3).contains(" 0 unchanged"));
    both(&|index, _| ["index", "split", index, "--folds=3"].map(str::to_owned).to_vec(), 0);
    both(&|index, _| ["index", "stats", index].map(str::to_owned).to_vec(), 0);
    let counted = both(&|_, labels| ["index", "stats", labels].map(str::to_owned).to_vec(), 0);
    assert!(counted.contains("subdural"), "{counted}");
    // Again: nothing is read, and the split stays.
    std::fs::write(twice.folder.join("another.txt"), "no image").unwrap();
    assert!(both(&index, 3).contains("(0 read, "));
    let names: Vec<String> = sets.list("").unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["set.parquet"]);

    // Triage fetches it once.
    dense_bundle(Path::new(&path("model.hemora")), 0.3);
    twice.server.requests();
    for (index, out) in [(&local, path("triaged")), (&remote, twice.server.url("triaged"))] {
        let model = path("model.hemora");
        let triage = ["triage", "--index", index, "--model", &model, "--out", &out];
        runs(&twice.server, &triage, 3);
    }
    let (seen, _) = twice.server.requests();
    assert_eq!(count(&seen, "GET", "sets/set.parquet"), 1, "{seen:?}");
    let triaged = place(&twice.server, "triaged");
    for (name, expected) in content(Path::new(&path("triaged"))) {
        assert!(bytes(&triaged, name.to_str().unwrap()) == expected, "{}", name.display());
    }
}

#[test]
fn what_is_wrong_with_an_index_in_a_bucket_is_said_of_the_object() {
    let folder = tempfile::tempdir().unwrap();
    let Some(mut twice) = Twice::new(folder.path()) else { return };
    let sets = place(&twice.server, "sets");
    let images = twice.folder.to_str().unwrap();
    let url = twice.server.url("sets/set.parquet");
    sets.write("set.parquet", b"no index").unwrap();
    for arguments in [
        &["index", images, "--out", &url][..],
        &["index", "split", &url],
        &["index", "stats", &url],
        &["prepare", &url, "--recipe=howard", "--out=set"],
        &["triage", "--index", &url, "--out=triaged"],
    ] {
        let said = runs(&twice.server, arguments, 1);
        says(&said, &url);
        says(&said, "set.parquet: not a readable Parquet file");
    }
    assert_eq!(bytes(&sets, "set.parquet"), b"no index");
    sets.remove("set.parquet").unwrap();
    let said = runs(&twice.server, &["index", "stats", &url], 1);
    says(&said, &format!("{url}: there is no such object"));
    let said = runs(&twice.server, &["index", images, "--labels", &url, "--out", &url], 1);
    says(&said, &format!("{url}: cannot open the table: there is no such object"));
    let said = runs(&twice.server, &["index", images, "--out", "s3://scans"], 1);
    says(&said, "it is a whole bucket; give s3://BUCKET/NAME");

    // A server that fails is named with the object.
    let fails = format!("{} fails (", twice.server.endpoint());
    twice.server.fail(100, "503", "PUT", "set.parquet");
    let said = runs(&twice.server, &["index", images, "--out", &url], 1);
    says(&said, &format!("{url}.parts/000000.parquet: {fails}SlowDown"));
    twice.server.heal();
    assert!(sets.list("").unwrap().is_empty());
    twice.server.fail(100, "500", "GET", "sets/set.parquet");
    let said = runs(&twice.server, &["index", images, "--out", &url], 1);
    says(&said, &format!("{url}: {fails}InternalError"));

    // A result for people is still written to a disk.
    let said = runs(&twice.server, &["triage", images, "--out", "s3://scans/out"], 1);
    says(&said, "writes to a disk, not to object storage");
    assert!(!Path::new("s3:").exists());
}
