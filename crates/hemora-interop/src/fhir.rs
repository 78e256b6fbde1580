//! The result as a FHIR R4 transaction: a preliminary DiagnosticReport, and an Observation a label.

use hemora_ct::{Label, NOTICE};
use hemora_model::Verdict;
use serde_json::{Value, json};

use crate::codes::{self, Code, PRIVATE_SCHEME};
use crate::report::{Class, Finding, Report};
use crate::sentence::percent_value;
use crate::uid::{result_uid, tracking_uid, uuid};
use crate::{report_sentence, text};

/// The result as a Bundle to be posted to a server's base address. Every resource is put by its
/// identifier (conditional update, FHIR R4 §3.1.0.4.3), which is the same for all revisions of a study:
/// what is sent twice makes no double, and a later revision replaces an earlier one. Without `phi` nothing
/// tells whose the study is, its accession number included.
pub fn fhir_bundle(report: &Report, phi: bool) -> Value {
    let observations = report.findings.iter().map(|it| observation(report, it, phi));
    let diagnostic = diagnostic_report(report, phi);
    let entries: Vec<Value> = observations.chain([diagnostic]).collect();
    json!({
        "resourceType": "Bundle",
        "type": "transaction",
        "timestamp": made_at(report),
        "entry": entries,
    })
}

fn diagnostic_report(report: &Report, phi: bool) -> Value {
    let results = report.findings.iter().map(|finding| {
        let uid = tracking_uid(report, finding.label);
        json!({ "reference": full_url(&uid), "display": codes::finding(finding.label).meaning })
    });
    let mut resource = json!({
        "resourceType": "DiagnosticReport",
        "status": "preliminary",
        "category": [concept("http://terminology.hl7.org/CodeSystem/v2-0074", "CT", "CAT Scan")],
        "code": coded(&codes::TRIAGE),
        "imagingStudy": [{
            "identifier": {
                "system": "urn:dicom:uid",
                "value": urn(&report.identity.study_instance_uid),
            },
        }],
        "result": results.collect::<Vec<_>>(),
        "conclusion": report_sentence(report),
        "conclusionCode": [coded(&codes::class(report.class))],
    });
    if report.class == Class::Positive {
        let present = coded(&codes::finding(Label::Any));
        resource["conclusionCode"] = json!([coded(&codes::class(report.class)), present]);
    }
    let accession = text::line(&report.identity.accession_number);
    if phi && !accession.is_empty() {
        let kind = concept("http://terminology.hl7.org/CodeSystem/v2-0203", "ACSN", "Accession ID");
        resource["basedOn"] = json!([{
            "type": "ServiceRequest",
            "identifier": { "type": kind, "value": accession },
        }]);
    }
    entry(report, resource, &result_uid(report), phi)
}

fn observation(report: &Report, finding: &Finding, phi: bool) -> Value {
    let (flag, words) = match finding.presence {
        Verdict::Present => ("POS", "Positive"),
        Verdict::Absent => ("NEG", "Negative"),
        Verdict::NotSure => ("IND", "Indeterminate"),
    };
    let system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
    let imaging = "http://terminology.hl7.org/CodeSystem/observation-category";
    let model = &report.model;
    let method = format!("Hemora, model {} {}, sha256 {}", model.name, model.version, model.sha256);
    let reasons = finding.reasons.iter().map(|it| text::line(it)).filter(|it| !it.is_empty());
    let notes = std::iter::once(NOTICE.to_owned()).chain(reasons);
    let mut resource = json!({
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [concept(imaging, "imaging", "Imaging")],
        "code": coded(&codes::finding(finding.label)),
        "valueQuantity": {
            "value": percent_value(finding.probability),
            "unit": codes::PERCENT.meaning,
            "system": "http://unitsofmeasure.org",
            "code": codes::PERCENT.value,
        },
        "interpretation": [concept(system, flag, words)],
        "bodySite": coded(&codes::BRAIN),
        "method": { "text": text::line(&method) },
        "device": { "display": text::line(&report.node.name) },
        "note": notes.map(|text| json!({ "text": text })).collect::<Vec<_>>(),
    });
    if let Some(thresholds) = finding.thresholds {
        let [below, from] = [thresholds.absent_below, thresholds.present_from].map(percent_value);
        let words = format!("absent below {below} %, present from {from} %");
        resource["referenceRange"] = json!([{ "text": words }]);
    }
    entry(report, resource, &tracking_uid(report, finding.label), phi)
}

/// An entry of the transaction, with what all resources say.
fn entry(report: &Report, mut resource: Value, uid: &str, phi: bool) -> Value {
    resource["identifier"] = json!([{ "system": "urn:ietf:rfc:3986", "value": urn(uid) }]);
    resource["issued"] = json!(made_at(report));
    if let Some(date) = study_date(report) {
        resource["effectiveDateTime"] = json!(date);
    }
    if let Some(subject) = subject(report).filter(|_| phi) {
        resource["subject"] = subject;
    }
    let kind = resource["resourceType"].as_str().unwrap_or_default().to_owned();
    let url = format!("{kind}?identifier=urn:ietf:rfc:3986|{}", urn(uid));
    json!({
        "fullUrl": full_url(uid),
        "resource": resource,
        "request": { "method": "PUT", "url": url },
    })
}

/// The patient as far as the images tell, as a logical reference: which resource it is, the server knows.
fn subject(report: &Report) -> Option<Value> {
    let id = text::line(&report.identity.patient_id);
    if id.is_empty() {
        return None;
    }
    let mut identifier = json!({ "value": id });
    let issuer = text::line(&report.identity.issuer_of_patient_id);
    if !issuer.is_empty() {
        identifier["assigner"] = json!({ "display": issuer });
    }
    let mut subject = json!({ "type": "Patient", "identifier": identifier });
    let name =
        text::line(&text::person_name(&report.identity.patient_name).replace(['^', '='], " "));
    if !name.is_empty() {
        subject["display"] = json!(name);
    }
    Some(subject)
}

/// Without its time, whose zone the images do not tell.
fn study_date(report: &Report) -> Option<String> {
    let date = text::date(&report.identity.study_date);
    (!date.is_empty()).then(|| format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]))
}

fn made_at(report: &Report) -> String {
    report.local_time().format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn concept(system: &str, code: &str, display: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code, "display": display }] })
}

fn coded(code: &Code<'_>) -> Value {
    let system = match code.scheme {
        "SCT" => "http://snomed.info/sct".to_owned(),
        PRIVATE_SCHEME => {
            format!("urn:oid:2.25.{}", uuid(&["coding scheme", PRIVATE_SCHEME]).as_u128())
        }
        other => format!("http://terminology.hl7.org/CodeSystem/{other}"),
    };
    let mut concept = concept(&system, code.value, code.meaning);
    concept["text"] = json!(code.meaning);
    concept
}

/// As a URI; identifiers of the competition's form are none.
fn urn(uid: &str) -> String {
    let is_dotted = uid.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_dotted { format!("urn:oid:{uid}") } else { uid.to_owned() }
}

/// A name within the transaction.
fn full_url(uid: &str) -> String {
    format!("urn:uuid:{}", uuid(&["fhir", uid]))
}
