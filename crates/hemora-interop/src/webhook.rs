//! The result as JSON for a webhook, and the signature by which the receiver knows who sent it.

use hemora_base::hex;
use hemora_ct::{Label, NOTICE, Probabilities};
use hemora_model::Verdict;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::report::{Class, Finding, KeyImage, Report};
use crate::{report_sentence, text};

/// Version of the body; a receiver should refuse others.
const SCHEMA_VERSION: u32 = 1;

/// The result as JSON. What tells whose the study is, its accession number included, is in it only with
/// `phi`.
pub fn webhook_body(report: &Report, phi: bool) -> Vec<u8> {
    let mut body = json!({
        "schema_version": SCHEMA_VERSION,
        "notice": NOTICE,
        "study_instance_uid": report.identity.study_instance_uid,
        "revision": report.revision,
        "made_at": report.local_time().to_rfc3339(),
        "class": class(report.class),
        "sentence": report_sentence(report),
        "may_be_incomplete": report.may_be_incomplete,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "key_images": report.key_images.iter().map(key_image).collect::<Vec<_>>(),
        "warnings": report.warnings,
        "operating_point": report.operating_point,
        "model": {
            "name": report.model.name,
            "version": report.model.version,
            "sha256": report.model.sha256,
        },
        "node": {
            "name": report.node.name,
            "ae_title": report.node.ae_title,
            "uid": report.node.uid,
            "version": report.node.version,
            "engine": report.engine,
        },
        "link": report.link,
    });
    if phi {
        body["patient"] = patient(report);
    }
    body.to_string().into_bytes()
}

/// What the header `X-Hemora-Signature` says of a body: `sha256=` and its HMAC-SHA-256 (RFC 2104) in
/// lower-case hexadecimal.
pub fn sign(secret: &[u8], body: &[u8]) -> String {
    // A key of any length is allowed.
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

fn patient(report: &Report) -> Value {
    let identity = &report.identity;
    json!({
        "patient_id": text::line(&identity.patient_id),
        "issuer_of_patient_id": text::line(&identity.issuer_of_patient_id),
        "name": text::person_name(&identity.patient_name),
        "birth_date": text::date(&identity.patient_birth_date),
        "sex": text::sex(&identity.patient_sex),
        "accession_number": text::line(&identity.accession_number),
        "study_date": text::date(&identity.study_date),
        "study_time": text::time(&identity.study_time),
        "study_description": text::line(&identity.study_description),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "label": finding.label,
        "probability": finding.probability,
        "presence": match finding.presence {
            Verdict::Present => "present",
            Verdict::Absent => "absent",
            Verdict::NotSure => "not_sure",
        },
        "absent_below": finding.thresholds.map(|thresholds| thresholds.absent_below),
        "present_from": finding.thresholds.map(|thresholds| thresholds.present_from),
        "reasons": finding.reasons,
    })
}

fn key_image(image: &KeyImage) -> Value {
    json!({
        "sop_class_uid": image.sop_class_uid,
        "sop_instance_uid": image.sop_instance_uid,
        "series_instance_uid": image.series_instance_uid,
        "frame": image.frame,
        "z_mm": image.z_mm,
        "probabilities": probabilities(image.probabilities),
        "flagged": image.flagged,
    })
}

/// Each as the shortest number that is it, which is not that of its exact value.
fn probabilities(probabilities: Probabilities) -> Value {
    let short = |value: f32| value.to_string().parse::<f64>().unwrap_or(0.0);
    let of = |label: Label| (label.name().to_owned(), json!(short(probabilities.get(label))));
    Value::Object(Label::ALL.map(of).into_iter().collect::<Map<_, _>>())
}

fn class(class: Class) -> &'static str {
    match class {
        Class::Positive => "positive",
        Class::NotSure => "not_sure",
        Class::Negative => "negative",
    }
}
