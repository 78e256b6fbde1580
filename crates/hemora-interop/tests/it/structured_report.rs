//! That others find the values in the structured report.

use std::process::Command;

use hemora_interop::structured_report;
use serde_json::{Value, json};

use crate::support::{all, full, not_sure, write};

/// Prints the findings of a report as highdicom's reader sees them.
const READER: &str = r#"
import json, sys
import highdicom.sr as hd
from highdicom.sr import CodedConcept
sr = hd.srread(sys.argv[1])
report = sr.content
groups = report.get_image_measurement_groups()
def group(g):
    [measured] = g.get_measurements(name=CodedConcept('111012', 'DCM', 'Certainty of Finding'))
    presence = g.get_qualitative_evaluations(name=CodedConcept('705057003', 'SCT', 'Verdict'))
    return {
        'tracking': g.tracking_identifier, 'uid': g.tracking_uid,
        'finding': [g.finding_type.value, g.finding_type.scheme_designator],
        'sites': [site.ConceptCodeSequence[0].CodeValue for site in g.finding_sites],
        'certainty': measured.value, 'unit': measured.unit.value,
        'presence': [e.value.value for e in presence],
        'images': [i.referenced_sop_instance_uid for i in g.source_images] if hasattr(g, 'source_images')
            else [i.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for i in g[0].ContentSequence if i.ValueType == 'IMAGE'],
    }
contexts = report.get_observer_contexts(observer_type=CodedConcept('121007', 'DCM', 'Device'))
device = contexts[0].observer_identifying_attributes
json.dump({
    'groups': [group(g) for g in groups],
    'device': [device.uid, device.name, device.manufacturer_name, device.model_name, device.serial_number],
    'class': type(sr).__name__,
}, sys.stdout)
"#;

#[test]
fn highdicom_finds_every_group_with_its_value() {
    let Some(python) = hemora_testing::python() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, report) in all() {
        let path = write(folder.path(), name, &structured_report(&report).unwrap());
        let output = hemora_testing::run_python(&python, READER, &[&path], b"");
        let read: Value = serde_json::from_slice(&output).unwrap();
        assert_eq!(read["class"], "Comprehensive3DSR");
        let node = &report.node;
        let model = format!("{} {}", report.model.name, report.model.version);
        assert_eq!(read["device"], json!([node.uid, node.name, "Hemora", model, node.uid]));
        let groups = read["groups"].as_array().unwrap();
        assert_eq!(groups.len(), 6 + report.key_images.len(), "{name}");
        for (finding, group) in report.findings.iter().zip(groups) {
            let code = hemora_interop::codes::finding(finding.label);
            assert_eq!(group["finding"], json!([code.value, code.scheme]));
            let certainty = group["certainty"].as_f64().unwrap();
            assert!((certainty - finding.probability * 100.0).abs() < 0.005, "{group}");
            assert_eq!(group["unit"], "%");
            assert_eq!(group["sites"], json!(["12738006"]));
            let presence = hemora_interop::codes::presence(finding.presence).value;
            assert_eq!(group["presence"], json!([presence]));
            assert_eq!(group["images"], json!([]));
        }
        for (image, group) in report.key_images.iter().zip(&groups[6..]) {
            assert_eq!(group["finding"], json!(["1386000", "SCT"]));
            assert_eq!(group["certainty"], 97.0);
            assert_eq!(group["images"], json!([image.sop_instance_uid]));
            let present = if image.flagged.is_empty() { json!([]) } else { json!(["52101004"]) };
            assert_eq!(group["presence"], present);
        }
        let uids: std::collections::BTreeSet<_> =
            groups.iter().map(|group| group["uid"].as_str().unwrap()).collect();
        assert_eq!(uids.len(), groups.len(), "each finding is followed by itself");
    }
}

#[test]
fn dcmtk_prints_the_tree() {
    let Some(dsrdump) = hemora_testing::program("dsrdump", "apt-get install dcmtk") else { return };
    let folder = tempfile::tempdir().unwrap();
    let dump = |name: &str, report: &hemora_interop::Report| {
        let path = write(folder.path(), name, &structured_report(report).unwrap());
        let output = Command::new(&dsrdump).args(["+Pu", "+Pl"]).arg(&path).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        // dcmtk checks no lengths of texts in UTF-8, and says so.
        let mut errors = errors.lines().filter(|line| !line.contains("Specific Character Set"));
        assert!(output.status.success() && errors.all(str::is_empty), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = dump("full", &full());
    for line in [
        "Preliminary Flag    : PRELIMINARY",
        "Completion Flag     : COMPLETE",
        "Verification Flag   : UNVERIFIED",
        "Content Date/Time   : 2026-11-28 00:30:05",
        "<has concept mod CODE:(,,\"Procedure reported\")=(CTHEAD,L,\"CT of the head\")>",
        "<contains NUM:(,,\"Certainty of Finding\")=\"97.32\" (%,UCUM,\"percent\")>",
        "<contains CODE:(,,\"Finding\")=(IVH,99HEMORA,\"Intraventricular hemorrhage\")>",
        "<contains TEXT:(,,\"Comment\")=\"the slices are 10 mm apart\">",
        "\"absent below 25 %, present from 60 %\"",
        "\"Key slice at z 15.0 mm: hemorrhage 97 %, subdural 90 %\"",
        "For research use only. Not a medical device, not for diagnosis or treatment.",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("Predecessor"));
    let text = dump("not-sure", &not_sure());
    for line in [
        "Completion Flag     : PARTIAL\n",
        "Images may have been missing when the study was scored\n",
        "Predecessor Docs    : 1",
        "(82334004,SCT,\"Indeterminate\")",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}
