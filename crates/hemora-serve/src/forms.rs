//! A result in the forms that the destinations want.

use std::collections::BTreeMap;

use hemora_interop::{
    Class as Said, INCOMPLETE, InteropError, OruOptions, Picture, Report, Template, fhir_bundle,
    key_objects, oru, secondary_capture, structured_report, webhook_body,
};
use hemora_model::{KeySlice, StudyResult};
use hemora_report::{CaptureText, CaptureVerdict, capture};
use hemora_store::{Class, NewDelivery};

use crate::answers::stored;
use crate::config::{ConfigError, Destination, Hl7Destination, Sent, When};

/// What is sent, and what could not be made.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) deliveries: Vec<NewDelivery>,
    pub(crate) warnings: Vec<String>,
}

/// The structured report, as a delivery is called.
pub(crate) const STRUCTURED_REPORT: &str = "structured report";

/// The templates of HL7 destinations, by the names of these.
#[derive(Debug, Default)]
pub(crate) struct Templates(BTreeMap<String, Template>);

impl Templates {
    /// Reads the file of every destination that names one.
    pub(crate) fn read(destinations: &[Destination]) -> Result<Self, ConfigError> {
        let mut templates = BTreeMap::new();
        for destination in destinations {
            let Destination::Hl7(Hl7Destination { name, template: Some(path), .. }) = destination
            else {
                continue;
            };
            let failed = |problem: String| ConfigError::File { path: path.clone(), problem };
            let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
            let template = toml::from_str(&text).map_err(|error| failed(error.to_string()))?;
            templates.insert(name.clone(), template);
        }
        Ok(Self(templates))
    }

    fn of(&self, destination: &Hl7Destination) -> Option<&Template> {
        self.0.get(&destination.name)
    }
}

/// What each destination gets of a result. `before` is the class of the study's last result: people are
/// alerted again only where the class rose.
pub(crate) fn deliveries(
    destinations: &[Destination],
    templates: &Templates,
    report: &Report,
    study: &StudyResult,
    key: Option<&KeySlice>,
    before: Option<Class>,
) -> Made {
    let mut made = Made::default();
    let scored = before.filter(|before| *before != Class::NotScored);
    let rose = scored.is_none_or(|before| stored(report.class).urgency() > before.urgency());
    for destination in destinations.iter().filter(|it| wants(it.when(), report.class)) {
        let mut add = |kind: &str, payload: Result<Vec<u8>, String>| match payload {
            Ok(payload) => made.deliveries.push(NewDelivery {
                destination: destination.name().to_owned(),
                kind: kind.to_owned(),
                payload,
            }),
            Err(problem) => {
                let name = destination.name();
                made.warnings.push(format!("{name} does not get the {kind}: {problem}"));
            }
        };
        match destination {
            Destination::Dicom(it) => {
                for sent in &it.send {
                    match sent {
                        Sent::Sr => add(STRUCTURED_REPORT, bytes(structured_report(report))),
                        Sent::Sc => add("secondary capture", picture(report, study, key)),
                        // A selection of nothing is none.
                        Sent::KeyObjects if report.key_images.is_empty() => {}
                        Sent::KeyObjects => add("key objects", bytes(key_objects(report))),
                    }
                }
            }
            Destination::Hl7(it) => add("ORU", message(it, templates.of(it), report, rose)),
            Destination::Fhir(it) => add("FHIR", json(&fhir_bundle(report, it.phi))),
            Destination::Webhook(_) if !rose => {}
            Destination::Webhook(it) => add("webhook", Ok(webhook_body(report, it.phi))),
        }
    }
    made
}

fn wants(when: When, class: Said) -> bool {
    match when {
        When::All => true,
        When::NotNegative => class != Said::Negative,
        When::Positive => class == Said::Positive,
    }
}

fn bytes(object: Result<hemora_interop::Object, InteropError>) -> Result<Vec<u8>, String> {
    object.map(|object| object.bytes).map_err(|error| error.to_string())
}

fn json(value: &serde_json::Value) -> Result<Vec<u8>, String> {
    serde_json::to_vec(value).map_err(|error| error.to_string())
}

fn picture(
    report: &Report,
    study: &StudyResult,
    key: Option<&KeySlice>,
) -> Result<Vec<u8>, String> {
    let verdicts = report.findings.iter().map(|finding| CaptureVerdict {
        label: finding.label,
        verdict: finding.presence,
        thresholds: finding.thresholds.map(|it| [it.absent_below, it.present_from]),
    });
    let text = CaptureText {
        model: format!("{} {}", report.model.name, report.model.version),
        revision: report.revision,
        made_at: report
            .made_at
            .with_timezone(&report.node.utc_offset)
            .format("%Y-%m-%d %H:%M")
            .to_string(),
        verdicts: verdicts.collect(),
        warning: report.may_be_incomplete.then(|| INCOMPLETE.to_owned()),
    };
    let drawn = capture(study, key, &text).map_err(|error| error.to_string())?;
    let picture = Picture { rows: drawn.rows, columns: drawn.columns, rgb: &drawn.rgb };
    bytes(secondary_capture(report, &picture))
}

fn message(
    to: &Hl7Destination,
    template: Option<&Template>,
    report: &Report,
    rose: bool,
) -> Result<Vec<u8>, String> {
    let [application, facility] = &to.receiver;
    let options = OruOptions {
        receiving_application: application.clone(),
        receiving_facility: facility.clone(),
        phi: to.phi,
        priority: to.priority && rose,
        template: template.cloned(),
        ..OruOptions::default()
    };
    oru(report, &options).map(String::into_bytes).map_err(|error| error.to_string())
}
