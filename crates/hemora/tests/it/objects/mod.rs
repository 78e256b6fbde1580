//! Object storage as input and output: what is in a bucket gives what the same files give in a folder.

mod index;
mod input;
mod prepare;
mod shares;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use hemora_objects::Place;
use hemora_synth::{PhantomOptions, write_dataset};
use hemora_testing::ObjectStorage;

/// The program with the server's variables.
fn command(server: &ObjectStorage, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
    command.args(arguments).envs(server.variables());
    command
}

/// Runs it.
fn hemora(server: &ObjectStorage, arguments: &[&str]) -> Output {
    command(server, arguments).output().unwrap()
}

/// What it said, as one line: messages are broken where the terminal ends.
fn text(output: &Output) -> String {
    let said = String::from_utf8([&*output.stdout, &*output.stderr].concat()).unwrap();
    said.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Runs it and expects an exit status.
fn runs(server: &ObjectStorage, arguments: &[&str], code: i32) -> String {
    let output = hemora(server, arguments);
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    text(&output)
}

/// Asserts that it said something, wherever the lines of the message were broken.
#[track_caller]
fn says(said: &str, expected: &str) {
    let joined = |text: &str| text.split_whitespace().collect::<String>();
    assert!(joined(said).contains(&joined(expected)), "no {expected:?} in {said}");
}

/// Runs it until `is_so`, and kills it then.
fn killed(mut command: Command, server: &mut ObjectStorage, is_so: impl Fn(&[String]) -> bool) {
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    while !is_so(&server.keys()) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        assert!(began.elapsed() < Duration::from_secs(120), "{:?}", server.keys());
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// How many requests of a method there were for keys with `part`.
fn count(requests: &[String], method: &str, part: &str) -> usize {
    requests.iter().filter(|line| line.starts_with(method) && line.contains(part)).count()
}

/// The place of a server's prefix.
fn place(server: &ObjectStorage, prefix: &str) -> Place {
    Place::parse_with_variables(&server.url(prefix), &server.variables()).unwrap()
}

/// The bytes of an object.
fn bytes(place: &Place, name: &str) -> Vec<u8> {
    place.read(name, 1 << 30).unwrap().unwrap_or_else(|| panic!("{place} has no {name}"))
}

/// Phantoms with a torn file and one that is no image, in a folder and in a bucket.
struct Twice {
    folder: PathBuf,
    labels: PathBuf,
    server: ObjectStorage,
    place: Place,
    url: String,
}

impl Twice {
    fn new(folder: &Path) -> Option<Self> {
        let mut server = ObjectStorage::start("scans")?;
        let data = folder.join("data");
        let options = PhantomOptions { slice_spacing: 12.0, ..PhantomOptions::default() };
        write_dataset(&data, 2, 3, &options.with_size(64), &|_, _| {}).unwrap();
        let images = data.join("stage_2_train");
        std::fs::write(images.join("torn.dcm"), "no image").unwrap();
        std::fs::write(images.join("notes.txt"), "no image").unwrap();
        std::fs::write(images.join(".hidden.dcm"), "no image").unwrap();
        let (url, place) = (server.url("heads/2024"), place(&server, "heads/2024"));
        for entry in std::fs::read_dir(&images).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            place.write_file(&name, &entry.path()).unwrap();
        }
        server.put_empty("heads/2024/");
        server.requests();
        Some(Self { folder: images, labels: data.join("stage_2_train.csv"), server, place, url })
    }

    /// A text of the bucket as if it were of the folder.
    fn of_folder(&self, text: &str) -> String {
        text.replace(&self.url, self.folder.to_str().unwrap())
    }
}
