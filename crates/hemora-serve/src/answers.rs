//! From what triage found of a study to its result in the store and what is sent of it.

use std::path::Path;

use chrono::{DateTime, Local, Offset, Utc};
use hemora_ct::{Label, Window};
use hemora_infer::LoadedModel;
use hemora_interop::{Class as Said, Finding, KeyImage, Node, Report, Thresholds as Limits};
use hemora_io::{Identity, read_identity};
use hemora_model::{KeySlice, StudyResult, TriageOutput, TriageResult, Verdict};
use hemora_report::thumbnail_png;
use hemora_store::{
    Artifact, Class, DeliveryState, InstanceRow, Job, NewDelivery, RevisionResult, Settled,
    StudyRow,
};
use serde::Serialize;

use crate::classify::{classify, thresholds_in_words};
use crate::forms::{Made, STRUCTURED_REPORT, deliveries};
use crate::http::types::LeftOut;
use crate::scoring::{Failed, Scored};
use crate::shared::Shared;
use crate::view::{KeptView, MAPS, VIEW, findings, gzip, kept_view, left_out, study_maps};

/// Longest side of the small picture of a key slice, pixels.
const THUMBNAIL_SIDE: usize = 128;

/// What a job ends with.
pub(crate) struct Answer {
    pub(crate) result: RevisionResult,
    pub(crate) deliveries: Vec<NewDelivery>,
    /// What readers see of it until the images go.
    pub(crate) artifacts: Vec<Artifact>,
    /// What to note with the study: forms that could not be made.
    pub(crate) warnings: Vec<String>,
}

/// Makes the result of a revision.
pub(crate) fn answer(
    shared: &Shared,
    model: &LoadedModel,
    job: &Job,
    row: &StudyRow,
    scored: Scored,
) -> Result<Answer, Failed> {
    let now = Utc::now();
    let model_sha256 = model.model().model_ref().sha256;
    let Scored { mut output, collection, maps } = scored;
    let same = output.result.studies.iter().filter(|it| it.study_instance_uid == job.study_uid);
    // Studies are in the order of their probability: of several patients under one UID, the first.
    let chosen = same.clone().next().cloned();
    let patients = same.count();
    let of_study = |key: &&KeySlice| {
        key.study_instance_uid == job.study_uid
            && chosen.as_ref().is_some_and(|study| study.patient_id == key.patient_id)
    };
    let keys: Vec<KeySlice> = output.key_slices.iter().filter(of_study).cloned().collect();
    // While the result still names its files as the collection does.
    let kept = chosen.as_ref().map(|study| {
        let view = kept_view(study, &keys, &collection, shared.store.folder());
        let maps = study_maps(study, &view, &keys, maps);
        (view, maps)
    });
    without_folders(&mut output.result, shared.store.folder());
    let left_out = left_out(&output.result);
    let Some((mut view, maps)) = kept else {
        let result = RevisionResult {
            revision: job.revision,
            class: Class::NotScored,
            probability: None,
            label: None,
            reason: Some(why_not_scored(&left_out)),
            cause: left_out.first().map(|it| it.reason.clone()),
            json: text(&output.result)?,
            findings: "null".to_owned(),
            key_slice: None,
            made_at: now,
            model_sha256,
        };
        let view = KeptView { left_out, ..KeptView::default() };
        let artifacts = vec![artifact(VIEW, &view)?];
        return Ok(Answer { result, deliveries: Vec::new(), artifacts, warnings: Vec::new() });
    };
    view.left_out = left_out;
    // The study as it is kept, without folders.
    let study = output.result.studies.iter().find(|it| it.study_instance_uid == job.study_uid);
    let study = study.cloned().ok_or_else(|| Failed::Answer("the study is gone".to_owned()))?;
    let instances = shared.store.instances_of(&job.study_uid, job.revision)?;
    let mut report = report(shared, &output, &study, &instances, row, job, now)?;
    if patients > 1 {
        let warning = format!(
            "images of {patients} patients have this study's UID: the result is that of the most suspicious"
        );
        report.warnings.push(warning);
    }
    let before = shared.store.result(&job.study_uid, None)?.map(|result| result.class);
    let key = keys.first();
    let Made { deliveries, warnings } =
        deliveries(&shared.config.destinations, &shared.templates, &report, &study, key, before);
    let mut artifacts = vec![artifact(VIEW, &view)?, artifact(MAPS, &maps)?];
    artifacts.extend(key.and_then(thumbnail));
    let leading = leading(&report);
    let reason = report.finding(Label::Any).map(|finding| finding.reasons.join("; "));
    let short = |index: usize| u32::try_from(index).ok();
    let result = RevisionResult {
        revision: job.revision,
        class: stored(report.class),
        probability: report.finding(Label::Any).map(|finding| finding.probability),
        label: leading.map(|label| label.name().to_owned()),
        reason: reason.filter(|reason| !reason.is_empty()),
        cause: None,
        json: text(&output.result)?,
        findings: text(&findings(&report))?,
        key_slice: view.key_slices.first().and_then(|key| short(key.series).zip(short(key.slice))),
        made_at: now,
        model_sha256,
    };
    Ok(Answer { result, deliveries, artifacts, warnings })
}

fn text<T: Serialize>(document: &T) -> Result<String, Failed> {
    serde_json::to_string(document).map_err(|error| Failed::Answer(error.to_string()))
}

fn artifact<T: Serialize>(name: &str, document: &T) -> Result<Artifact, Failed> {
    let bytes = gzip(document).map_err(|error| Failed::Answer(error.to_string()))?;
    Ok(Artifact { name: name.to_owned(), bytes })
}

/// The small picture of a key slice. A result is not lost for want of it.
fn thumbnail(key: &KeySlice) -> Option<Artifact> {
    let bytes = thumbnail_png(&key.slice, Window::BRAIN, THUMBNAIL_SIDE).ok()?;
    Some(Artifact { name: Artifact::THUMBNAIL.to_owned(), bytes })
}

/// The words of the store for what a report says.
pub(crate) fn stored(class: Said) -> Class {
    match class {
        Said::Positive => Class::Positive,
        Said::NotSure => Class::NotSure,
        Said::Negative => Class::Negative,
    }
}

/// The subtype with the highest probability.
fn leading(report: &Report) -> Option<Label> {
    let subtypes = report.findings.iter().filter(|finding| finding.label != Label::Any);
    let highest = subtypes.max_by(|a, b| a.probability.total_cmp(&b.probability));
    highest.map(|finding| finding.label)
}

/// Names of files without the data folder, which is nobody's business.
fn without_folders(result: &mut TriageResult, folder: &Path) {
    let folder = format!("{}/", folder.display());
    let shorten = |source: &mut String| *source = source.replace(&folder, "");
    for study in &mut result.studies {
        let series = study.series.iter_mut();
        series.flat_map(|series| &mut series.slices).for_each(|slice| shorten(&mut slice.source));
    }
    for file in &mut result.skipped {
        shorten(&mut file.source);
        shorten(&mut file.reason);
    }
}

/// The commonest reasons for which no image was used, with how many images each has.
fn why_not_scored(left_out: &[LeftOut]) -> String {
    let words = left_out.iter().take(3).map(|LeftOut { reason, images, .. }| match images {
        1 => reason.clone(),
        count => format!("{reason} ({count} images)"),
    });
    let words: Vec<String> = words.collect();
    match words.is_empty() {
        true => "no image could be read".to_owned(),
        false => words.join("; "),
    }
}

fn report(
    shared: &Shared,
    output: &TriageOutput,
    study: &StudyResult,
    instances: &[InstanceRow],
    row: &StudyRow,
    job: &Job,
    now: DateTime<Utc>,
) -> Result<Report, Failed> {
    let site = shared.thresholds();
    let said = classify(study, site.as_ref());
    let findings = said.into_iter().map(|it| Finding {
        label: it.label,
        probability: it.probability,
        presence: it.verdict,
        thresholds: Some(Limits { absent_below: it.band[0], present_from: it.band[1] }),
        reasons: it.reasons,
    });
    let findings: Vec<Finding> = findings.collect();
    let class = match findings.first().map(|finding| finding.presence) {
        Some(Verdict::Present) => Said::Positive,
        Some(Verdict::Absent) => Said::Negative,
        _ => Said::NotSure,
    };
    let settled = row.settled;
    let mut warnings = study.warnings.clone();
    for series in &study.series {
        warnings.extend(series.warnings.iter().cloned());
    }
    warnings.extend(row.warnings.iter().cloned());
    let public = shared.config.http.public_url.as_deref().map(|url| url.trim_end_matches('/'));
    Ok(Report {
        identity: identity(study, instances)?,
        node: node(shared, now),
        model: output.result.model.clone(),
        engine: output.result.engine.clone(),
        operating_point: thresholds_in_words(site.as_ref(), study),
        key_images: key_images(output, &findings, instances),
        findings,
        class,
        revision: job.revision,
        predecessor: predecessor(shared, job)?,
        may_be_incomplete: settled == Some(Settled::Longest),
        warnings,
        made_at: now,
        link: public.map(|url| format!("{url}/study/{}", job.study_uid)),
    })
}

/// The newest earlier revision whose structured report an archive has.
fn predecessor(shared: &Shared, job: &Job) -> Result<Option<u32>, Failed> {
    let sent = shared.store.deliveries(&job.study_uid)?.into_iter().filter(|delivery| {
        delivery.kind == STRUCTURED_REPORT
            && delivery.state == DeliveryState::Delivered
            && delivery.revision < job.revision
    });
    Ok(sent.map(|delivery| delivery.revision).max())
}

/// Whose the study is: what an image of the head says that was scored.
fn identity(study: &StudyResult, instances: &[InstanceRow]) -> Result<Identity, Failed> {
    let series = study.series.first().map(|series| series.series_instance_uid.as_str());
    let scored = instances.iter().find(|it| Some(it.series_uid.as_str()) == series);
    let instance = scored.or(instances.first());
    let instance = instance.ok_or_else(|| Failed::Answer("the images are gone".to_owned()))?;
    read_identity(&instance.path).map_err(|error| {
        Failed::Answer(format!("{}: {error}; send the study again", instance.path.display()))
    })
}

fn node(shared: &Shared, now: DateTime<Utc>) -> Node {
    Node {
        name: "Hemora".to_owned(),
        ae_title: shared.config.node.ae_title.clone(),
        uid: shared.uid.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        utc_offset: now.with_timezone(&Local).offset().fix(),
    }
}

/// The key slices as others name them; those whose image is not in the store are left out.
fn key_images(
    output: &TriageOutput,
    findings: &[Finding],
    instances: &[InstanceRow],
) -> Vec<KeyImage> {
    let key_image = |key: &hemora_model::KeySlice| {
        let (sop, frame) = split_frame(&key.sop_instance_uid);
        let instance = instances.iter().rev().find(|it| it.sop_uid == sop)?;
        let flagged = findings.iter().filter(|finding| {
            let from = finding.thresholds.map_or(1.0, |limits| limits.present_from);
            f64::from(key.probabilities.get(finding.label)) >= from
        });
        Some(KeyImage {
            sop_class_uid: instance.sop_class.clone(),
            sop_instance_uid: sop.to_owned(),
            series_instance_uid: key.series_instance_uid.clone(),
            frame,
            z_mm: key.z_mm,
            probabilities: key.probabilities,
            flagged: flagged.map(|finding| finding.label).collect(),
        })
    };
    output.key_slices.iter().filter_map(key_image).collect()
}

/// The SOPInstanceUID, and the frame where a result names one.
fn split_frame(id: &str) -> (&str, Option<u32>) {
    match id.rsplit_once("-frame") {
        Some((sop, number)) => number.parse().map_or((id, None), |number| (sop, Some(number))),
        None => (id, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_reason_comes_first() {
        let left =
            |reason: &str, images| LeftOut { reason: reason.to_owned(), images, failed: false };
        let words = why_not_scored(&[left("an abdomen", 2), left("a localizer", 1)]);
        assert_eq!(words, "an abdomen (2 images); a localizer");
        assert_eq!(why_not_scored(&[]), "no image could be read");
    }

    #[test]
    fn frames_are_told_from_uids() {
        assert_eq!(split_frame("1.2.3-frame7"), ("1.2.3", Some(7)));
        assert_eq!(split_frame("1.2.3"), ("1.2.3", None));
        assert_eq!(split_frame("ID_a-frame"), ("ID_a-frame", None));
    }
}
