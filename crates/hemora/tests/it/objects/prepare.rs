//! Sets that are prepared in a bucket: the files of one in a folder, each made once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hemora_objects::Place;
use hemora_testing::content;

use super::{Twice, command, count, killed, place, runs, says};

/// Pictures of the brain that are quickly made.
const PICTURES: &str = r#"
name = "pictures"
canvas = 96
size = 48
[output]
format = "jpeg"
quality = 90
channels = [{ window = { level = 40.0, width = 80.0 } }]
"#;
/// Shards of a few slices.
const SHARDS: &str = r#"
name = "shards"
[output]
format = "hu"
shard_slices = 5
"#;

/// An indexed data set in a folder and in a bucket, and the two recipes.
struct Indexed {
    folder: tempfile::TempDir,
    twice: Twice,
    index: String,
}

impl Indexed {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let twice = Twice::new(folder.path())?;
        for (name, text) in [("pictures", PICTURES), ("shards", SHARDS)] {
            std::fs::write(folder.path().join(name).with_extension("toml"), text).unwrap();
        }
        let index = twice.server.url("sets/set.parquet");
        let [images, labels] = [&twice.folder, &twice.labels].map(|path| path.to_str().unwrap());
        runs(&twice.server, &["index", images, "--labels", labels, "--out", &index], 3);
        Some(Self { folder, twice, index })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The arguments that prepare a set by a recipe.
    fn prepare(&self, recipe: &str, out: &str, more: &[&str]) -> Vec<String> {
        let recipe = self.path(recipe).with_extension("toml");
        let all = ["prepare", &self.index, "--out", out, "--recipe", recipe.to_str().unwrap()];
        [&all[..], more].concat().into_iter().map(str::to_owned).collect()
    }

    fn run(&self, arguments: &[String], code: i32) -> String {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        runs(&self.twice.server, &arguments, code)
    }

    /// The files of a set in a folder.
    fn whole(&self, recipe: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let out = self.path(&format!("{recipe}-whole"));
        self.run(&self.prepare(recipe, out.to_str().unwrap(), &[]), 0);
        content(&out)
    }

    fn place(&self, name: &str) -> Place {
        place(&self.twice.server, &format!("sets/{name}"))
    }
}

/// The files of a place.
fn objects(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let listed = place.list("").unwrap().into_iter();
    listed.map(|it| (it.name.clone().into(), super::bytes(place, &it.name))).collect()
}

#[test]
fn a_set_in_shares_in_a_bucket_is_that_of_a_folder() {
    let Some(mut set) = Indexed::new() else { return };
    for (recipe, files) in [("pictures", ".jpg"), ("shards", ".hu")] {
        let whole = set.whole(recipe);
        let is_image = |path: &&PathBuf| path.to_str().unwrap().ends_with(files);
        let images = whole.keys().filter(is_image).count();
        assert!(images > 4);
        let url = set.twice.server.url(&format!("sets/{recipe}"));
        set.twice.server.requests();
        for share in ["--shard=1/2", "--shard=2/2"] {
            let said = set.run(&set.prepare(recipe, &url, &[share]), 0);
            says(&said, &format!("{url}, share {}: ", &share[8..]));
            assert!(!objects(&set.place(recipe)).contains_key(Path::new("labels.csv")));
        }
        let (seen, _) = set.twice.server.requests();
        assert_eq!(count(&seen, "PUT", files), images, "{seen:?}");
        // The last run makes no image again.
        set.run(&set.prepare(recipe, &url, &[]), 0);
        let (seen, _) = set.twice.server.requests();
        assert_eq!(count(&seen, "PUT", files), 0, "{seen:?}");
        assert_eq!(count(&seen, "GET", files), 0, "{seen:?}");
        assert_eq!(count(&seen, "GET", "list-type"), 1, "{seen:?}");
        assert!(objects(&set.place(recipe)) == whole, "{recipe}");
        // A set that is there is the same set, and another one has no place there.
        set.run(&set.prepare(recipe, &url, &[]), 0);
        let said = set.run(&set.prepare(recipe, &url, &["--seed=7"]), 1);
        says(&said, &format!("{url}: holds files that are not of this set"));
        assert!(objects(&set.place(recipe)) == whole, "{recipe}");
    }
    // Neither is one begun among other objects.
    let url = set.twice.url.clone();
    let said = set.run(&set.prepare("pictures", &url, &[]), 1);
    says(&said, &format!("{url}: holds files that are not of this set"));
}

#[test]
fn a_set_that_is_killed_goes_on_and_several_images_are_sent_at_once() {
    let Some(mut set) = Indexed::new() else { return };
    let whole = set.whole("pictures");
    let images = whole.keys().filter(|path| path.starts_with("images")).count();
    let url = set.twice.server.url("sets/killed");
    let is_image = |key: &str| key.starts_with("sets/killed/images/");
    // Each image takes the server a second.
    set.twice.server.fail(1000, "slow", "PUT", "killed/images/");
    set.twice.server.requests();
    let arguments = set.prepare("pictures", &url, &[]);
    let mut first = command(&set.twice.server, &[]);
    // A program that is killed leaves its temporary files.
    first.args(&arguments).env("TMPDIR", set.folder.path());
    killed(first, &mut set.twice.server, |keys| keys.iter().any(|key| is_image(key)));
    let (_, most) = set.twice.server.requests();
    assert!((4..=17).contains(&most), "{most} at the same time");
    set.twice.server.heal();
    // What the server has taken it stores, whether or not anybody waits for it.
    while set.twice.server.is_at_work() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let there = set.twice.server.keys().iter().filter(|key| is_image(key)).count();
    assert!((1..images).contains(&there), "{there} of {images}");
    set.twice.server.requests();
    set.run(&arguments, 0);
    let (seen, _) = set.twice.server.requests();
    assert_eq!(count(&seen, "PUT", "/images/"), images - there, "{seen:?}");
    assert!(objects(&set.place("killed")) == whole);
}

#[test]
fn a_file_that_cannot_be_sent_ends_the_run_and_is_named() {
    let Some(mut set) = Indexed::new() else { return };
    for (recipe, files) in [("pictures", "images"), ("shards", "shards")] {
        let name = format!("failed-{recipe}");
        let url = set.twice.server.url(&format!("sets/{name}"));
        set.twice.server.fail(1000, "503", "PUT", &format!("/{files}/"));
        let said = set.run(&set.prepare(recipe, &url, &[]), 1);
        says(&said, &format!("{url}/{files}/"));
        says(&said, &format!("{} fails (SlowDown", set.twice.server.endpoint()));
        set.twice.server.heal();
        let there: Vec<PathBuf> = objects(&set.place(&name)).into_keys().collect();
        assert_eq!(there, ["recipe.toml", "set.toml"].map(PathBuf::from));
        set.run(&set.prepare(recipe, &url, &[]), 0);
        assert!(objects(&set.place(&name)) == set.whole(recipe), "{recipe}");
    }
}
