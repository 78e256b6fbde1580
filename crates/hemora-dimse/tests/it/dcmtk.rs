//! dcmtk's clients against our server, and its servers as peers of ours.

use std::process::Command;
use std::time::Duration;

use hemora_dimse::{Closed, Limits, Object, ScuError, StoreOutcome, count_instances, echo, store};
use hemora_testing::program;

use crate::recorder::recorder;
use crate::support::{
    EXPLICIT, Image, Running, STUDY, check_stored, destination, free_port, start, succeed,
};

const INSTALL: &str = "install dcmtk";

fn client(name: &str, port: u16) -> Option<Command> {
    let mut command = Command::new(program(name, INSTALL)?);
    command.args(["-aec", "HEMORA", "127.0.0.1", &port.to_string()]);
    Some(command)
}

#[test]
fn echoscu_is_answered_and_told_when_it_calls_another() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let Some(mut echoscu) = client("echoscu", server.address().port()) else { return };
    succeed(echoscu.args(["--repeat", "3", "--propose-pc", "128"]));
    assert_eq!(recorder.closed(1), [Closed::Released]);
    let mut wrong = Command::new("echoscu");
    wrong.args(["-aec", "OTHER", "127.0.0.1", &server.address().port().to_string()]);
    let output = wrong.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && error.contains("Called AE Title Not Recognized"),
        "{error}"
    );
    server.stop(Duration::ZERO);
}

#[test]
fn storescu_sends_every_syntax_that_it_can_propose() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let folder = tempfile::tempdir().unwrap();
    let mut images = Vec::new();
    for (number, (option, syntax)) in [
        ("-xe", ".1"),
        ("-xi", ""),
        ("-xb", ".2"),
        ("-xs", ".4.70"),
        ("-xy", ".4.50"),
        ("-xx", ".4.51"),
        ("-xv", ".4.90"),
        ("-xw", ".4.91"),
        ("-xt", ".4.80"),
        ("-xu", ".4.81"),
        ("-xr", ".5"),
    ]
    .into_iter()
    .enumerate()
    {
        let Some(mut storescu) = client("storescu", server.address().port()) else { return };
        let image = Image::new(number as u32, &format!("1.2.840.10008.1.2{syntax}"), 30_000);
        // Without the rest of the proposals, which may hold another syntax for the same image.
        succeed(storescu.args([option, "-R"]).arg(image.write(folder.path())));
        images.push(image);
    }
    check_stored(recorder.stored(), &images);
    assert!(recorder.closed(images.len()).iter().all(|how| *how == Closed::Released));
    server.stop(Duration::ZERO);
}

#[test]
fn what_storescu_deflates_is_a_file_that_dcmtk_reads() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let Some(mut storescu) = client("storescu", server.address().port()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let image = Image::new(1, EXPLICIT, 60_000);
    succeed(storescu.arg("-xd").arg(image.write(folder.path())));
    let (request, data_set) = recorder.stored().remove(0);
    assert_eq!(request.transfer_syntax, "1.2.840.10008.1.2.1.99");
    assert!(data_set.len() < image.data_set.len());
    let inflated = folder.path().join("inflated");
    let received = Image { request, data_set }.write(folder.path());
    succeed(Command::new("dcmconv").arg("+te").arg(received).arg(&inflated));
    let inflated = Object::from_part10(&std::fs::read(inflated).unwrap()).unwrap();
    assert!(inflated.data_set == image.data_set);
    server.stop(Duration::ZERO);
}

#[test]
fn storescu_proposes_all_that_it_knows_and_is_refused_what_is_no_image() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let Some(mut storescu) = client("storescu", server.address().port()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let images: Vec<_> = (0..5).map(|number| Image::new(number, EXPLICIT, 300_000)).collect();
    for image in &images {
        image.write(folder.path());
    }
    succeed(storescu.args(["+sd", "--repeat", "1"]).arg(folder.path()));
    check_stored(recorder.stored(), &images);
    server.stop(Duration::ZERO);
}

#[test]
fn storescu_that_aborts_has_sent_what_was_acknowledged() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let Some(mut storescu) = client("storescu", server.address().port()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let image = Image::new(1, EXPLICIT, 5000);
    succeed(storescu.arg("--abort").arg(image.write(folder.path())));
    assert_eq!(recorder.closed(1), [Closed::Aborted]);
    check_stored(recorder.stored(), &[image]);
    server.stop(Duration::ZERO);
}

#[test]
fn dcmsend_sends_many_syntaxes_over_one_association() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let Some(mut dcmsend) = client("dcmsend", server.address().port()) else { return };
    let folder = tempfile::tempdir().unwrap();
    // Those of which dcmtk 3.6.7 knows the name; it makes explicit VR of implicit.
    let known = [".1", ".5", ".4.50", ".4.51", ".4.53", ".4.55", ".4.57", ".4.70", ".4.80"];
    let known = known.into_iter().chain([".4.81", ".4.90", ".4.91", ".4.92", ".4.93"]);
    let images: Vec<_> = known
        .enumerate()
        .map(|(number, it)| Image::new(number as u32, &format!("1.2.840.10008.1.2{it}"), 70_000))
        .collect();
    for image in &images {
        image.write(folder.path());
    }
    succeed(dcmsend.args(["-dn", "+sd"]).arg(folder.path()));
    check_stored(recorder.stored(), &images);
    server.stop(Duration::ZERO);
}

#[test]
fn storescp_gets_what_we_send() {
    let Some(storescp) = program("storescp", INSTALL) else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let mut command = Command::new(storescp);
    command.args(["+xa", "+B", "-aet", "PACS", "-od"]).arg(folder.path()).arg(port.to_string());
    let _running = Running::start(&mut command, port);
    let to = destination("PACS", port);
    echo(&to).unwrap();
    let j2k = "1.2.840.10008.1.2.4.90";
    let images = [Image::new(1, EXPLICIT, 500_000), Image::new(2, j2k, 400_001 + 1)];
    let htj2k = Image::new(3, "1.2.840.10008.1.2.4.201", 100);
    let objects = images.iter().chain([&htj2k]).map(Image::file);
    let objects: Vec<_> = objects.map(|file| Object::from_part10(&file).unwrap()).collect();
    let outcomes = store(&to, &objects).unwrap().into_iter().map(|status| status.outcome);
    // dcmtk 3.6.7 does not know HTJ2K.
    let expected = [StoreOutcome::Stored, StoreOutcome::Stored, StoreOutcome::NotAccepted];
    assert_eq!(outcomes.collect::<Vec<_>>(), expected);
    let arrived = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut arrived: Vec<_> = arrived.map(|path| std::fs::read(path).unwrap()).collect();
    arrived.sort_by_key(Vec::len);
    for (file, image) in arrived.iter().zip([&images[1], &images[0]]) {
        let object = Object::from_part10(file).unwrap();
        assert_eq!(object.transfer_syntax, image.request.transfer_syntax);
        assert!(object.data_set == image.data_set, "{}", object.transfer_syntax);
    }
    assert_eq!(arrived.len(), 2);
}

#[test]
fn storescp_that_aborts_or_refuses_is_an_error_that_says_so() {
    let Some(storescp) = program("storescp", INSTALL) else { return };
    let folder = tempfile::tempdir().unwrap();
    let object = Object::from_part10(&Image::new(1, EXPLICIT, 500_000).file()).unwrap();
    // Where the abort is overtaken by the end of the connection, that is what is seen.
    let aborted = ["aborted the association", "closed the connection without a release"];
    for (option, expected) in [
        ("--refuse", ["rejects the association for good"].as_slice()),
        ("--abort-after", &aborted),
        ("--abort-during", &aborted),
    ] {
        let port = free_port();
        let mut command = Command::new(&storescp);
        command.args([option, "-od"]).arg(folder.path()).arg(port.to_string());
        let _running = Running::start(&mut command, port);
        let error = store(&destination("PACS", port), std::slice::from_ref(&object)).unwrap_err();
        let message = error.to_string();
        assert!(expected.iter().any(|it| message.contains(it)), "{option}: {message}");
    }
}

#[test]
fn dcmqrscp_counts_what_it_has_or_says_that_it_does_not() {
    let Some(dcmqrscp) = program("dcmqrscp", INSTALL) else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let database = folder.path().join("PACS");
    std::fs::create_dir(&database).unwrap();
    let configuration = folder.path().join("dcmqrscp.cfg");
    let text = format!(
        "NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n\
         HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n\
         AETable BEGIN\nPACS {} RW (200, 1024mb) ANY\nAETable END\n",
        database.display()
    );
    std::fs::write(&configuration, text).unwrap();
    let mut command = Command::new(dcmqrscp);
    command.arg("-c").arg(&configuration);
    let _running = Running::start(&mut command, port);
    let to = destination("PACS", port);
    let images = (0..3).map(|number| Image::new(number, EXPLICIT, 1000).file());
    let objects: Vec<_> = images.map(|file| Object::from_part10(&file).unwrap()).collect();
    let stored = store(&to, &objects).unwrap();
    assert!(stored.iter().all(|status| status.outcome.is_stored()), "{stored:?}");
    // It has no such attribute, and answers without: not a count of nothing.
    assert_eq!(count_instances(&to, STUDY).unwrap(), None);
    assert_eq!(count_instances(&to, "1.2.3.4").unwrap(), None);
    let nobody = destination("NOBODY", port);
    let error = count_instances(&nobody, STUDY).unwrap_err();
    assert!(matches!(error, ScuError::Association { .. }), "{error}");
    assert!(error.to_string().contains("AE title"), "{error}");
}
