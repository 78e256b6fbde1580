//! What a result says, for readers.

use hemora_interop::{Report, report_sentence};

use crate::http::types::{StudyFinding, StudyFindings};

/// What a report says, for readers: without the patient, who is known to the study.
pub(crate) fn findings(report: &Report) -> StudyFindings {
    let finding = |it: &hemora_interop::Finding| StudyFinding {
        label: it.label,
        probability: it.probability,
        verdict: it.presence.words().to_owned(),
        absent_below: it.thresholds.map_or(0.0, |limits| limits.absent_below),
        present_from: it.thresholds.map_or(1.0, |limits| limits.present_from),
        reasons: it.reasons.clone(),
    };
    StudyFindings {
        findings: report.findings.iter().map(finding).collect(),
        thresholds: report.operating_point.clone(),
        sentence: report_sentence(report),
        warnings: report.warnings.clone(),
        may_be_incomplete: report.may_be_incomplete,
        model: report.model.name.clone(),
        model_version: report.model.version.clone(),
        engine: report.engine.clone(),
        made_at: report.made_at,
    }
}
