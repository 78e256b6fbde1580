//! `hemora serve` between a scanner, an archive and a RIS that others wrote.

mod archive;
mod collector;
mod commands;
mod kill;
#[cfg(feature = "postgres")]
mod nodes;
mod running;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use archive::Archive;
use running::{Running, free_port, wait_for};
use serde_json::Value;

use crate::support::succeed;

/// Whether an object is what the standard says it is, by dicom3tools.
fn assert_valid(validator: &std::path::Path, file: &std::path::Path) {
    let output = Command::new(validator).arg(file).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    // Our own scheme is none that the validator knows, and phantoms have no dates for a folder's index.
    let complaints = said.lines().filter(|line| {
        (line.contains("Error") || line.contains("Warning"))
            && !line.contains("Unrecognized defined term <99HEMORA>")
            && !line.contains("needed to build DICOMDIR")
    });
    assert_eq!(complaints.count(), 0, "{}: {said}", file.display());
}

/// Accepts every message, and keeps it.
fn receiver() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let messages: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&messages);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut frame = Vec::new();
            let mut byte = [0];
            while !frame.ends_with(b"\x1c\r") && stream.read(&mut byte).is_ok_and(|read| read == 1)
            {
                frame.push(byte[0]);
            }
            let text = String::from_utf8(frame).unwrap();
            let text = text.trim_start_matches('\x0b').trim_end_matches("\x1c\r").to_owned();
            let control = text.split('|').nth(9).unwrap_or_default();
            let ack =
                format!("\x0bMSH|^~\\&|RIS||H||20261127||ACK|1|P|2.5.1\rMSA|AA|{control}\r\x1c\r");
            kept.lock().unwrap().push(text);
            let _ = stream.write_all(ack.as_bytes());
        }
    });
    (port, messages)
}

/// What hl7apy makes of a message by the rules of v2.5.1: patient, and code and value of each observation.
const HL7: &str = r#"
import sys, json
from hl7apy.parser import parse_message
from hl7apy.consts import VALIDATION_LEVEL
message = parse_message(sys.stdin.read(), validation_level=VALIDATION_LEVEL.STRICT)
message.validate()
result = message.ORU_R01_PATIENT_RESULT
patient = result.ORU_R01_PATIENT.PID.PID_3.to_er7()
observations = result.ORU_R01_ORDER_OBSERVATION.ORU_R01_OBSERVATION
print(json.dumps([patient, [[o.OBX.OBX_3.to_er7(), o.OBX.OBX_5.to_er7()] for o in observations]]))
"#;

#[test]
fn an_archive_gets_valid_objects_and_a_ris_a_valid_message() {
    let Some(storescu) = hemora_testing::program("storescu", "apt-get install dcmtk") else {
        return;
    };
    let Some(validator) = hemora_testing::program("dciodvfy", "apt-get install dicom3tools") else {
        return;
    };
    let Some(python) = hemora_testing::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let phantoms = folder.path().join("phantoms");
    let out = phantoms.to_str().unwrap();
    succeed(&[
        "synth",
        out,
        "--patients",
        "2",
        "--seed",
        "1",
        "--size",
        "128",
        "--slice-spacing",
        "12",
    ]);
    let dicom = free_port();
    let Some(archive) = Archive::start(folder.path(), dicom) else { return };
    let (hl7, messages) = receiver();
    let config = format!(
        "[node]\nresearch_protocol = \"test\"\n[dicom]\nlisten = \"127.0.0.1:{dicom}\"\n\
         [settle]\nquiet = \"500ms\"\n\
         [[destination]]\nname = \"PACS\"\nkind = \"dicom\"\nae = \"PACS\"\nhost = \"127.0.0.1:{}\"\n\
         commitment = true\n\
         [[destination]]\nname = \"RIS\"\nkind = \"hl7\"\nhost = \"127.0.0.1:{hl7}\"\n",
        archive.dicom
    );
    let node = Running::start(folder.path(), &config);
    let mut send = Command::new(storescu);
    send.args(["127.0.0.1", &dicom.to_string(), "-aec", "HEMORA", "+sd", "+r"]);
    let sent = send.arg(phantoms.join("stage_2_train")).output().unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));

    let list = wait_for("both studies delivered", Duration::from_secs(180), || {
        let list = node.get("/api/v1/studies")["studies"].as_array().unwrap().clone();
        let delivered = list.iter().filter(|study| study["state"] == "delivered").count();
        (list.len() == 2 && delivered == 2).then_some(list.clone()).ok_or(Value::Array(list))
    });
    let rank = |study: &Value| match study["class"].as_str().unwrap() {
        "positive" => 0,
        "not sure" => 1,
        _ => 2,
    };
    assert!(rank(&list[0]) <= rank(&list[1]), "{list:#?}");

    let objects = archive.objects();
    for kind in [
        "1.2.840.10008.5.1.4.1.1.88.34",
        "1.2.840.10008.5.1.4.1.1.7",
        "1.2.840.10008.5.1.4.1.1.88.59",
    ] {
        let of_kind: Vec<_> = objects.iter().filter(|(class, _)| class == kind).collect();
        assert_eq!(of_kind.len(), 2, "{kind}: one for each study");
        for (_, bytes) in of_kind {
            let file = folder.path().join("object.dcm");
            std::fs::write(&file, bytes).unwrap();
            assert_valid(&validator, &file);
            if kind.ends_with("88.34") {
                let program = "import sys, highdicom.sr; r = highdicom.sr.srread(sys.argv[1]); \
                               print(len(r.content.get_measurement_groups() \
                               if hasattr(r.content, 'get_measurement_groups') else r.ContentSequence))";
                let path = [file.to_str().unwrap()];
                let read = hemora_testing::run_python(&python, program, &path, b"");
                assert!(String::from_utf8(read).unwrap().trim().parse::<usize>().unwrap() > 0);
            }
        }
    }
    let messages = messages.lock().unwrap();
    assert_eq!(messages.len(), 2);
    for message in messages.iter() {
        let none: [&str; 0] = [];
        let parsed = hemora_testing::run_python(&python, HL7, &none, message.as_bytes());
        let parsed: Value = serde_json::from_slice(&parsed).unwrap();
        let patient = parsed[0].as_str().unwrap();
        assert!(
            list.iter().any(|study| patient.starts_with(study["patient_id"].as_str().unwrap()))
        );
        assert!(parsed[1].as_array().unwrap().len() >= 7, "{parsed}");
    }
}
