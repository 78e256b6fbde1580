//! The result as a structured report: PS3.16 TID 1500 in a Comprehensive 3D SR, which AIR names for
//! results and which can hold places in space later.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use hemora_ct::Label;
use hemora_model::Verdict;

use super::Object;
use super::content::{self, CONTAINS, CONTEXT, MODIFIER};
use super::data_set::DataSet;
use super::modules::{self, Header};
use crate::codes::{self, Code};
use crate::report::{Finding, KeyImage, Report};
use crate::sentence::{INCOMPLETE, percent, percent_value};
use crate::uid::{Kind, image_tracking_uid, tracking_uid};
use crate::{InteropError, report_sentence, text};

/// The structured report of a result: for each label and each key image a measurement group (TID 1501)
/// with the certainty in %, and for each label whether it is present. Preliminary and unverified; partial
/// if images may be missing. It names its predecessor, if there is one.
///
/// # Errors
/// [`InteropError`] if the report has no form in DICOM.
pub fn structured_report(report: &Report) -> Result<Object, InteropError> {
    report.check()?;
    let kind = Kind::StructuredReport;
    let header = Header {
        kind,
        sop_class_uid: uids::COMPREHENSIVE3_DSR_STORAGE,
        modality: "SR",
        series_number: "901",
        series_description: "Hemora ICH triage, research use",
    };
    let mut data = modules::data_set(report, &header);
    document(&mut data, report);
    let private = [codes::PRIVATE_SCHEME; 1].map(|designator| {
        let mut item = DataSet::new();
        item.put(tags::CODING_SCHEME_DESIGNATOR, VR::SH, designator);
        item.put(tags::CODING_SCHEME_NAME, VR::ST, codes::PRIVATE_SCHEME_NAME);
        let organization = codes::PRIVATE_SCHEME_ORGANIZATION;
        item.put(tags::CODING_SCHEME_RESPONSIBLE_ORGANIZATION, VR::ST, organization);
        item
    });
    data.put_items(tags::CODING_SCHEME_IDENTIFICATION_SEQUENCE, private.into());
    let title = codes::IMAGING_MEASUREMENT_REPORT;
    content::put_container(&mut data, &title, Some("1500"), root(report));
    let [instance, series] = modules::uids(report, kind);
    data.into_object(header.sop_class_uid, instance, series)
}

/// The general module of SR documents (PS3.3 C.17.2).
fn document(data: &mut DataSet, report: &Report) {
    data.put_items(tags::REFERENCED_PERFORMED_PROCEDURE_STEP_SEQUENCE, vec![]);
    data.put_items(tags::PERFORMED_PROCEDURE_CODE_SEQUENCE, vec![]);
    data.put(tags::PRELIMINARY_FLAG, VR::CS, "PRELIMINARY");
    data.put(tags::VERIFICATION_FLAG, VR::CS, "UNVERIFIED");
    if report.may_be_incomplete {
        data.put(tags::COMPLETION_FLAG, VR::CS, "PARTIAL");
        data.put(tags::COMPLETION_FLAG_DESCRIPTION, VR::LO, INCOMPLETE);
    } else {
        data.put(tags::COMPLETION_FLAG, VR::CS, "COMPLETE");
    }
    let study = &report.identity.study_instance_uid;
    let evidence = tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE;
    modules::put_evidence(data, evidence, study, modules::image_evidence(report));
    if let Some(earlier) = report.predecessor {
        let kind = Kind::StructuredReport;
        let earlier = modules::revision_uid(report, earlier, kind);
        let [_, series] = modules::uids(report, kind);
        let earlier = modules::sop_reference(uids::COMPREHENSIVE3_DSR_STORAGE, &earlier);
        let predecessors = tags::PREDECESSOR_DOCUMENTS_SEQUENCE;
        modules::put_evidence(data, predecessors, study, vec![(series, earlier)]);
    }
}

/// The content of the root, in the order of TID 1500.
fn root(report: &Report) -> Vec<DataSet> {
    let mut items = vec![content::code(MODIFIER, &codes::LANGUAGE, &codes::ENGLISH)];
    items.extend(content::observer(report));
    items.push(procedure(report));
    let mut groups: Vec<_> = report.findings.iter().map(|it| of_label(report, it)).collect();
    groups.extend(report.key_images.iter().map(|image| of_image(report, image)));
    items.push(content::container(&codes::IMAGING_MEASUREMENTS, None, groups));
    let warnings = report.warnings.iter().map(String::as_str);
    let sentence = report_sentence(report);
    let comments = std::iter::once(sentence.as_str()).chain(warnings);
    items.extend(comments.filter_map(|it| content::text(CONTAINS, &codes::COMMENT, it)));
    items
}

/// The procedure that the images name, if its code is whole, else a CT of the head.
fn procedure(report: &Report) -> DataSet {
    let given = report.identity.procedure_code.as_ref().map(|[value, scheme, meaning]| {
        [text::value(value, 64), text::value(scheme, 16), text::value(meaning, 64)]
    });
    let fits = |[value, scheme, meaning]: &[String; 3]| {
        (1..=16).contains(&value.chars().count()) && !scheme.is_empty() && !meaning.is_empty()
    };
    let given = given.filter(fits);
    let code = match &given {
        Some([value, scheme, meaning]) => Code { value, scheme, meaning },
        None => codes::CT_OF_HEAD,
    };
    content::code(MODIFIER, &codes::PROCEDURE_REPORTED, &code)
}

/// What is said of a label.
fn of_label(report: &Report, finding: &Finding) -> DataSet {
    let name = format!("{} in the study", title(finding.label));
    let uid = tracking_uid(report, finding.label);
    let mut items = tracked(report, [&name, &uid], finding.label, thresholds(finding));
    items.push(content::percent(&codes::CERTAINTY, percent_value(finding.probability)));
    let presence = codes::presence(finding.presence);
    items.push(content::code(CONTAINS, &codes::PRESENCE, &presence));
    let reasons = finding.reasons.iter();
    items.extend(reasons.filter_map(|it| content::text(CONTAINS, &codes::COMMENT, it)));
    content::container(&codes::MEASUREMENT_GROUP, Some("1501"), items)
}

/// What is said of a key image. Its thresholds are those of slices, so that what does not reach them is
/// not called absent.
fn of_image(report: &Report, image: &KeyImage) -> DataSet {
    let any = f64::from(image.probabilities.get(Label::Any));
    let uid = image_tracking_uid(report, &image.sop_instance_uid, image.frame);
    let mut items = tracked(report, [&image_name(image), &uid], Label::Any, None);
    items.push(content::percent(&codes::CERTAINTY, percent_value(any)));
    if image.flagged.contains(&Label::Any) {
        let present = codes::presence(Verdict::Present);
        items.push(content::code(CONTAINS, &codes::PRESENCE, &present));
    }
    let reference = modules::image_reference(image);
    items.push(content::image(Some(&codes::SOURCE_IMAGE), reference));
    content::container(&codes::MEASUREMENT_GROUP, Some("1501"), items)
}

/// The tracking identifier of a key image, which viewers show as its name.
fn image_name(image: &KeyImage) -> String {
    let place = image.place();
    let of = |label| percent(f64::from(image.probabilities.get(label)));
    let flagged = image.flagged.iter().filter(|label| **label != Label::Any);
    let flagged: String = flagged.map(|label| format!(", {label} {}", of(*label))).collect();
    format!("Key slice{place}: hemorrhage {}{flagged}", of(Label::Any))
}

/// The start of a measurement group in the order of TID 1501: tracking, finding, site and algorithm.
fn tracked(
    report: &Report,
    [name, uid]: [&str; 2],
    label: Label,
    parameter: Option<String>,
) -> Vec<DataSet> {
    let mut items = Vec::new();
    items.extend(content::text(CONTEXT, &codes::TRACKING_ID, name));
    items.push(content::uid(CONTEXT, &codes::TRACKING_UID, uid));
    items.push(content::code(CONTAINS, &codes::FINDING, &codes::finding(label)));
    items.push(content::code(MODIFIER, &codes::FINDING_SITE, &codes::BRAIN));
    let model = &report.model;
    let texts = [
        (codes::ALGORITHM_NAME, format!("Hemora {}", model.name)),
        (codes::ALGORITHM_VERSION, format!("{} (Hemora {})", model.version, report.node.version)),
        (codes::ALGORITHM_PARAMETERS, format!("model sha256 {}", model.sha256)),
        (codes::ALGORITHM_PARAMETERS, format!("engine {}", report.engine)),
        (codes::ALGORITHM_PARAMETERS, format!("operating point {}", report.operating_point)),
    ];
    let parameter = parameter.map(|it| (codes::ALGORITHM_PARAMETERS, it));
    let texts = texts.into_iter().chain(parameter);
    items.extend(texts.filter_map(|(name, value)| content::text(MODIFIER, &name, &value)));
    items
}

fn thresholds(finding: &Finding) -> Option<String> {
    let thresholds = finding.thresholds?;
    let [below, from] = [thresholds.absent_below, thresholds.present_from].map(percent_value);
    Some(format!("absent below {below} %, present from {from} %"))
}

fn title(label: Label) -> &'static str {
    match label {
        Label::Any => "Any intracranial hemorrhage",
        Label::Epidural => "Epidural hemorrhage",
        Label::Intraparenchymal => "Intraparenchymal hemorrhage",
        Label::Intraventricular => "Intraventricular hemorrhage",
        Label::Subarachnoid => "Subarachnoid hemorrhage",
        Label::Subdural => "Subdural hemorrhage",
    }
}
