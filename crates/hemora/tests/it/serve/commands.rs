//! The command line of the node.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::running::{Running, free_port, wait_for};
use crate::support::{hemora, refused, succeed};

#[test]
fn a_configuration_with_a_wrong_key_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hemora.toml");
    std::fs::write(&file, "[node]\nae_titel = \"A\"\n").unwrap();
    for flag in ["--check", "--config"] {
        let message = refused(&["serve", flag, file.to_str().unwrap()]);
        assert!(message.contains("ae_titel") && message.contains("line 2"), "{message}");
        assert!(message.contains("hemora.toml"), "{message}");
    }
}

#[test]
fn check_prints_every_setting_and_calls_every_destination() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hemora.toml");
    let port = free_port();
    let text = format!(
        "[[destination]]\nname = \"PACS\"\nkind = \"dicom\"\nae = \"PACS\"\nhost = \"127.0.0.1:{port}\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let output = hemora(&["serve", "--check", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "a destination does not answer");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("quiet = \"4s\"") && said.contains("# PACS: C-ECHO"), "{said}");
}

#[test]
fn a_node_is_backed_up_and_forgets_a_patient_while_it_runs_and_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let node = Running::start(folder.path(), "[dicom]\nlisten = \"127.0.0.1:0\"\n");
    let metrics = format!("http://{}/metrics", node.http);
    wait_for("ready", Duration::from_secs(60), || {
        ureq::get(format!("http://{}/ready", node.http)).call().map_err(|error| error.to_string())
    });
    let mut text = ureq::get(&metrics).call().unwrap();
    let text = text.body_mut().read_to_string().unwrap();
    assert!(text.contains("hemora_instances_stored_total 0"), "{text}");
    if let Some(promtool) = hemora_testing::program("promtool", "apt-get install prometheus") {
        let checked = super::running::pipe(&promtool, &["check", "metrics"], text.as_bytes());
        assert!(checked.is_ok(), "{checked:?}");
    }
    let data = path("node");
    succeed(&["serve", "backup", &path("backup"), "--data", &data]);
    let said = succeed(&["serve", "forget", "--patient", "nobody", "--data", &data, "--who", "N"]);
    assert_eq!(said.trim(), "removed 0 studies, 0 images");
    let verify = ["serve", "audit", "verify", "--data", &data];
    assert!(succeed(&verify).contains("rows, each as it was written"));
    let twice = refused(&["serve", "backup", &path("backup"), "--data", &data]);
    assert!(twice.contains("already holds"), "{twice}");
    let message = refused(&["serve", "--data", &data]);
    assert!(message.contains("in use"), "{message}");
    assert_eq!(node.terminate(), Some(0));
    assert!(succeed(&verify).contains("rows, each as it was written"));
    succeed(&["serve", "backup", &path("backup2"), "--data", &data]);
    succeed(&["serve", "restore", &path("backup2"), "--data", &path("restored")]);
    let occupied = refused(&["serve", "restore", &path("backup2"), "--data", &path("restored")]);
    assert!(occupied.contains("already holds"), "{occupied}");
}

#[test]
fn the_first_start_prints_a_link_and_where_everybody_may_do_everything_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hemora.toml");
    let printed = |http: &str| {
        let listen = "[dicom]\nlisten = \"127.0.0.1:0\"\n[http]\nlisten = \"127.0.0.1:0\"\n";
        std::fs::write(&file, format!("{listen}{http}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hemora"));
        command
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .arg("--data")
            .arg(folder.path().join("node"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // Nothing comes after these lines until the node ends.
        let lines: Vec<String> = lines.take(if http.is_empty() { 9 } else { 3 }).collect();
        Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(child.wait().unwrap().success());
        lines.join("\n")
    };
    let first = printed("");
    assert!(first.contains("http://127.0.0.1:") && first.contains("/login#setup="), "{first}");
    let second = printed("");
    assert!(second.contains("/login#setup=") && first != second, "each start makes a new one");
    let without = printed("login = false\n");
    assert!(!without.contains("setup"), "{without}");
}
