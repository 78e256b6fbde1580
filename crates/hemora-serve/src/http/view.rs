//! A study as a reader sees it: what is said of it, its series, the maps and a small picture.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use hemora_ct::NOTICE;
use hemora_store::{Artifact, RevisionResult, StudyRow};
use serde::Deserialize;

use super::Node;
use super::answer::{Refused, waiting};
use super::bodies::{of_type, packed, repacked, takes_gzip};
use super::studies::{known, of_rows};
use super::types::{
    StudyDelivery, StudyFindings, StudyReading, StudyRevision, StudyView, ViewSeries,
};
use crate::access::Asker;
use crate::looks::{Look, note_look};
use crate::shared::Shared;
use crate::view::{KeptView, MAPS, VIEW};

/// Which revision.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WhichRevision {
    pub(super) revision: Option<u32>,
}

/// All that a reader sees of a study but the pixels.
pub(super) async fn view(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path(uid): Path<String>,
    which: Result<Query<WhichRevision>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let Query(WhichRevision { revision }) = which?;
    waiting(move || {
        let document = document(&node, &asker, &uid, revision)?;
        let json = serde_json::to_vec(&document).map_err(|error| {
            Refused::new(StatusCode::INTERNAL_SERVER_ERROR, format!("no answer: {error}"))
        })?;
        packed("application/json", json, takes_gzip(&headers))
    })
    .await
}

fn document(
    node: &Shared,
    asker: &Asker,
    uid: &str,
    revision: Option<u32>,
) -> Result<StudyView, Refused> {
    let row = known(node, uid)?;
    let result = result(node, uid, revision)?;
    let revision = result.as_ref().map_or(0, |result| result.revision);
    note_look(node, asker, uid, revision, Look::Whole)?;
    let images_removed = row.evicted > 0;
    let kept = match &result {
        Some(result) => kept(node, uid, result.revision)?,
        None => None,
    };
    let findings = result.and_then(|result| said(&result));
    let shown: Arc<KeptView> = kept.unwrap_or_default();
    let series: Vec<ViewSeries> = shown.series.iter().map(|series| series.shown.clone()).collect();
    let ohif_url = node.config.http.ohif_url.as_deref();
    Ok(StudyView {
        study: of_rows(node, vec![row])?.remove(0),
        revision,
        revisions: node.store.revisions(uid)?.into_iter().map(StudyRevision::from).collect(),
        findings,
        series,
        key_slices: shown.key_slices.clone(),
        left_out: shown.left_out.clone(),
        images_removed,
        deliveries: node.store.deliveries(uid)?.into_iter().map(StudyDelivery::from).collect(),
        readings: node.store.readings(uid)?.into_iter().map(StudyReading::from).collect(),
        ohif_url: ohif_url.map(|url| url.replace("{study}", &escaped(uid))),
        notice: NOTICE,
    })
}

/// A UID as it may stand in an address: others may be in use that are none.
fn escaped(uid: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    uid.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// The result of a revision, or the newest if there is one.
fn result(
    node: &Shared,
    uid: &str,
    revision: Option<u32>,
) -> Result<Option<RevisionResult>, Refused> {
    let result = node.store.result(uid, revision)?;
    match (revision, &result) {
        (Some(revision), None) => Err(no_result(uid, Some(revision))),
        _ => Ok(result),
    }
}

/// What a result says; nothing of one that was not scored, or made by a version that kept nothing for
/// readers.
fn said(result: &RevisionResult) -> Option<StudyFindings> {
    serde_json::from_str(&result.findings).ok().flatten()
}

/// What is kept of a revision for readers, while its images are there.
fn kept(node: &Shared, uid: &str, revision: u32) -> Result<Option<Arc<KeptView>>, Refused> {
    let Some((_, bytes)) = node.store.artifact(uid, Some(revision), VIEW)? else { return Ok(None) };
    let view = node.images.view(bytes).map_err(|error| {
        let error =
            format!("what is kept of {uid} for readers cannot be read ({error}); score it again");
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error)
    })?;
    Ok(Some(view))
}

/// The view of a revision, or of the newest result, with its number.
///
/// # Errors
/// 404 where there is no study or no result, 410 where its images are gone.
pub(super) fn kept_of(
    node: &Shared,
    uid: &str,
    revision: Option<u32>,
) -> Result<(u32, Arc<KeptView>), Refused> {
    let row = known(node, uid)?;
    let revision = revision_of(&row, revision)?;
    let view = kept(node, uid, revision)?.ok_or_else(|| missing(node, uid, revision))?;
    Ok((revision, view))
}

fn revision_of(row: &StudyRow, revision: Option<u32>) -> Result<u32, Refused> {
    revision.or(row.result_revision).ok_or_else(|| no_result(&row.study_uid, None))
}

/// Why there is nothing of a revision to see.
fn missing(node: &Shared, uid: &str, revision: u32) -> Refused {
    match node.store.result(uid, Some(revision)) {
        Ok(Some(_)) => gone(uid),
        Ok(None) => no_result(uid, Some(revision)),
        Err(error) => error.into(),
    }
}

fn no_result(uid: &str, revision: Option<u32>) -> Refused {
    Refused::not_found(match revision {
        Some(revision) => format!("the study {uid} has no result of revision {revision}"),
        None => format!("the study {uid} has no result yet"),
    })
}

/// The images of a study are gone.
pub(super) fn gone(uid: &str) -> Refused {
    let error = format!(
        "images of the study {uid} are not kept here any more; what was found of it stays. Send it again \
         to see them"
    );
    Refused::new(StatusCode::GONE, error)
}

/// The maps of a study.
pub(super) async fn maps(
    State(node): State<Node>,
    Extension(asker): Extension<Asker>,
    Path(uid): Path<String>,
    which: Result<Query<WhichRevision>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let Query(WhichRevision { revision }) = which?;
    waiting(move || {
        let revision = revision_of(&known(&node, &uid)?, revision)?;
        let found = node.store.artifact(&uid, Some(revision), MAPS)?;
        let Some((_, bytes)) = found else {
            // Of what was not scored there are none.
            let (_, view) = kept_of(&node, &uid, Some(revision))?;
            let none =
                super::types::StudyMaps { series: vec![Default::default(); view.series.len()] };
            let json = serde_json::to_vec(&none).unwrap_or_default();
            return Ok(of_type("application/json", json));
        };
        note_look(&node, &asker, &uid, revision, Look::Part("maps"))?;
        repacked("application/json", bytes, takes_gzip(&headers))
    })
    .await
}

/// The small picture of the key slice.
pub(super) async fn thumbnail(
    State(node): State<Node>,
    Path(uid): Path<String>,
) -> Result<Response, Refused> {
    waiting(move || {
        let revision = revision_of(&known(&node, &uid)?, None)?;
        let found = node.store.artifact(&uid, Some(revision), Artifact::THUMBNAIL)?;
        let Some((_, bytes)) = found else {
            kept_of(&node, &uid, Some(revision))?;
            return Err(Refused::not_found(format!("the study {uid} has no slice to show")));
        };
        Ok(of_type("image/png", bytes))
    })
    .await
}
