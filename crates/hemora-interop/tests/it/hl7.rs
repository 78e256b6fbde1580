//! That hl7apy, strict, reads every message with the values that went in.

use std::collections::BTreeMap;

use hemora_interop::{OruOptions, Template, control_id, mllp, oru, parse_ack, report_sentence};
use serde_json::{Value, json};

use crate::support::{all, anonymous, full, hostile, not_latin, not_sure};

/// Parses and validates the messages of stdin (a JSON list), and prints their fields by name.
const READER: &str = r#"
import json, sys
from hl7apy.parser import parse_message
from hl7apy.consts import VALIDATION_LEVEL
def fields(segment):
    found = {}
    for child in segment.children:
        found.setdefault(child.name, []).append(child.to_er7())
    return found
out = []
for text in json.load(sys.stdin):
    message = parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)
    assert message.validate()
    assert message.to_er7() == text.rstrip('\r'), (message.to_er7(), text)
    segments = []
    def walk(element):
        for child in element.children:
            if child.classname == 'Segment': segments.append([child.name, fields(child)])
            else: walk(child)
    walk(message)
    out.append(segments)
json.dump(out, sys.stdout)
"#;

fn options(phi: bool, priority: bool) -> OruOptions {
    OruOptions {
        sending_application: "HEMORA".into(),
        sending_facility: "GENERAL".into(),
        receiving_application: "RIS".into(),
        receiving_facility: "RAD&1".into(),
        phi,
        priority,
        template: None,
    }
}

/// The fields of each message as hl7apy names them.
fn read(messages: &[String]) -> Option<Vec<Value>> {
    let python = hemora_testing::python()?;
    let input = json!(messages).to_string();
    let output = hemora_testing::run_python(&python, READER, &[""; 0], input.as_bytes());
    Some(serde_json::from_slice(&output).unwrap())
}

/// The values of a field in the segments of a name.
fn values(message: &Value, segment: &str, field: usize) -> Vec<String> {
    let name = format!("{segment}_{field}");
    let of_name = message.as_array().unwrap().iter().filter(|it| it[0] == segment);
    of_name
        .map(|it| {
            let repetitions = it[1][&name].as_array().cloned().unwrap_or_default();
            let texts: Vec<&str> = repetitions.iter().map(|it| it.as_str().unwrap()).collect();
            texts.join("~")
        })
        .collect()
}

#[test]
fn every_message_passes_strictly() {
    let variants = [(true, true), (true, false), (false, true), (false, false)];
    let messages: Vec<String> = all()
        .iter()
        .flat_map(|(_, report)| {
            variants.map(|(phi, priority)| oru(report, &options(phi, priority)).unwrap())
        })
        .collect();
    let Some(read) = read(&messages) else { return };
    assert_eq!(read.len(), 20);
    for (message, text) in read.iter().zip(&messages) {
        let names: Vec<&str> =
            message.as_array().unwrap().iter().map(|it| it[0].as_str().unwrap()).collect();
        let lines: Vec<&str> = text.split_terminator('\r').map(|line| &line[..3]).collect();
        assert_eq!(names, lines, "no text makes a segment of its own");
    }
}

#[test]
fn a_message_holds_the_result() {
    let report = full();
    let text = oru(&report, &options(true, true)).unwrap();
    assert_eq!(text, oru(&report, &options(true, true)).unwrap());
    let Some(read) = read(&[text]) else { return };
    let message = &read[0];
    let one = |segment, field| values(message, segment, field).join("+");
    assert_eq!(one("MSH", 3), "HEMORA");
    assert_eq!(one("MSH", 6), "RAD\\T\\1");
    assert_eq!(one("MSH", 7), "20261128003005+0100");
    assert_eq!(one("MSH", 9), "ORU^R01^ORU_R01");
    assert_eq!(one("MSH", 10), control_id(&report, &options(true, true)));
    assert_eq!(one("MSH", 10).len(), 20);
    assert_eq!(one("MSH", 12), "2.5.1");
    assert_eq!(one("MSH", 18), "UNICODE UTF-8");
    assert_eq!(one("PID", 3), "P-4711^^^GENERAL");
    assert_eq!(one("PID", 5), "Doe^Jane^Mary^MSc^Dr.");
    assert_eq!(one("PID", 7), "19500203");
    assert_eq!(one("PID", 8), "F");
    assert_eq!(one("ORC", 1), "RE");
    assert_eq!(one("OBR", 3), one("ORC", 3));
    assert!(one("OBR", 3).starts_with("2.25.") && one("OBR", 3).ends_with("^HEMORA"));
    assert_eq!(one("OBR", 4), "HEMORA-ICH^Intracranial hemorrhage triage^99HEMORA");
    assert_eq!(one("OBR", 7), "20261127101500.5");
    assert_eq!(one("OBR", 18), "A-2026-1");
    assert_eq!(one("OBR", 25), "P");
    assert_eq!(one("OBR", 27), "^^^^^S");
    assert_eq!(one("TQ1", 9), "S^Stat^HL70485");
    let types = values(message, "OBX", 2).join(" ");
    assert_eq!(types, "CWE NM NM NM NM NM NM TX TX ST ST TX TX RP");
    let column = |field| values(message, "OBX", field);
    assert_eq!(column(5)[0], "POSITIVE^Intracranial hemorrhage called present^99HEMORA");
    assert_eq!(column(3)[1], "1386000^Intracranial hemorrhage^SCT");
    assert_eq!(column(3)[4], "IVH^Intraventricular hemorrhage^99HEMORA");
    assert_eq!(column(5)[1..7], ["97.32", "0.4", "5", "31", "12", "84"]);
    assert_eq!(column(6)[1], "%^percent^UCUM");
    assert_eq!(column(7)[1..3], ["absent <25, present >=60", ""]);
    assert_eq!(column(8)[1..7], ["A", "N", "N", "", "N", "A"]);
    assert!(column(11).iter().all(|status| status == "P"));
    assert_eq!(column(5)[7..9].join(" "), report_sentence(&report));
    assert_eq!(column(4)[7..9], ["1", "2"]);
    assert!(column(5)[9].contains(&report.model.sha256));
    assert_eq!(column(5)[10], report.identity.study_instance_uid);
    assert_eq!(column(5)[11], report.warnings[0]);
    assert_eq!(
        column(5)[12],
        "For research use only. Not a medical device, not for diagnosis or treatment."
    );
    assert_eq!(column(5)[13], "http://127.0.0.1:8050/study/1.2.3?a=1\\T\\b=2^HEMORA^text^html");
}

#[test]
fn only_a_positive_result_asks_for_priority_and_only_where_it_may() {
    let mut negative = full();
    negative.class = hemora_interop::Class::Negative;
    let messages = [
        oru(&full(), &options(true, false)).unwrap(),
        oru(&not_sure(), &options(true, true)).unwrap(),
        oru(&negative, &options(true, true)).unwrap(),
    ];
    let Some(read) = read(&messages) else { return };
    for message in &read {
        assert_eq!(values(message, "OBR", 27), [""]);
        assert!(values(message, "TQ1", 9).is_empty());
    }
}

#[test]
fn without_phi_a_message_names_nobody() {
    let secrets = ["Doe", "Jane", "4711", "19500203", "A-2026-1", "House", "GENERAL^"];
    let plain = oru(&full(), &options(false, true)).unwrap();
    for secret in secrets {
        assert!(!plain.contains(secret), "{secret}");
    }
    assert!(!plain.contains("PID|"));
    // Nor through a template.
    let all = Template::PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(" ");
    let fields = BTreeMap::from([("OBR-13".to_owned(), all)]);
    let template = Some(Template::try_from(fields).unwrap());
    let filled = oru(&full(), &OruOptions { template, ..options(false, true) }).unwrap();
    for secret in secrets {
        assert!(!filled.contains(secret), "{secret}");
    }
    assert!(filled.contains("1.2.826.0.1.3680043.8.498.5 "));
}

#[test]
fn names_of_every_script_and_hostile_texts_come_back() {
    let messages = [
        oru(&not_latin(), &options(true, false)).unwrap(),
        oru(&hostile(), &options(true, false)).unwrap(),
        oru(&anonymous(), &options(true, false)).unwrap(),
    ];
    let Some(read) = read(&messages) else { return };
    let name = "Wang^XiaoDong^^^^^^A~王^小東^^^^^^I~Ωμέγα^Ж^^^^^^P";
    assert_eq!(values(&read[0], "PID", 5), [name]);
    assert_eq!(values(&read[0], "PID", 3), ["ПАЦИЕНТ-Ü^^^GENERAL"]);
    assert_eq!(values(&read[1], "PID", 5), ["Do\\F\\e^Ja\\R\\ne/\\T\\ OBX\\F\\9\\F\\^^^[2J"]);
    assert_eq!(values(&read[1], "PID", 3), ["P\\F\\\\S\\\\R\\/\\T\\ PID\\F\\2"]);
    assert_eq!(values(&read[1], "PID", 7), [""]);
    assert!(values(&read[2], "PID", 3).is_empty(), "no identifier, no segment");
}

#[test]
fn a_template_changes_fields_alone() {
    let fields: BTreeMap<String, String> = [
        ("PID-5", "{patient_name}^^^^^^D"),
        ("PV1-2", "O"),
        ("OBR-4", "CTHEAD^CT head^L"),
        ("OBR-18", ""),
        ("OBR-20", "{accession_number}-{revision}"),
        ("OBX-11", "F"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into();
    let template = Some(Template::try_from(fields).unwrap());
    let text = oru(&full(), &OruOptions { template, ..options(true, true) }).unwrap();
    let Some(read) = read(&[text]) else { return };
    let one = |segment, field| values(&read[0], segment, field).join("+");
    assert_eq!(one("PID", 5), "Doe Jane Mary Dr. MSc^^^^^^D");
    assert_eq!(one("PV1", 2), "O");
    assert_eq!(one("OBR", 4), "CTHEAD^CT head^L");
    assert_eq!(one("OBR", 18), "");
    assert_eq!(one("OBR", 20), "A-2026-1-1");
    assert!(values(&read[0], "OBX", 11).iter().all(|status| status == "F"));
    assert_eq!(one("PID", 3), "P-4711^^^GENERAL");
}

#[test]
fn control_identifiers_tell_receivers_and_revisions_apart() {
    let first = control_id(&full(), &options(true, true));
    assert_eq!(first, control_id(&full(), &options(true, true)));
    let mut later = full();
    later.revision = 2;
    assert_ne!(first, control_id(&later, &options(true, true)));
    let other = OruOptions { receiving_facility: "ER".into(), ..options(true, true) };
    assert_ne!(first, control_id(&full(), &other));
    let order = |report| {
        let text = oru(report, &options(true, true)).unwrap();
        text.split('\r').find(|line| line.starts_with("ORC")).unwrap().to_owned()
    };
    let unnamed = oru(&full(), &OruOptions::default()).unwrap();
    assert!(unnamed.starts_with("MSH|^~\\&|HEMORA||||"), "{unnamed}");
    assert_eq!(order(&full()), order(&later), "a revision replaces what the receiver has");
}

/// Reads a framed message on stdin with hl7apy and answers as its MLLP server would.
const RECEIVER: &str = r#"
import sys
from hl7apy.core import Message
from hl7apy.parser import parse_message
framed = sys.stdin.buffer.read()
assert framed[:1] == b'\x0b' and framed[-2:] == b'\x1c\r', framed
message = parse_message(framed[1:-2].decode('utf-8'))
ack = Message('ACK', version='2.5.1')
ack.msh.msh_9 = 'ACK^R01^ACK'
ack.msh.msh_10 = '99'
ack.msh.msh_11 = 'P'
ack.msa.msa_1 = sys.argv[1]
ack.msa.msa_2 = message.msh.msh_10.to_er7()
if sys.argv[1] != 'AA':
    ack.msa.msa_3 = 'unknown \\T\\ refused'
sys.stdout.buffer.write(ack.to_mllp().encode('utf-8'))
"#;

#[test]
fn answers_of_hl7apy_are_understood() {
    let Some(python) = hemora_testing::python() else { return };
    let message = oru(&not_latin(), &options(true, true)).unwrap();
    for (code, text) in [("AA", ""), ("AE", "unknown & refused"), ("AR", "unknown & refused")] {
        let framed = mllp::frame(&message);
        let answer = hemora_testing::run_python(&python, RECEIVER, &[code], &framed);
        let mut decoder = mllp::Decoder::new(1 << 16);
        decoder.push(&answer);
        let answer = decoder.next_message().unwrap().expect("a whole answer");
        let ack = parse_ack(&answer).unwrap();
        assert_eq!(ack.control_id, control_id(&not_latin(), &options(true, true)));
        assert_eq!(ack.code.is_accepted(), code == "AA");
        assert_eq!(ack.text, text);
    }
}
