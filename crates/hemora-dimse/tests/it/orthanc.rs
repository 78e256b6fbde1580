//! Orthanc as an archive: what it takes, counts, commits, and asks of us.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use hemora_dimse::{
    CommitReport, Limits, NO_SUCH_INSTANCE, Object, Server, StoreOutcome, count_instances, echo,
    request_commitment, send_commit_report, store,
};
use hemora_testing::program;

use crate::recorder::recorder;
use crate::support::{
    EXPLICIT, Image, Running, STUDY, check_stored, destination, free_port, start,
};

struct Orthanc {
    _running: Running,
    dicom: u16,
    http: u16,
}

impl Orthanc {
    /// An Orthanc in a folder that knows our server; `None` where there is none.
    fn start(folder: &Path, server: &Server) -> Option<Self> {
        let orthanc = program("Orthanc", "install orthanc")?;
        let [dicom, http] = [free_port(), free_port()];
        let configuration = folder.join("orthanc.json");
        let storage = folder.join("storage").display().to_string();
        let ours = server.address().port();
        let text = format!(
            r#"{{"StorageDirectory": "{storage}", "IndexDirectory": "{storage}", "Plugins": [],
            "HttpPort": {http}, "DicomPort": {dicom}, "DicomAet": "ORTHANC",
            "DicomModalities": {{"hemora": ["HEMORA", "127.0.0.1", {ours}]}}}}"#
        );
        std::fs::write(&configuration, text).unwrap();
        let running = Running::start(Command::new(orthanc).arg(&configuration), dicom);
        let this = Self { _running: running, dicom, http };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", http)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "Orthanc does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(this)
    }

    /// The body of an answer; `body` is posted, if there is one.
    fn http(&self, path: &str, body: Option<&str>) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        let (method, body) = body.map_or(("GET", ""), |body| ("POST", body));
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    /// The string behind a key in a JSON text.
    fn field(json: &str, key: &str) -> String {
        let (_, rest) =
            json.split_once(&format!("\"{key}\" : \"")).unwrap_or_else(|| panic!("{json}"));
        rest.split_once('"').unwrap().0.to_owned()
    }
}

#[test]
fn orthanc_stores_counts_and_commits() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let folder = tempfile::tempdir().unwrap();
    let Some(orthanc) = Orthanc::start(folder.path(), &server) else { return };
    let to = destination("ORTHANC", orthanc.dicom);
    echo(&to).unwrap();
    let images: Vec<_> = (0..3).map(|number| Image::new(number, EXPLICIT, 100_000)).collect();
    let objects = images.iter().map(|image| Object::from_part10(&image.file()).unwrap());
    let stored = store(&to, &objects.collect::<Vec<_>>()).unwrap();
    assert!(stored.iter().all(|it| it.outcome == StoreOutcome::Stored), "{stored:?}");
    assert_eq!(count_instances(&to, STUDY).unwrap(), Some(3));
    assert_eq!(count_instances(&to, "1.2.3").unwrap(), None);

    // It answers over an association of its own.
    let mut instances: Vec<_> = images.iter().map(Image::reference).collect();
    instances.push(Image::new(99, EXPLICIT, 2).reference());
    let none = request_commitment(&to, "2.25.42", &instances, Duration::ZERO).unwrap();
    assert_eq!(none, None);
    let report = recorder.wait(|record| record.reports.len() == 1, |it| it.reports.remove(0));
    assert_eq!(report.transaction_uid, "2.25.42");
    assert_eq!(report.committed, instances[..3]);
    assert_eq!(report.failed, [(instances[3].clone(), NO_SUCH_INSTANCE)]);
    server.stop(Duration::from_secs(60));
}

#[test]
fn orthanc_sends_to_us_and_asks_for_commitment() {
    let recorder = recorder(|_| ());
    let server = start(&recorder, Limits::default());
    let folder = tempfile::tempdir().unwrap();
    let Some(orthanc) = Orthanc::start(folder.path(), &server) else { return };
    let to = destination("ORTHANC", orthanc.dicom);
    let image = Image::new(5, EXPLICIT, 100_000);
    store(&to, &[Object::from_part10(&image.file()).unwrap()]).unwrap();
    assert!(orthanc.http("/modalities/hemora/echo", Some("{}")).contains('{'));
    let list = orthanc.http("/instances", None);
    let id = list.split('"').nth(1).unwrap();
    orthanc.http("/modalities/hemora/store", Some(id));
    check_stored(recorder.stored(), std::slice::from_ref(&image));

    for (is_kept, expected) in [(true, "Success"), (false, "Failure")] {
        let reference = image.reference();
        let body = format!(
            r#"{{"DicomInstances": [{{"SOPClassUID": "{}", "SOPInstanceUID": "{}"}}]}}"#,
            reference.sop_class_uid, reference.sop_instance_uid
        );
        let answer = orthanc.http("/modalities/hemora/storage-commitment", Some(&body));
        let asked = recorder.wait(|record| record.commits.len() == 1, |it| it.commits.remove(0));
        assert_eq!(asked.instances, std::slice::from_ref(&reference));
        let transaction_uid = asked.transaction_uid;
        assert_eq!(Orthanc::field(&answer, "ID"), transaction_uid);
        let report = match is_kept {
            true => CommitReport { transaction_uid, committed: vec![reference], failed: vec![] },
            false => CommitReport {
                transaction_uid,
                committed: vec![],
                failed: vec![(reference, NO_SUCH_INSTANCE)],
            },
        };
        send_commit_report(&to, &report).unwrap();
        let path = format!("/storage-commitment/{}", report.transaction_uid);
        assert_eq!(Orthanc::field(&orthanc.http(&path, None), "Status"), expected);
    }
    server.stop(Duration::from_secs(60));
}
