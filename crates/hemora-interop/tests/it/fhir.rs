//! That fhir.resources reads every resource as FHIR R4B has it.

use hemora_interop::fhir_bundle;
use serde_json::{Value, json};

use crate::support::{all, full, not_sure};

const READER: &str = r#"
import json, sys
from fhir.resources.R4B.bundle import Bundle
for text in json.load(sys.stdin):
    bundle = Bundle.model_validate(text)
    for entry in bundle.entry:
        kind = entry.resource.get_resource_type()
        assert kind in ('Observation', 'DiagnosticReport'), kind
        module = __import__('fhir.resources.R4B.' + kind.lower(), fromlist=[kind])
        getattr(module, kind).model_validate_json(entry.resource.model_dump_json())
    [report] = [e.resource for e in bundle.entry if e.resource.get_resource_type() == 'DiagnosticReport']
    urls = [e.fullUrl for e in bundle.entry]
    assert len(set(urls)) == len(urls)
    assert all(r.reference in urls for r in report.result)
print('read', end='')
"#;

#[test]
fn every_resource_is_read() {
    let Some(python) = hemora_testing::python() else { return };
    let bundles: Vec<Value> = all()
        .iter()
        .flat_map(|(_, report)| [true, false].map(|phi| fhir_bundle(report, phi)))
        .collect();
    let input = json!(bundles).to_string();
    let output = hemora_testing::run_python(&python, READER, &[""; 0], input.as_bytes());
    assert_eq!(output, b"read");
}

/// Reads `/request/url` of each entry.
fn urls(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().unwrap();
    entries.iter().map(|entry| entry["request"]["url"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn resources_hold_the_result_and_replace_those_of_earlier_revisions() {
    let bundle = fhir_bundle(&full(), true);
    assert_eq!(bundle, fhir_bundle(&full(), true));
    let entries = bundle["entry"].as_array().unwrap();
    assert_eq!(entries.len(), 7);
    assert!(entries.iter().all(|entry| entry["request"]["method"] == "PUT"));
    assert_eq!(urls(&bundle), urls(&fhir_bundle(&not_sure(), true)), "the same resources");
    for (entry, url) in entries.iter().zip(urls(&bundle)) {
        let identifier = entry["resource"]["identifier"][0]["value"].as_str().unwrap();
        let kind = entry["resource"]["resourceType"].as_str().unwrap();
        assert_eq!(url, format!("{kind}?identifier=urn:ietf:rfc:3986|{identifier}"));
    }
    let any = &entries[0]["resource"];
    assert_eq!(any["valueQuantity"]["value"], 97.32);
    assert_eq!(any["code"]["coding"][0]["code"], "1386000");
    assert_eq!(any["code"]["coding"][0]["system"], "http://snomed.info/sct");
    assert_eq!(any["interpretation"][0]["coding"][0]["code"], "POS");
    assert_eq!(any["subject"]["identifier"]["value"], "P-4711");
    assert_eq!(any["effectiveDateTime"], "2026-11-27");
    assert_eq!(any["issued"], "2026-11-28T00:30:05+01:00");
    let report = &entries[6]["resource"];
    assert_eq!(report["status"], "preliminary");
    assert_eq!(report["basedOn"][0]["identifier"]["value"], "A-2026-1");
    let study = &report["imagingStudy"][0]["identifier"]["value"];
    assert_eq!(study, "urn:oid:1.2.826.0.1.3680043.8.498.5");
    let private = &report["code"]["coding"][0]["system"];
    assert!(private.as_str().unwrap().starts_with("urn:oid:2.25."));
}

#[test]
fn without_phi_nothing_names_anybody() {
    let text = fhir_bundle(&full(), false).to_string();
    for secret in ["Doe", "Jane", "4711", "1950", "A-2026-1", "House", "GENERAL"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
