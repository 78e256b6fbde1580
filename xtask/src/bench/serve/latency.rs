//! From the last image of a study to its result on the list, and until everybody has it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use hemora_dimse::{Destination, Object, Reference, Timeouts, request_commitment};
use miette::{IntoDiagnostic, Result, miette};

use super::client::{Client, send_and_look, write};
use super::figures::percentile;
use super::orthanc::{AE, Orthanc};
use super::{Bench, Head, Row, load};
use crate::node::{Name, Node, free_port};
use crate::process::log;

/// How long a study may take.
const LONGEST: Duration = Duration::from_secs(120);

/// Seconds of each study.
#[derive(Default)]
struct Seconds {
    result: Vec<f64>,
    delivered: Vec<f64>,
}

/// Sends the heads one study after the other, and looks at the list until it has the result and until
/// Orthanc has acknowledged the objects and the RIS the message. First as any scanner sends, then as one
/// that asks for storage commitment.
pub fn latency(bench: &Bench<'_>, heads: &[Head]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (by, commitment, goal) in [("quiet", false, "≤ 6"), ("commitment", true, "≤ 2")] {
        log(format!("{} studies, settled by {by}; load {}", heads.len(), load()));
        let seconds = measure(bench, heads, commitment)?;
        let shown = |values: &[f64]| {
            format!("{:.2}, {:.2}", percentile(values, 0.5), percentile(values, 0.95))
        };
        let mut add = |what: &str, values: &[f64], goal: &str| {
            rows.push(Row {
                what: format!("last image → {what}, settled by {by}, p50 and p95, s"),
                orthanc: String::new(),
                hemora: shown(values),
                ratio: String::new(),
                goal: format!("p95 {goal}"),
            });
        };
        add("result on the list", &seconds.result, goal);
        add("SR in Orthanc and ORU acknowledged", &seconds.delivered, "≤ 8");
    }
    Ok(rows)
}

fn measure(bench: &Bench<'_>, heads: &[Head], commitment: bool) -> Result<Seconds> {
    // A fresh node, which has computed nothing of these slices before.
    let orthanc = Orthanc::start(&bench.fresh("orthanc")?, Client::Default)?;
    let port = free_port()?;
    let config = format!(
        "[node]\nresearch_protocol = \"benchmark\"\n[dicom]\nlisten = \"127.0.0.1:{port}\"\n\
         [[destination]]\nname = \"{AE}\"\nkind = \"dicom\"\nae = \"{AE}\"\n\
         host = \"127.0.0.1:{}\"\n\
         [[destination]]\nname = \"RIS\"\nkind = \"hl7\"\nhost = \"127.0.0.1:{}\"\n",
        orthanc.port(),
        ris()?
    );
    let node = Node::start(&bench.program, &bench.fresh("hemora")?, &config)?;
    node.ready(LONGEST)?;
    let mut seconds = Seconds::default();
    for (study, head) in heads.iter().enumerate() {
        let name = |image| Name { study, image, localizer: false };
        let slices = head.iter().enumerate().map(|(image, slice)| (name(image), slice));
        let files = write(&bench.fresh("study")?, slices)?;
        let last = send_and_look(port, &files)?;
        if commitment {
            ask_for_commitment(port, &files)?;
        }
        let path = format!("/api/v1/studies/{}", name(0).study_uid());
        seconds.result.push(since(last, &node, &path, |study| study["class"].is_string())?);
        let is_delivered = |study: &serde_json::Value| study["state"] == "delivered";
        seconds.delivered.push(since(last, &node, &path, is_delivered)?);
        let settled = node.get(&path)?["settled_by"].clone();
        if settled != if commitment { "commitment" } else { "quiet" } {
            return Err(miette!("the study was settled by {settled}"));
        }
    }
    // SR, secondary capture and key objects, where there are key slices.
    if orthanc.instances()? < heads.len() as u64 {
        return Err(miette!("Orthanc has {} objects only", orthanc.instances()?));
    }
    Ok(seconds)
}

/// Seconds from `last` until a study is as is wanted.
fn since(
    last: Instant,
    node: &Node,
    path: &str,
    is_so: impl Fn(&serde_json::Value) -> bool,
) -> Result<f64> {
    loop {
        let study = node.get(path)?;
        if is_so(&study) {
            return Ok(last.elapsed().as_secs_f64());
        }
        if last.elapsed() > LONGEST {
            return Err(miette!("not after {} s: {study:#}", LONGEST.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn ask_for_commitment(port: u16, files: &[PathBuf]) -> Result<()> {
    let mut references = Vec::new();
    for file in files {
        let file = std::fs::read(file).into_diagnostic()?;
        let object = Object::from_part10(&file).into_diagnostic()?;
        references.push(Reference {
            sop_class_uid: object.sop_class_uid,
            sop_instance_uid: object.sop_instance_uid,
        });
    }
    let node = Destination {
        ae: "HEMORA".parse().into_diagnostic()?,
        host: format!("127.0.0.1:{port}"),
        calling: "CT1".parse().into_diagnostic()?,
        timeouts: Timeouts::default(),
    };
    let transaction = format!("{}.9", references[0].sop_instance_uid);
    let report = request_commitment(&node, &transaction, &references, Duration::from_secs(5));
    match report.into_diagnostic()? {
        Some(report) if report.failed.is_empty() => Ok(()),
        other => Err(miette!("the node does not commit itself: {other:?}")),
    }
}

/// A RIS that accepts every message (MLLP); its port.
fn ris() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").into_diagnostic()?;
    let port = listener.local_addr().into_diagnostic()?.port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(std::result::Result::ok) {
            let mut frame = Vec::new();
            let mut buffer = [0; 4096];
            while !frame.ends_with(b"\x1c\r") {
                match stream.read(&mut buffer) {
                    Ok(read) if read > 0 => frame.extend(&buffer[..read]),
                    _ => break,
                }
            }
            let text = String::from_utf8_lossy(&frame);
            let control = text.split('|').nth(9).unwrap_or_default();
            let answer =
                format!("\x0bMSH|^~\\&|RIS||H||20261127||ACK|1|P|2.5.1\rMSA|AA|{control}\r\x1c\r");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    Ok(port)
}
