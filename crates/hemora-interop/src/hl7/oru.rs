//! The result as ORU^R01 (HL7 v2.5.1 §7.3.1).

use hemora_ct::NOTICE;
use hemora_model::Verdict;

use super::escape::{components, escape};
use super::segment::{Segment, message};
use super::template::Template;
use crate::codes::{self, Code};
use crate::report::{Class, Finding, Report};
use crate::sentence::percent_value;
use crate::uid::{Kind, result_uid, uuid};
use crate::{InteropError, report_sentence, report_uid, text};

/// Most bytes of a line of text, within the 199 that HL7 v2.5.1 gives an ST.
const LINE_LIMIT: usize = 180;

/// How a message is addressed, and what it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OruOptions {
    /// MSH-3; the node's application entity title if empty.
    pub sending_application: String,
    /// MSH-4.
    pub sending_facility: String,
    /// MSH-5.
    pub receiving_application: String,
    /// MSH-6.
    pub receiving_facility: String,
    /// Whether the message says whose the study is; without, it has neither a PID segment nor the accession
    /// number.
    pub phi: bool,
    /// Whether a positive result asks for priority S. Others never ask for any: a low one could take
    /// back what a person ordered.
    pub priority: bool,
    /// What the site wants to be different.
    pub template: Option<Template>,
}

/// The result as a message, segments ended by carriage returns, without a frame. OBR-3 is the same for all
/// revisions of a study, so that the receiver replaces what it has.
///
/// # Errors
/// [`InteropError`] if the report breaks its own rules.
pub fn oru(report: &Report, options: &OruOptions) -> Result<String, InteropError> {
    report.check()?;
    let mut segments = vec![header(report, options)];
    segments.extend(patient(report, options));
    segments.extend(order(report, options));
    let observations = observations(report).into_iter().enumerate();
    segments.extend(observations.map(|(index, mut segment)| {
        segment.fields.insert(1, (index + 1).to_string());
        segment
    }));
    if let Some(template) = &options.template {
        template.apply(&mut segments, &|name| placeholder(report, options, name));
    }
    Ok(message(&segments))
}

/// MSH-10 of the message: 20 characters, which is what the field holds; the same for the same revision and
/// receiver.
pub fn control_id(report: &Report, options: &OruOptions) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let study = &report.identity.study_instance_uid;
    let message = report_uid(&report.node.uid, study, report.revision, Kind::Message);
    let receiver = [&options.receiving_application, &options.receiving_facility];
    let bits = uuid(&[&message, receiver[0], receiver[1]]).as_u128();
    (0..20).map(|at| char::from(LETTERS[(bits >> (5 * at)) as usize % 32])).collect()
}

fn header(report: &Report, options: &OruOptions) -> Segment {
    let application = match options.sending_application.as_str() {
        "" => &report.node.ae_title,
        given => given,
    };
    Segment::new(
        "MSH",
        [
            (2, "^~\\&".to_owned()),
            (3, escape(application)),
            (4, escape(&options.sending_facility)),
            (5, escape(&options.receiving_application)),
            (6, escape(&options.receiving_facility)),
            (7, made_at(report)),
            (9, "ORU^R01^ORU_R01".to_owned()),
            (10, control_id(report, options)),
            (11, "P".to_owned()),
            (12, "2.5.1".to_owned()),
            (18, "UNICODE UTF-8".to_owned()),
        ],
    )
}

/// PID-3 and PID-5 are required: without an identifier there is no segment, without a name its type is U,
/// unspecified (table 0200).
fn patient(report: &Report, options: &OruOptions) -> Option<Segment> {
    let identity = &report.identity;
    let id = text::value(&identity.patient_id, 64);
    if !options.phi || id.is_empty() {
        return None;
    }
    // A namespace (IS) has at most 20 characters; half a one would name another.
    let issuer = text::line(&identity.issuer_of_patient_id);
    let issuer = if issuer.chars().count() <= 20 { issuer.as_str() } else { "" };
    Some(Segment::new(
        "PID",
        [
            (1, "1".to_owned()),
            (3, components(&[&id, "", "", issuer])),
            (5, name(&identity.patient_name)),
            (7, text::date(&identity.patient_birth_date).to_owned()),
            (8, text::sex(&identity.patient_sex).to_owned()),
        ],
    ))
}

/// A DICOM name as XPN: HL7 has the suffix before the prefix, and a repetition for each way of writing.
fn name(name: &str) -> String {
    let groups = text::name_groups(name);
    let several = groups.len() > 1;
    let written = groups.iter().zip(["A", "I", "P"]).filter(|(parts, _)| !parts.is_empty());
    let names: Vec<String> = written
        .map(|(parts, how)| {
            let part = |at: usize| parts.get(at).map_or("", String::as_str);
            let how = if several { how } else { "" };
            components(&[part(0), part(1), part(2), part(4), part(3), "", "", how])
        })
        .collect();
    if names.is_empty() { components(&["", "", "", "", "", "", "U"]) } else { names.join("~") }
}

fn order(report: &Report, options: &OruOptions) -> Vec<Segment> {
    let identity = &report.identity;
    let filler = components(&[&result_uid(report), "HEMORA"]);
    let asks = options.priority && report.class == Class::Positive;
    let accession = match options.phi {
        true => escape(&text::value(&identity.accession_number, 64)),
        false => String::new(),
    };
    let at = match text::date(&identity.study_date) {
        "" => String::new(),
        date => format!("{date}{}", text::time(&identity.study_time)),
    };
    let order = Segment::new("ORC", [(1, "RE".to_owned()), (3, filler.clone())]);
    let request = Segment::new(
        "OBR",
        [
            (1, "1".to_owned()),
            (3, filler),
            (4, coded(&codes::TRIAGE)),
            (7, at),
            (18, accession),
            (22, made_at(report)),
            (24, "CT".to_owned()),
            (25, "P".to_owned()),
            (27, if asks { "^^^^^S".to_owned() } else { String::new() }),
        ],
    );
    // Some receivers read the priority here, others in OBR-27.
    let priority = || Segment::new("TQ1", [(1, "1".to_owned()), (9, "S^Stat^HL70485".to_owned())]);
    [order, request].into_iter().chain(asks.then(priority)).collect()
}

fn observations(report: &Report) -> Vec<Segment> {
    let model = &report.model;
    let [name, version] = [&model.name, &model.version].map(|it| text::value(it, 40));
    let model = format!("{name} {version}, sha256 {}", text::value(&model.sha256, 64));
    let study = codes::STUDY_UID;
    let mut all = vec![observation("CWE", &codes::CLASS, coded(&codes::class(report.class)))];
    all.extend(report.findings.iter().map(probability));
    all.extend(lines(&codes::SENTENCE, &report_sentence(report)));
    all.push(observation("ST", &codes::MODEL, escape(&model)));
    all.push(observation("ST", &study, escape(&report.identity.study_instance_uid)));
    all.extend(lines(&codes::WARNING, &report.warnings.join(" ")));
    all.push(observation("TX", &codes::NOTICE, escape(NOTICE)));
    all.extend(report.link.as_ref().map(|link| {
        let pointer = components(&[&text::line(link), "HEMORA", "text", "html"]);
        observation("RP", &codes::LINK, pointer)
    }));
    all
}

/// The probability of a label in %, abnormal if it is called present; of what is not sure nothing is
/// said, since table 0078 has no flag for it.
fn probability(finding: &Finding) -> Segment {
    let value = percent_value(finding.probability).to_string();
    let mut segment = observation("NM", &codes::finding(finding.label), value);
    let flag = match finding.presence {
        Verdict::Present => "A",
        Verdict::Absent => "N",
        Verdict::NotSure => "",
    };
    segment.fields.insert(6, coded(&codes::PERCENT));
    if let Some(thresholds) = finding.thresholds {
        let [below, from] = [thresholds.absent_below, thresholds.present_from].map(percent_value);
        segment.fields.insert(7, format!("absent <{below}, present >={from}"));
    }
    segment.fields.insert(8, flag.to_owned());
    segment
}

/// A text as one OBX a line, numbered in OBX-4, as reports are sent: many receivers cut longer values.
fn lines(code: &Code<'_>, words: &str) -> Vec<Segment> {
    let mut lines: Vec<String> = Vec::new();
    for word in text::line(words).split(' ').filter(|word| !word.is_empty()) {
        // A word that fills lines by itself is cut into pieces; an escaped letter is no more than 9 bytes.
        let letters: Vec<char> = word.chars().collect();
        for piece in letters.chunks(LINE_LIMIT / 9) {
            let piece = escape(&piece.iter().collect::<String>());
            match lines.last_mut().filter(|line| line.len() + 1 + piece.len() <= LINE_LIMIT) {
                Some(line) => {
                    line.push(' ');
                    line.push_str(&piece);
                }
                None => lines.push(piece),
            }
        }
    }
    let numbered = lines.into_iter().enumerate().map(|(index, line)| {
        let mut segment = observation("TX", code, line);
        segment.fields.insert(4, (index + 1).to_string());
        segment
    });
    numbered.collect()
}

fn observation(value_type: &str, code: &Code<'_>, value: String) -> Segment {
    let status = (11, "P".to_owned());
    Segment::new("OBX", [(2, value_type.to_owned()), (3, coded(code)), (5, value), status])
}

fn coded(code: &Code<'_>) -> String {
    components(&[code.value, code.meaning, code.scheme])
}

fn made_at(report: &Report) -> String {
    report.local_time().format("%Y%m%d%H%M%S%z").to_string()
}

fn placeholder(report: &Report, options: &OruOptions, name: &str) -> String {
    let identity = &report.identity;
    let procedure = |at: usize| match &identity.procedure_code {
        Some(code) => text::line(&code[at]),
        None => String::new(),
    };
    match name {
        "study_uid" => identity.study_instance_uid.clone(),
        "procedure_code" => procedure(0),
        "procedure_meaning" => procedure(2),
        "result_uid" => result_uid(report),
        "class" => report.class.words().to_owned(),
        "revision" => report.revision.to_string(),
        "sentence" => report_sentence(report),
        "made_at" => made_at(report),
        _ if !options.phi => String::new(),
        "patient_id" => text::value(&identity.patient_id, 64),
        "issuer_of_patient_id" => text::value(&identity.issuer_of_patient_id, 64),
        "patient_name" => text::person_name(&identity.patient_name).replace(['^', '='], " "),
        "birth_date" => text::date(&identity.patient_birth_date).to_owned(),
        "sex" => text::sex(&identity.patient_sex).to_owned(),
        "accession_number" => text::value(&identity.accession_number, 64),
        "study_id" => text::value(&identity.study_id, 64),
        _ => String::new(),
    }
}
