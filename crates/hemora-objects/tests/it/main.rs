//! Places in object storage, against moto's S3 server: what is written is whole or not there, failures are
//! asked again and in the end named.
#![cfg(feature = "s3")]

mod failures;
mod interrupted;
mod large;
mod mirror;
mod round_trip;
mod tls;

use std::process::Command;

use hemora_objects::Place;
use hemora_testing::ObjectStorage;

/// The place of a server's prefix.
fn place(server: &ObjectStorage, prefix: &str) -> Place {
    Place::parse_with_variables(&server.url(prefix), &server.variables()).unwrap()
}

/// The error of a place that variables with these changes name, when it is read from.
fn error_with(server: &ObjectStorage, changes: &[(&str, &str)]) -> String {
    let mut variables = server.variables();
    for (name, value) in changes {
        variables.retain(|(known, _)| known != name);
        variables.push(((*name).to_owned(), (*value).to_owned()));
    }
    let place = Place::parse_with_variables(&server.url("a"), &variables);
    place.and_then(|place| place.read("b", 10)).unwrap_err().to_string()
}

/// Runs one ignored test of this program as a process of its own, which the server's variables and
/// `arguments` (in `CHILD`) tell what to do.
fn child(server: &ObjectStorage, test: &str, arguments: &[&str]) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--ignored", "--exact", test, "--nocapture"]);
    child.env("CHILD", arguments.join("\n")).envs(server.variables());
    child
}

/// What [`child`] was told.
fn told() -> Vec<String> {
    std::env::var("CHILD").expect("run by another test").lines().map(str::to_owned).collect()
}
